"""Where a computed trait's value comes from, and what becomes of it by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from contracts.model.batches import Event
from operators.records import Person
from operators.segments.cells import cell_of
from operators.segments.compile import Program

_EARLIEST, _LATEST, _EXTREME = frozenset({"first", "since_first"}), frozenset({"last", "since_last"}), frozenset({"min", "max"})
_SEVERAL = frozenset({"interval_mean", "session_length"})
"""Measures to which one event alone gives nothing."""
MOMENTS_MAX = 10_000
"""How many moments ahead are looked at for the one at which a value changes."""


def contributions(program: Program, at: int, person: Person, events: Iterable[Event], now: int) -> list[tuple[Event, Any]]:
    """Of a person's events those that a feature's value (by number) comes from at a time in µs, each with what it would come to alone.

    By time and message id; values are for orjson. Of a first or last value, a smallest or largest one, only the events that have it.
    """
    cell, measure, slot = program.cells[at], program.features[at].measure, program.slots[at]
    nothing = _text(cell.shown(None, now))
    found: list[tuple[Event, Any]] = []
    held = program.cell(person, at)
    for event in sorted(events, key=lambda event: (event.time_us, event.message_id)):
        frame = cell.alone(held)
        alone: dict[int, Any] = {} if frame is None else {slot: frame}
        if _folds(program, at, event, alone, now):
            value = cell.shown(alone.get(slot), now)
            if measure == "by_source" and alone.get(slot) != held:
                continue
            if _text(value) != nothing or (measure in _SEVERAL and cell.counts(alone.get(slot), now)):
                found.append((event, value))
    if program.features[at].by is not None:
        return found
    if measure in _EARLIEST:
        return found[:1]
    if measure in _LATEST:
        return found[-1:]
    if measure in _EXTREME:
        whole = _text(cell.shown(held, now))
        return [one for one in found if _text(one[1]) == whole]
    return found


def _folds(program: Program, at: int, event: Event, cells: dict[int, Any], now: int) -> bool:
    """Fold an event into the cell at which the feature looks among these, if it counts such events."""
    slot = program.slots[at]
    if program.features[at].sent:
        said = event.traits or {}
        folding = [cell for number, source, cell in program.sent if number == slot and (source is None or source in event.sources)]
    else:
        route, properties = program.route(event.name), event.properties
        touches, said = route.chosen(properties) if event.name else [], route.said(properties, event.body)
        folding = [cell for number, matches, cell in touches if number == slot and (matches is None or matches(properties, event.body))]
    for cell in folding[:1]:
        cell.fold(cells, slot, event.time_us, event.message_id, said, now)
    return bool(folding)


def turns(program: Program, at: int, person: Person, now: int) -> tuple[int, Any] | None:
    """When (µs) and to what the value of a feature changes if nothing else happens; None if it does not.

    No further than `MOMENTS_MAX` moments are looked ahead.
    """
    # One of its own, since that of the program tells only of moments that somebody waits for.
    cell, held = cell_of(program.features[at]), program.cell(person, at)
    if held is None:
        return None
    before = _text(cell.shown(held, now))
    moment = cell.due(held, now)
    for _ in range(MOMENTS_MAX):
        if moment is None:
            break
        value = cell.shown(held, moment)
        if _text(value) != before:
            return moment, value
        moment = cell.due(held, moment)
    return None


def made_turns(program: Program, name: str, person: Person, now: int) -> tuple[int, Any] | None:
    """The same of a trait that is made of others: of the moments at which one of these changes."""
    held = [(cell_of(program.features[at]), program.cell(person, at)) for at in program.rests_on(name) if type(at) is int]
    held = [(cell, found) for cell, found in held if found is not None]
    before, moment = _text(program.shown(person, name, now)), now
    for _ in range(MOMENTS_MAX):
        ahead = [due for cell, found in held if (due := cell.due(found, moment)) is not None]
        if not ahead:
            break
        moment = min(ahead)
        value = program.shown(person, name, moment)
        if _text(value) != before:
            return moment, value
    return None


def _text(value: Any) -> bytes:
    return orjson.dumps(value)
