"""Sequences: the cell, the model that looks at all ways, and the SQL twin say the same at every moment, whatever order events come in."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest

from contracts.language.forms import sequence
from contracts.model.batches import Event
from contracts.model.definitions import Definitions, Feature
from operators.records import Person
from operators.segments.cells import cell_of
from operators.segments.cells.sequence import InTurn
from operators.segments.compile import Program
from tests import model
from tests.engine import HASHER
from tests.generator import text_of, to_events
from tests.golden.cases import definitions_of
from tests.model_segments import in_order
from tests.operators.test_segments_sql import members, store_of

Json = dict[str, Any]
START, SECOND = 1_767_225_600_000_000, 1_000_000
"""2026-01-01, and the grid on which all events lie, so that many meet the ends of windows."""


def drawn(rng: Random) -> Json:
    """Steps of three events, windows of a few seconds."""
    steps: list[Json] = [{"did": rng.choice("abc")}]
    for _ in range(rng.choice([1, 2, 2, 3, 4])):
        step: Json = {"did": rng.choice(["a", "b", "c", ["a", "b"], "*"])} | rng.choice([{}, {}, {"where": {"x": rng.choice([1, 2])}}])
        step = {"not": step} if rng.random() < 0.45 else step
        steps.append(step | ({"within": f"{rng.choice([1, 2, 3, 5])}s"} if rng.random() < 0.5 else {}))
    if "not" in steps[-1]:
        steps[-1]["within"] = f"{rng.choice([1, 2, 4])}s"
    found: Json = {"sequence": steps}
    found |= rng.choice([{}, {}, {"same": "k"}]) | rng.choice([{}, {"within": f"{rng.choice([3, 6, 12])}s"}])
    return found | rng.choice([{}, {"span": f"{rng.choice([2, 4, 8])}s"}])


def drawn_events(rng: Random, definitions: Definitions, people: tuple[str, ...] = ("ada",)) -> list[Event]:
    bodies = []
    for number in range(rng.choice([3, 8, 12, 18])):
        properties = {"x": rng.choice([1, 2])} | rng.choice([{}, {"k": rng.choice([1, 1.0, "1", None])}, {"k": 1}])
        bodies.append(
            {
                "messageId": f"m{rng.random()}", "timestamp": text_of(START + rng.randrange(20) * SECOND), "userId": rng.choice(people),
                "type": "track", "event": rng.choice("abc"), "properties": properties, "context": {"at": number},
            }
        )  # fmt: skip
    return sorted(to_events(bodies, definitions), key=lambda event: (event.time_us, event.message_id))


def the_feature(definitions: Definitions) -> Feature:
    (feature,) = definitions.features.values()
    return feature


def fold(program: Program, cells: dict[int, Any], event: Event, now: int) -> bool:
    """As people do; whether anything says that an answer may be another."""
    turned = False
    for at, matches, cell in program.route(event.name).chosen(event.properties):
        if matches is None or matches(event.properties, event.body):
            turned |= cell.fold(cells, at, event.time_us, event.message_id, event.properties, now)
    return turned


@pytest.mark.parametrize("seed", range(300))
def test_the_cell_is_the_model_in_any_order(seed: int) -> None:
    """While the clock goes on, events come, two people become one, and every change is told beforehand or by the event that makes it."""
    rng = Random(seed)
    definitions = definitions_of({"segments": {"s": drawn(rng)}})
    feature, program = the_feature(definitions), Program(definitions)
    cell = program.cells[0]
    events = drawn_events(rng, definitions)
    waiting = rng.sample(events, len(events)) if seed % 2 else list(events)
    halves: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
    apart = rng.random() < 0.3
    known: list[Event] = []
    now, told, due = START - SECOND, False, None
    for number, event in enumerate(waiting):
        cells = halves[number % 2 if apart else 0]
        turned = fold(program, cells, event, now)
        known = sorted([*known, event], key=lambda one: (one.time_us, one.message_id))
        if apart:
            continue
        held = cells.get(0)
        found = cell.value(held, now)
        assert found is in_order(feature, known, now), (seed, number)
        assert turned or found is told, (seed, number)
        following = cell.due(held, now) if held else None
        assert turned or following == due or event.time_us > now, (seed, number)
        told, due = found, following
        for moment in range(now + SECOND // 2, now + rng.randrange(3) * SECOND, SECOND // 2):
            found = cell.value(held, moment)
            assert found is in_order(feature, known, moment), (seed, number, moment)
            assert (due is not None and due <= moment) or found is told, (seed, number, moment)
            now, told, due = moment, found, cell.due(held, moment) if held else None
    whole = cell.join(halves[0].get(0), halves[1].get(0))
    moments = [now + half * SECOND // 2 for half in range(80)]
    truth = [in_order(feature, known, moment) for moment in moments]
    assert [cell.value(whole, moment) for moment in moments] == truth, seed
    changes = [later for (earlier, later), (a, b) in zip(pairwise(moments), pairwise(truth), strict=True) if a is not b]
    found = []
    moment = cell.due(whole, moments[0]) if whole else None
    while moment is not None and moment <= moments[-1]:
        found.append(moment)
        moment = cell.due(whole, moment)
    assert found == changes, seed


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kept", [5, 10_000])
def test_sql_is_the_model(seed: int, kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "KEPT_MAX", kept)
    rng = Random(f"{seed}:{kept}")
    definitions = definitions_of({"segments": {f"s{number}": drawn(rng) for number in range(8)}})
    events = drawn_events(rng, definitions, ("ada", "bob", "cid"))
    events += drawn_events(rng, definitions, ("ada", "bob", "cid"))
    for at in (START + rng.randrange(50) * SECOND // 2 for _ in range(3)):
        lines = [orjson.loads(line) for line in model.dump(events, [], definitions, at, hasher=HASHER)]
        expected = {(segment, line["id"]) for line in lines if line["kind"] == "profile" for segment in line["segments"]}
        assert members(store_of(events, lines, set()), definitions, at) == expected, (seed, at)


@pytest.mark.parametrize("seed", range(60))
def test_of_more_events_than_are_kept_the_newest_count(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "KEPT_MAX", 4)
    rng = Random(seed)
    definitions = definitions_of({"segments": {"s": drawn(rng)}})
    feature, program = the_feature(definitions), Program(definitions)
    cell, cells = program.cells[0], {}
    events = drawn_events(rng, definitions)
    known: list[Event] = []
    for number, event in enumerate(rng.sample(events, len(events))):
        now = START + number * SECOND
        fold(program, cells, event, now)
        known = sorted([*known, event], key=lambda one: (one.time_us, one.message_id))
        moment = now
        while moment < now + 25 * SECOND:
            assert cell.value(cells.get(0), moment) is in_order(feature, known, moment), (seed, number)
            following = cell.due(cells[0], moment) if cells else None
            for between in range(moment, min(following or now + 25 * SECOND, now + 25 * SECOND), SECOND // 2):
                assert cell.value(cells.get(0), between) is cell.value(cells.get(0), moment), (seed, number, between)
            if following is None:
                break
            moment = following


def test_no_more_than_these_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequence, "KEPT_MAX", 4)
    definitions = definitions_of({"segments": {"s": {"sequence": [{"did": "a"}, {"did": "b"}]}}})
    program, cells = Program(definitions), dict[int, Any]()
    for number in range(20):
        fold(program, cells, event_of(definitions, number, "a"), START + number * SECOND)
    assert [time for time, *_ in cells[0][1]] == [START + number * SECOND for number in range(16, 20)]


def test_many_events_of_many_steps_take_no_longer_than_their_number() -> None:
    """Of these a search that goes back would not see the end: all begin, and nothing comes to an end."""
    steps: list[Json] = [{"did": "a"} for _ in range(8)]
    steps = [*steps, {"not": {"did": "b"}}, {"did": "a", "within": "1s"}, {"did": "c"}]
    definitions = definitions_of({"segments": {"s": {"sequence": steps}}})
    cell = cell_of(the_feature(definitions))
    assert isinstance(cell, InTurn)
    program, cells = Program(definitions), dict[int, Any]()
    for event in events_of(definitions, range(10_000), "a"):
        fold(program, cells, event, START)
    assert cell.value(cells[0], START + 10_000 * SECOND) is False
    fold(program, cells, event_of(definitions, 10_001, "c"), START + 10_000 * SECOND)
    assert cell.value(cells[0], START + 10_001 * SECOND) is False
    fold(program, cells, event_of(definitions, 9_990, "a", 500_000), START + 10_001 * SECOND)
    assert cell.value(cells[0], START + 10_001 * SECOND) is True


def test_what_has_happened_for_good_is_not_looked_for_again() -> None:
    definitions = definitions_of({"segments": {"s": {"sequence": [{"did": "a"}, {"did": "a"}]}}})
    program, cells = Program(definitions), dict[int, Any]()
    turned = [fold(program, cells, event, START + 9_999 * SECOND) for event in events_of(definitions, range(10_000), "a")]
    assert turned == [number == 1 for number in range(10_000)]
    assert fold(program, cells, event_of(definitions, -1, "a"), START), "a late one: it has happened a second earlier"


def event_of(definitions: Definitions, number: int, name: str, more: int = 0) -> Event:
    return events_of(definitions, [number], name, more)[0]


def events_of(definitions: Definitions, numbers: Iterable[int], name: str, more: int = 0) -> list[Event]:
    """An event a second."""
    body = {"messageId": "m", "timestamp": text_of(START), "userId": "ada", "type": "track", "event": name, "properties": {}, "context": {}}
    (one,) = to_events([body], definitions)
    found = []
    for at in numbers:
        found.append(copy(one))
        found[-1].message_id, found[-1].time_us = f"m{at:06}{more}", START + at * SECOND + more
    return found


def test_what_no_step_asks_for_costs_nothing() -> None:
    definitions = definitions_of({"segments": {"s": {"sequence": [{"did": "a", "where": {"x": "y"}}, {"did": "b"}]}}})
    program = Program(definitions)
    assert program.route("c").chosen({}) == []
    assert program.route("a").chosen({"x": "z"}) == []
    assert program.blank == program.members(Person(b"", [], {}), START)


def test_an_event_that_decides_nothing_asks_for_nothing() -> None:
    """One more beginning, behind which nothing has come yet, evaluates nobody."""
    definitions = definitions_of({"segments": {"s": {"sequence": [{"did": "a"}, {"not": {"did": "b"}}, {"did": "c"}]}}})
    program, cells = Program(definitions), dict[int, Any]()
    assert not fold(program, cells, event_of(definitions, 1, "a"), START)
    assert not fold(program, cells, event_of(definitions, 2, "b"), START)
    assert not fold(program, cells, event_of(definitions, 3, "a"), START)
    assert fold(program, cells, event_of(definitions, 4, "c"), START)
    assert not fold(program, cells, event_of(definitions, 5, "a"), START)
