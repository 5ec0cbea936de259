"""Features that count the same events, in other windows and up to other counts, look at one cell: nothing but that shows."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import JudgedBatch
from contracts.model.definitions import Definitions
from contracts.text.times import iso
from operators.segments.compile import Program
from state.keys import time_of
from tests import model
from tests.engine import HASHER, SPACE, Engine, judge_of

MINUTE_US = 60_000_000
START_US = 1_767_261_600_000_000
OPERATORS = ("gte", "gt", "lte", "lt", "eq")


def segments(rng: Random, *, apart: bool) -> Definitions:
    """Counts of page views in windows of minutes. ``apart``: each with a condition of its own, which every event satisfies."""
    files: dict[str, Any] = {}
    for number in range(rng.randrange(2, 14)):
        who: dict[str, Any] = {"did": "page_viewed", "within": f"{rng.choice([1, 2, 3, 5, 8, 13, 30])}m"}
        who["times"] = {rng.choice(OPERATORS): rng.choice([1, 1, 2, 3, 5])} if rng.random() < 0.8 else {"eq": 0}
        if apart:
            who["where"] = {f"never_{number}": {"exists": False}}
        files[f"segments/s{number}.yaml"] = {"segment": f"s{number}", "who": who}
    return load({path: json.dumps(content) for path, content in files.items()})


def pages(rng: Random) -> list[bytes]:
    """Views of a few devices, many at one moment, some late, some before their time."""
    time_us, found = START_US, []
    for number in range(rng.randrange(5, 60)):
        time_us += rng.choice([0, 0, 20, 60, 61, 180, 600]) * 1_000_000
        said = iso(time_us + rng.choice([0, 0, 0, -1, -3, -9, 2, 6]) * MINUTE_US)
        found.append({"type": "page", "messageId": f"m{number}", "anonymousId": f"d{rng.randrange(3)}", "timestamp": said})
    return [orjson.dumps(each) for each in found]


def told(engine: Engine, definitions: Definitions) -> list[bytes]:
    """The change log, without the name of the definitions."""
    return [row.replace(definitions.digest.encode(), b"") for _, row in engine.shard.changes.committed(b"")]


def test_definitions_share_cells() -> None:
    """A cell is enough for all that look no further back and count no further; nobody else looks at it."""
    conditions = {"far": ("30d", 1), "near": ("12h", 1), "more": ("2d", 3), "less": ("1d", 2), "other": ("1d", 1)}
    files = {
        f"segments/{name}.yaml": {
            "segment": name,
            "who": {"did": "page_viewed" if name != "other" else "screen_viewed", "within": within, "times": {"gte": times}},
        }
        for name, (within, times) in conditions.items()
    }
    program = Program(load({path: json.dumps(content) for path, content in files.items()}))
    number = {(feature.within_us, feature.cap, feature.events): program.slots[at] for at, feature in enumerate(program.features)}
    hour = 3_600_000_000
    view = ("page_viewed",)
    assert number[12 * hour, 1, view] == number[720 * hour, 1, view]
    assert number[24 * hour, 2, view] == number[48 * hour, 3, view] != number[720 * hour, 1, view]
    assert len(set(program.slots)) == 3


@pytest.mark.parametrize("seed", range(24))
def test_who_shares_a_cell_cannot_tell(tmp_path: Path, seed: int) -> None:
    """States are the model's after every batch, changes those of definitions in which nobody shares."""
    logs = []
    for apart in (True, False):
        rng = Random(seed)
        definitions, rng = segments(rng, apart=apart), Random(f"{seed}:events")
        judge, records, events = judge_of(definitions), pages(rng), []
        engine = Engine(tmp_path / str(apart), definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        engine.start(["p"])
        while records:
            size = rng.choice([1, 1, 2, 5, 20])
            engine.feed("p", records[:size])
            events += judge.judge_many(records[:size], 1, 0)[0]
            records = records[size:]
            if rng.random() < 0.3:
                engine.restart(reopen=False)
            clock = engine.space.meta.clock
            assert clock is not None
            at = clock + rng.choice([0, MINUTE_US, 20 * MINUTE_US])
            assert engine.dump(at) == model.dump(events, [], definitions, at, hasher=HASHER, denials=[]), seed
        last = engine.space.meta.applied["p"]
        engine.space.apply(JudgedBatch(SPACE, "p", "p", last + 1, last, "", [], [], [], clock + 60 * MINUTE_US, caught_up=True))
        logs.append(told(engine, definitions))
        engine.shard.close()
    assert logs[0] == logs[1], seed


def test_a_timer_waits_only_for_what_may_move_somebody(tmp_path: Path) -> None:
    """Who has never viewed a page enters nothing when a screen view leaves its window; with a page, the moment is waited for."""
    who = {"all": [{"did": "page_viewed"}, {"not": {"did": "screen_viewed", "within": "10m"}}]}
    engine = Engine(tmp_path, load({"segments/s.yaml": json.dumps({"segment": "s", "who": who})}))
    engine.start(["p"])

    def view(kind: str, minute: int) -> None:
        said = iso(START_US + minute * MINUTE_US)
        engine.feed("p", [orjson.dumps({"type": kind, "messageId": f"{kind}{minute}", "anonymousId": "d", "timestamp": said})])

    view("screen", 0)
    assert list(engine.shard.timers.committed(b"")) == []
    view("page", 1)
    assert [time_of(key[:8]) for key, _ in engine.shard.timers.committed(b"")] == [START_US + 10 * MINUTE_US]
    view("page", 20)
    entered = [change for change in map(orjson.loads, told(engine, load({}))) if change["type"] == "segment.entered"]
    assert [(change["clock"], change["cause"]["type"]) for change in entered] == [(iso(START_US + 10 * MINUTE_US), "timer")]
    engine.shard.close()
