"""A project from `skep init` to answers, with real processes: the demo shop run once, and followed."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S, until
from tests.processes import plain_environment, started
from tests.skep.test_cli import refused, skep


def _project(folder: Path) -> Path:
    assert skep("init", str(folder)).returncode == 0
    made = ("demo", "--people", "150", "--events", "6000", "--seed", "5", "--until", "2026-07-01", "--out", str(folder / "events"))
    assert skep(*made).returncode == 0
    (folder / "events" / "_truth.jsonl").rename(folder / "_truth.jsonl")
    return folder


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has been run to the end of its input."""
    folder = _project(tmp_path_factory.mktemp("run") / "shop")
    done = skep("run", "--once", project=folder)
    assert done.returncode == 0, done.stderr
    for word in ("6,000 events", "people", "merges", "segment", "quarantine", "events/s", "Try next:"):
        assert word in done.stdout
    return folder


def _json(project: Path, *words: str) -> Any:
    done = skep(*words, "--json", project=project)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _lines(project: Path, *words: str) -> list[Any]:
    return [json.loads(line) for line in skep(*words, project=project).stdout.splitlines()]


@contextmanager
def _following(project: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`skep run` beside the test, stopped by SIGTERM, which must end it with 0."""
    process = started("skep.cli", "--project", str(project), "run", env=plain_environment())
    try:
        yield process
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_everything_received_is_accounted_for(shop: Path) -> None:
    found = _json(shop, "status")
    parts = ("applied", "duplicate", "conflict", "quarantined")
    assert found["received"] == 6000 == sum(found[key] for key in parts)
    assert sum(found["quarantine"].values()) == found["quarantined"] > 0
    assert found["duplicate"] > 0
    assert found["unidentified"] == 0
    assert {"clock", "partitions", "segments"} <= set(found)


def test_identity_equals_the_truth(shop: Path) -> None:
    """Promise: on demo data without conflicts, who belongs together is what truth.jsonl says."""
    people, profiles = defaultdict(set), defaultdict(set)
    for line in (shop / "_truth.jsonl").read_text().splitlines():
        one = json.loads(line)
        people[one["person"]].add((one["namespace"], one["value"]))
    for one in _lines(shop, "dump"):
        if one["kind"] == "identifier":
            profiles[one["profile"]].add((one["namespace"], one["value"]))
    assert {frozenset(group) for group in profiles.values()} == {frozenset(group) for group in people.values()}


def test_a_second_run_changes_nothing(shop: Path) -> None:
    before = skep("dump", project=shop).stdout, skep("changes", project=shop).stdout
    assert skep("run", "--once", project=shop).returncode == 0
    assert (skep("dump", project=shop).stdout, skep("changes", project=shop).stdout) == before


def test_profile_by_any_way_to_write_it(shop: Path) -> None:
    [profile] = _json(shop, "profile", "show", "user_id:42")
    [email] = [value for namespace, value, *_ in profile["identifiers"] if namespace == "email"]
    [same] = _json(shop, "profile", "show", f"email:{email.upper()}")
    assert same == profile
    assert profile["id"] in skep("profile", "show", "user_id:42", project=shop).stdout
    assert "nobody has user_id:nobody" in refused(skep("profile", "show", "user_id:nobody", project=shop))
    assert _json(shop, "profile", "show", "user_id:nobody") == []


def test_changes_from_anywhere(shop: Path) -> None:
    everything = _lines(shop, "changes")
    assert [int(one["id"].rpartition("-")[2]) for one in everything] == list(range(1, len(everything) + 1))
    assert _lines(shop, "changes", "--since", everything[9]["id"]) == everything[10:]
    assert _lines(shop, "changes", "--since", str(len(everything))) == []


def test_dump_at_a_later_time_only(shop: Path) -> None:
    assert len(_lines(shop, "dump", "--at", "2027-01-01")) > 0
    assert "ask for that time or a later one" in refused(skep("dump", "--at", "2020-01-01", project=shop))


def test_quarantine_shows_the_bytes_as_received(shop: Path) -> None:
    rows = _json(shop, "quarantine", "list")
    assert len(rows) == _json(shop, "status")["quarantined"]
    assert _json(shop, "quarantine", "show", rows[0]["id"]) == rows[:1]
    assert rows[0]["id"] in skep("quarantine", "list", "--each", "--limit", "1", project=shop).stdout
    lines = (shop / "events" / "events.jsonl").read_text().splitlines()
    assert all(row["raw"] == lines[row["position"] - 1] for row in rows)
    assert "`skep quarantine list --each`" in refused(skep("quarantine", "show", "q-99999", project=shop))


def test_the_snapshot_answers(shop: Path) -> None:
    rows = _json(shop, "sql", "select count(*) as n from events")
    assert rows == [{"n": _json(shop, "status")["applied"]}]
    assert "Parser Error" in refused(skep("sql", "selec 1", project=shop))


def test_commands_that_change_state_wait_for_a_running_flow(tmp_path: Path) -> None:
    """The life of a project: follow, repair a contract, replay, link, stop; then nothing is missing."""
    shop = _project(tmp_path / "shop")
    with _following(shop):
        until(lambda: json.loads(skep("status", "--json", project=shop).stdout or "{}").get("received") == 6000)
        [answer] = _json(shop, "identity", "link", "user_id:42", "email:work@example.com", "--why", "ticket 17")
        assert answer["running"]
        assert answer["answer"]["ok"]
        [profile] = _json(shop, "profile", "show", "email:work@example.com")
        assert _json(shop, "profile", "show", profile["id"]) == [profile]
        assert _json(shop, "profile", "show", "p_none") == []
        assert ["user_id", "42"] in [one[:2] for one in profile["identifiers"]]
        refunds = _json(shop, "quarantine", "replay", "--reason", "invalid")
        assert refunds[0]["answer"]["refused"] == len([row for row in _json(shop, "quarantine", "list") if row["reason"] == "invalid"])
        assert "a flow is running" in refused(skep("run", "--once", "--fresh", project=shop))
    contract = shop / "contracts" / "events" / "order_completed" / "1-0-0.json"
    text = json.loads(contract.read_text())
    text["required"].remove("revenue")
    text["properties"]["total"] = {"type": ["number", "string"]}
    contract.with_name("1-0-1.json").write_text(json.dumps(text))
    invalid = _json(shop, "status")["quarantine"]["invalid"]
    # The contract as edited judges the replay, though no flow has seen it yet.
    done = skep("quarantine", "replay", "--reason", "invalid", "--apply", project=shop)
    assert "no flow is running, the next one will do it" in done.stdout
    assert skep("run", "--once", project=shop).returncode == 0
    assert _json(shop, "status")["quarantine"].get("invalid", 0) < invalid
