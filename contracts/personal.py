"""Where the values that a contract tags as personal stand in an event, so that they leave the store as hashes only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.documents import Place, ways
from contracts.event_patterns import NOT_DONE
from contracts.paths import Step
from contracts.properties import Properties
from contracts.schemas import Typed, names_at, typed, typed_at, typed_below
from contracts.tags import tags_of

DEPTH_MAX = 12
_WILD = ("patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames")
Hidden = tuple[str, tuple[Step, ...]]
"""The namespace whose identifier a value is, empty if it is none, and its path in the body of the event."""


def personal_paths(properties: Properties) -> dict[str, list[Hidden]]:
    """By event, what some version of its contract tags as personal; stored events may be of any version."""
    found: dict[str, dict[tuple[Step, ...], str]] = {}
    for event, versions in properties.contracts.items():
        root = "traits" if event in NOT_DONE else "properties"
        paths = found.setdefault(event, {})
        for contract in versions:
            value = typed_at(properties.document(contract), ())
            for steps, identifier in _top(value) if value is not None else ():
                known = paths.get((root, *steps))
                paths[root, *steps] = known or identifier
    return {event: [(namespace, path) for path, namespace in paths.items()] for event, paths in found.items() if paths}


def _top(root: Typed) -> Iterator[tuple[tuple[Step, ...], str]]:
    """What is tagged below the root; a tag of the root itself means each of its properties."""
    if tags_of(root).personal != "none":
        yield from (((name,), "") for name in names_at(root))
    else:
        yield from _tagged(root, (), frozenset())


def _tagged(value: Typed, steps: tuple[Step, ...], seen: frozenset[int]) -> Iterator[tuple[tuple[Step, ...], str]]:
    tags = tags_of(value)
    schemas = frozenset(id(place.schema) for place in value.places)
    if tags.personal != "none":
        yield steps, tags.identifier
    elif len(steps) >= DEPTH_MAX or (schemas and schemas <= seen):
        # What contains itself is hidden whole from here on, if there is anything to hide in it.
        if any("x-personal" in str(place.schema) for place in value.places):
            yield steps, ""
    elif any(_is_personal(place, seen | schemas) for place in _wild(value.places)):
        yield steps, ""
    else:
        for step in (*names_at(value), *_items(value)):
            below = typed_below(value, (step,))
            if below is not None:
                yield from _tagged(below, (*steps, step), seen | schemas)


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


def _is_personal(place: Place, seen: frozenset[int]) -> bool:
    return any(True for _ in _tagged(typed(ways(place), ()), (), seen))
