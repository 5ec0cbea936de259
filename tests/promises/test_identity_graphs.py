"""Promise 1 where it is hardest: who is who, on a thousand small graphs that are made to collide, after every event, in any order.

A failing graph is named by its seed and the number of the order: ``check(graph, SEED)`` runs it again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from contracts import load
from tests.engine import Engine, compare_steps, steps
from tests.generator import Scenario
from tests.graphs import graph, likenesses, shuffled

GROUPS, GRAPHS = 20, 52
LIKENESSES = 10
ORDERS = 2


@pytest.fixture
def engine() -> Iterator[Engine]:
    """One engine for the graphs of a test, emptied in between."""
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", load({}))
        yield engine
        engine.shard.close()


def check(make: Callable[[int], Scenario], seed: int, engine: Engine) -> int:
    """Compare after every event and manual entry, in `ORDERS` orders of them; returns the number of comparisons."""
    drawn, compared = make(seed), 0
    definitions = load(drawn.definitions_files)
    for order in range(ORDERS):
        rng = Random(f"{seed}:{order}")
        scenario = shuffled(drawn, rng)
        engine.clear(definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        plan = list(steps(scenario, rng, sizes=(1,)))
        compared += compare_steps(engine, definitions, plan, rng, seed=(make.__name__, seed, order))
    return compared


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_is_the_model_of_a_graph(group: int, engine: Engine) -> None:
    """Identifiers, rules and manual entries alone: byte for byte after every one of them."""
    for seed in range(group * GRAPHS, (group + 1) * GRAPHS):
        assert check(graph, seed, engine) >= 2 * 5, seed


@pytest.mark.parametrize("group", range(15))
def test_engine_is_the_model_of_likenesses(group: int, engine: Engine) -> None:
    """With records that are compared: links that come, lose against rules or support, and are withdrawn."""
    for seed in range(group * LIKENESSES, (group + 1) * LIKENESSES):
        assert check(likenesses, seed, engine) >= 2 * 6, seed
