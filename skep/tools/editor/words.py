"""Pieces of the JSON Schemas for editors (draft-07, which YAML language servers speak best)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.language.operands import ANY, OTHER_FIELD
from contracts.language.operators import IGNORE_CASE, NUMERIC, OPERATORS
from contracts.text.keys import Duration, Schema, described


def fields(properties: dict[str, Any], required: Sequence[str] = (), **more: Any) -> Schema:
    """A mapping that has these keys and no others."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**schema, "required": list(required)} if required else schema


def items(of: Any, says: str = "", **more: Any) -> Schema:
    return described({"type": "array", "items": of, **more}, says)


def operators(names: Iterable[str], *, numeric: bool = False) -> dict[str, Schema]:
    """What may stand behind each operator; ``numeric``: beside a measure, which is a number."""
    names = tuple(names)
    found = {name: described(_operand(name, numeric=numeric), OPERATORS[name].means) for name in names}
    if not numeric and any(OPERATORS[name].cased for name in names):
        found[IGNORE_CASE] = described({"type": "boolean"}, "true: capitals are the same as small letters in the texts that are compared")
    return found


def durations() -> Schema:
    """Predicates of a time that has passed."""
    one = Duration().schema({}, "")
    several = {OPERATORS[name].takes: {"type": "array", "items": one, "minItems": 1} for name in ("in", "between")}
    known = {name: described(several.get(OPERATORS[name].takes, one), OPERATORS[name].means) for name in NUMERIC}
    return fields(known, minProperties=1)


def _operand(name: str, *, numeric: bool) -> Schema:
    schema = OPERATORS[name].takes.schema(numeric)
    return {"anyOf": [schema, OTHER_FIELD]} if OPERATORS[name].refers else schema


def predicates(*, numeric: bool = False) -> Schema:
    """A mapping of at least one operator to its operand."""
    return fields(operators(NUMERIC if numeric else OPERATORS, numeric=numeric), minProperties=1)


WHERE_VALUE: Schema = {
    "anyOf": [
        {"type": ["number", "string", "boolean"]},
        {"type": "array", "items": ANY, "minItems": 1},
        {"$ref": "#/definitions/predicates"},
    ]
}
WHERE: Schema = {
    "type": "object",
    "description": "properties of the event (or context.…), and what each of them must be: a value, a list of values, or predicates",
}
