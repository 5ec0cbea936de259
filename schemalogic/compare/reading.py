"""From raw schemas, draft-07 or 2020-12, to a graph of places: every keyword is split into its smallest parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from schemalogic.compare.evaluated import Evaluated, Seen, TooManyCases
from schemalogic.compare.merging import Graph
from schemalogic.compare.nodes import FALSE, TRUE
from schemalogic.compare.scope import Scoped, start
from schemalogic.compare.values import ARRAY, NUMBER, OBJECT, TYPES, exact, key, normal, type_of
from schemalogic.document import Document
from schemalogic.patterns.formats import FORMATS, format_language

_BOUNDS = {"minimum": "least", "exclusiveMinimum": "above", "maximum": "most", "exclusiveMaximum": "below", "multipleOf": "multiple"}
_COUNTS = {
    "minLength": "min_length", "maxLength": "max_length", "minItems": "min_items", "maxItems": "max_items",
    "minProperties": "min_properties", "maxProperties": "max_properties",
}  # fmt: skip


class Reader:
    """Reads one schema and what it refers to into a graph, which several readers may share."""

    def __init__(self, graph: Graph, document: Document, *, formats: bool = False) -> None:
        self._graph, self._document, self._formats = graph, document, formats
        self._places: dict[Scoped, int] = {}
        self._left: list[tuple[Scoped, int]] = []

    def root(self) -> int:
        """The signed place of the schema itself, with everything that it reaches."""
        found = self._at(start(self._document))
        while self._left:
            place, number = self._left.pop()
            schema = place.schema
            kids = [] if schema is True else [FALSE] if schema is False else list(self._keywords(place, schema))
            if len(kids) == 1 and abs(kids[0]) != TRUE:
                self._graph.fill(number, "alias", (kids[0],))
            else:
                self._graph.fill(number, "and", tuple(kids))
        return found

    def _at(self, place: Scoped) -> int:
        number = self._places.get(place)
        if number is None:
            number = self._places[place] = self._graph.add("and")
            self._left.append((place, number))
        return number

    def _inside(self, place: Scoped, *steps: str | int) -> int:
        return self._at(place.at(*steps))

    def _keywords(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        old = place.old
        if "$ref" in schema:
            yield self._at(place.follow("$ref"))
            if old:
                return
        if "$dynamicRef" in schema and not old:
            yield self._at(place.follow("$dynamicRef"))
        yield from self._scalars(schema, old=old)
        yield from self._combined(place, schema)
        yield from self._array_items(place, schema, old=old)
        yield from self._object(place, schema)
        if old:
            yield from self._dependencies(place, schema)
        else:
            yield from self._dependent(place, schema)
            yield from self._unevaluated(place, schema)

    def _scalars(self, schema: dict[str, Any], *, old: bool) -> Iterator[int]:
        if "type" in schema:
            yield self._type(schema["type"])
        if "const" in schema:
            yield self._values([schema["const"]])
        if "enum" in schema:
            yield self._values(schema["enum"])
        for word, op in _BOUNDS.items():
            if word in schema:
                yield self._graph.add(op, exact(schema[word]))
        for word, op in _COUNTS.items():
            if word in schema:
                yield self._graph.add(op, int(schema[word]))
        if "pattern" in schema:
            yield self._graph.add("pattern", schema["pattern"])
        if self._formats and self._asserts(schema.get("format"), old=old):
            yield self._graph.add("format", schema["format"])
        if schema.get("uniqueItems"):
            yield self._graph.add("unique")

    @staticmethod
    def _asserts(name: Any, *, old: bool) -> bool:
        """Whether a format refuses anything at all, in this draft."""
        return name in FORMATS and format_language(name, draft=7 if old else 2020).upper.expression is not True

    def _type(self, named: Any) -> int:
        names = {named} if isinstance(named, str) else set(named)
        types = frozenset(names - {"integer"})
        found = self._graph.add("type", types)
        if "integer" not in names or NUMBER in names:
            return found
        whole = self._graph.add("and", None, (self._graph.add("type", frozenset({NUMBER})), self._graph.add("multiple", 1)))
        return self._graph.disj([found, whole]) if types else whole

    def _values(self, values: list[Any]) -> int:
        scalars = [one for one in map(normal, values) if type_of(one) not in {ARRAY, OBJECT}]
        within = self._graph.add("in", frozenset(map(key, scalars)))
        containers = [self._graph.add("constant", key(one)) for one in map(normal, values) if type_of(one) in {ARRAY, OBJECT}]
        return self._graph.disj([within, *containers]) if containers else within

    def _combined(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        yield from (self._inside(place, "allOf", number) for number in range(len(schema.get("allOf", ()))))
        if "anyOf" in schema:
            yield self._graph.disj([self._inside(place, "anyOf", number) for number in range(len(schema["anyOf"]))])
        if "oneOf" in schema:
            yield self._graph.add("one", None, tuple(self._inside(place, "oneOf", number) for number in range(len(schema["oneOf"]))))
        if "not" in schema:
            yield -self._inside(place, "not")
        if "if" in schema:
            condition = self._inside(place, "if")
            if "then" in schema:
                yield self._graph.disj([-condition, self._inside(place, "then")])
            if "else" in schema:
                yield self._graph.disj([condition, self._inside(place, "else")])

    def _array_items(self, place: Scoped, schema: dict[str, Any], *, old: bool) -> Iterator[int]:
        add = self._graph.add
        listed = "items" if old and isinstance(schema.get("items"), list) else "prefixItems"
        first = len(schema.get(listed, ())) if listed == "items" or not old else 0
        yield from (add("item", number, (self._inside(place, listed, number),)) for number in range(first))
        behind = "additionalItems" if listed == "items" else "items"
        if behind in schema:
            yield add("tail", first, (self._inside(place, behind),))
        if "contains" in schema:
            found = self._inside(place, "contains")
            yield add("at_least", (1 if old else int(schema.get("minContains", 1)), 0), (found,))
            if not old and "maxContains" in schema:
                yield add("at_most", (int(schema["maxContains"]), 0), (found,))

    def _object(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        add = self._graph.add
        names, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        yield from (add("property", name, (self._inside(place, "properties", name),)) for name in names)
        yield from (add("matching", pattern, (self._inside(place, "patternProperties", pattern),)) for pattern in patterns)
        if "additionalProperties" in schema:
            yield add("rest", (frozenset(names), frozenset(patterns)), (self._inside(place, "additionalProperties"),))
        if "propertyNames" in schema:
            yield add("names", None, (self._inside(place, "propertyNames"),))
        yield from (add("required", name) for name in schema.get("required", ()))

    def _dependent(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        for name, needed in schema.get("dependentRequired", {}).items():
            yield from self._needed(name, needed)
        for name in schema.get("dependentSchemas", {}):
            yield self._depends(name, self._inside(place, "dependentSchemas", name))

    def _dependencies(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        for name, needed in schema.get("dependencies", {}).items():
            if isinstance(needed, list):
                yield from self._needed(name, needed)
            else:
                yield self._depends(name, self._inside(place, "dependencies", name))

    def _needed(self, name: str, needed: list[str]) -> Iterator[int]:
        add = self._graph.add
        yield from (self._graph.disj([-add("required", name), add("required", one)]) for one in needed)

    def _depends(self, name: str, schema: int) -> int:
        return self._graph.disj([-self._present(name), schema])

    def _present(self, name: str) -> int:
        add = self._graph.add
        return add("and", None, (add("type", frozenset({OBJECT})), add("required", name)))

    def _unevaluated(self, place: Scoped, schema: dict[str, Any]) -> Iterator[int]:
        for word, kind in (("unevaluatedProperties", OBJECT), ("unevaluatedItems", ARRAY)):
            if word not in schema:
                continue
            collected = Evaluated(self._at, self._present, items=kind == ARRAY)
            try:
                cases = collected.cases(place, own=False)
            except TooManyCases:
                yield self._graph.add("opaque", (word, json.dumps(schema, sort_keys=True, default=str)))
                continue
            others = self._graph.add("type", frozenset(TYPES) - {kind})
            inside = self._inside(place, word)
            chosen = [self._case(one, inside, items=kind == ARRAY) for one in cases]
            yield self._graph.disj([others, *chosen]) if len(chosen) > 1 else chosen[0]

    def _case(self, seen: Seen, inside: int, *, items: bool) -> int:
        add = self._graph.add
        if seen.everything:
            atom = TRUE
        elif items:
            held = self._graph.disj([inside, *sorted(seen.holding)]) if seen.holding else inside
            atom = add("tail", seen.first, (held,))
        else:
            atom = add("rest", (seen.names, seen.patterns), (inside,))
        return add("and", None, (*seen.guards, atom)) if seen.guards else atom
