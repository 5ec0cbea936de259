"""Where the values that a contract tags as personal stand in an event, so that they leave the store as hashes only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from contracts.documents import Place, target_of, ways
from contracts.event_patterns import NOT_DONE
from contracts.paths import Step
from contracts.properties import Properties
from contracts.schemas import Typed, names_at, typed, typed_at, typed_below
from contracts.tags import CLASSES, subschemas, tags_of

DEPTH_MAX = 12
"""What lies deeper is hidden whole."""
PATHS_MAX = 500
"""Personal paths of one contract that are told apart."""
_WILD = ("patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames")
Hidden = tuple[str, tuple[Step, ...]]
"""The namespace whose identifier a value is, empty if it is none, and its path in the body of the event."""


def personal_paths(properties: Properties) -> dict[str, list[Hidden]]:
    """By event, what some version of its contract tags as personal; stored events may be of any version."""
    found: dict[str, dict[tuple[Step, ...], str]] = {}
    walk = _Walk()
    for event, versions in properties.contracts.items():
        root = "traits" if event in NOT_DONE else "properties"
        paths = found.setdefault(event, {})
        for contract in versions:
            value = typed_at(properties.document(contract), ())
            for steps, identifier in walk.all(value) if value is not None else ():
                paths[root, *steps] = paths.get((root, *steps)) or identifier
    return {event: [(namespace, path) for path, namespace in paths.items()] for event, paths in found.items() if paths}


class _Walk:
    """Goes where a tag is, and nowhere else."""

    def __init__(self) -> None:
        self._mentions: dict[int, tuple[Any, bool]] = {}

    def all(self, root: Typed) -> list[tuple[tuple[Step, ...], str]]:
        """What is tagged below the root; each of its properties whole if that is too much to tell apart."""
        found = list(islice(self._top(root), PATHS_MAX + 1))
        if len(found) <= PATHS_MAX:
            return found
        parts = ((name, typed_below(root, (name,))) for name in names_at(root))
        return [((name,), "") for name, part in parts if part is not None and any(self._mention(place) for place in part.places)]

    def _top(self, root: Typed) -> Iterator[tuple[tuple[Step, ...], str]]:
        """What is tagged below the root; a tag of the root itself means each of its properties."""
        if tags_of(root).personal != "none":
            yield from (((name,), "") for name in names_at(root))
        else:
            yield from self._tagged(root, (), frozenset())

    def _tagged(self, value: Typed, steps: tuple[Step, ...], seen: frozenset[int]) -> Iterator[tuple[tuple[Step, ...], str]]:
        if not any(self._mention(place) for place in value.places):
            return
        tags = tags_of(value)
        schemas = frozenset(id(place.schema) for place in value.places)
        # What contains itself is hidden whole where it comes again.
        again = len(steps) >= DEPTH_MAX or bool(schemas & seen)
        if tags.personal != "none" or again or any(self._is_personal(place, seen | schemas) for place in _wild(value.places)):
            yield steps, tags.identifier
            return
        for step in (*names_at(value), *_items(value)):
            below = typed_below(value, (step,))
            if below is not None:
                yield from self._tagged(below, (*steps, step), seen | schemas)

    def _is_personal(self, place: Place, seen: frozenset[int]) -> bool:
        return any(True for _ in self._tagged(typed(ways(place), ()), (), seen))

    def _mention(self, place: Place) -> bool:
        """Whether a class other than none stands in a schema, or in one that it refers to."""
        key = id(place.schema)
        if key not in self._mentions:
            self._mentions[key] = (place.schema, any(is_personal(one.schema) for one in reachable(place)))
        return self._mentions[key][1]


def reachable(start: Place) -> Iterator[Place]:
    """A schema, the schemas in it, and those that they refer to, each once."""
    seen: set[tuple[str, tuple[str | int, ...]]] = set()
    left = [start]
    while left:
        for place in subschemas(left.pop()):
            key = (place.document.file, place.path)
            if key in seen:
                continue
            seen.add(key)
            yield place
            if isinstance(place.schema, dict) and isinstance(place.schema.get("$ref"), str):
                target = target_of(place, place.schema["$ref"])
                left += [target] if target is not None else []


def is_personal(schema: Any) -> bool:
    """Whether a schema says itself that its values are personal."""
    return isinstance(schema, dict) and schema.get("x-personal", "none") in CLASSES[1:]


def _items(value: Typed) -> tuple[None, ...]:
    words = ("items", "prefixItems", "additionalItems", "contains")
    return (None,) if any(isinstance(one.schema, dict) and any(word in one.schema for word in words) for one in value.places) else ()


def _wild(places: Iterable[Place]) -> Iterator[Place]:
    """The schemas of members that no name tells."""
    for place in places:
        for word in _WILD if isinstance(place.schema, dict) else ():
            part = place.schema.get(word)
            if word == "patternProperties" and part:
                yield from (place.at(word, pattern) for pattern in part)
            elif isinstance(part, dict):
                yield place.at(word)
