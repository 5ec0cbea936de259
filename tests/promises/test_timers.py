"""Windows empty by themselves: in order, on an idle live flow, many at once, and never before what is waiting is applied."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import JudgedBatch
from contracts.text.times import iso
from operators.people import timers
from operators.people.space import TICK_TIMERS
from operators.records import Person
from operators.view.space import View
from skep.project.settings import Settings
from skep.project.spaces import open_view
from state.errors import NoState
from state.shard import Shard
from tests.engine import SPACE, Engine
from tests.patience import PATIENCE_S, until
from tests.processes import started
from tests.promises.project import environment, project

SECOND_US = 1_000_000
START_US = 1_767_261_600 * SECOND_US
MANY = 10_000


def here_now(within: str) -> dict[str, Any]:
    return {"segments/here_now.yaml": {"segment": "here_now", "who": {"did": "page_viewed", "within": within}}}


def page(device: str, time_us: int) -> bytes:
    """A page view at a time, received then."""
    said = iso(time_us)
    return orjson.dumps({"type": "page", "messageId": f"{device}-{time_us}", "anonymousId": device, "timestamp": said, "receivedAt": said})


def login(device: str, user: str, time_us: int) -> bytes:
    said = iso(time_us)
    return orjson.dumps({"type": "identify", "messageId": f"{user}-{device}", "anonymousId": device, "userId": user, "timestamp": said})


def engine(folder: Path) -> Engine:
    opened = Engine(folder, load({path: json.dumps(content) for path, content in here_now("10s").items()}))
    opened.start(["p0"])
    return opened


def tick(engine: Engine, time_us: int) -> bool:
    """The partition has caught up at this time; whether timers that are due still wait."""
    last = engine.space.meta.applied.get("p0", 0)
    return engine.space.apply(JudgedBatch(SPACE, "p0", "p0", last + 1, last, "", [], [], [], time_us, caught_up=True))


def memberships(engine: Engine, since: int = 0) -> list[dict[str, Any]]:
    changes = [orjson.loads(row) for _, row in engine.view.changes(since)]
    return [change for change in changes if change["type"].startswith("segment.")]


def test_exits_come_in_order_of_their_own_moments(tmp_path: Path) -> None:
    """One tick long after: each exit at its own time, caused by a timer, not by the tick."""
    shop = engine(tmp_path / "shard")
    shop.feed("p0", [page(f"d{at}", START_US + at * SECOND_US) for at in range(3)])
    shop.restart()
    tick(shop, START_US + 9 * SECOND_US)
    assert len(memberships(shop)) == 3
    tick(shop, START_US + 3600 * SECOND_US)
    exits = memberships(shop)[3:]
    assert [change["type"] for change in exits] == ["segment.exited"] * 3
    assert [change["clock"] for change in exits] == [iso(START_US + (10 + at) * SECOND_US) for at in range(3)]
    assert all(change["cause"] == {"type": "timer", "due": change["clock"]} for change in exits)
    shop.shard.close()


def test_a_second_look_moves_the_exit(tmp_path: Path) -> None:
    """The backlog behind the timer is applied first: what it says comes before what time says."""
    shop = engine(tmp_path / "shard")
    shop.feed("p0", [page("d", START_US)])
    shop.restart()
    shop.feed("p0", [page("d", START_US + 8 * SECOND_US), page("e", START_US + 9 * SECOND_US)])
    tick(shop, START_US + 60 * SECOND_US)
    exits = [change["clock"] for change in memberships(shop) if change["type"] == "segment.exited"]
    assert exits == [iso(START_US + 18 * SECOND_US), iso(START_US + 19 * SECOND_US)]
    shop.shard.close()


def test_what_a_merge_adds_up_leaves_by_itself(tmp_path: Path) -> None:
    """Two people of one look each are one of two looks; neither alone had anything to leave."""
    often = {"segments/often.yaml": {"segment": "often", "who": {"did": "page_viewed", "times": {"gte": 2}, "within": "10s"}}}
    shop = Engine(tmp_path / "shard", load({path: json.dumps(content) for path, content in often.items()}))
    shop.start(["p0"])
    shop.feed("p0", [page("d1", START_US), page("d2", START_US + SECOND_US)])
    shop.feed("p0", [login(device, "ann", START_US + 2 * SECOND_US) for device in ("d1", "d2")])
    assert [change["type"] for change in memberships(shop)] == ["segment.entered"]
    tick(shop, START_US + 3600 * SECOND_US)
    last = memberships(shop)[-1]
    assert (last["type"], last["clock"]) == ("segment.exited", iso(START_US + 10 * SECOND_US))
    shop.shard.close()


def test_who_waits_for_a_late_timer_is_looked_at_by_the_event(tmp_path: Path) -> None:
    """A late event comes between a tick that left some timers and the next: what has left the window is told all the same."""
    often = {"segments/often.yaml": {"segment": "often", "who": {"did": "page_viewed", "times": {"gte": 2}, "within": "10s"}}}
    shop = Engine(tmp_path / "shard", load({path: json.dumps(content) for path, content in often.items()}))
    shop.start(["p0"])
    devices = [f"d{at}" for at in range(TICK_TIMERS + 10)]
    shop.feed("p0", [page(device, START_US + second * SECOND_US) for second in (0, 1) for device in devices])
    assert tick(shop, START_US + 60 * SECOND_US)
    shop.feed("p0", [page(device, START_US + 55 * SECOND_US) for device in devices])
    while tick(shop, START_US + 61 * SECOND_US):
        pass
    assert [change["type"] for change in memberships(shop)].count("segment.exited") == len(devices)
    shop.shard.close()


@pytest.mark.parametrize("restart", [False, True])
def test_more_due_at_one_moment_than_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, restart: bool) -> None:
    """A limited number a commit, every one of them exactly once, also when they are read from disk."""
    monkeypatch.setattr(timers, "LOADED_MAX", 100)
    shop = engine(tmp_path / "shard")
    for start in range(0, 3000, 500):
        shop.feed("p0", [page(f"d{at}", START_US) for at in range(start, start + 500)])
    if restart:
        shop.restart()
    waited = 0
    while tick(shop, START_US + 60 * SECOND_US):
        waited += 1
        assert waited < 10
    assert waited > 0
    exits = [change["profile"] for change in memberships(shop) if change["type"] == "segment.exited"]
    assert len(exits) == len(set(exits)) == 3000
    shop.shard.close()


def test_of_many_due_at_one_moment_those_in_memory_stay_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else each commit would read all that are left."""
    monkeypatch.setattr(timers, "LOADED_MAX", 100)
    shard = Shard(tmp_path / "shard")
    many = timers.Timers(shard.timers)
    people = [Person(at.to_bytes(16, "big"), [], {}) for at in range(1000)]
    for person in people:
        many.arm(person, START_US)
    fired: list[bytes] = []
    loaded = 0
    while len(fired) < len(people):
        shard.commit()
        many.trim()
        for _ in range(10):
            held = len(many._heap)
            found = many.due(START_US)
            assert found is not None
            fired.append(found[1])
            loaded += max(0, len(many._heap) + 1 - held)
    assert len(people) <= loaded <= 2 * len(people)
    assert fired == [person.key for person in people]
    assert many.due(START_US) is None
    shard.close()


def test_people_known_before_the_clock_runs(tmp_path: Path) -> None:
    """A partition that has said nothing holds the clock; once it runs they are evaluated, also after a restart."""
    shop = engine(tmp_path / "shard")
    shop.start(["p0", "p1"])
    shop.feed("p0", [page("d", START_US)])
    shop.restart()
    assert memberships(shop) == []
    shop.feed("p1", [page("e", START_US)])
    assert len(memberships(shop)) == 2
    shop.shard.close()


# ── a live flow ─────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def following(folder: Path) -> Iterator[None]:
    """The main flow, following; SIGTERM ends it with 0."""
    process = started("bytewax.run", "flows.cdp", env=environment(folder, SKEP_FOLLOW="1"))
    try:
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


class Watched:
    """Reads the change log of a running flow as it grows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._view: View | None = None
        self.read = 0
        self.exits = 0
        self.seen: set[str] = set()
        """Ids of the messages that have changed something."""

    def look(self) -> None:
        if self._view is None:
            try:
                self._view = open_view(Settings.load(self._folder), "shop")
            except NoState:
                return
        self._view.refresh()
        for sequence, row in self._view.changes(self.read):
            self.read = sequence
            change = orjson.loads(row)
            self.exits += change["type"] == "segment.exited"
            if change["cause"]["type"] == "message":
                self.seen.add(change["cause"]["id"])

    def until(self, true: Any) -> None:
        def found() -> Any:
            self.look()
            return true()

        until(found, told=lambda: f"{self.read} changes, {self.exits} exits, {len(self.seen)} messages", pause_s=0.01)

    def close(self) -> None:
        if self._view is not None:
            self._view.close()


def now_us() -> int:
    return time.time_ns() // 1000


def test_ten_thousand_due_at_once_do_not_stall_the_flow(tmp_path: Path) -> None:
    """They all leave by themselves, on an idle flow, and what is written meanwhile is applied."""
    folder = project(tmp_path / "shop", here_now("8s"), [page("first", now_us())], "archive: {interval: 1s}")
    shop = Watched(folder)
    with following(folder), (folder / "events.jsonl").open("ab") as events:
        shop.until(lambda: shop.seen)
        at_us = now_us()
        events.writelines(page(f"d{at}", at_us) + b"\n" for at in range(MANY))
        events.flush()
        shop.until(lambda: len(shop.seen) == MANY + 1)
        while now_us() < at_us + 7_500_000:
            time.sleep(0.01)
        written = set()
        for number in range(60):
            moment = now_us()
            events.write(page(f"late{number}", moment) + b"\n")
            events.flush()
            written.add(f"late{number}-{moment}")
            shop.look()
            time.sleep(0.05)
        shop.until(lambda: shop.seen >= written and shop.exits > MANY)
    shop.close()
