"""Events that wait for a contract, from the quarantine to a live one; snapshots and plans where little or nothing is new."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from contracts.drafting.inference import SAMPLE, Seen, draft
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from skep.runtime.snapshots import publish_if_new
from tests.promises.project import applied, asked, project, ran, write_contract
from tests.skep.test_cli import skep

USER = {"namespaces": [{"name": "user_id", "from": "userId"}]}
DRAFT = {"type": "object", "status": "draft"}
SEEN = "segment: seen\ntitle: Seen\nowner: crm\nwho: {did: ping, within: 30d}\n"


def _track(number: int, event: str, **properties: float) -> bytes:
    stamp = f"2026-01-01T10:{number // 60:02d}:{number % 60:02d}Z"
    body = {"type": "track", "event": event, "messageId": f"m{number}", "userId": f"u{number % 5}", "timestamp": stamp}
    return orjson.dumps({**body, "properties": properties})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 pings that are accepted, and 30 coupons of which there is a draft; one of them of 99,999."""
    lines = [_track(number, "ping") for number in range(30)]
    lines += [_track(30 + number, "coupon_used", amount=99_999 if number == 7 else 5 + number % 4) for number in range(30)]
    contracts = {"identity.yaml": USER, "events/ping/1-0-0.json": {"type": "object"}, "events/coupon_used/1-0-0.json": DRAFT}
    folder = project(tmp_path_factory.mktemp("waiting") / "shop", contracts, lines)
    ran(folder)
    return folder


def test_check_names_the_drafts_that_records_wait_for(shop: Path) -> None:
    done = skep("check", project=shop)
    assert (done.returncode, "contracts are good" in done.stdout) == (0, True)
    assert "30 records of coupon_used wait in quarantine: it has drafts only" in done.stderr
    assert "skep quarantine replay --event coupon_used" in done.stderr


def test_a_draft_is_made_of_the_quarantine_and_marks_what_is_far(shop: Path) -> None:
    done = skep("contracts", "infer", "--event", "Coupon Used", "--from", "quarantine", project=shop)
    assert (done.returncode, done.stderr) == (0, "drafted from 30 events\n")
    said = json.loads(done.stdout)["properties"]["amount"]["$comment"]
    assert "from 5 to 99999, of which 99999 is far from the others (half of them are from 5.25 to 7): a mistake?" in said
    assert "and not both" in skep("contracts", "infer", "--event", "x", project=shop).stderr


def test_ordinary_numbers_are_far_from_nothing() -> None:
    """Whatever their order, and however many; prices of 10 to 1,000 are no mistakes."""
    seen = Seen()
    for number in range(SAMPLE * 5):
        seen.add({"price": 10 + number * 7919 % 991, "flat": 3, "small": 0.5})
    properties = draft("x", seen)["properties"]
    assert len(seen.properties["price"].numbers) <= SAMPLE
    assert not any("far from" in one["$comment"] for one in properties.values())


def test_a_snapshot_is_published_where_something_is_new(shop: Path) -> None:
    """Not for the very same state; a setting, a definition and an event are each something new."""

    def is_published(**changed: str) -> bool:
        return publish_if_new(Settings.load(shop, **changed)) is not None

    assert is_published()
    assert "nothing is new since the last one" in skep("snapshot", project=shop).stdout
    assert not asked(shop, "snapshot")[0]["new"]
    assert is_published(snapshot_personal="clear")
    assert is_published()
    write_contract(shop, "events/ping/1-0-0.json", {"type": "object", "title": "Ping"})
    assert not is_published()
    applied(shop)
    ran(shop)
    assert is_published()
    assert not is_published()
    snapshot_path(Settings.load(shop)).unlink()
    assert is_published()
    with (shop / "events.jsonl").open("ab") as file:
        file.write(_track(29, "ping") + b"\n")
    ran(shop)
    assert is_published()


def test_a_plan_says_its_clock_and_leaves_out_what_stays(shop: Path) -> None:
    write_contract(shop, "segments/seen.yaml", SEEN)
    shown = skep("plan", project=shop).stdout
    assert "5 profiles now, 5 after, at the clock 2026-01-01T10:00:29Z" in shown
    assert "everybody keeps their profile" in shown
    assert "profile ids that vanish" not in shown
    assert "seen" in shown
    assert asked(shop, "plan")[0]["clock"] == "2026-01-01T10:00:29.000000Z"
