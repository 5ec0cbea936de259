"""A timer that is due while nobody runs: not lost, and not before the backlog is applied."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.text.times import iso, parse_time
from skep.project.settings import Settings
from skep.project.spaces import open_views
from state.errors import NoState
from tests.crash.harness import FLOW, start, wait_for_received
from tests.crash.outcome import Outcome, broken_rules
from tests.crash.shop import make_project
from tests.patience import PATIENCE_S, until
from tests.processes import Process

WINDOW_S = 3
SEGMENT = f"segment: here_now\nowner: crm\nwho: {{did: page_viewed, within: {WINDOW_S}s}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one segment, whose window empties after a few seconds."""
    folder = make_project(tmp_path / "shop")
    for path in (folder / "contracts" / "segments").iterdir():
        path.unlink()
    (folder / "contracts" / "segments" / "here_now.yaml").write_text(SEGMENT)
    (folder / "events").mkdir(exist_ok=True)
    (folder / "events" / "part-0.jsonl").touch()
    return folder


def view_page(project: Path, device: str, at: float) -> None:
    """A page view at a time, as a collector would write it."""
    time_text = iso(round(at * 1e6))
    times = dict.fromkeys(("timestamp", "sentAt", "receivedAt"), time_text)
    body = {"type": "page", "messageId": f"{device}-{at}", "anonymousId": device, **times}
    with (project / "events" / "part-0.jsonl").open("ab") as stream:
        stream.write(orjson.dumps(body) + b"\n")


def start_following(project: Path) -> Process:
    """A flow that has read something by now, though nothing that moves anybody: what is written next is read at once."""
    (project / "events" / "part-0.jsonl").write_bytes(b"no event\n")
    process = start(project, FLOW, SKEP_FOLLOW="1")
    wait_for_received(project, 1)
    return process


def moves(project: Path) -> list[dict[str, Any]]:
    """The entries and exits so far."""
    try:
        with open_views(Settings.load(project)) as views:
            changes = [orjson.loads(line) for _, line in views["shop"].changes()]
    except NoState:
        return []
    return [change for change in changes if change["type"].startswith("segment.")]


def wait_for(project: Path, count: int) -> list[dict[str, Any]]:
    return until(lambda: moves(project), lambda found: len(found) >= count)


def seconds(text: str) -> float:
    time_us = parse_time(text)
    assert time_us is not None
    return time_us / 1e6


def test_a_timer_due_during_the_outage(project: Path) -> None:
    """Ann looked again while the flow was dead, and Bob came: she leaves when her second look is over, not her first."""
    process = start_following(project)
    begun = time.time()
    view_page(project, "ann", begun)
    view_page(project, "cy", begun)
    assert {move["type"] for move in wait_for(project, 2)} == {"segment.entered"}
    process.kill()
    process.wait()
    again = begun + WINDOW_S - 0.5
    view_page(project, "bob", again - 0.1)
    view_page(project, "ann", again)
    assert len(moves(project)) == 2
    time.sleep(max(0.0, again + WINDOW_S + 0.5 - time.time()))
    process = start(project, FLOW, SKEP_FOLLOW="1")
    try:
        found = wait_for(project, 6)
        # Nothing else comes, however long the flow is idle.
        time.sleep(0.5)
        assert len(moves(project)) == 6
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert [move["type"] for move in found] == ["segment.entered"] * 3 + ["segment.exited"] * 3
    ann = found[0]["profile"]
    exits = {move["profile"]: move for move in found[3:]}
    assert {move["profile"] for move in found[:3]} == set(exits)
    assert [move["cause"]["type"] for move in found[3:]] == ["timer"] * 3
    # Each at its own due time, in that order, which is not the time at which the flow came back.
    assert seconds(exits[ann]["clock"]) == pytest.approx(again + WINDOW_S, abs=0.001)
    due = [begun + WINDOW_S, again - 0.1 + WINDOW_S, again + WINDOW_S]
    assert [seconds(move["clock"]) for move in found[3:]] == pytest.approx(due, abs=0.001)
    assert exits[ann]["cause"]["due"] == exits[ann]["clock"]
    assert broken_rules(Outcome.of(project)) == []


def test_a_timer_on_an_idle_flow_through_a_restart(project: Path) -> None:
    """Nothing new is read at all: the clock alone makes the window empty."""
    process = start_following(project)
    begun = time.time()
    view_page(project, "ann", begun)
    wait_for(project, 1)
    process.kill()
    process.wait()
    process = start(project, FLOW, SKEP_FOLLOW="1")
    try:
        found = wait_for(project, 2)
    finally:
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    assert found[1]["type"] == "segment.exited"
    assert seconds(found[1]["clock"]) == pytest.approx(begun + WINDOW_S, abs=0.001)


def test_the_end_of_the_input_is_not_the_end_of_time(project: Path) -> None:
    """Without following, the clock stays at the last event: the window has not emptied. A later run goes on from there."""
    view_page(project, "ann", 1_700_000_000)
    view_page(project, "bob", 1_700_000_002)
    for expected in (["segment.entered"] * 2, ["segment.entered"] * 2):
        assert start(project, FLOW).wait(PATIENCE_S) == 0
        assert [move["type"] for move in moves(project)] == expected
    view_page(project, "bob", 1_700_000_004)
    assert start(project, FLOW).wait(PATIENCE_S) == 0
    assert [move["type"] for move in moves(project)] == ["segment.entered"] * 2 + ["segment.exited"]


def test_an_event_ahead_of_the_clock_counts_when_the_clock_gets_there(project: Path) -> None:
    """A slow partition holds the clock back; a timer further away must not hide the moment at which the event counts."""
    (project / "contracts" / "segments" / "here_now.yaml").unlink()
    for name, event in (("seen", "page_viewed"), ("added", "product_added")):
        text = f"segment: {name}\nowner: crm\nwho: {{did: {event}, within: 1d}}\n"
        (project / "contracts" / "segments" / f"{name}.yaml").write_text(text)
    at = 1_700_000_000
    view_page(project, "bob", at)
    view_page(project, "ann", at)
    view_page(project, "bob", at + 7200)
    ahead = {
        "type": "track",
        "event": "Product Added",
        "messageId": "ahead",
        "anonymousId": "ann",
        "properties": {"product_id": "p", "quantity": 1},
    }
    # Read after ann's page, when the slow partition and so the clock are still there, and before bob's second one.
    early = {"type": "page", "messageId": "early", "anonymousId": "cy", "timestamp": iso((at - 10) * 1_000_000)}
    late = ahead | {"timestamp": iso((at + 3600) * 1_000_000)}
    (project / "events" / "part-1.jsonl").write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in (early, late)))
    assert start(project, FLOW, SKEP_BATCH_SIZE="1").wait(PATIENCE_S) == 0
    found = Outcome.of(project)
    assert found.counters["segments"]["added"] == 1
    assert broken_rules(found) == []
