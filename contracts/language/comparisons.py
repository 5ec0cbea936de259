"""Predicates as JSON Schema, and whether a value that a contract allows can satisfy them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from contracts.model.definitions import Predicate
from contracts.text.numbers import MICRO, micros
from contracts.text.times import parse_time
from schemalogic.documents import Way
from schemalogic.typed import Typed, kind_of, same

BUDGET_S = 0.05
"""How long one comparison may be thought about; what is not decided by then is taken to be possible."""

_ORDER = ("gt", "gte", "lt", "lte")
_TEXT = ("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with")
_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|/]")
_LIMITS = {"minimum": "gte", "exclusiveMinimum": "gt", "maximum": "lte", "exclusiveMaximum": "lt"}
_SILENT = frozenset({"type", "title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly", "format",
                     "$schema", "$comment", "$defs", "definitions"})  # fmt: skip
_SAID = {
    "const": "{}", "enum": "one of {}", "minimum": "at least {}", "exclusiveMinimum": "more than {}", "maximum": "at most {}",
    "exclusiveMaximum": "less than {}", "multipleOf": "a multiple of {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "pattern": "of the pattern {}", "not": "not {}",
}  # fmt: skip
_TYPES = {"number": "number", "text": "string", "boolean": "boolean", "list": "array", "object": "object"}
_NAMES = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false", "array": "a list",
          "object": "an object", "null": "null"}  # fmt: skip
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
        return any(all(holds(one, value) for one in predicates) for value in values)
    kinds = {kind for one in predicates for kind in [only_kind(one)] if kind}
    if len(kinds) > 1 or any(not _has_kind(schema, kind) for schema in schemas for kind in kinds):
        return False
    if all(_is_simple(schema) for schema in schemas) or (kinds == {"number"} and _some_number(schemas, predicates)):
        return True
    return _satisfiable([*schemas, *wanted], way)


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


def only_kind(predicate: Predicate) -> str:
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


def holds(predicate: Predicate, value: Any) -> bool:
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


def _is_simple(schema: Any) -> bool:
    """Whether a schema says nothing but which types there are."""
    if not isinstance(schema, dict):
        return schema is True
    types = schema.get("type")
    return (
        "integer" not in (types or ())
        and types not in ("null", ["null"])
        and all(word in _SILENT or word.startswith("x-") for word in schema)
    )


def _some_number(schemas: list[Any], predicates: Sequence[Predicate]) -> bool:
    """Whether an operand or a limit, or a number beside it, is allowed; False if that is not to be seen at a glance."""
    plain = [schema for schema in schemas if isinstance(schema, dict)]
    if any(word not in _SILENT and word not in _LIMITS and not word.startswith("x-") for schema in plain for word in schema):
        return False
    limits = [(word, schema[word]) for schema in plain for word in _LIMITS if word in schema]
    whole = any("integer" in schema.get("type", ()) for schema in plain)
    operands = [one for each in predicates for one in (each.operand if isinstance(each.operand, list) else [each.operand])]
    numbers = [one for one in (*operands, *(limit for _, limit in limits)) if kind_of(one) == "number"]
    near = [number for one in numbers for number in (one, one - 1, one + 1)]
    return any(
        all(_compares(_LIMITS[word], number, limit) for word, limit in limits)
        and (not whole or float(number).is_integer())
        and all(holds(one, number) for one in predicates)
        for number in near
    )


def _satisfiable(schemas: list[Any], way: Way) -> bool:
    from schemalogic.compare import Impossible, parse, satisfiable  # noqa: PLC0415 - few projects say so much that it is needed

    types = way[0].document.types if way else {}
    found = satisfiable([(parse(schema, types), True) for schema in schemas], BUDGET_S)
    return not isinstance(found, Impossible)


def said(typed: Typed) -> tuple[str, str]:
    """What the contracts say that a value is, in words, and where; empty texts if they say nothing."""
    words = [", ".join(word for place in way for word in _words(place.said())) for way in typed.ways]
    places = dict.fromkeys(place.where for place in typed.places if place.document.file and _words(place.said()))
    known = list(dict.fromkeys(word for word in words if word))
    says = "says so" if len(places) == 1 else "say so"
    return " or ".join(known[:3]), f"{' and '.join(list(places)[:2])} {says}" if places else ""


def _words(schema: Any) -> list[str]:
    if not isinstance(schema, dict):
        return []
    types = schema.get("type", [])
    names = " or ".join(_NAMES.get(one, one) for one in ([types] if isinstance(types, str) else types))
    return [*([names] if names else []), *(text.format(_short(schema[word])) for word, text in _SAID.items() if word in schema)]


def _short(value: object) -> str:
    text = ", ".join(map(_quoted, value)) if isinstance(value, list) else _quoted(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _quoted(value: object) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value)
