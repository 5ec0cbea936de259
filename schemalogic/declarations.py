"""Which properties a contract declares, with what it says of each: required or not, null or not, examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemalogic.document import Document, Place
from schemalogic.paths import Step, path_text

LEVELS_MAX = 4
"""Properties that lie deeper are not listed."""
PROPERTIES_MAX = 300
"""Properties of one contract that are listed at most, in the order of the file."""

_CONDITIONAL = ("anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")


@dataclass(frozen=True, slots=True)
class Property:
    """One declared property: ``products[].price``, required of its object or not; whether it can be null, or a number."""

    path: str
    steps: tuple[Step, ...]
    required: bool
    nullable: bool
    number: bool
    examples: tuple[Any, ...]

    @property
    def usual(self) -> tuple[Any, ...]:
        """The examples, if there are several: a single one shows what a value looks like, and not which there are."""
        return self.examples if len(self.examples) > 1 else ()


@dataclass(frozen=True, slots=True)
class Declared:
    """``names`` are the top-level names that the contract knows; None if it gives a rule for all names."""

    properties: tuple[Property, ...]
    names: frozenset[str] | None


def declared(schema: Any, types: Mapping[str, Any]) -> Declared:
    """What a contract's schema declares; ``types`` are the documents of ``types/<name>.json``."""
    if not isinstance(schema, dict):
        return Declared((), None)
    root, found = Document("", schema, types).root, dict[str, Property]()
    _properties(root, (), found)
    return Declared(tuple(found.values()), _names(root))


def _properties(place: Place, steps: tuple[Step, ...], found: dict[str, Property]) -> None:
    if len(steps) >= LEVELS_MAX:
        return
    parts = list(_together(place, conditional=False))
    required = {name for part in parts for name in part.schema.get("required", ())}
    for part in parts:
        for name, schema in part.schema.get("properties", {}).items():
            if isinstance(schema, dict):
                _property(part.at("properties", name), (*steps, name), found, required=name in required)
    for part in parts:
        if isinstance(part.schema.get("items"), dict) and steps:
            _property(part.at("items"), (*steps, None), found, required=True)


def _property(place: Place, steps: tuple[Step, ...], found: dict[str, Property], *, required: bool) -> None:
    path = path_text(steps)
    if len(found) >= PROPERTIES_MAX or path in found:
        return
    parts = [part.schema for part in _together(place, conditional=False)]
    examples = tuple(one for part in parts for one in part.get("examples", ()))
    found[path] = Property(path, steps, required, all(map(_nullable, parts)), all(map(_number, parts)), examples)
    _properties(place, steps, found)


def _nullable(schema: dict[str, Any]) -> bool:
    if "type" in schema and "null" not in schema["type"]:
        return False
    return ("enum" not in schema or None in schema["enum"]) and schema.get("const") is None


def _number(schema: dict[str, Any]) -> bool:
    said = schema.get("type", "number")
    possible = schema.get("enum", [schema["const"]] if "const" in schema else [0])
    kinds = set([said] if isinstance(said, str) else said)
    return bool({"number", "integer"} & kinds) and any(type(value) in {int, float} for value in possible)


def _names(root: Place) -> frozenset[str] | None:
    names: set[str] = set()
    for part in _together(root, conditional=True):
        if isinstance(part.schema.get("additionalProperties"), dict) or part.schema.get("patternProperties"):
            return None
        names |= part.schema.get("properties", {}).keys()
    return frozenset(names) or None


def _together(place: Place, *, conditional: bool, depth: int = 0) -> Iterator[Place]:
    """The schema and those that judge the same value with it; with ``conditional`` also those that do only sometimes."""
    yield place
    if depth > 2 * LEVELS_MAX:
        return
    below = [place.at("allOf", at) for at in range(len(place.schema.get("allOf", ())))]
    if conditional:
        below += [place.at(word, at) for word in _CONDITIONAL for at in range(len(place.schema.get(word, ())))]
        below += [place.at(word) for word in _BRANCHES if word in place.schema]
        below += [place.at("dependentSchemas", name) for name in place.schema.get("dependentSchemas", ())]
    below += [target for _, targets in place.targets() for target in targets]
    for one in below:
        if isinstance(one.schema, dict):
            yield from _together(one, conditional=conditional, depth=depth + 1)
