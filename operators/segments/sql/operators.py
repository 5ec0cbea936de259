"""SQL for the predicates on a value. Each is true or not; NULL counts as not."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from contracts.model.definitions import OtherField, Predicate, Where
from contracts.text.folding import folded
from contracts.text.numbers import MICRO, micros
from operators.segments.sql.against import against
from operators.segments.sql.values import (
    Value,
    dates,
    decimal,
    degrees,
    extract,
    local,
    local_moment,
    midnight,
    precedence,
    quote,
    some_item,
    some_value,
    span,
)
from schemalogic.paths import parse_path

Holds = Callable[[Value, Any, str], str]
"""(value, operand, time zone) → SQL"""
_ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_IS = ("number", "text", "boolean", "list", "object")


EARTH_KM = 6371.0088


Other = Callable[[OtherField], Value]
"""The value of another field."""


class UnknownOperatorError(ValueError):
    """An operator that the language has, but this version of the SQL does not."""


def all_hold(value: Value, predicates: Iterable[Predicate], timezone: str, other: Other | None = None) -> str:
    """The value satisfies every predicate; ``other``: what the fields are that operands name."""
    return " AND ".join(f"coalesce({holds(value, p, timezone, other)}, false)" for p in predicates) or "true"


def holds(value: Value, predicate: Predicate, timezone: str, other: Other | None = None) -> str:
    """The value satisfies the predicate."""
    if isinstance(predicate.operand, OtherField):
        assert other is not None, "where no field can be named, `skep check` refuses one"
        return against(replace(value, small=predicate.ignore_case), predicate.op, other(predicate.operand), timezone)
    found = OPERATORS.get(predicate.op)
    if found is None:
        expected = "expected one of the predicates of docs/segments.md; the SQL twin cannot answer it"
        raise UnknownOperatorError(f"operator {predicate.op!r}: {expected}")
    if predicate.ignore_case:
        return found(replace(value, small=True), folded(predicate.operand), timezone)
    return found(value, predicate.operand, timezone)


def equal(value: Value, operand: object) -> str:
    """Same kind and same value; lists and objects part by part."""
    if isinstance(operand, bool):
        return f"({value.has_kind('boolean')} AND {value.text} = '{str(operand).lower()}')"
    number = decimal(operand)
    if number is not None:
        return f"({value.has_kind('number')} AND {value.number} = {number})"
    if isinstance(operand, str):
        return f"({value.has_kind('text')} AND {value.text} = {quote(operand)})"
    if isinstance(operand, list):
        parts = [_part_equal(replace(value, json=extract(value.json, (at,))), item) for at, item in enumerate(operand)]
        return f"({' AND '.join([value.has_kind('list'), f'json_array_length({value.json}) = {len(operand)}', *parts])})"
    if isinstance(operand, dict):
        parts = [_part_equal(replace(value, json=extract(value.json, (key,))), item) for key, item in operand.items()]
        return f"({' AND '.join([value.has_kind('object'), f'len(json_keys({value.json})) = {len(operand)}', *parts])})"
    return "false"


def _part_equal(part: Value, operand: object) -> str:
    return f"json_type({part.json}) = 'NULL'" if operand is None else equal(part, operand)


def _any_equal(value: Value, operands: Iterable[object]) -> str:
    found = [f"coalesce({equal(value, operand)}, false)" for operand in operands]
    return f"({' OR '.join(found)})" if found else "false"


def _is(value: Value, kind: str) -> str:
    if kind == "empty":
        empty = [
            f"({value.has_kind('text')} AND {value.text} = '')",
            f"({value.has_kind('list')} AND json_array_length({value.json}) = 0)",
            f"({value.has_kind('object')} AND len(json_keys({value.json})) = 0)",
        ]
        return f"(NOT coalesce({value.present}, false) OR coalesce({' OR '.join(empty)}, false))"
    if kind in _IS:
        return value.has_kind(kind)
    raise UnknownOperatorError(f"is: {kind!r}: expected empty, {', '.join(_IS)}")


def ordered(value: Value, op: str, operand: object, timezone: str) -> str:
    """An order operator between numbers, between texts, or between dates if the operand is one."""
    number = decimal(operand)
    if number is not None:
        return f"({value.has_kind('number')} AND {value.number} {_ORDER[op]} {number})"
    if not isinstance(operand, str) or value.computed:
        return "false"
    as_text = f"({value.has_kind('text')} AND {value.text} {_ORDER[op]} {quote(operand)})"
    date = span(quote(operand), timezone)
    given = span(value.text, timezone)
    as_date = dates(op, given, date)
    if not operand[:1].isdigit():
        return as_text
    return f"CASE WHEN {date.start} IS NULL THEN {as_text} ELSE {value.has_kind('text')} AND {as_date} END"


def _exists(value: Value, operand: Any, _timezone: str) -> str:
    return f"coalesce({value.present}, false)" if operand else f"NOT coalesce({value.present}, false)"


def _other(value: Value, same: str) -> str:
    return f"coalesce({value.present}, false) AND NOT coalesce({same}, false)"


def _dated(value: Value, operand: str, compared: str, timezone: str) -> str:
    if value.computed:
        return "false"
    return f"({value.has_kind('text')} AND {dates(compared, span(value.text, timezone), span(quote(operand), timezone))})"


def _since(condition: str) -> Holds:
    """How a date lies to now, which is a column of ``people``."""

    def holds(value: Value, operand: Any, timezone: str) -> str:
        if value.computed:
            return "false"
        return f"({value.has_kind('text')} AND {condition.format(start=span(value.text, timezone).start, long=operand)})"

    return holds


def _anniversary(value: Value, operand: Any, timezone: str) -> str:
    """The day of this year, or of the next, has not ended, and has begun or starts soon."""
    if value.computed:
        return "false"
    day, this = local(value.text, timezone), f"year({local_moment('at_us', timezone)})"
    found = []
    for year in (this, f"{this} + 1"):
        last = f"day(last_day(make_date({year}, month({day}), 1)))"
        that = f"make_date({year}, month({day}), least(day({day}), {last}))"
        found.append(f"({midnight(that, timezone, 1)} > at_us AND {midnight(that, timezone, 0)} <= at_us + {operand})")
    return f"({value.has_kind('text')} AND ({' OR '.join(found)}))"


def _part(function: str, *, timed: bool = False) -> Holds:
    def holds(value: Value, operand: Any, timezone: str) -> str:
        if value.computed:
            return "false"
        asked = f"{value.has_kind('text')} AND length({value.text}) > 10" if timed else value.has_kind("text")
        part = f"CASE WHEN {asked} THEN CAST({function}({local(value.text, timezone)}) AS DECIMAL(38,6)) END"
        return f"({all_hold(Value(computed=f'({part})'), operand, timezone)})"

    return holds


def _near(value: Value, operand: Any, _timezone: str) -> str:
    """As the stream computes it, step by step, so that not even the last digit differs."""
    lat, lon = (degrees(Value(extract(value.json, (name,))), most) for name, most in (("lat", 90), ("lon", 180)))
    here = {name: f"CAST({(micros(operand[name]) or 0) / MICRO!r} AS DOUBLE)" for name in ("lat", "lon")}
    radians = f"CAST({math.pi / 180!r} AS DOUBLE)"
    north = f"sin(({lat} - {here['lat']}) * {radians} / 2)"
    east = f"sin(({lon} - {here['lon']}) * {radians} / 2)"
    cosines = f"cos({here['lat']} * {radians}) * cos({lat} * {radians})"
    most = math.sin(min(operand["km"] / (2 * EARTH_KM), math.pi / 2)) ** 2
    return f"({value.has_kind('object')} AND {north} * {north} + {cosines} * ({east} * {east}) <= CAST({most!r} AS DOUBLE))"


def _version(sign: str) -> Holds:
    def holds(value: Value, operand: Any, _timezone: str) -> str:
        return f"({value.has_kind('text')} AND {precedence(value.text)} {sign} {precedence(quote(operand))})"

    return holds


def _order(op: str) -> Holds:
    return lambda value, operand, timezone: ordered(value, op, operand, timezone)


def _between(value: Value, operand: Any, timezone: str) -> str:
    return f"({ordered(value, 'gte', operand[0], timezone)}) AND ({ordered(value, 'lte', operand[1], timezone)})"


def _text(function: str, negated: str = "") -> Holds:
    def holds(value: Value, operand: Any, _timezone: str) -> str:
        if not isinstance(operand, str):
            return "false"
        return f"({value.has_kind('text')} AND {negated}{function}({value.text}, {quote(operand)}))"

    return holds


def _some_part(value: Value, operand: Any, _timezone: str) -> str:
    found = [f"contains({value.text}, {quote(part)})" for part in operand]
    return f"({value.has_kind('text')} AND ({' OR '.join(found)}))"


def _matches(value: Value, operand: Any, _timezone: str) -> str:
    return f"({value.has_kind('text')} AND regexp_matches({value.text}, {quote(operand)}))"


def _includes(value: Value, operands: list[Any]) -> str:
    return some_item(value, lambda item: _any_equal(item, operands))


def _includes_all(value: Value, operand: Any, _timezone: str) -> str:
    return f"({' AND '.join(_includes(value, [one]) for one in operand)})"


def _size(value: Value, operand: Any, timezone: str) -> str:
    size = f"CASE WHEN {value.has_kind('list')} THEN CAST(json_array_length({value.json}) AS DECIMAL(38,6)) END"
    return f"({all_hold(Value(computed=f'({size})'), operand, timezone)})"


def _any_item(value: Value, operand: Any, timezone: str) -> str:
    return some_item(value, lambda item: _of_item(item, operand, timezone))


def _every_item(value: Value, operand: Any, timezone: str) -> str:
    some = f"{value.has_kind('list')} AND json_array_length({value.json}) > 0"
    return f"({some} AND NOT {some_item(value, lambda item: f'NOT ({_of_item(item, operand, timezone)})')})"


def _of_item(item: Value, operand: Any, timezone: str) -> str:
    """Predicates of an item, or of what stands at paths in it."""
    if not isinstance(operand[0], Where):
        return all_hold(item, operand, timezone)
    return " AND ".join(_inside(item, where, timezone) for where in operand)


def _inside(item: Value, where: Where, timezone: str) -> str:
    return some_value(item.json, parse_path(where.path), lambda value: all_hold(value, where.predicates, timezone), item.depth)


OPERATORS: dict[str, Holds] = {
    "eq": lambda value, operand, _: equal(value, operand),
    "ne": lambda value, operand, _: _other(value, equal(value, operand)),
    "in": lambda value, operand, _: _any_equal(value, operand),
    "not_in": lambda value, operand, _: _other(value, _any_equal(value, operand)),
    "gt": _order("gt"),
    "gte": _order("gte"),
    "lt": _order("lt"),
    "lte": _order("lte"),
    "between": _between,
    "exists": _exists,
    "is": lambda value, operand, _: _is(value, operand),
    "contains": _text("contains"),
    "not_contains": _text("contains", "NOT "),
    "contains_any": _some_part,
    "starts_with": _text("starts_with"),
    "not_starts_with": _text("starts_with", "NOT "),
    "ends_with": _text("ends_with"),
    "not_ends_with": _text("ends_with", "NOT "),
    "matches": _matches,
    "before": lambda value, operand, timezone: _dated(value, operand, "lt", timezone),
    "after": lambda value, operand, timezone: _dated(value, operand, "gt", timezone),
    "on": lambda value, operand, timezone: _dated(value, operand, "in", timezone),
    "within": _since("{start} > at_us - {long} AND {start} <= at_us"),
    "older_than": _since("{start} <= at_us - {long}"),
    "in_next": _since("{start} > at_us AND {start} <= at_us + {long}"),
    "anniversary_in_next": _anniversary,
    "month": _part("month"),
    "day_of_month": _part("day"),
    "day_of_week": _part("isodow"),
    "hour": _part("hour", timed=True),
    "semver_eq": _version("="),
    "semver_gt": _version(">"),
    "semver_gte": _version(">="),
    "semver_lt": _version("<"),
    "semver_lte": _version("<="),
    "near": _near,
    "includes": lambda value, operand, _: _includes(value, [operand]),
    "includes_any": lambda value, operand, _: _includes(value, operand),
    "includes_all": _includes_all,
    "excludes_all": lambda value, operand, _: f"({value.has_kind('list')} AND NOT {_includes(value, operand)})",
    "size": _size,
    "any_item": _any_item,
    "every_item": _every_item,
}
