"""Which properties a contract declares, with what it says of each: required or not, null or not, examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from schemalogic.paths import Step

LEVELS_MAX = 4
"""Properties that lie deeper are not listed."""
PROPERTIES_MAX = 300
"""Properties of one contract that are listed at most, in the order of the file."""

_TYPE = re.compile(r"(?:^|/)types/([^/]+)\.json$")
_PLAIN = re.compile(r'[^.\[\]"]+')
_QUOTED = re.compile(r'["\\]')
_CONDITIONAL = ("anyOf", "oneOf")
_BRANCHES = ("if", "then", "else")
Node = tuple[dict[str, Any], Any]
"""A schema, and the document that its references start from."""


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
    found: dict[str, Property] = {}
    _properties((schema, schema), types, (), found)
    return Declared(tuple(found.values()), _names((schema, schema), types))


def _properties(node: Node, types: Mapping[str, Any], steps: tuple[Step, ...], found: dict[str, Property]) -> None:
    if len(steps) >= LEVELS_MAX:
        return
    parts = list(_together(node, types, conditional=False))
    required = {name for part, _ in parts for name in part.get("required", ())}
    for part, root in parts:
        for name, schema in part.get("properties", {}).items():
            if isinstance(schema, dict):
                _property((schema, root), types, (*steps, name), found, required=name in required)
    for part, root in parts:
        items = part.get("items")
        if isinstance(items, dict) and steps:
            _property((items, root), types, (*steps, None), found, required=True)


def _property(node: Node, types: Mapping[str, Any], steps: tuple[Step, ...], found: dict[str, Property], *, required: bool) -> None:
    path = _path(steps)
    if len(found) >= PROPERTIES_MAX or path in found:
        return
    parts = [part for part, _ in _together(node, types, conditional=False)]
    examples = tuple(one for part in parts for one in part.get("examples", ()))
    found[path] = Property(path, steps, required, all(map(_nullable, parts)), all(map(_number, parts)), examples)
    _properties(node, types, steps, found)


def _path(steps: tuple[Step, ...]) -> str:
    """The steps as conditions spell them: ``products[].price``, ``["a.b"]``."""
    text = ""
    for step in steps:
        if not isinstance(step, str):
            text += "[]"
        elif _PLAIN.fullmatch(step):
            text += f".{step}" if text else step
        else:
            text += '["' + _QUOTED.sub(r"\\\g<0>", step) + '"]'
    return text


def _nullable(schema: dict[str, Any]) -> bool:
    if "type" in schema and "null" not in schema["type"]:
        return False
    return ("enum" not in schema or None in schema["enum"]) and schema.get("const") is None


def _number(schema: dict[str, Any]) -> bool:
    said = schema.get("type", "number")
    possible = schema.get("enum", [schema["const"]] if "const" in schema else [0])
    kinds = set([said] if isinstance(said, str) else said)
    return bool({"number", "integer"} & kinds) and any(type(value) in {int, float} for value in possible)


def _names(node: Node, types: Mapping[str, Any]) -> frozenset[str] | None:
    names: set[str] = set()
    for part, _ in _together(node, types, conditional=True):
        if isinstance(part.get("additionalProperties"), dict) or part.get("patternProperties"):
            return None
        names |= part.get("properties", {}).keys()
    return frozenset(names) or None


def _together(node: Node, types: Mapping[str, Any], *, conditional: bool, depth: int = 0) -> Iterator[Node]:
    """The schema and those that judge the same value with it; with ``conditional`` also those that do only sometimes."""
    schema, root = node
    yield node
    if depth > 2 * LEVELS_MAX:
        return
    below = list(schema.get("allOf", ()))
    if conditional:
        below += [part for word in _CONDITIONAL for part in schema.get(word, ())]
        below += [schema[word] for word in _BRANCHES if word in schema]
        below += schema.get("dependentSchemas", {}).values()
    nodes = [(part, root) for part in below if isinstance(part, dict)]
    if isinstance(schema.get("$ref"), str):
        nodes += _referred(schema["$ref"], root, types)
    for one in nodes:
        yield from _together(one, types, conditional=conditional, depth=depth + 1)


def _referred(reference: str, root: Any, types: Mapping[str, Any]) -> list[Node]:
    file, _, pointer = reference.partition("#")
    if file:
        named = _TYPE.search(file)
        root = types.get(named[1]) if named else None
    at = root
    for step in filter(None, unquote(pointer).split("/")):
        key = step.replace("~1", "/").replace("~0", "~")
        at = at.get(key) if isinstance(at, dict) else None
    return [(at, root)] if isinstance(at, dict) else []
