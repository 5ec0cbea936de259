"""Predicates on a value, compiled: each becomes a function of the value alone."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import orjson

from contracts.language.patterns import pattern_test
from contracts.model.definitions import Predicate, Where
from contracts.text.days import date_range, is_day, local_time
from contracts.text.folding import folded
from contracts.text.numbers import MICRO, micros, number_text
from contracts.text.precedence import Precedence, precedence
from operators.segments.paths import values
from schemalogic.paths import parse_path

Test = Callable[[Any], bool]


def kind(value: Any) -> str | None:
    """number, text, boolean, list, object; None for a missing value."""
    return _KINDS.get(type(value))


_KINDS: dict[type, str] = {int: "number", float: "number", str: "text", bool: "boolean", list: "list", dict: "object"}


def value_key(value: Any) -> str:
    """Canonical JSON of a value, numbers exact to six places: equal values have equal keys."""
    if type(value) is str:
        return orjson.dumps(value).decode()
    return orjson.dumps(canonical(value), option=orjson.OPT_SORT_KEYS).decode()


def canonical(value: Any) -> Any:
    """The value with every number as its exact JSON text (an `orjson.Fragment`)."""
    if type(value) is int or type(value) is float:
        exact = micros(value)
        return orjson.Fragment(number_text(exact)) if exact is not None else value
    if type(value) is list:
        return [canonical(item) for item in value]
    if type(value) is dict:
        return {name: canonical(item) for name, item in value.items()}
    return value


def compiled(predicates: Iterable[Predicate], zone: str = "UTC") -> Test:
    """All of the predicates as one test of a value."""
    tests = [_test(predicate, zone) for predicate in predicates]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _test(predicate: Predicate, zone: str) -> Test:
    if not predicate.ignore_case:
        return OPERATORS[predicate.op](predicate.operand, zone)
    test = OPERATORS[predicate.op](folded(predicate.operand), zone)
    return lambda value: test(folded(value))


def _one_of(operand: Any, _zone: str) -> Test:
    wanted = frozenset(map(value_key, operand))
    texts = frozenset(item for item in operand if type(item) is str)
    if len(texts) == len(wanted):
        return lambda value: type(value) is str and value in texts
    return lambda value: value is not None and value_key(value) in wanted


def _none_of(operand: Any, _zone: str) -> Test:
    unwanted = frozenset(map(value_key, operand))
    return lambda value: value is not None and value_key(value) not in unwanted


def _exists(operand: Any, _zone: str) -> Test:
    if operand:
        return lambda value: value is not None
    return lambda value: value is None


def _is(operand: Any, _zone: str) -> Test:
    if operand == "empty":
        return lambda value: value is None or (value in ("", [], {}) and type(value) in (str, list, dict))
    return lambda value: kind(value) == operand


def _text(test: Callable[[str, str], bool], *, negative: bool = False) -> Callable[[Any, str], Test]:
    def of(operand: Any, _zone: str) -> Test:
        if negative:
            return lambda value: type(value) is str and not test(value, operand)
        return lambda value: type(value) is str and test(value, operand)

    return of


def _some_part(operand: Any, _zone: str) -> Test:
    parts = tuple(operand)
    return lambda value: type(value) is str and any(part in value for part in parts)


def _matches(operand: Any, _zone: str) -> Test:
    found = pattern_test(operand)
    return lambda value: type(value) is str and found(value)


def _includes(operand: Any, zone: str) -> Test:
    return _includes_any([operand], zone)


def _includes_any(operand: Any, zone: str) -> Test:
    found = _one_of(operand, zone)
    return lambda value: type(value) is list and any(map(found, value))


def _includes_all(operand: Any, zone: str) -> Test:
    wanted = [_one_of([one], zone) for one in operand]
    return lambda value: type(value) is list and all(any(map(one, value)) for one in wanted)


def _excludes_all(operand: Any, zone: str) -> Test:
    unwanted = _one_of(operand, zone)
    return lambda value: type(value) is list and not any(map(unwanted, value))


def _size(operand: Any, zone: str) -> Test:
    test = compiled(operand, zone)
    return lambda value: type(value) is list and test(len(value))


def _any_item(operand: Any, zone: str) -> Test:
    test = _item(operand, zone)
    return lambda value: type(value) is list and any(map(test, value))


def _every_item(operand: Any, zone: str) -> Test:
    test = _item(operand, zone)
    return lambda value: type(value) is list and bool(value) and all(map(test, value))


def _item(operand: Any, zone: str) -> Test:
    """Predicates of an item, or of what stands at paths in it."""
    tests = [_inside(one, zone) for one in operand if isinstance(one, Where)]
    return (lambda value: all(test(value) for test in tests)) if tests else compiled(operand, zone)


def _inside(where: Where, zone: str) -> Test:
    steps, test = parse_path(where.path), compiled(where.predicates, zone)
    return lambda value: any(map(test, values(steps, value)))


_ORDER: dict[str, Callable[[Any, Any], bool]] = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def _between(operand: Any, zone: str) -> Test:
    low, high = _order("gte", operand[0], zone), _order("lte", operand[1], zone)
    return lambda value: low(value) and high(value)


def _order(op: str, operand: Any, zone: str) -> Test:
    compare = _ORDER[op]
    days = date_range(operand, zone)
    if days is not None:
        return _date_order(op, days, zone)
    if type(operand) is str:
        return lambda value: type(value) is str and compare(value, operand)
    bound = micros(operand)
    if bound is None:
        return lambda value: False

    def number(value: Any) -> bool:
        exact = micros(value)
        return exact is not None and compare(exact, bound)

    return number


def _date_order(op: str, operand: tuple[int, int], zone: str) -> Test:
    first, last = operand

    def test(value: Any) -> bool:
        found = date_range(value, zone)
        if found is None:
            return False
        start, end = found
        match op:
            case "gt":
                return start > last
            case "gte":
                return start >= first
            case "lt":
                return end < first
            case "lte":
                return end <= last
            case _:
                return start >= first and end <= last

    return test


def _dated(op: str, operand: Any, zone: str) -> Test:
    days = date_range(operand, zone)
    return (lambda value: False) if days is None else _date_order(op, days, zone)


def _part(read: Callable[[datetime, str], int | None], operand: Any, zone: str) -> Test:
    test = compiled(operand, zone)

    def part(value: Any) -> bool:
        at = local_time(value, zone)
        found = None if at is None else read(at, value)
        return found is not None and test(found)

    return part


def _version(compare: Callable[[Precedence, Precedence], bool], operand: Any, _zone: str) -> Test:
    wanted = precedence(operand) if type(operand) is str else None

    def test(value: Any) -> bool:
        found = precedence(value) if type(value) is str else None
        return found is not None and wanted is not None and compare(found, wanted)

    return test


EARTH_KM = 6371.0088
"""The mean radius of the earth."""
_RADIANS = math.pi / 180


def _near(operand: Any, _zone: str) -> Test:
    """Haversine, on a sphere: what it is compared with is the same function of the distance, so that no arc has to be computed."""
    here = _place(operand)
    assert here is not None, "what is near has been checked"
    lat, lon = here
    most = math.sin(min(operand["km"] / (2 * EARTH_KM), math.pi / 2)) ** 2

    def test(value: Any) -> bool:
        there = _place(value)
        if there is None:
            return False
        north, east = math.sin((there[0] - lat) * _RADIANS / 2), math.sin((there[1] - lon) * _RADIANS / 2)
        return north * north + math.cos(lat * _RADIANS) * math.cos(there[0] * _RADIANS) * (east * east) <= most

    return test


def _place(value: Any) -> tuple[float, float] | None:
    """Degrees, to six places; None if it is no place."""
    if type(value) is not dict:
        return None
    lat, lon = micros(value.get("lat")), micros(value.get("lon"))
    if lat is None or lon is None or abs(lat) > 90 * MICRO or abs(lon) > 180 * MICRO:
        return None
    return lat / MICRO, lon / MICRO


OPERATORS: dict[str, Callable[[Any, str], Test]] = {
    "eq": lambda operand, zone: _one_of([operand], zone),
    "ne": lambda operand, zone: _none_of([operand], zone),
    "in": _one_of,
    "not_in": _none_of,
    "gt": partial(_order, "gt"),
    "gte": partial(_order, "gte"),
    "lt": partial(_order, "lt"),
    "lte": partial(_order, "lte"),
    "between": _between,
    "exists": _exists,
    "is": _is,
    "contains": _text(operator.contains),
    "not_contains": _text(operator.contains, negative=True),
    "contains_any": _some_part,
    "starts_with": _text(str.startswith),
    "not_starts_with": _text(str.startswith, negative=True),
    "ends_with": _text(str.endswith),
    "not_ends_with": _text(str.endswith, negative=True),
    "matches": _matches,
    "before": partial(_dated, "lt"),
    "after": partial(_dated, "gt"),
    "on": partial(_dated, "in"),
    "month": partial(_part, lambda at, text: at.month),
    "day_of_month": partial(_part, lambda at, text: at.day),
    "day_of_week": partial(_part, lambda at, text: at.isoweekday()),
    "hour": partial(_part, lambda at, text: None if is_day(text) else at.hour),
    "semver_eq": partial(_version, operator.eq),
    "semver_gt": partial(_version, operator.gt),
    "semver_gte": partial(_version, operator.ge),
    "semver_lt": partial(_version, operator.lt),
    "semver_lte": partial(_version, operator.le),
    "near": _near,
    "includes": _includes,
    "includes_any": _includes_any,
    "includes_all": _includes_all,
    "excludes_all": _excludes_all,
    "size": _size,
    "any_item": _any_item,
    "every_item": _every_item,
}
"""(operand, time zone of dates alone) → test. Those that look at now are in `operators.segments.moving`."""
