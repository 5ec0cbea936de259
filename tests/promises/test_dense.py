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
from operators.people import windows
from operators.people.heads import EVENT_BYTES, HEAD_BYTES, Heads
from operators.people.reading import Reading
from tests import model
from tests.dense import dense
from tests.engine import HASHER, Engine, difference, judge_of
from tests.generator import MINUTE_US, START_US, Json, text_of
from tests.graphs import PURPOSE, files_of
from tests.lives import live

GROUPS, GRAPHS = 10, 5


@pytest.mark.parametrize("group", range(GROUPS))
def test_dense_graphs_are_what_the_model_says(group: int, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """In half of the groups with next to no memory for what is held of devices, so that it is always being forgotten."""
    if group % 2:
        monkeypatch.setattr(windows, "WINDOWS_MAX", 3)
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


MERGES: dict[str, list[tuple[int, Json]]] = {
    "in order": [(300, {"user": "u1", "mail": "m2"})],
    "late, on a device with events of nobody": [
        (240, {"web": "E"}),
        (2_940, {"user": "u1", "web": "E"}),
        (245, {"user": "u1", "mail": "m2", "web": "E"}),
    ],
}


@pytest.mark.parametrize("merge", MERGES)
def test_a_denial_of_somebody_far_away_stays(merge: str, engine: Engine) -> None:
    """A merge gives a third person's device to somebody else: of that person a refused denial counts, which is in no event."""
    mail = {"name": "mail", "from": "mail"}
    rules = {"namespaces": [USER, mail, DEVICE], "stitching": {"session_gap": "30m", "backstitch": "1d"}}
    definitions = load({path: json.dumps(content) for path, content in files_of(rules).items()})
    engine.clear(definitions)
    engine.start(["p"])
    asked = {granted: {"context": {"consent": {"categoryPreferences": {PURPOSE: granted}}}} for granted in (True, False)}
    said: list[tuple[int, Json]] = [
        (0, {"user": "u1", "mail": "m1"}), (1, {"user": "u2", "mail": "m2"}), (2, {"mail": "m1", "web": "D"}),
        (3, {"mail": "m2", "web": "D"}), (63, {"web": "D"}), (200, {"user": "u0", "web": "D", **asked[True]}),
        (201, {"user": "u0", **asked[False], "properties": 5}), *MERGES[merge],
    ]  # fmt: skip
    given = [seen(number, minute, ids) for number, (minute, ids) in enumerate(said)]
    for record in given:
        engine.feed("p", [record])
    clock = engine.space.meta.clock
    assert clock is not None
    events = judge_of(definitions).judge_many(given, 1, 0)[0]
    expected = model.dump(events, [], definitions, clock, hasher=HASHER, denials=engine.denials)
    assert engine.dump() == expected, difference(engine.dump(), expected)


def test_parts_stay_within_their_memory(engine: Engine) -> None:
    """What they take, waiting events included, is counted as it comes and goes, and the oldest go."""
    engine.clear(load({}))
    engine.start(["p"])
    work = engine.space.work
    heads = Heads(work.program, work.clock, cache_bytes=8 * 20_000)
    events = judge_of(load({})).judge_many([seen(number, number, {"userId": "u"}) for number in range(40)], 1, 0)[0]
    for number in range(100):
        heads.keep(b"%d" % number, None)
        for event in events[: number % 20]:
            heads.add(b"%d" % number, event, b"a" * 16)
        heads.trim()
        assert heads._bytes == sum(head.size for head in heads._heads.values()) <= 20_000 + HEAD_BYTES
    assert b"0" not in heads
    assert b"99" in heads
    assert heads.part(b"99").first == events[0].time_us
    heads.drop(b"99")
    assert heads._bytes == sum(head.size for head in heads._heads.values())
    assert EVENT_BYTES > HEAD_BYTES


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


def seen(number: int, minute: int, ids: Json) -> bytes:
    return orjson.dumps(
        {"type": "track", "event": "seen", "messageId": f"m{number}", "timestamp": text_of(START_US + minute * MINUTE_US), **ids}
    )
