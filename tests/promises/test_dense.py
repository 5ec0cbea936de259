"""Promise 1 where nearly every event takes something away: few identifiers drawn at random, under tight limits, after every step.

A failing graph is named by its seed. Longer runs: ``python -m perf.converge --of dense --runs 2000 --seed 1``.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from tests.dense import dense
from tests.engine import Engine
from tests.generator import MINUTE_US, START_US, text_of
from tests.lives import live

GROUPS, GRAPHS = 10, 5


@pytest.mark.parametrize("group", range(GROUPS))
def test_dense_graphs_are_what_the_model_says(group: int, engine: Engine) -> None:
    for seed in range(group * GRAPHS, (group + 1) * GRAPHS):
        assert live(seed, engine, dense), seed


def drawn(rng: Random, number: int, users: int, devices: int) -> dict[str, Any]:
    """An event of somebody, on some device, now and then with some address."""
    body: dict[str, Any] = {
        "type": "track",
        "event": "seen",
        "messageId": f"m{number}",
        "timestamp": text_of(START_US + number * MINUTE_US),
    }
    if rng.random() < 0.6:
        body["userId"] = f"u{rng.randrange(users)}"
    if rng.random() < 0.8 or "userId" not in body:
        body["anonymousId"] = f"d{rng.randrange(devices)}"
    if rng.random() < 0.3:
        body["context"] = {"traits": {"email": f"e{rng.randrange(users)}@shop.org"}}
    return body


@pytest.mark.parametrize("conflict", ["newest", "oldest"])
def test_what_identifiers_carry_with_them_is_not_read_again(conflict: str, engine: Engine) -> None:
    """Moments are read when a part of somebody is first wanted, and where events get another owner: however many events there are,
    few for each of them, far from everybody's at every turn."""
    engine.clear(load({"identity.yaml": json.dumps({"conflict": conflict})}))
    engine.start(["p"])
    rng, read = Random(7), []
    for part in range(3):
        engine.feed("p", [orjson.dumps(drawn(rng, number, 7, 12)) for number in range(part * 400, part * 400 + 400)])
        read.append(engine.space.work.moments.read)
    cost = engine.space.work.cost
    assert cost.rebuilds > (300 if conflict == "newest" else 1)
    assert cost.moments <= read[2] < 3 * 1200
