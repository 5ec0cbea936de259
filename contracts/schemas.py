"""What a JSON Schema says about one path: is it there at all, and of which kinds can it be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from contracts.paths import Step

Kind = str
_KINDS = {
    "number": "number", "integer": "number", "string": "text", "boolean": "boolean", "array": "list", "object": "object", "null": "null",
}  # fmt: skip
_OPEN = ("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "patternProperties")


@dataclass(frozen=True, slots=True)
class Typed:
    """What is known of a value: its possible kinds and, of an enumeration, its possible values; None is anything."""

    kinds: frozenset[Kind] | None = None
    values: tuple[Any, ...] | None = None


ANYTHING = Typed()


def kind_of(value: object) -> Kind:
    """The kind of a decoded JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    kinds: dict[type, Kind] = {str: "text", list: "list", dict: "object", type(None): "null"}
    return kinds[type(value)]


def names_at(schema: Any) -> tuple[str, ...]:
    """The declared properties, for hints."""
    declared = schema.get("properties") if isinstance(schema, dict) else None
    return tuple(declared) if isinstance(declared, dict) else ()


def typed_at(schema: Any, path: tuple[Step, ...]) -> Typed | None:
    """What the schema says of the value at a path; None if it excludes it or declares others but not this one."""
    if schema is False:
        return None
    if not path or not isinstance(schema, dict):
        return _typed(schema)
    if any(word in schema for word in _OPEN):
        return ANYTHING
    kinds = _typed(schema).kinds
    step = path[0]
    if isinstance(step, str):
        if kinds is not None and "object" not in kinds:
            return None
        return _property(schema, step, path[1:])
    if kinds is not None and "list" not in kinds:
        return None
    if "prefixItems" in schema or "items" not in schema:
        return ANYTHING
    return typed_at(schema["items"], path[1:])


def _property(schema: dict[str, Any], name: str, rest: tuple[Step, ...]) -> Typed | None:
    declared = schema.get("properties", {})
    if name in declared:
        return typed_at(declared[name], rest)
    others = schema.get("additionalProperties")
    if others is None:
        return None if declared else ANYTHING
    return typed_at(others, rest)


def _typed(schema: Any) -> Typed:
    if not isinstance(schema, dict):
        return ANYTHING
    values = (schema["const"],) if "const" in schema else schema.get("enum")
    if values is not None:
        return Typed(frozenset(map(kind_of, values)), tuple(values))
    types = schema.get("type")
    if types is None:
        return ANYTHING
    return Typed(frozenset(_KINDS[word] for word in ([types] if isinstance(types, str) else types)))
