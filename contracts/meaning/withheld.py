"""What of people and events a destination may not be told: what a contract keeps for other purposes, and what is sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from contracts.meaning.inheritance import Inheritance
from contracts.meaning.properties import Properties, listed_properties
from contracts.meaning.tags import Tags, tags_at
from contracts.model.definitions import Segment
from contracts.model.destinations import Destination, Path, Withheld
from schemalogic.paths import parse_path


def serves(tags: Tags, purposes: frozenset[str]) -> bool:
    """Whether a value may serve all of these purposes; without any it serves only if it is for no certain ones."""
    return tags.purposes is None or (bool(purposes) and purposes <= tags.purposes)


def withholding(destination: Destination, segments: Iterable[Segment], inheritance: Inheritance) -> Destination:
    """The destination with what it may not be told."""
    properties = inheritance.properties
    purposes = purposes_of(destination, segments)
    names = (*(trait.name for trait in inheritance.traits), *properties.names("identify"))
    traits = {name: inheritance.of("trait", name).joined(properties.tags("identify", name)) for name in names}
    found: dict[bool, dict[str, tuple[Path, ...]]] = {True: {}, False: {}}
    for event in properties.contracts:
        for is_whole, paths in _of_event(event, properties, purposes).items():
            if paths:
                found[is_whole][event] = paths
    withheld = Withheld(
        traits=frozenset(name for name, tags in traits.items() if not serves(tags, purposes)),
        whole_traits=frozenset(name for name, tags in traits.items() if tags.personal == "sensitive"),
        properties=found[False],
        whole_properties=found[True],
    )
    chosen = destination.traits
    kept = None if chosen is None else {name: there for name, there in chosen.items() if name not in withheld.traits}
    return replace(destination, traits=kept, withheld=withheld)


def purposes_of(destination: Destination, segments: Iterable[Segment]) -> frozenset[str]:
    """What it is told for: its own purpose, else those of the segments that go there."""
    if destination.purpose is not None:
        return frozenset({destination.purpose} - {""})
    return frozenset(one.purpose for one in segments if one.purpose and destination.name in one.activate)


def _of_event(event: str, properties: Properties, purposes: frozenset[str]) -> dict[bool, tuple[Path, ...]]:
    """The paths that may not serve the purposes, and (True) the sensitive ones."""
    document = properties.newest(event)
    listed = [] if document is None else [parse_path(path) for path, _ in listed_properties(document)]
    tagged = [(path, tags_at(document, path)) for path in listed] if document is not None else []
    return {
        False: tuple(path for path, tags in tagged if not serves(tags, purposes)),
        True: tuple(path for path, tags in tagged if tags.personal == "sensitive"),
    }
