"""Predicates that hold a date against now, so that their answer changes by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from contracts.language.claims import moves
from contracts.model.definitions import Predicate, Where
from contracts.text.days import date_range, day_range, local_moment, local_time
from contracts.text.times import MAX_US
from operators.segments.paths import values
from operators.segments.predicates import compiled
from schemalogic.paths import parse_path

LAST_YEAR = 9999


class Timed(NamedTuple):
    """``holds``: whether a value satisfies it now; ``edges``: the next moments after now at which that may change, up to the year 9999."""

    holds: Callable[[Any, int], bool]
    edges: Callable[[Any, int], list[int]]


Spans = Callable[[Any, int], list[tuple[int, int | None]]]
"""(value, now) → the spans of time, from and until, in which it holds: those that have not ended, as far as they matter."""


def timed(predicate: Predicate, zone: str) -> Timed:
    """A predicate compiled."""
    make = MOVING.get(predicate.op)
    if make is not None:
        return make(predicate.operand, zone)
    if moves(predicate):
        return _items(predicate, zone)
    test = compiled((predicate,), zone)
    return Timed(lambda value, now: test(value), lambda value, now: [])


def all_timed(predicates: Iterable[Predicate], zone: str) -> Timed:
    """All of the predicates."""
    each = [timed(predicate, zone) for predicate in predicates]
    return Timed(
        lambda value, now: all(one.holds(value, now) for one in each),
        lambda value, now: [moment for one in each for moment in one.edges(value, now)],
    )


def _spanned(spans: Spans) -> Timed:
    def holds(value: Any, now: int) -> bool:
        return any(start <= now and (end is None or now < end) for start, end in spans(value, now))

    def edges(value: Any, now: int) -> list[int]:
        return [edge for span in spans(value, now) for edge in span if edge is not None and now < edge <= MAX_US]

    return Timed(holds, edges)


def _shifted(start: int, end: int | None, zone: str) -> Timed:
    """From so long after the date until so long after it; None is without end."""

    def spans(value: Any, _now: int) -> list[tuple[int, int | None]]:
        found = date_range(value, zone)
        return [] if found is None else [(found[0] + start, None if end is None else found[0] + end)]

    return _spanned(spans)


def _anniversary(before: int, zone: str) -> Timed:
    """From so long before a day that is the date's day of the year until that day ends."""

    def spans(value: Any, now: int) -> list[tuple[int, int | None]]:
        day, today = local_time(value, zone), local_moment(now, zone)
        if day is None or today is None:
            return []
        found: list[tuple[int, int | None]] = []
        for year in range(today.year, min(today.year + 3, LAST_YEAR)):
            start, end = day_range(_day_in(year, day.month, day.day), zone)
            found.append((start - before, end + 1))
        return found

    return _spanned(spans)


def _day_in(year: int, month: int, day: int) -> date:
    """A day of the year; 29 February is the 28th in most."""
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, 28)


def _items(predicate: Predicate, zone: str) -> Timed:
    """Predicates of the items of a list, some of which look at now."""
    inside = [_inside(one, zone) for one in predicate.operand if isinstance(one, Where)]
    each = inside or [all_timed(predicate.operand, zone)]
    every = predicate.op == "every_item"

    def holds(value: Any, now: int) -> bool:
        if type(value) is not list or not value:
            return False
        found = (all(one.holds(item, now) for one in each) for item in value)
        return all(found) if every else any(found)

    def edges(value: Any, now: int) -> list[int]:
        items = value if type(value) is list else []
        return [moment for item in items for one in each for moment in one.edges(item, now)]

    return Timed(holds, edges)


def _inside(where: Where, zone: str) -> Timed:
    steps, inner = parse_path(where.path), all_timed(where.predicates, zone)
    return Timed(
        lambda value, now: any(inner.holds(one, now) for one in values(steps, value)),
        lambda value, now: [moment for one in values(steps, value) for moment in inner.edges(one, now)],
    )


MOVING: dict[str, Callable[[int, str], Timed]] = {
    "within": lambda operand, zone: _shifted(0, operand, zone),
    "older_than": lambda operand, zone: _shifted(operand, None, zone),
    "in_next": lambda operand, zone: _shifted(-operand, 0, zone),
    "anniversary_in_next": _anniversary,
}
"""(µs, time zone of dates alone) → the predicate"""
