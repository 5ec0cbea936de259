"""What the engine stores of adversarial input is sound, after every way through it: no check of `skep state verify` finds a difference."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from contracts import load
from operators.people.work import Work
from operators.records import decode_person
from operators.soundness import again, holders, log_folded, whereabouts
from operators.soundness.findings import Findings
from operators.view.space import View
from state.keys import time_of
from state.overlay import Overlay
from tests.engine import HASHER, HORIZON_US, SPACE, Engine, judge_of, steps
from tests.generator import Scenario, scenario
from tests.graphs import graph, likenesses

DRAWN: dict[str, Callable[[int], Scenario]] = {"events": lambda seed: scenario(seed, 40), "graphs": graph, "likenesses": likenesses}
SEEDS = 10


def checked(engine: Engine, folder: Path, seed: int) -> list[Findings]:
    """Every check but that of the archive, which such an engine has not."""
    definitions = engine._definitions
    with closing(Overlay(folder)) as overlay:
        view = View(overlay.before, SPACE, HASHER, lambda _: definitions)
        checks = holders.aliases, holders.timers, holders.members, holders.counts, whereabouts.moments, log_folded.change_log
        found = [check(view) for check in checks]

        def make() -> Work:
            return Work(SPACE, overlay, HASHER, load=lambda _: definitions, judge=lambda _: judge_of(definitions), horizon_us=HORIZON_US)

        return [*found, again.sample(view, overlay, make, 1000, seed)]


def lived(engine: Engine, drawn: Scenario, seed: int) -> None:
    """Feed an engine that is as new."""
    rng = random.Random(seed)
    engine.clear(load(drawn.definitions_files), cache_bytes=rng.choice([10_000, 512_000_000]))
    plan = list(steps(drawn, rng))
    engine.start(sorted({partition for partition, _ in plan} - {"control"}))
    for partition, records in plan:
        if partition == "control":
            engine.control([orjson.loads(record) for record in records])
        else:
            engine.feed(partition, records)


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_stored_of_drawn_input_is_sound(name: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path, load(DRAWN[name](0).definitions_files))
    looked = 0
    for seed in range(SEEDS):
        lived(engine, DRAWN[name](seed), seed)
        for one in checked(engine, tmp_path, seed):
            assert one.said == [], (name, seed, one.check)
            looked += one.looked
    engine.shard.close()
    assert looked > 50 * SEEDS


LOST = (
    "seen", "moments", "people", "alias", "versions", "timers", "changes", "quarantine", "manual", "refused", "identified", "blocks",
    "history", "denials", "accounts", "calls", "members", "traits", "shares",
)  # fmt: skip
"""Families of which no row may be missing. What else there is says nothing twice: answers, scores of quality, marks."""


def counting(engine: Engine, family: str, key: bytes) -> bool:
    """Whether something is missing without this row: a timer may be stale, a version that of somebody who is back."""
    if family == "timers":
        row = engine.shard.row("people", key[8:])
        return row is not None and decode_person(row).armed == time_of(key[:8])
    return family != "versions" or engine.shard.row("people", key) is None


@pytest.mark.parametrize("name", DRAWN)
def test_a_row_that_is_lost_is_found(name: str, tmp_path: Path) -> None:
    engine = Engine(tmp_path, load(DRAWN[name](0).definitions_files))
    tried = set()
    for seed in range(SEEDS):
        lived(engine, DRAWN[name](seed), seed)
        rng = random.Random(seed)
        for family in [one for one in LOST if one not in tried]:
            rows = [(key, row) for key, row in engine.shard.rows(family) if counting(engine, family, key)]
            if not rows:
                continue
            tried.add(family)
            key, row = rng.choice(rows)
            engine.shard.families[family].delete(key)
            engine.shard.commit()
            assert any(one.differences for one in checked(engine, tmp_path, seed)), (name, seed, family, key)
            engine.shard.families[family].put(key, row)
            engine.shard.commit()
    engine.shard.close()
    assert tried >= {"seen", "moments", "people", "alias", "changes", "history"}
