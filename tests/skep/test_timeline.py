"""`skep profile timeline` and `show --at`: events and what was told in one list, who somebody was at a time, what cannot be asked."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.promises.project import Json, asked, project, ran
from tests.skep.test_cli import refused, skep

RULES: Json = {
    "version": 1,
    "namespaces": [
        {"name": "user_id", "from": "userId", "unique": True},
        {"name": "device", "from": "anonymousId", "scope": "device"},
    ],
}
BUYERS: Json = {"segment": "buyers", "version": 1, "title": "Buyers", "owner": "crm", "who": {"did": "order_completed", "within": "2d"}}


def call(number: int, type_: str, **body: object) -> bytes:
    """A call at noon of a day of January 2026."""
    return orjson.dumps({"type": type_, "messageId": f"m{number}", "timestamp": f"2026-01-{number:02d}T12:00:00Z", **body})


LINES = [
    call(1, "track", event="Page Seen", anonymousId="d"),
    call(2, "track", event="Order Completed", anonymousId="d", properties={"total": 5}),
    call(3, "identify", userId="ann", traits={"city": "Bonn"}),
    call(5, "track", event="Page Seen", userId="ann", anonymousId="d"),
    call(6, "track", event="Page Seen", userId="bob"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A device that buys, then turns out to be ann's; bob is somebody else."""
    folder = tmp_path_factory.mktemp("timeline") / "shop"
    files = {"identity.yaml": RULES, "segments/buyers.yaml": BUYERS, "traits.yaml": {"traits": [{"name": "city", "emit": True}]}}
    files |= {f"events/{name}/1-0-0.json": {"type": "object"} for name in ("order_completed", "page_seen")}
    project(folder, files, LINES)
    ran(folder)
    return folder


def told(shop: Path, *asking: str) -> list[tuple[str, str, str | None]]:
    """Day, what and about."""
    (found,) = asked(shop, "profile", "timeline", *asking)
    return [(one["time"][8:10], one["what"], one["about"]) for one in found["entries"]]


def test_events_and_what_was_told_of_her_and_of_the_device_that_was_merged(shop: Path) -> None:
    """Of one moment the event stands before what came of it; somebody else's are not there."""
    (found,) = asked(shop, "profile", "timeline", "user_id:ann")
    device = next(one["about"] for one in found["entries"] if one["what"] == "identity.merged")
    assert found["earlier"] == 0
    assert device.startswith("p_")
    assert device != found["profile"]
    assert told(shop, "user_id:ann") == [
        ("01", "page_seen", "device:d"),
        ("01", "profile.created", None),
        ("02", "order_completed", "device:d"),
        ("02", "segment.entered", "buyers"),
        ("03", "identify", "user_id:ann"),
        ("03", "profile.created", None),
        ("03", "profile.updated", "city"),
        ("04", "segment.exited", "buyers"),
        ("05", "page_seen", "user_id:ann"),
        ("05", "identity.merged", device),
        ("05", "identity.identifiers", None),
    ]
    assert found["entries"][-1]["value"] == ["device"]
    causes = {one["what"]: one["cause"] for one in found["entries"]}
    assert causes["segment.exited"]["type"] == "timer"
    assert causes["identity.merged"] == {"type": "message", "id": "m5"}
    assert {one["what"]: one["value"] for one in found["entries"]}["profile.updated"] == "Bonn"
    assert told(shop, "device:d") == told(shop, found["profile"]) == told(shop, "user_id:ann")


def test_the_newest_since_a_time_and_of_one_name(shop: Path) -> None:
    assert told(shop, "user_id:ann", "--limit", "1") == told(shop, "user_id:ann")[-1:]
    assert asked(shop, "profile", "timeline", "user_id:ann", "--limit", "4")[0]["earlier"] == 7
    assert told(shop, "user_id:ann", "--since", "2026-01-05T00:00:00Z") == told(shop, "user_id:ann")[-3:]
    assert [what for _, what, _ in told(shop, "user_id:ann", "--event", "Page*")] == ["page_seen", "page_seen"]
    assert told(shop, "user_id:ann", "--event", "identify") == [("03", "identify", "user_id:ann")]
    assert "nothing in that time" in skep("profile", "timeline", "user_id:ann", "--event", "nothing", project=shop).stdout
    assert "7 earlier ones are left out: --limit 11" in skep("profile", "timeline", "user_id:ann", "--limit", "4", project=shop).stdout


def test_who_somebody_was(shop: Path) -> None:
    """By all that is known today: as of the second day nobody knew that the device was ann's, who had not been seen."""
    (then,) = asked(shop, "profile", "show", "device:d", "--at", "2026-01-02T12:00:00Z")
    (now,) = asked(shop, "profile", "show", "user_id:ann")
    assert [one[:2] for one in then["identifiers"]] == [["device", "d"]]
    assert (then["segments"], then["at"], then["version"]) == (["buyers"], "2026-01-02T12:00:00.000000Z", None)
    assert asked(shop, "profile", "show", now["id"], "--at", "2026-01-02T12:00:00Z") == [then]
    (later,) = asked(shop, "profile", "show", "device:d", "--at", "2026-01-05T12:00:00Z")
    assert later == {**now, "at": "2026-01-05T12:00:00.000000Z", "version": None}
    assert asked(shop, "profile", "show", "user_id:ann", "--at", "2026-01-02T12:00:00Z") == []
    assert "nobody had user_id:ann" in refused(skep("profile", "show", "user_id:ann", "--at", "2026-01-02T12:00:00Z", project=shop))
    assert "--at: expected a time" in refused(skep("profile", "show", "user_id:ann", "--at", "May", project=shop))
    assert "as of 2026-01-05" in skep("profile", "show", "user_id:ann", "--at", "2026-01-05T12:00:00Z", project=shop).stdout


def test_what_it_cannot_be_asked(shop: Path) -> None:
    assert "--since: expected a time" in refused(skep("profile", "timeline", "user_id:ann", "--since", "yesterday", project=shop))
    assert "nobody has user_id:zoe" in refused(skep("profile", "timeline", "user_id:zoe", project=shop))
    assert "did you mean user_id?" in refused(skep("profile", "timeline", "userid:ann", project=shop))
    assert skep("profile", "timeline", "user_id:ann", "--limit", "0", project=shop).returncode == 2
