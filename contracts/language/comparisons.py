"""Whether a value that a contract allows can satisfy predicates, and what contracts say that a value is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from contracts.language.claims import holds, only_kind, schema_of
from contracts.language.families import TYPES
from contracts.language.operators import OPERATORS
from contracts.model.definitions import Predicate
from schemalogic.document import BrokenReference
from schemalogic.typed import Typed, kind_of, same
from schemalogic.ways import Way

BUDGET_S = 0.05
"""How long one comparison may be thought about; what is not decided by then is taken to be possible."""

_LIMITS = {"minimum": "gte", "exclusiveMinimum": "gt", "maximum": "lte", "exclusiveMaximum": "lt"}
_SILENT = frozenset({"type", "title", "description", "examples", "default", "deprecated", "readOnly", "writeOnly", "format",
                     "$schema", "$comment", "$defs", "definitions"})  # fmt: skip
_SAID = {
    "const": "{}", "enum": "one of {}", "minimum": "at least {}", "exclusiveMinimum": "more than {}", "maximum": "at most {}",
    "exclusiveMaximum": "less than {}", "multipleOf": "a multiple of {}", "minLength": "at least {} characters",
    "maxLength": "at most {} characters", "pattern": "of the pattern {}", "not": "not {}",
}  # fmt: skip
_NAMES = {"number": "a number", "integer": "a whole number", "string": "a text", "boolean": "true or false", "array": "a list",
          "object": "an object", "null": "null"}  # fmt: skip


def can_hold(predicates: Sequence[Predicate], typed: Typed) -> bool:
    """Whether some value that the contract allows, and that is there, satisfies all of the predicates."""
    if any(holds(one, None) for one in predicates):
        return True
    wanted = [schema_of(one) for one in predicates]
    return any(_meets(way, predicates, wanted) for way in typed.ways) if typed.ways else True


def _meets(way: Way, predicates: Sequence[Predicate], wanted: list[Any]) -> bool:
    schemas = [place.plain() for place in way]
    values = _values(schemas)
    if values is not None:
        return any(all(holds(one, value) for one in predicates) for value in values)
    kinds = {kind for one in predicates for kind in [only_kind(one)] if kind}
    if len(kinds) > 1 or any(not _has_kind(one, kind) for one in schemas for kind in kinds):
        return False
    if all(map(_is_simple, schemas)) or (kinds == {"number"} and _some_number(schemas, predicates)):
        return True
    return _satisfiable([*schemas, *wanted], way)


def _has_kind(schema: Any, kind: str) -> bool:
    types = schema.get("type") if isinstance(schema, dict) else None
    if types is None:
        return schema is not False
    wanted = TYPES[kind]
    return any(one == wanted or (one, wanted) == ("integer", "number") for one in ([types] if isinstance(types, str) else types))


def _values(schemas: list[Any]) -> list[Any] | None:
    """The values that all the enumerations have, None if there is none."""
    found: list[Any] | None = None
    for schema in schemas:
        if isinstance(schema, dict) and ("const" in schema or "enum" in schema):
            values = [schema["const"]] if "const" in schema else schema["enum"]
            found = values if found is None else [one for one in found if any(same(one, other) for other in values)]
    return found


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
    numbers = [one for one in (*operands, *(limit for _, limit in limits)) if isinstance(one, int | float) and kind_of(one) == "number"]
    near = [number for one in numbers for number in (one, one - 1, one + 1)]
    return any(
        all(OPERATORS[_LIMITS[word]].holds(number, limit) for word, limit in limits)
        and (not whole or float(number).is_integer())
        and all(holds(one, number) for one in predicates)
        for number in near
    )


def _satisfiable(schemas: list[Any], way: Way) -> bool:
    from schemalogic.compare import Impossible, parse, satisfiable  # noqa: PLC0415 - few projects say so much that it is needed

    types = way[0].document.types if way else {}
    try:
        found = satisfiable([(parse(schema, types), True) for schema in schemas], BUDGET_S)
    except BrokenReference:
        # A part on its own does not have all that its own parts refer to; then it is taken to be possible.
        return True
    return not isinstance(found, Impossible)


def said(typed: Typed) -> tuple[str, str]:
    """What the contracts say that a value is, in words, and where; empty texts if they say nothing."""
    words = [", ".join(word for place in way for word in _words(place.said())) for way in typed.ways]
    places = dict.fromkeys(place.where for place in typed.places if place.file and _words(place.said()))
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
