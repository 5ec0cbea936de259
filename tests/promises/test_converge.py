"""Promise 1: the state at a time depends on the set of events, and is what the model says, after every step.

Longer runs: ``python -m perf.converge --runs 5000 --seed 1``. A failing seed is the whole bug report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from contracts import load
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from tests.engine import Engine, compare, difference
from tests.generator import Scenario, scenario, scenarios, to_events
from tests.test_identity_scenarios import FILES, read, run

SIZES = (4, 12, 12, 25, 60)
GROUPS, SEEDS = 20, 12
EXAMPLES = 50

Json = dict[str, Any]


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_is_the_model(group: int) -> None:
    """Byte for byte after every batch, with restarts and a cache of two people in every other run."""
    compared = sum(compare(scenario(seed, SIZES[seed % len(SIZES)]), seed) for seed in range(group * SEEDS, (group + 1) * SEEDS))
    assert compared > SEEDS


@settings(max_examples=EXAMPLES)
@given(scenarios())
def test_engine_is_the_model_of_drawn_scenarios(drawn: Scenario) -> None:
    """The same with examples that shrink."""
    compare(drawn, drawn.seed)


# ── without the model ───────────────────────────────────────────────────────────────────────────────────────────────


def state(
    partitions: Mapping[str, Sequence[Json]], control: Sequence[Json], definitions: Definitions, at_us: int, rng: Random
) -> list[bytes]:
    """The dump of an engine that is fed these, in batches of random sizes."""
    queues = {name: list(bodies) for name, bodies in {**partitions, "control": control}.items()}
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", definitions)
        engine.start(sorted(partitions))
        while any(queues.values()):
            name = rng.choice([name for name, queue in queues.items() if queue])
            size = rng.choice([1, 3, 10, 1000])
            taken, queues[name] = queues[name][:size], queues[name][size:]
            if name == "control":
                engine.control(list(taken))
            else:
                engine.feed(name, [orjson.dumps(body) for body in taken], finished=not queues[name])
            if rng.random() < 0.05:
                engine.restart()
        found = engine.dump(at_us)
        engine.shard.close()
    return found


@pytest.mark.parametrize("seed", range(1000, 1025))
def test_order_batches_partitions_and_repeats_do_not_matter(seed: int) -> None:
    """Shuffled, dealt to one to five partitions, repeated, and the control entries anywhere among them: the same bytes."""
    rng = Random(seed)
    drawn = scenario(seed, 30)
    definitions = load(drawn.definitions_files)
    at_us = drawn.at(to_events(drawn.events, definitions))
    first = state({"p0": drawn.events}, drawn.control, definitions, at_us, rng)
    for _ in range(3):
        names = [f"q{at}" for at in range(rng.choice([1, 2, 5]))]
        partitions: dict[str, list[Json]] = {name: [] for name in names}
        for body in rng.sample(drawn.events, len(drawn.events)) + rng.sample(drawn.events, len(drawn.events) // 4):
            partitions[rng.choice(names)].append(body)
        control = rng.sample(drawn.control, len(drawn.control))
        found = state(partitions, control, definitions, at_us, rng)
        assert found == first, difference(found, first, seed)


# ── the reviewed scenarios of identity ──────────────────────────────────────────────────────────────────────────────


def engine_dump(events: Sequence[Event], control: Sequence[Json], definitions: Definitions, at_us: int, *, hasher: Hasher) -> list[bytes]:
    """`tests.model.dump` by the engine; at its clock, since these scenarios ask for no other time."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", definitions, hasher=hasher)
        engine.start(["p0"])
        engine.feed("p0", [event.raw for event in events])
        engine.control(list(control))
        found = engine.dump()
        engine.shard.close()
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_identity_scenario(file: Path) -> None:
    """People and owners as a person has written them down, in the order of the file and in ten others."""
    golden = read(file)
    expected = {"people": golden.get("people", []), "owners": golden["owners"]}
    assert run(golden, engine_dump) == expected
    rng = Random(file.stem)
    for _ in range(10):
        events = rng.sample(golden["events"], len(golden["events"]))
        control = rng.sample(golden.get("control", []), len(golden.get("control", [])))
        assert run({**golden, "events": events, "control": control}, engine_dump) == expected
