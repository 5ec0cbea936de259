"""A conjunction of schemas with every choice taken (which branch of an ``anyOf``), merged into plain bounds."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from schemalogic.document import BrokenReference, Document, Place
from schemalogic.keywords import Schema
from schemalogic.samples.negation import breaking
from schemalogic.samples.numbers import fraction

KINDS = ("null", "boolean", "integer", "number", "string", "array", "object")
_WORDS = {
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "array": ("items", "prefixItems", "additionalItems", "contains", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"),
    "object": (
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties",
        "dependentRequired", "dependentSchemas", "dependencies", "unevaluatedProperties",
    ),
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words}
_CHOOSES = frozenset({"anyOf", "oneOf", "if", "not", "$breaks", "dependentSchemas", "dependencies"})


class StuckError(Exception):
    """These choices lead to no document; others may."""


@dataclass(slots=True)
class Shape:
    """What a value must be: its possible kinds and the bounds of each; ``parts`` are the schemas that hold of it at once."""

    parts: tuple[Place, ...]
    kinds: set[str]
    likely: tuple[str, ...]
    values: list[Any] | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    open_low: bool = False
    open_high: bool = False
    steps: list[Fraction] = field(default_factory=list)
    lengths: list[int | None] = field(default_factory=lambda: [0, None])
    items: list[int | None] = field(default_factory=lambda: [0, None])
    sizes: list[int | None] = field(default_factory=lambda: [0, None])
    patterns: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    needs: dict[str, list[str]] = field(default_factory=dict)
    unique: bool = False
    twice: bool = False
    properties: dict[str, tuple[Place, ...]] = field(default_factory=dict)
    """What holds of each property asked for so far."""


class Shapes:
    """Shapes of conjunctions; those that leave no choice are made once."""

    def __init__(self, documents: Iterable[Document], chance: random.Random) -> None:
        self._chance = chance
        self._places = {id(place.schema): place for document in documents for place in document.places.values()}
        self._followed: dict[tuple[Document, str, str], Place] = {}
        self._made: dict[tuple[int, ...], Shape] = {}
        self._broken: dict[int, tuple[Place, ...]] = {}
        self._new: dict[tuple[str, str], Schema] = {}
        self._chose = False

    def of(self, places: tuple[Place, ...]) -> Shape:
        """The shape of a conjunction. Raises StuckError if nothing fits it."""
        key = tuple(map(id, places))
        found = self._made.get(key)
        if found is None:
            self._chose = False
            found = merged(self._parts(places))
            if not self._chose:
                self._made[key] = found
        return found

    def broken(self, place: Place) -> Place:
        """A place of ``{"not": schema}``, with one way of breaking it chosen."""
        ways = self._broken.get(id(place))
        if ways is None:
            ways = tuple(self.inner(way, place) for way in breaking(place.schema))
            self._broken[id(place)] = ways
        self._chose = True
        if not ways:
            raise StuckError
        return self._chance.choice(ways)

    def _parts(self, places: Iterable[Place]) -> tuple[Place, ...]:
        open_ = list(places)
        parts: list[Place] = []
        for _ in range(400):
            if not open_:
                return tuple(parts)
            place = open_.pop()
            schema = place.schema
            if schema is False:
                raise StuckError
            if schema is True:
                continue
            if place.only_refers:
                open_.append(self._follow(place, schema["$ref"]))
                continue
            parts.append(place)
            open_ += [self._follow(place, schema[word]) for word in ("$ref", "$dynamicRef") if word in schema]
            open_.extend(self.inner(schema, place) for schema in schema.get("allOf", ()))
            if not _CHOOSES.isdisjoint(schema):
                self._chose = True
                open_.extend(self._chosen(place))
        raise StuckError

    def _chosen(self, place: Place) -> list[Place]:
        schema, chance = place.schema, self._chance
        found = [self.inner(chance.choice(schema[word]), place) for word in ("anyOf", "oneOf") if schema.get(word)]
        if "not" in schema:
            found.append(self.broken(self.inner(schema["not"], place)))
        if "$breaks" in schema:
            found.append(self.broken(self._follow(place, schema["$breaks"])))
        if "if" in schema and ("then" in schema or "else" in schema):
            condition = self.inner(schema["if"], place)
            if chance.random() < 0.5:
                found += [condition, self.inner(schema.get("then", True), place)]
            else:
                found += [self.broken(condition), self.inner(schema.get("else", True), place)]
        for word in ("dependentSchemas", "dependencies"):
            for name, need in schema.get(word, {}).items():
                if isinstance(need, list):
                    continue
                if chance.random() < 0.5:
                    found += [self._with(name, place), self.inner(need, place)]
                else:
                    found.append(self._without(name, place))
        return found

    def _follow(self, place: Place, reference: str) -> Place:
        key = place.document, place.base, reference
        if key not in self._followed:
            try:
                self._followed[key] = place.document.follow(place, reference)
            except BrokenReference:
                raise StuckError from None
        return self._followed[key]

    def _with(self, name: str, place: Place) -> Place:
        return self.inner(self._new.setdefault(("with", name), {"required": [name]}), place)

    def _without(self, name: str, place: Place) -> Place:
        return self.inner(self._new.setdefault(("without", name), {"properties": {name: False}}), place)

    def inner(self, schema: Schema, place: Place) -> Place:
        """The place of a schema that stands within another, or is thought out; always the same one."""
        found = self._places.get(id(schema))
        if found is None:
            found = self._places[id(schema)] = replace(place, schema=schema)
        return found


def merged(parts: tuple[Place, ...]) -> Shape:
    """The bounds of all the parts together."""
    shape = Shape(parts, set(KINDS), ())
    mentioned: list[str] = []
    for place in parts:
        for word, value in place.schema.items():
            rule = _RULES.get(word)
            if rule is not None:
                rule(shape, value)
            kind = _KIND_OF.get(word)
            if kind is not None:
                mentioned.append(kind)
    if not shape.kinds:
        raise StuckError
    shape.likely = tuple(kind for kind in mentioned if kind in shape.kinds)
    return shape


def _types(shape: Shape, value: Any) -> None:
    words = {value} if isinstance(value, str) else set(value)
    if "number" in words:
        words.add("integer")
    shape.kinds &= words


def _values(shape: Shape, values: list[Any]) -> None:
    shape.values = values if shape.values is None else [one for one in values if one in shape.values]
    if not shape.values:
        raise StuckError


def _minimum(shape: Shape, value: Any, *, is_open: bool = False) -> None:
    low = fraction(value)
    if low is not None and (shape.low is None or low > shape.low or (low == shape.low and is_open)):
        shape.low, shape.open_low = low, is_open


def _maximum(shape: Shape, value: Any, *, is_open: bool = False) -> None:
    high = fraction(value)
    if high is not None and (shape.high is None or high < shape.high or (high == shape.high and is_open)):
        shape.high, shape.open_high = high, is_open


def _at_least(bounds: list[int | None], value: Any) -> None:
    bounds[0] = max(bounds[0] or 0, int(value))


def _at_most(bounds: list[int | None], value: Any) -> None:
    bounds[1] = int(value) if bounds[1] is None else min(bounds[1], int(value))


def _step(shape: Shape, value: Any) -> None:
    step = fraction(value)
    if step is not None and step > 0:
        shape.steps.append(step)


def _needs(shape: Shape, value: dict[str, Any]) -> None:
    for name, need in value.items():
        if isinstance(need, list):
            shape.needs.setdefault(name, []).extend(need)


def _add(name: str) -> Callable[[Shape, Any], None]:
    def rule(shape: Shape, value: Any) -> None:
        setattr(shape, name, (*getattr(shape, name), value))

    return rule


def _required(shape: Shape, value: list[str]) -> None:
    shape.required += tuple(name for name in value if name not in shape.required)


def _flag(name: str) -> Callable[[Shape, Any], None]:
    def rule(shape: Shape, value: Any) -> None:
        setattr(shape, name, getattr(shape, name) or value is True)

    return rule


_RULES: dict[str, Callable[[Shape, Any], None]] = {
    "type": _types,
    "enum": _values,
    "const": lambda shape, value: _values(shape, [value]),
    "minimum": _minimum,
    "maximum": _maximum,
    "exclusiveMinimum": lambda shape, value: _minimum(shape, value, is_open=True),
    "exclusiveMaximum": lambda shape, value: _maximum(shape, value, is_open=True),
    "multipleOf": _step,
    "minLength": lambda shape, value: _at_least(shape.lengths, value),
    "maxLength": lambda shape, value: _at_most(shape.lengths, value),
    "minItems": lambda shape, value: _at_least(shape.items, value),
    "maxItems": lambda shape, value: _at_most(shape.items, value),
    "minProperties": lambda shape, value: _at_least(shape.sizes, value),
    "maxProperties": lambda shape, value: _at_most(shape.sizes, value),
    "pattern": _add("patterns"),
    "format": _add("formats"),
    "required": _required,
    "dependentRequired": _needs,
    "dependencies": _needs,
    "uniqueItems": _flag("unique"),
    "$twice": _flag("twice"),
}
