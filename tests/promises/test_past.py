"""`skep profile show --at`: the model's dump over what has a time up to then, of somebody whose neighbours alone are read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts import load
from contracts.model.batches import Event
from contracts.model.hashing import profile_id
from operators.past import past
from state.shard import Shard
from tests import model
from tests.engine import HASHER, Engine, judge_of, steps
from tests.generator import Json, Scenario, scenario
from tests.graphs import graph, likenesses
from tests.model_links import instant

DRAWN: dict[str, Callable[[int], Scenario]] = {
    "scenario": lambda seed: scenario(seed, (8, 20, 40)[seed % 3]), "graph": graph, "likenesses": likenesses,
}  # fmt: skip
SEEDS = 10
TIMES, PEOPLE = 2, 3
"""At so many times so many of each drawn space are looked at."""


@pytest.mark.parametrize("kind", DRAWN)
def test_somebody_was_what_the_model_says_of_what_had_happened(kind: str, engine: Engine) -> None:
    """Late events, too, repeats, manual entries and denials; between two events and at one."""
    compared = 0
    for seed in range(SEEDS):
        events, control = _fed(engine, DRAWN[kind](seed), Random(f"past {seed}"))
        compared += sum(_compared(engine, events, control, Random(f"past {seed} {number}"), seed) for number in range(TIMES))
    assert compared > SEEDS


def _fed(engine: Engine, drawn: Scenario, rng: Random) -> tuple[list[Event], list[Json]]:
    """Feed a scenario; the events that are accepted, and the control entries."""
    definitions, control, events = load(drawn.definitions_files), [], []
    judge = judge_of(definitions)
    plan = list(steps(drawn, rng))
    engine.clear(definitions)
    engine.start(sorted({name for name, _ in plan} - {"control"}))
    for name, records in plan:
        engine.take(name, records)
        if name == "control":
            control += map(orjson.loads, records)
        else:
            events += judge.judge_many(records, 1, 0)[0]
    return model.accepted(events), control


def _compared(engine: Engine, events: list[Event], control: list[Json], rng: Random, seed: int) -> int:
    """Compare some people of the space at a time; returns how many were there by then."""
    definitions = engine.view.program.definitions
    at = rng.choice(events).time_us + rng.choice([0, 0, -1, 1, 3_600_000_000])
    by_then = [event for event in events if event.time_us <= at], [entry for entry in control if instant(entry["timestamp"]) <= at]
    # Of copies of one refused record the shard keeps what the latest denies.
    latest = {denial._replace(time_us=0): denial for denial in sorted(engine.denials, key=lambda one: one.time_us)}
    denials = [denial for denial in latest.values() if denial.time_us <= at]
    expected = model.dump(*by_then, definitions, at, hasher=HASHER, denials=denials)
    people = list(engine.view.people())
    found = 0
    for person in rng.sample(people, min(PEOPLE, len(people))):
        with tempfile.TemporaryDirectory() as folder, closing(Shard(Path(folder) / "shard")) as shard:
            view = past(engine.view, person, control, at, shard=shard, judge=judge_of(definitions), hasher=HASHER)
            theirs = {holder.key for each in person.identifiers if (holder := view.holds(each.hash)) is not None}
            for key in theirs:
                assert _about(view.dump(at), profile_id(key)) == _about(expected, profile_id(key)), (seed, at, profile_id(key))
                found += 1
    return found


def _about(lines: Iterable[bytes], profile: str) -> list[bytes]:
    """The profile, its identifiers and its messages."""
    return sorted(line for line in lines if profile.encode() in line)
