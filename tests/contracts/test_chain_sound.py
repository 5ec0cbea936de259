"""What is said of a path never excludes a value that the schema allows: random schemas, documents of them, and comparisons that hold."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from contracts.language.comparisons import can_hold
from contracts.model.definitions import Predicate
from schemalogic.document import Document
from schemalogic.paths import Step
from schemalogic.samples import documents
from schemalogic.typed import kind_of, same, typed_at

MONEY = {"a": {"type": "number", "minimum": 0}, "b": {"type": ["string", "null"], "pattern": "^[A-C]{2}"}}
TYPES = {"m": {"$defs": MONEY, "type": "integer"}}
LEAVES: tuple[Any, ...] = (
    True, {}, {"type": "string"}, {"type": "integer", "minimum": 1}, {"type": "number", "maximum": 4, "minimum": -2},
    {"enum": ["a", 1, None]}, {"const": 2.5}, {"type": ["string", "null"], "minLength": 1}, {"type": "string", "pattern": "^[0-9]{3}$"},
    {"$ref": "#/$defs/t"}, {"$ref": "../../types/m.json#/$defs/a"}, {"$ref": "../../types/m.json#/$defs/b"},
    {"$ref": "../../types/m.json"}, {"type": "boolean"}, {"type": "number", "multipleOf": 0.5}, {"not": {"type": "string"}},
)  # fmt: skip


def schema(rng: Random, depth: int = 0) -> Any:
    """A schema of what the walk follows: members, items, references, branches."""
    if depth > 2 or rng.random() < 0.35:
        return rng.choice(LEAVES)
    kind = rng.randrange(6)
    if kind < 2:
        return members(rng, depth)
    if kind == 2:
        return {"type": "array", "prefixItems": [schema(rng, depth + 1)], "items": rng.choice(LEAVES), "minItems": 1}
    if kind == 3:
        return {"allOf": [schema(rng, depth + 1), schema(rng, depth + 1)]}
    if kind == 4:
        return {rng.choice(["anyOf", "oneOf"]): [schema(rng, depth + 1), schema(rng, depth + 1)]}
    return {word: schema(rng, depth + 1) for word in ("if", "then", "else")}


def members(rng: Random, depth: int) -> dict[str, Any]:
    """Closed, or with a schema for the rest: names that an open object does not declare are taken to be not there."""
    found: dict[str, Any] = {"type": "object", "properties": {name: schema(rng, depth + 1) for name in rng.sample("abcd", 2)}}
    found["additionalProperties"] = rng.choice([False, rng.choice(LEAVES)])
    if rng.random() < 0.3:
        found["patternProperties"] = {rng.choice(["^a", "[cd]"]): schema(rng, depth + 1)}
    if rng.random() < 0.2:
        found["dependentSchemas"] = {rng.choice("abcd"): {"properties": {rng.choice("abcd"): rng.choice(LEAVES)}}}
    return found


def values(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    yield path, value
    if isinstance(value, dict):
        for name, part in value.items():
            yield from values(part, (*path, name))
    if isinstance(value, list):
        for at, part in enumerate(value):
            yield from values(part, (*path, at))
            yield from values(part, (*path, None))


def comparisons_that_hold(value: Any) -> list[Predicate]:
    """Predicates that are true of a value by what they mean."""
    found = [] if value is None else [Predicate("exists", True), Predicate("ne", "not this one")]
    if isinstance(value, (str, int, float)):
        found += [Predicate("eq", value), Predicate("in", [value, "zz"])]
    if isinstance(value, str):
        found += [Predicate("starts_with", value[:2]), Predicate("contains", value[1:3]), Predicate("ends_with", value[-2:])]
    elif kind_of(value) == "number":
        found += [Predicate("gte", value), Predicate("lte", value), Predicate("gt", value - 1), Predicate("between", [value - 1, value])]
    return found


@pytest.mark.parametrize("seed", range(20))
def test_no_allowed_value_is_excluded(seed: int) -> None:
    """Kinds, enumerated values and comparisons agree with every document that the schema allows."""
    rng = Random(seed)
    text = {"type": "object", "properties": {name: schema(rng) for name in "abc"}, "$defs": {"t": {"type": "string", "maxLength": 3}}}
    document = Document("events/e/1-0-0.json", text, TYPES)
    looked_at = 0
    for one in documents(text, TYPES, seed=seed, count=5):
        for path, value in values(one):
            typed = typed_at(document, path)
            if typed is None:
                continue
            looked_at += 1
            assert typed.kinds is None or kind_of(value) in typed.kinds
            assert typed.values is None or any(same(value, known) for known in typed.values)
            assert [each for each in comparisons_that_hold(value) if not can_hold([each], typed)] == []
    assert looked_at > 0
