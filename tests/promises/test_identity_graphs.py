"""Promise 1 where it is hardest: who is who, on hundreds of small graphs that are made to collide, after every event, in any order.

A failing graph is named by its seed and the number of the order. Longer runs: ``python -m perf.converge --of graph --runs 5000 --seed 1``.
"""

from __future__ import annotations

import pytest

from tests.engine import Engine, compare_orders
from tests.graphs import graph, likenesses

GROUPS, GRAPHS = 20, 20
LIKENESSES = 10


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_is_the_model_of_a_graph(group: int, engine: Engine) -> None:
    """Identifiers, rules and manual entries alone: byte for byte after every one of them."""
    for seed in range(group * GRAPHS, (group + 1) * GRAPHS):
        assert compare_orders(graph, seed, engine) >= 2 * 5, seed


@pytest.mark.parametrize("group", range(15))
def test_engine_is_the_model_of_likenesses(group: int, engine: Engine) -> None:
    """With records that are compared: links that come, lose against rules or support, and are withdrawn."""
    for seed in range(group * LIKENESSES, (group + 1) * LIKENESSES):
        assert compare_orders(likenesses, seed, engine) >= 2 * 6, seed
