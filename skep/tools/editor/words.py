"""Pieces of the JSON Schemas for editors (draft-07, which YAML language servers speak best)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.language.operands import ANY
from contracts.language.operators import NUMERIC, OPERATORS
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


def operators(names: Iterable[str], *, numeric: bool = False) -> dict[str, Schema]:
    """What may stand behind each operator; ``numeric``: beside a measure, which is a number."""
    return {name: described(OPERATORS[name].takes.schema(numeric), OPERATORS[name].means) for name in names}


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
