"""Predicates as JSON Schema, and whether a value that a contract allows can satisfy them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, inf
from typing import Any

from contracts.definitions import Predicate
from contracts.documents import Way
from contracts.numbers import MICRO, micros
from contracts.schemas import Typed, kind_of, same
from contracts.times import parse_time

BUDGET_S = 0.05
"""How long one comparison may be thought about; what is not decided by then is taken to be possible."""

_ORDER = ("gt", "gte", "lt", "lte")
_TEXT = ("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with")
_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|/]")
_LIMITS = ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")
_SAID = {
    "type": "{}", "const": "{}", "enum": "one of {}", "minimum": "at least {}", "exclusiveMinimum": "more than {}", "maximum": "at most {}",
    "exclusiveMaximum": "less than {}", "multipleOf": "a multiple of {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "pattern": "pattern {}", "not": "not {}",
}  # fmt: skip
_TYPES = {"number": "number", "text": "string", "boolean": "boolean", "list": "array", "object": "object"}
_EMPTY = {"anyOf": [{"enum": ["", None]}, {"type": "array", "maxItems": 0}, {"type": "object", "maxProperties": 0}]}


def can_hold(predicates: Sequence[Predicate], typed: Typed) -> bool:
    """Whether some value that the contract allows, and that is there, satisfies all of the predicates."""
    if any(one.op == "exists" and one.operand is False for one in predicates):
        return True
    if any(one.op == "is" and one.operand == "empty" for one in predicates):
        return True
    wanted = [predicate_schema(one) for one in predicates]
    return any(_meets(way, predicates, wanted) for way in typed.ways) if typed.ways else True


def _meets(way: Way, predicates: Sequence[Predicate], wanted: list[Any]) -> bool:
    schemas = [place.plain() for place in way]
    values = _values(schemas)
    if values is not None:
        return any(all(_holds(one, value) for one in predicates) for value in values)
    kinds = {kind for one in predicates for kind in [_kind(one)] if kind}
    if len(kinds) > 1 or any(not _has_kind(schema, kind) for schema in schemas for kind in kinds):
        return False
    if kinds == {"number"} and not _between_limits([*schemas, *wanted]):
        return False
    return all(_is_simple(schema) for schema in schemas) or _satisfiable([*schemas, *wanted], way)


def predicate_schema(predicate: Predicate) -> dict[str, Any]:
    """A schema that every value which satisfies the predicate satisfies; dates are any text."""
    op, operand = predicate.op, predicate.operand
    if op in {"eq", "in"}:
        return {"anyOf": [_equal(value) for value in (operand if op == "in" else [operand])]}
    if op in {"ne", "not_in"}:
        values = operand if op == "not_in" else [operand]
        # Numbers that differ in what is beyond 10⁻⁶ are equal.
        return {"not": {"enum": [None, *(value for value in values if kind_of(value) != "number")]}}
    if op in _ORDER:
        return _ordered(op, operand)
    if op == "between":
        return {"allOf": [_ordered("gte", operand[0]), _ordered("lte", operand[1])]}
    if op == "exists":
        return {"not": {"const": None}}
    if op == "is":
        return _EMPTY if operand == "empty" else {"type": _TYPES[operand]}
    return _textual(op, operand)


def _textual(op: str, operand: str) -> dict[str, Any]:
    quoted = _SPECIAL.sub(r"\\\g<0>", operand)
    pattern = {"starts_with": f"^{quoted}", "ends_with": f"{quoted}$"}.get(op.removeprefix("not_"), quoted)
    found = {"pattern": pattern}
    return {"type": "string", "not": found} if op.startswith("not_") else {"type": "string", **found}


def _equal(value: Any) -> dict[str, Any]:
    if kind_of(value) != "number":
        return {"const": value}
    return {**_ordered("gte", value), **_ordered("lte", value)}


def _ordered(op: str, operand: Any) -> dict[str, Any]:
    """Numbers are compared in 10⁻⁶, so half of that is left on both sides."""
    exact = micros(operand)
    if exact is None:
        return {"type": "string"}
    half = Decimal(1) / 2 if op in {"gt", "lte"} else -Decimal(1) / 2
    limit = float((Decimal(exact) + half) / MICRO) if abs(exact) < 2**50 else operand
    return {"type": "number", "minimum" if op in {"gt", "gte"} else "maximum": limit}


def _kind(predicate: Predicate) -> str:
    """The only kind of value of which the predicate can hold; empty if there are several."""
    op, operand = predicate.op, predicate.operand
    if op in _TEXT:
        return "text"
    if op == "is":
        return str(operand)
    if op in {"in", "between"}:
        kinds = {kind_of(value) for value in operand}
        return kinds.pop() if len(kinds) == 1 else ""
    return kind_of(operand) if op in {"eq", *_ORDER} else ""


def _has_kind(schema: Any, kind: str) -> bool:
    types = schema.get("type") if isinstance(schema, dict) else None
    if types is None:
        return schema is not False
    wanted = _TYPES[kind]
    return any(one == wanted or (one, wanted) == ("integer", "number") for one in ([types] if isinstance(types, str) else types))


def _values(schemas: list[Any]) -> list[Any] | None:
    """The values that all the enumerations have, None if there is none."""
    found: list[Any] | None = None
    for schema in schemas:
        if isinstance(schema, dict) and ("const" in schema or "enum" in schema):
            values = [schema["const"]] if "const" in schema else schema["enum"]
            found = values if found is None else [one for one in found if any(same(one, other) for other in values)]
    return found


def _holds(predicate: Predicate, value: Any) -> bool:
    """Whether a value satisfies a predicate; of dates it is taken to be possible."""
    op, operand = predicate.op, predicate.operand
    if value is None:
        return False
    if op in {"eq", "in"}:
        return any(_equals(value, one) for one in (operand if op == "in" else [operand]))
    if op in {"ne", "not_in"}:
        return not any(_equals(value, one) for one in (operand if op == "not_in" else [operand]))
    if op in _ORDER:
        return _compares(op, value, operand)
    if op == "between":
        return _compares("gte", value, operand[0]) and _compares("lte", value, operand[1])
    if op in {"exists", "is"}:
        return op == "exists" or kind_of(value) == operand
    found = isinstance(value, str) and {"contains": operand in value, "starts_with": value.startswith(operand)}.get(
        op.removeprefix("not_"), value.endswith(operand)
    )
    return isinstance(value, str) and found != op.startswith("not_")


def _equals(value: Any, operand: Any) -> bool:
    if kind_of(value) == kind_of(operand) == "number":
        return micros(value) == micros(operand)
    return same(value, operand)


def _compares(op: str, value: Any, operand: Any) -> bool:
    if kind_of(value) != kind_of(operand):
        return False
    one: Any = micros(value) if kind_of(value) == "number" else value
    other: Any = micros(operand) if kind_of(value) == "number" else operand
    if one is None or other is None:
        return True
    if isinstance(operand, str) and parse_time(operand) is not None:
        return True
    return bool({"gt": one > other, "gte": one >= other, "lt": one < other, "lte": one <= other}[op])


def _between_limits(schemas: list[Any]) -> bool:
    """Whether some number lies between all the limits that the schemas say outright."""
    low, high = Fraction(-(10**40)), Fraction(10**40)
    low_open = high_open = whole = False
    for schema in _flat(schemas):
        whole = whole or schema.get("type") == "integer"
        for word in _LIMITS:
            value = schema.get(word)
            if not isinstance(value, (int, float)) or isinstance(value, bool) or abs(value) == inf:
                continue
            limit, is_open = Fraction(str(value)), word.startswith("exclusive")
            if word.lower().endswith("minimum") and (limit > low or (limit == low and is_open)):
                low, low_open = limit, is_open
            elif word.lower().endswith("maximum") and (limit < high or (limit == high and is_open)):
                high, high_open = limit, is_open
    if whole:
        first = floor(low) + 1 if low_open else ceil(low)
        last = ceil(high) - 1 if high_open else floor(high)
        return first <= last
    return low < high or (low == high and not (low_open or high_open))


def _flat(schemas: list[Any]) -> list[dict[str, Any]]:
    """The schemas, and what they hold in `allOf` and in an `anyOf` of one."""
    found = []
    for schema in schemas:
        if isinstance(schema, dict):
            found += [schema, *_flat(schema.get("allOf", []))]
            found += _flat(schema["anyOf"]) if len(schema.get("anyOf", ())) == 1 else []
    return found


def _is_simple(schema: Any) -> bool:
    """Whether the limits of numbers and the kinds are all that the schema says of a number, a text or a boolean."""
    words = ("multipleOf", "pattern", "minLength", "maxLength", "not", "minItems", "maxItems", "contains", "uniqueItems", "format")
    return not (isinstance(schema, dict) and any(word in schema for word in words))


def _satisfiable(schemas: list[Any], way: Way) -> bool:
    try:
        from contracts.compat import Impossible, satisfiable  # noqa: PLC0415 - few projects say so much that it is needed
    except ImportError:
        return True

    types = way[0].document.types if way else {}
    found = satisfiable([(schema, True) for schema in schemas], BUDGET_S, types=types)
    return not isinstance(found, Impossible)


def said(typed: Typed) -> str:
    """What the contracts say that a value is, and where: ``contracts/…:12 says one of EUR, GBP``; empty if nothing."""
    found = []
    for place in typed.places:
        schema = place.said()
        words = [text.format(_short(schema[word])) for word, text in _SAID.items() if isinstance(schema, dict) and word in schema]
        if words:
            found.append(f"{place.where} says {', '.join(words)}")
    return "; ".join(found[:2])


def _short(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
