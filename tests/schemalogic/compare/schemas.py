"""Random schemas and small edits of them, over few names and small numbers so that keywords meet."""

from __future__ import annotations

import copy
import random
from typing import Any

NAMES = ("a", "b", "c", "ab")
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
VALUES: tuple[Any, ...] = (None, True, False, 0, 1, 2, 1.5, -1, "", "a", "b", "ab", [], [1], [1, 1], {}, {"a": 1}, {"a": 1, "b": "a"})
PATTERNS = ("^a", "b$", "^[ab]+$", "a|b", "^a?b*$", "^.{2}$", "[^a]", "^\\w$", "^(a|ab)$", "")
STEPS = (1, 2, 3, 0.5, 0.1, 1.5)


def schema(chance: random.Random, depth: int = 2, *, refs: bool = False) -> Any:
    """A schema of a few keywords; ``refs``: it may refer to ``#/$defs/r``."""
    turn = chance.random()
    if turn < 0.04:
        return chance.random() < 0.7
    if refs and turn < 0.12:
        return {"$ref": "#/$defs/r"}
    found: dict[str, Any] = {}
    if chance.random() < 0.7:
        found["type"] = chance.choice(TYPES) if chance.random() < 0.75 else chance.sample(TYPES, 2)
    for _ in range(chance.choice((0, 1, 1, 2, 3))):
        word = chance.choice(_FOR.get(str(found.get("type")), WORDS) if chance.random() < 0.8 else WORDS)
        found[word] = _value(word, chance, depth, refs)
    return found


def root(chance: random.Random) -> Any:
    """A schema that may refer to one recursive definition."""
    refs = chance.random() < 0.25
    found = schema(chance, 3, refs=refs)
    if refs and isinstance(found, dict):
        found["$defs"] = {"r": {"type": ["object", "array", "string"], "properties": {"a": {"$ref": "#/$defs/r"}}, **_plain(chance)}}
    return found if not refs or isinstance(found, dict) else {}


def _plain(chance: random.Random) -> dict[str, Any]:
    return {word: _value(word, chance, 0, False) for word in chance.sample(("required", "maxProperties", "maxLength", "minItems"), 1)}


def edited(old: Any, chance: random.Random) -> Any:
    """A copy with one to three small edits."""
    box = {"schema": copy.deepcopy(old)}
    for _ in range(chance.choice((1, 1, 2, 3))):
        _edit(box, chance)
    return box["schema"]


def _edit(box: dict[str, Any], chance: random.Random) -> None:
    found = list(_schemas(box, "schema"))
    holder, key = chance.choice(found)
    one = holder[key]
    turn = chance.random()
    if not isinstance(one, dict) or turn < 0.1:
        holder[key] = schema(chance, 1) if key != "schema" else holder[key]
        return
    words = [word for word in one if word not in {"$defs", "$ref"}]
    if words and turn < 0.3:
        del one[chance.choice(words)]
    elif words and turn < 0.6:
        word = chance.choice(words)
        one[word] = _near(word, one[word], chance)
    elif turn < 0.7:
        rest = {word: value for word, value in one.items() if word != "$defs"}
        holder[key] = {
            chance.choice(("anyOf", "oneOf", "allOf")): [rest, schema(chance, 1)],
            **({"$defs": one["$defs"]} if "$defs" in one else {}),
        }
    else:
        word = chance.choice(WORDS)
        one[word] = _value(word, chance, 1, False)


def _near(word: str, value: Any, chance: random.Random) -> Any:
    if word in {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"}:
        return max(0, value + chance.choice((-1, 1)))
    if word in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
        return value + chance.choice((-1, -0.5, 0.5, 1))
    if word in {"enum", "required"} and len(value) > 1 and chance.random() < 0.5:
        return value[1:]
    if word == "type":
        other = chance.choice(TYPES)
        return sorted({other, *([value] if isinstance(value, str) else value)})
    if word in {"anyOf", "oneOf", "allOf"}:
        return value[::-1] if chance.random() < 0.4 else value[1:] or value
    return _value(word, chance, 1, False)


def _schemas(holder: Any, key: Any) -> Any:
    yield holder, key
    one = holder[key]
    if not isinstance(one, dict):
        return
    for word, value in one.items():
        if word in {"properties", "patternProperties", "dependentSchemas", "$defs"}:
            for name in value:
                yield from _schemas(value, name)
        elif word in {"anyOf", "oneOf", "allOf", "prefixItems"}:
            for at in range(len(value)):
                yield from _schemas(value, at)
        elif word in _INNER:
            yield from _schemas(one, word)


_INNER = frozenset({"items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else", "unevaluatedProperties"})
_FOR = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "not", "anyOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "not", "anyOf"),
    "string": ("minLength", "maxLength", "pattern", "enum", "const", "not", "anyOf"),
    "array": ("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains"),
    "object": (
        "properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "unevaluatedProperties", "oneOf", "if", "then", "else",
    ),
}  # fmt: skip
WORDS = tuple(dict.fromkeys([word for words in _FOR.values() for word in words] + ["allOf", "oneOf", "enum", "const", "type"]))


def _value(word: str, chance: random.Random, depth: int, refs: bool) -> Any:
    def inner() -> Any:
        return schema(chance, depth - 1, refs=refs) if depth > 0 else {"type": chance.choice(TYPES)}

    if word in _INNER:
        return False if word.endswith("Properties") and chance.random() < 0.4 else inner()
    if word in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
        return chance.choice((-1, 0, 0.5, 1, 2, 3))
    if word.startswith(("min", "max")):
        return chance.choice((0, 1, 1, 2, 3))
    if word in {"allOf", "anyOf", "oneOf", "prefixItems"}:
        return [inner() for _ in range(chance.choice((1, 2, 2, 3)))]
    if word == "required":
        return chance.sample(NAMES, chance.choice((1, 2)))
    if word in {"properties", "dependentSchemas"}:
        return {name: inner() for name in chance.sample(NAMES, chance.choice((1, 2)))}
    if word == "patternProperties":
        return {chance.choice(PATTERNS): inner()}
    if word == "dependentRequired":
        return {chance.choice(NAMES): [chance.choice(NAMES)]}
    simple = {"type": TYPES, "const": VALUES, "pattern": PATTERNS, "multipleOf": STEPS, "uniqueItems": (True,)}
    return chance.choice(simple[word]) if word in simple else chance.sample(VALUES, chance.choice((1, 2, 3)))


def finite(chance: random.Random, depth: int = 1) -> Any:
    """A schema whose documents can all be written down by `universe`."""
    kinds = ["boolean", "null", "enum", "integer"] + (["array", "object"] if depth else [])
    kind = chance.choice(kinds)
    if kind in {"boolean", "null"}:
        return {"type": kind}
    if kind == "enum":
        return {"enum": chance.sample(SMALL, chance.choice((1, 2, 3)))}
    if kind == "integer":
        low = chance.choice((0, 1))
        return {"type": "integer", "minimum": low, "maximum": low + chance.choice((0, 1))}
    if kind == "array":
        return {
            "type": "array",
            "items": finite(chance, 0),
            "maxItems": chance.choice((0, 1, 2)),
            **_some({"uniqueItems": True, "minItems": 1}, chance),
        }
    names = chance.sample(("a", "b"), chance.choice((1, 2)))
    found = {"type": "object", "properties": {name: finite(chance, 0) for name in names}, "additionalProperties": False}
    return found | _some({"required": names[:1], "minProperties": 1, "maxProperties": 1, "dependentRequired": {"a": ["b"]}}, chance)


SMALL: tuple[Any, ...] = (None, True, False, 0, 1, 2)
"""The scalars of the finite universe."""


def _some(words: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {word: value for word, value in words.items() if chance.random() < 0.4}


def combined(chance: random.Random) -> Any:
    """Finite schemas put together."""
    turn = chance.random()
    parts = [finite(chance) for _ in range(chance.choice((2, 3)))]
    if turn < 0.4:
        return {chance.choice(("anyOf", "oneOf")): parts}
    if turn < 0.5:
        return {"anyOf": parts, "not": finite(chance)}
    if turn < 0.6:
        return {"anyOf": parts, "if": finite(chance), "then": finite(chance)}
    return parts[0]


def universe() -> list[Any]:
    """Every document of the finite schemas: scalars, lists of up to two of them, objects of a and b."""
    lists: list[Any] = [[]] + [[one] for one in SMALL] + [[one, other] for one in SMALL for other in SMALL]
    absent = object()
    pairs = [(one, other) for one in (absent, *SMALL) for other in (absent, *SMALL)]
    objects = [{name: value for name, value in zip("ab", pair, strict=True) if value is not absent} for pair in pairs]
    return [*SMALL, *lists, *objects]
