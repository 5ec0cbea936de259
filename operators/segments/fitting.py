"""Values that satisfy predicates, and what an event has to say to match: found by trying, so every one is certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from contracts.language.claims import moves
from contracts.model.definitions import Feature, OtherField, Predicate, Where
from contracts.text.numbers import MICRO, micros
from contracts.text.times import DAY_US, iso
from operators.segments.predicates import compiled
from schemalogic.paths import Step, parse_path

TRIED_MAX = 200
"""Values that are tried of each condition."""
_PLAIN: tuple[Any, ...] = ("x", 1, True, ["x"], {}, "", [], False, 0, None)
"""What is tried where the operands say nothing."""


def fitting(predicates: Iterable[Predicate], zone: str, now: int) -> Iterator[Any]:
    """Values, None is missing, of which all predicates hold; the plainest first. None of those that look at another field.

    What is held against now is left for whoever tries the value to find out.
    """
    predicates = tuple(predicates)
    if any(isinstance(one.operand, OtherField) for one in predicates):
        return
    test = compiled([one for one in predicates if not moves(one)], zone)
    for value in _tried(predicates, now):
        if test(value):
            yield value


def _tried(predicates: Iterable[Predicate], now: int) -> Iterator[Any]:
    found = [value for one in predicates for value in _near(one.operand, now)]
    return iter([*found[:TRIED_MAX], *_PLAIN, iso(now)[:10], iso(now)])


def _near(operand: Any, now: int) -> Iterator[Any]:
    """An operand, and what lies beside it."""
    if isinstance(operand, list | tuple):
        for each in operand:
            yield from _near(each, now)
        yield [each.operand if isinstance(each, Predicate) else each for each in operand]
    elif isinstance(operand, Predicate):
        yield from _near(operand.operand, now)
    elif isinstance(operand, dict):
        yield operand
    elif isinstance(operand, str):
        yield operand
        yield f"{operand}x"
        yield f"x{operand}"
        yield [operand]
    elif type(operand) in {int, float}:
        yield operand
        for more in (1, -1):
            yield operand + more
        # As a duration, in what is held against now; as a size, of a list.
        yield from (iso(now + sign * max(int(operand) - 1, 0)) for sign in (-1, 1) if abs(operand) < 1000 * 366 * DAY_US)
        if 0 <= operand <= TRIED_MAX:
            yield ["x"] * int(operand)
            yield ["x"] * (int(operand) + 1)


def measured(feature: Feature, predicates: Iterable[Predicate], had: Any, now: int) -> Iterator[Any]:
    """Values of the property that is measured to be tried, given what the measure has come to so far, in micros or any value."""
    bounds = [exact for one in predicates for exact in map(micros, _flat(one.operand)) if exact is not None]
    if isinstance(had, int):
        for bound in bounds:
            yield from (plain(each) for each in (bound - had, bound - had + 1, bound - had - 1) if each)
    for bound in bounds:
        yield from (plain(each) for each in (bound, bound + 1, bound - 1, bound * 1000, -bound * 1000))
    yield from fitting(predicates, feature.timezone, now)
    yield from (f"other-{now}", now // MICRO)


def _flat(operand: Any) -> list[Any]:
    return list(operand) if isinstance(operand, list | tuple) else [operand]


def plain(exact: int) -> int | float:
    """Micros as a number of JSON."""
    return exact // MICRO if exact % MICRO == 0 else exact / MICRO


def saying(wheres: Iterable[Where], zone: str, now: int) -> dict[str, Any] | None:
    """The smallest body of an event, ``properties`` and perhaps ``context``, that satisfies the clauses; None if none is found."""
    body: dict[str, Any] = {"properties": {}}
    for where in wheres:
        value = next(fitting(where.predicates, zone, now), _PLAIN)
        if value is _PLAIN:
            return None
        put(body, where.path, value)
    return body


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Write a value at a path of the properties, or of the context; missing is not written."""
    steps = parse_path(path)
    if value is None:
        return
    inside, steps = (body, steps) if steps[0] == "context" else (body["properties"], steps)
    _merge(inside, _nested(steps, value))


def _nested(steps: tuple[Step, ...], value: Any) -> Any:
    for step in reversed(steps):
        value = {step: value} if isinstance(step, str) else [*([None] * (step or 0)), value]
    return value


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        known = into.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            _merge(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            into[key] = [*known, *value]
        else:
            into[key] = value
