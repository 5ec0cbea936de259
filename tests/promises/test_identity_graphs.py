"""Promise 1 where it is hardest: who is who, on a thousand small graphs that are made to collide, after every event, in any order.

A failing graph is named by its seed and the number of the order: ``check(graph, SEED)`` runs it again.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from contracts import load
from tests.engine import Engine, compare_steps, steps
from tests.generator import Scenario
from tests.graphs import graph, likenesses, shuffled

GROUPS, GRAPHS = 20, 52
LIKENESSES = 10
ORDERS = (((1,), 0.0), ((1,), 0.2), ((2, 5, 20), 0.0))
"""Each a shuffle of its own: how many records a batch has, and after which share of them everything starts again from what is stored."""


def check(make: Callable[[int], Scenario], seed: int, engine: Engine) -> int:
    """Compare after every event and manual entry, in each of `ORDERS`; returns the number of comparisons."""
    drawn, compared = make(seed), 0
    definitions = load(drawn.definitions_files)
    for order, (sizes, restarts) in enumerate(ORDERS):
        rng = Random(f"{seed}:{order}")
        scenario = shuffled(drawn, rng)
        engine.clear(definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        plan = list(steps(scenario, rng, sizes=sizes))
        named = make.__name__, seed, order
        compared += compare_steps(engine, definitions, plan, rng, seed=named, restarts=restarts, reopen=False)
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
