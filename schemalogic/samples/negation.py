"""What a document may look like to break a schema: one alternative for each of its keywords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemalogic.keywords import Schema

_ALL = ("null", "boolean", "number", "string", "array", "object")


def breaking(schema: Schema) -> list[Schema]:
    """Schemas, each of which aims at documents outside ``schema``; an aim only, a validator has the last word."""
    if isinstance(schema, bool):
        return [] if schema else [True]
    found: list[Schema] = []
    for word, value in schema.items():
        rule = _RULES.get(word)
        if rule is not None:
            found.extend(rule(value))
    if "if" in schema:
        found += [{"allOf": [schema["if"], {"not": schema["then"]}]}] if "then" in schema else []
        found += [{"allOf": [{"not": schema["if"]}, {"not": schema["else"]}]}] if "else" in schema else []
    if schema.get("additionalProperties") is not None:
        others = dict.fromkeys(schema.get("properties", {}), True)
        found.append({"type": "object", "properties": others, "$extra": {"not": schema["additionalProperties"]}})
    return found


def _type(value: Any) -> list[Schema]:
    words = {value} if isinstance(value, str) else set(value)
    rest: list[Schema] = [{"type": word} for word in _ALL if word not in words]
    if "integer" in words and "number" not in words:
        return [{"type": "number", "not": {"type": "integer"}}, *rest]
    return rest


def _properties(value: dict[str, Schema]) -> list[Schema]:
    return [{"type": "object", "required": [name], "properties": {name: {"not": schema}}} for name, schema in value.items()]


def _pattern_properties(value: dict[str, Schema]) -> list[Schema]:
    return [{"type": "object", "minProperties": 1, "patternProperties": {name: {"not": schema}}} for name, schema in value.items()]


def _dependent(value: dict[str, Any]) -> list[Schema]:
    return [
        {"required": [name], "type": "object", **({"not": {"required": need}} if isinstance(need, list) else {"not": need})}
        for name, need in value.items()
    ]


def _items(value: Any) -> list[Schema]:
    if not isinstance(value, list):
        return [{"type": "array", "minItems": 1, "contains": {"not": value}}]
    return [{"type": "array", "minItems": at + 1, "prefixItems": [True] * at + [{"not": schema}]} for at, schema in enumerate(value)]


_RULES: dict[str, Callable[[Any], list[Schema]]] = {
    "type": _type,
    "const": lambda value: [{"not": {"enum": [value]}}],
    "enum": lambda _: [{"type": word} for word in _ALL],
    "minimum": lambda value: [{"type": "number", "exclusiveMaximum": value}],
    "maximum": lambda value: [{"type": "number", "exclusiveMinimum": value}],
    "exclusiveMinimum": lambda value: [{"type": "number", "maximum": value}],
    "exclusiveMaximum": lambda value: [{"type": "number", "minimum": value}],
    "multipleOf": lambda value: [{"type": "number"}, {"type": "number", "multipleOf": value / 2}, {"type": "integer"}],
    "minLength": lambda value: [{"type": "string", "maxLength": value - 1}] if value else [],
    "maxLength": lambda value: [{"type": "string", "minLength": value + 1}],
    "pattern": lambda _: [{"type": "string"}],
    "minItems": lambda value: [{"type": "array", "maxItems": value - 1}] if value else [],
    "maxItems": lambda value: [{"type": "array", "minItems": value + 1}],
    "uniqueItems": lambda value: [{"type": "array", "minItems": 2, "$twice": True}] if value else [],
    "contains": lambda value: [{"type": "array", "items": {"not": value}}],
    "items": _items,
    "prefixItems": _items,
    "required": lambda value: [{"type": "object", "properties": {name: False}} for name in value],
    "properties": _properties,
    "propertyNames": lambda value: [{"type": "object", "minProperties": 1, "propertyNames": {"not": value}}],
    "minProperties": lambda value: [{"type": "object", "maxProperties": value - 1}] if value else [],
    "maxProperties": lambda value: [{"type": "object", "minProperties": value + 1}],
    "patternProperties": _pattern_properties,
    "dependentRequired": _dependent,
    "dependentSchemas": _dependent,
    "dependencies": _dependent,
    "allOf": lambda value: [{"not": schema} for schema in value],
    "anyOf": lambda value: [{"allOf": [{"not": schema} for schema in value]}],
    "oneOf": lambda value: (
        [{"allOf": [{"not": schema} for schema in value]}]
        + [{"allOf": [one, other]} for at, one in enumerate(value) for other in value[at + 1 :]]
    ),
    "not": lambda value: [value],
    "$ref": lambda value: [{"$breaks": value}],
}
