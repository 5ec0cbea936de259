"""The current session: the cell, the model and the SQL twin say the same at every moment, whatever order events come in."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson
import pytest

from contracts import ContractErrors
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from operators.segments.compile import Program
from tests import model
from tests.engine import HASHER
from tests.generator import MINUTE_US, text_of, to_events
from tests.golden.cases import definitions_of
from tests.model_segments import MISSING, json, measured
from tests.operators.test_segments_sql import members, store_of
from tests.operators.test_sequences import fold

START, STEP = 1_767_225_600_000_000, 10 * MINUTE_US
"""2026-01-01, and the grid on which all events lie: a session ends behind three steps, and goes back 144."""
MEASURES: list[dict[str, Any]] = [
    {"count": True}, {"sum": "x"}, {"avg": "x"}, {"list": "items[]"}, {"last": "x"}, {"first": "x"}, {"distinct": "x"}, {"top": "x"},
    {"interval_mean": True}, {"session_length": "total"}, {"distinct_days": True},
]  # fmt: skip


def drawn(rng: Random) -> dict[str, Any]:
    where = rng.choice([{}, {"where": {"x": 1}}, {"where": {"x": [1, 2]}}])
    return {"did": rng.choice(["a", "a", ["a", "b"], "*"]), "session": "current", **where}


def drawn_events(rng: Random, definitions: Definitions, people: tuple[str, ...] = ("ada",)) -> list[Event]:
    """Sparse, or so dense that a session lasts longer than a day."""
    steps, bodies = rng.choice([12, 40, 200]), []
    for _ in range(rng.choice([4, 10, 70])):
        name = rng.choice(["a", "b", "c", "identify"])
        said = {"x": rng.choice([1, 2, None, "1"]), "items": rng.choice([[], ["s", 1], [None]])}
        body = {"messageId": f"m{rng.random()}", "timestamp": text_of(START + rng.randrange(steps) * STEP), "userId": rng.choice(people)}
        how = {"type": "identify", "traits": {}} if name == "identify" else {"type": "track", "event": name, "properties": said}
        bodies.append({**body, **how, "context": {}})
    return in_time(to_events(bodies, definitions))


def in_time(events: list[Event]) -> list[Event]:
    return sorted(events, key=lambda event: (event.time_us, event.message_id))


@pytest.mark.parametrize("seed", range(60))
def test_the_cell_is_the_model_in_any_order(seed: int) -> None:
    """While the clock goes on, events come late, two people become one, and every change is told by the event or the moment of it."""
    rng = Random(seed)
    definitions = definitions_of({"traits": [{"name": "t", **rng.choice(MEASURES), **drawn(rng), "emit": True}]})
    (feature,), program = definitions.features.values(), Program(definitions)
    cell = program.cells[0]
    events = [event for event in drawn_events(rng, definitions) if event.name]
    waiting = rng.sample(events, len(events)) if seed % 2 else events
    halves: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
    apart = rng.random() < 0.3
    known: list[Event] = []
    now, due = START - STEP, None

    def value(held: Any, moment: int) -> bytes:
        return orjson.dumps(cell.shown(held, moment))

    def truth(moment: int) -> bytes:
        found = measured(feature, known, moment)
        return b"null" if found is MISSING else json(found)

    told = value(None, now)
    for number, event in enumerate(waiting):
        cells = halves[number % 2 if apart else 0]
        turned = fold(program, cells, event, now)
        known = in_time([*known, event])
        if apart:
            continue
        held = cells[0] if cells else None
        assert value(held, now) == truth(now), (seed, number)
        assert turned or value(held, now) == told, (seed, number)
        due = cell.due(held, now) if held and (turned or event.time_us > now) else due
        for _ in range(rng.randrange(4)):
            moment = now + rng.choice([1, STEP // 2, STEP, 3 * STEP])
            told = value(held, now)
            assert value(held, moment) == truth(moment), (seed, number, moment)
            assert value(held, moment) == told or (due is not None and due <= moment), (seed, number, moment)
            now, due = moment, cell.due(held, moment) if held else None
        told = value(held, now)
    whole = cell.join(halves[0].get(0), halves[1].get(0))
    moment = cell.due(whole, now) if whole else None
    changes = {moment}
    while moment is not None:
        moment = cell.due(whole, moment)
        changes.add(moment)
    for at in range(now, START + 400 * STEP, STEP // 2):
        assert value(whole, at) == truth(at), (seed, at)
    for moment in changes - {None}:
        assert moment is not None
        assert value(whole, moment) == truth(moment), (seed, moment)
        assert value(whole, moment - 1) == truth(moment - 1), (seed, moment)


@pytest.mark.parametrize("seed", range(6))
def test_sql_is_the_model(seed: int) -> None:
    rng = Random(seed)
    asked = [{"times": {"gte": 2}}, {"times": {"eq": 0}}, {"sum": "x", "gte": 3}, {"last": "x", "eq": 1}, {"distinct": "x", "gte": 2}]
    segments = {f"s{number}": {**drawn(rng), **rng.choice(asked)} for number in range(8)}
    segments["latest"] = {**drawn(rng), "latest": True, "where": {"x": 2}}
    definitions = definitions_of({"segments": segments})
    events = in_time(drawn_events(rng, definitions, ("ada", "bob", "cid")) + drawn_events(rng, definitions, ("ada", "bob", "cid")))
    for at in (START + rng.randrange(60) * STEP // 2 for _ in range(4)):
        until = [event for event in events if event.time_us <= at + 3 * STEP]
        lines = [orjson.loads(line) for line in model.dump(until, [], definitions, at, hasher=HASHER)]
        expected = {(segment, line["id"]) for line in lines if line["kind"] == "profile" for segment in line["segments"]}
        assert members(store_of(until, lines, set()), definitions, at) == expected, (seed, at)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"did": "a", "session": "last"}, "session: expected current: the session that goes on now, found 'last'"),
        ({"did": "a", "session": "current", "within": "1d"}, "only one of within, ago, between"),
        ({"did": "a", "session": "current", "since_last": {"gte": "1h"}}, "no `session` beside since_last"),
        ({"did": "a", "session": "current", "first_time": True}, "no `session` beside first_time"),
    ],
)
def test_what_is_no_session_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ContractErrors) as refused:
        definitions_of({"segments": {"s": given}})
    assert said in str(refused.value)
