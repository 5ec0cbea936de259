"""Pieces of the JSON Schemas for editors (draft-07, which YAML language servers speak best)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.language.predicates import IS, NUMERIC, OPERATORS, ORDER
from contracts.text.durations import EXPECTED

Schema = dict[str, Any]
NAME = "^[a-z0-9][a-z0-9_-]*$"
_SHORT = r"\d+(\.\d+)?\s*[smhdw]"
_ISO = r"P(?=[\dT])(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
DURATION = rf"^\s*({_SHORT}|{_ISO})\s*$"


def fields(properties: dict[str, Any], required: Sequence[str] = (), **more: Any) -> Schema:
    """A mapping that has these keys and no others."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    return {**schema, "required": list(required)} if required else schema


def items(of: Any, description: str = "", **more: Any) -> Schema:
    return described({"type": "array", "items": of, **more}, description)


def text(description: str = "", **more: Any) -> Schema:
    """A text that is not empty."""
    return described({"type": "string", "pattern": r"\S", **more}, description)


def texts(description: str, of: Any = None) -> Schema:
    """A text or a list of texts."""
    one = of or text()
    return described({"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}, description)


def choice(options: Iterable[str], description: str = "", **more: Any) -> Schema:
    return described({"enum": list(options), **more}, description)


def known(names: Iterable[str], description: str = "") -> Schema:
    """One of the project's names; any text while there are none."""
    names = list(names)
    return choice(names, description) if names else text(description)


def offered(names: Iterable[str], description: str = "") -> Schema:
    """The project's names to choose from, and any other text: a pattern, a path, another way to write a name."""
    names = list(names)
    return described({"anyOf": [{"enum": names}, text()]}, description) if names else text(description)


def boolean(description: str, default: bool = False) -> Schema:
    return described({"type": "boolean", "default": default}, description)


def integer(description: str, least: int = 1, **more: Any) -> Schema:
    return described({"type": "integer", "minimum": least, **more}, description)


def duration(description: str, **more: Any) -> Schema:
    # Editors show their own words for a pattern that does not match, unless the schema brings some.
    return described(
        {"type": "string", "pattern": DURATION, "patternErrorMessage": f"expected {EXPECTED}", **more}, f"{description}; {EXPECTED}"
    )


def floor(description: str) -> Schema:
    """``{gte: 0.95}``: the least confidence."""
    least = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "at least this probability"}
    return described(fields({"gte": least}, ("gte",)), description)


def described(schema: Schema, description: str) -> Schema:
    return {**schema, "description": description} if description else schema


ANY_OPERAND: Schema = {
    "type": ["number", "string", "boolean", "array", "object"],
    "not": {"type": "object", "maxProperties": 1, "anyOf": [{"required": ["trait"]}, {"required": ["property"]}]},
}
_MEANING = {
    "eq": "is equal; kinds differ: \"5\" is not 5",
    "ne": "is there and not equal",
    "in": "is one of these",
    "not_in": "is there and none of these",
    "gt": "is greater, or later than a date such as 2026-01-31",
    "gte": "is at least this",
    "lt": "is less, or earlier than a date",
    "lte": "is at most this",
    "between": "is at least the first and at most the second",
    "exists": "is there (true) or missing (false); null is missing",
    "is": "is of this kind, or empty: missing, \"\", [] or {}",
}  # fmt: skip


def operators(names: Iterable[str], *, numeric: bool = False) -> dict[str, Schema]:
    """What may stand behind each operator; ``numeric``: beside a measure, which is a number."""
    return {name: described(_operand(name, numeric), _MEANING.get(name, f"a text that it {name.replace('_', ' ')}")) for name in names}


def _operand(name: str, numeric: bool) -> Schema:
    value: Schema = {"type": "number"} if numeric else ANY_OPERAND
    ordered: Schema = {"type": "number"} if numeric else {"type": ["number", "string"]}
    if name in {"eq", "ne"}:
        return value
    if name in {"in", "not_in"}:
        return {"type": "array", "items": value, "minItems": 1}
    if name in ORDER:
        return ordered
    if name == "between":
        return {"type": "array", "items": ordered, "minItems": 2, "maxItems": 2}
    if name == "exists":
        return {"type": "boolean"}
    return {"enum": list(IS)} if name == "is" else {"type": "string"}


def predicates(*, numeric: bool = False) -> Schema:
    """A mapping of at least one operator to its operand."""
    return fields(operators(NUMERIC if numeric else OPERATORS, numeric=numeric), minProperties=1)


WHERE_VALUE: Schema = {
    "anyOf": [
        {"type": ["number", "string", "boolean"]},
        {"type": "array", "items": ANY_OPERAND, "minItems": 1},
        {"$ref": "#/definitions/predicates"},
    ]
}
WHERE: Schema = {
    "type": "object",
    "description": "properties of the event (or context.…), and what each of them must be: a value, a list of values, or predicates",
}
