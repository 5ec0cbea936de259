"""What a flow says while it runs: each thing once, with its cause, and no more often than people can read."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from contracts.model.batches import SourceBatch
from contracts.text.times import DAY_US, parse_time
from operators.meta import Meta
from skep.project import log
from skep.project.settings import Settings, SourceSettings
from skep.runtime.telling import QUARANTINE_SECONDS, SILENT_SECONDS, Telling

NOW_US = 1_800_000_000_000_000
LINE = b'{"type":"page","timestamp":"%s"}'


class Flow:
    """A telling over a space whose standing and whose time the test moves."""

    def __init__(self, root: Path, *, follow: bool = True, **meta: Any) -> None:
        web = SourceSettings(name="web", kind="jsonl", path=str(root / "web.jsonl"), space="shop")
        (root / "skep.yaml").touch()
        self.settings = Settings.load(root, follow=follow, sources=(web,))
        self.meta, self.now, self.logs = Meta(**meta), 0.0, list[dict[str, Any]]()
        self.telling = Telling(self.settings, {"shop": lambda: self.meta}, lambda: self.now)

    def reads(self, records: int = 0, *, to_the_end: bool = True, time: bytes = b"2027-01-15T00:00:00Z") -> None:
        """A batch goes by, and is applied."""
        first = self.meta.received + 1
        lines = [LINE % time] * records
        self.telling.hear([SourceBatch("shop", "web", "web/web.jsonl", first, first + records - 1, lines, NOW_US, to_the_end)])
        self.meta.received += records
        self.meta.sources["web"] = self.meta.received
        self.meta.clock = NOW_US

    def later(self, seconds: float = 1.0) -> list[dict[str, Any]]:
        """What is said when so much time has gone by."""
        self.now += seconds
        with capture_logs() as said:
            self.telling.look([("shop", "web/web.jsonl")])
        return list(said)


def events(said: list[Any]) -> list[str]:
    return [one["event"] for one in said]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_it_is_told_once_that_the_flow_has_caught_up(tmp_path: Path) -> None:
    flow = Flow(tmp_path)
    flow.reads(100, to_the_end=False)
    assert events(flow.later()) == []
    flow.reads(50)
    [said] = flow.later()
    assert (said["event"], said["events"], said["seconds"]) == ("caught up", 150, 2.0)
    for _ in range(30):
        flow.reads(10, to_the_end=False)
        flow.reads(10)
        assert events(flow.later()) == []


def test_who_was_behind_for_long_catches_up_anew(tmp_path: Path) -> None:
    flow = Flow(tmp_path)
    flow.reads(1)
    assert events(flow.later()) == ["caught up"]
    flow.reads(10, to_the_end=False)
    assert events(flow.later(11.0)) == ["reading"]
    flow.reads(10)
    assert events(flow.later()) == ["caught up"]


def test_a_growing_quarantine_is_told_at_most_once_a_minute(tmp_path: Path) -> None:
    flow = Flow(tmp_path, quarantine={"invalid": 5})
    flow.reads(1)
    assert events(flow.later()) == ["caught up"]
    flow.meta.quarantine = {"invalid": 7, "undecodable": 1}
    [said] = flow.later()
    assert (said["by"], said["records"]) == ("2 invalid, 1 undecodable", 8)
    flow.meta.quarantine["invalid"] = 9
    assert events(flow.later(QUARANTINE_SECONDS - 1)) == []
    assert [one["by"] for one in flow.later(1.0)] == ["2 invalid"]
    flow.meta.quarantine["invalid"] = 0
    assert events(flow.later(QUARANTINE_SECONDS)) == []


def test_a_silent_source_is_told_once_and_when_it_is_heard_again(tmp_path: Path) -> None:
    flow = Flow(tmp_path)
    flow.reads(1)
    flow.later()
    [said] = flow.later(SILENT_SECONDS)
    assert (said["event"], said["source"], said["files"], said["path"]) == ("source silent", "web", 1, "web.jsonl")
    flow.reads()
    assert events(flow.later(SILENT_SECONDS)) == []
    with capture_logs() as again:
        flow.reads(1)
    assert events(list(again)) == ["source is heard again"]


def test_a_source_beyond_the_horizon_is_told_once_with_cause_and_remedy(tmp_path: Path) -> None:
    flow = Flow(tmp_path, sources={"web": 1_000_000}, late={"web": 3})
    flow.reads(1)
    flow.meta.sources["web"] = 1_000_000
    flow.later()
    flow.meta.late["web"] = 12
    flow.meta.sources["web"] = 1_000_250
    assert events(flow.later()) == []
    flow.meta.late["web"] = 28
    [said] = flow.later()
    assert (said["event"], said["too_late"], said["of"]) == ("too late", 25, 250)
    assert "behind the clock, which stands at 2027-01-15T08:00:00" in said["because"]
    assert "`history: true` for web" in said["remedy"]
    flow.meta.late["web"] = 500
    assert events(flow.later()) == []


def test_a_history_that_was_read_well_does_not_outweigh_what_comes_too_late_behind_it(tmp_path: Path) -> None:
    """Nor is one forgotten that was read to its end at once and is all too late."""
    flow = Flow(tmp_path)
    flow.reads(100_000)
    assert events(flow.later()) == ["caught up"]
    flow.reads(20)
    flow.meta.late["web"] = 20
    [said] = flow.later()
    assert (said["event"], said["too_late"], said["of"]) == ("too late", 20, 20)
    other = Flow(tmp_path)
    other.reads(20)
    other.meta.late["web"] = 20
    assert events(other.later()) == ["too late", "caught up"]


@pytest.mark.parametrize(("days", "told"), [(29, False), (60, True)])
def test_the_wall_clock_that_leaves_all_events_behind_is_told(
    tmp_path: Path, days: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("skep.runtime.telling.time.time_ns", lambda: NOW_US * 1000)
    known = parse_time("2027-01-15T08:00:00Z")
    assert known == NOW_US
    flow = Flow(tmp_path, clocks={"web/web.jsonl": NOW_US - days * DAY_US})
    flow.reads()
    said = flow.later()
    assert events(said) == ["caught up", *(["clock goes on without events"] if told else [])]
    assert all("`skep run --once`" in one["remedy"] for one in said[1:])
    assert events(flow.later()) == []


def test_what_ends_at_the_end_of_its_input_says_how_far_it_is(tmp_path: Path) -> None:
    flow = Flow(tmp_path, follow=False)
    for _ in range(3):
        flow.reads(1_000, to_the_end=False)
        flow.meta.quarantine["invalid"] = flow.meta.received
        flow.meta.late["web"] = flow.meta.received
        said = flow.later(5.0)
    assert events(said) == []
    [said_at_10] = [one for one in flow.later(5.0) if one["event"] == "reading"]
    assert said_at_10["events"] == 3_000
    with capture_logs() as last:
        assert flow.telling.ends(done=True)
        flow.telling.stopped()
    assert (last[0]["because"], last[0]["events"], last[0]["seconds"]) == ("the end of the input", 3_000, 20.0)


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_line_of_a_terminal_makes_room_for_what_is_logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    log.configure("console")
    flow = Flow(tmp_path)
    flow.reads(2_000)
    flow.now = 2.0
    flow.telling.look([("shop", "web/web.jsonl")])
    logged, drawn = screen.getvalue().split("\n")
    assert logged.startswith("\r\x1b[K")
    assert "caught up" in logged
    assert drawn.startswith("\r\x1b[K2,000 events, 1,000/s, ")
    assert len(drawn) <= 80 + len("\r\x1b[K")
    log.last_words("over \x1b[31m")
    assert screen.getvalue().endswith("\r\x1b[Kover \\x1b[31m\n")


def test_machines_get_one_object_a_line_and_no_line_that_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    log.configure("json")
    flow = Flow(tmp_path)
    flow.telling.started("abc")
    flow.reads(10)
    flow.now = 2.0
    flow.telling.look([("shop", "web/web.jsonl")])
    log.last_words("a reason")
    said = [json.loads(line) for line in screen.getvalue().splitlines()]
    assert events(said) == ["started", "caught up", "stopped"]
    assert said[0]["sources"] == "web (web.jsonl)"
    assert said[-1]["because"] == "a reason"


def test_the_line_on_a_terminal_has_whole_parts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a narrow terminal has no room for is left out, from the end."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setenv("COLUMNS", "30")
    log.draw(["200 events", "10/s", "0 late", "clock 2026-07-01T00:00:00Z"])
    assert shown.getvalue().endswith("200 events, 10/s, 0 late")
