"""What a JSON Schema says about one path: is it there at all, of which kinds can it be, and where does it say so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from schemalogic.document import Document, Place
from schemalogic.paths import Step
from schemalogic.ways import Way, step_into, ways

Kind = str
_KINDS = {
    "number": "number", "integer": "number", "string": "text", "boolean": "boolean", "array": "list", "object": "object", "null": "null",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Typed:
    """What is known of a value: its possible kinds and, of an enumeration, its possible values; None is anything.

    ``ways``: the subschemas that it satisfies one of; ``around``: those of the objects and lists in which it stands.
    """

    kinds: frozenset[Kind] | None = None
    values: tuple[Any, ...] | None = None
    ways: tuple[Way, ...] = field(default=(), compare=False)
    around: tuple[Place, ...] = field(default=(), compare=False)

    @property
    def places(self) -> tuple[Place, ...]:
        """The subschemas that may apply to the value, each once, the ones nearest to its name first."""
        return tuple({(place.file, place.path): place for way in self.ways for place in way}.values())


ANYTHING = Typed(ways=((),))


def kind_of(value: object) -> Kind:
    """The kind of a decoded JSON value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    kinds: dict[type, Kind] = {str: "text", list: "list", dict: "object", type(None): "null"}
    return kinds[type(value)]


def same(one: object, other: object) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    if kind_of(one) != kind_of(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    return one == other


def names_at(typed: Typed) -> tuple[str, ...]:
    """The names that are declared below a value, in the order of the file."""
    schemas = [place.schema for place in typed.places if isinstance(place.schema, dict)]
    return tuple(dict.fromkeys(name for schema in schemas for name in schema.get("properties", {})))


def typed_at(document: Document, path: tuple[Step, ...]) -> Typed | None:
    """What the schema says of the value at a path; None if it excludes it or declares others but not this one."""
    return typed_below(typed(ways(document.root), ()), path)


def typed_below(value: Typed, path: tuple[Step, ...]) -> Typed | None:
    """What is known of the value at a path below another."""
    found, around = list(value.ways), dict.fromkeys(value.around)
    for step in path:
        around |= dict.fromkeys(place for way in found for place in way)
        found = [after for way in found for after in step_into(way, step)]
    below = typed(found, tuple(around))
    return below if below.ways else None


def either(values: Iterable[Typed]) -> Typed:
    """What is known of a value that is one of these."""
    values = list(values)
    return typed([way for one in values for way in one.ways], tuple(place for one in values for place in one.around))


def list_of(values: Iterable[Typed], file: str, line: int) -> Typed:
    """What is known of a list whose items are some of these values; ``file`` and ``line`` say where it is asked for."""
    values = list(values)
    firsts = [way[0] if way else None for one in values for way in one.ways]
    places = {(place.file, place.path): place for place in firsts if place is not None}
    if None in firsts or not places:
        return typed([(Document(file, {"type": "array"}, line=line).root,)], ())
    return typed([(_list_place(place),) for place in places.values()], ())


def _list_place(item: Place) -> Place:
    """A list of what a place says; references in it lead where they led."""
    asked = replace(item, asked_line=item.line)
    return replace(asked, schema={"type": "array", "items": item.schema}, item=asked)


def typed(found: list[Way], around: tuple[Place, ...]) -> Typed:
    """The kinds and values of the ways together, without those ways that no value can go."""
    possible = [(way, one) for way in found for one in [_of_way(way)] if one.kinds != frozenset()]
    kinds = [one.kinds for _, one in possible]
    values = [one.values for _, one in possible]
    return Typed(
        None if None in kinds else frozenset(kind for each in kinds for kind in each or ()),
        None if None in values or not possible else tuple(value for each in values for value in each or ()),
        tuple(way for way, _ in possible),
        around,
    )


def _of_way(way: Way) -> Typed:
    """What all of its subschemas allow."""
    kinds: frozenset[Kind] | None = None
    values: tuple[Any, ...] | None = None
    for place in way:
        one = _of_schema(place.said())
        if one.kinds is not None:
            kinds = one.kinds if kinds is None else kinds & one.kinds
        if one.values is not None:
            known = values
            values = one.values if known is None else tuple(value for value in known if any(same(value, other) for other in one.values))
    if values is not None:
        values = tuple(value for value in values if kinds is None or kind_of(value) in kinds)
        kinds = frozenset(map(kind_of, values))
    return Typed(kinds, values)


def _of_schema(schema: Any) -> Typed:
    if not isinstance(schema, dict):
        return Typed()
    types = schema.get("type")
    kinds = None if types is None else frozenset(_KINDS[word] for word in ([types] if isinstance(types, str) else types))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return Typed(kinds, None if values is None else tuple(values))
