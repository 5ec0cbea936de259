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
from operators.people.reading import Reading
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
        read.append(engine.space.work.reading.moments)
    cost = engine.space.work.cost
    assert cost.rebuilds > (300 if conflict == "newest" else 1)
    assert cost.moments <= read[2] < 3 * 1200


def test_what_reads_more_than_a_budget_goes_on_in_slices(engine: Engine) -> None:
    """Of a device on which somebody logs in too late, all visits are read: in slices, told with what it is about, and counted."""
    engine.clear(load({"identity.yaml": json.dumps({"namespaces": [USER, DEVICE]})}))
    engine.start(["p"])
    events = [{"user": f"u{number % 3}", "web": "d"} if number % 2 else {"web": "d"} for number in range(90)]
    engine.feed("p", [seen(number, number * 45, ids) for number, ids in enumerate(events)])
    work, told = engine.space.work, list[tuple[list[tuple[int, str]], int]]()
    work.reading = work.moments._reading = Reading(25)
    work.reading.paused = lambda about, moments: told.append((about, moments))
    engine.feed("p", [seen(90, 1_000, {"user": "u7", "web": "d"})])
    assert [about for about, _ in told] == [[(0, "u7"), (1, "d")]] * len(told)
    slices = [moments for _, moments in told]
    assert len(slices) == slices[-1] // 25 >= 3
    assert all(25 <= after - before < 25 + 16 for before, after in zip([0, *slices], slices, strict=False))
    assert [(one.namespace, one.value, one.over) for one in work.cost.named.values() if one.over] == [("web", "d", 1)]
    read = work.reading.moments
    engine.feed("p", [seen(91, 5_000, {"user": "u7", "web": "d"})])
    assert work.reading.moments - read < 25, "what comes in order reads next to nothing"


USER, DEVICE = {"name": "user", "from": "user", "unique": True}, {"name": "web", "from": "web", "scope": "device"}


def seen(number: int, minute: int, ids: dict[str, str]) -> bytes:
    return orjson.dumps(
        {"type": "track", "event": "seen", "messageId": f"m{number}", "timestamp": text_of(START_US + minute * MINUTE_US), **ids}
    )
