"""Every subschema that may say something of a value: through all branches, references and names.

`schemalogic.typed` tells what a value can be, and leaves out what cannot apply or is too much to tell apart. What is tagged
must not be lost, so nothing is left out here; and what cannot be followed is told (`Reach.lost`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any

from contracts.meaning.classes import CLASSES, Personal, class_of, is_tag, is_unreadable
from schemalogic.document import Document, Key, Place
from schemalogic.keywords import ABOUT, DATA, About, Steps
from schemalogic.paths import Step
from schemalogic.ways import may_match

Spot = tuple[Place, ...]
"""The places that may say something of one value, the one nearest to its name first."""


class Reach:
    """What can be reached from the root of a contract."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.root: Spot = self._together([document.root])

    def below(self, spot: Spot, step: Step) -> Spot:
        """What may be said of a member by its name, or of some item."""
        return self._together(self._members(spot, step) if isinstance(step, str) else self._parts(spot, "items"))

    def names(self, spot: Spot) -> tuple[str, ...]:
        """The names that are declared, in the order of the file."""
        return tuple(dict.fromkeys(name for place in spot for name in place.schema.get("properties", ())))

    def has_items(self, spot: Spot) -> bool:
        """Whether anything is said of items."""
        return any(True for _ in self._parts(spot, "items"))

    def wild(self, spot: Spot) -> Spot:
        """What is said of members that no name tells, of the names themselves, and of what a text holds."""
        return self._together(self._parts(spot, "members", "names", "text"))

    def classes(self, spot: Spot, around: Spot) -> Iterator[Personal]:
        """The classes that count for a value: its own, of what it stands in, and of what in it is not told apart from it."""
        inner = (*self.below(spot, None), *_closure(self.wild(spot), self._following))
        return (self.tagged.get(place, "none") for place in (*spot, *around, *inner))

    @cached_property
    def leading(self) -> set[Place]:
        """The places below or beside which something is tagged."""
        before: dict[Place, list[Place]] = {}
        for place in self._document.places.values():
            for following in self._following(place):
                before.setdefault(following, []).append(place)
        return _closure(self.tagged, lambda place: before.get(place, ()))

    def _following(self, place: Place) -> Iterator[Place]:
        """The places beside a place and right below it."""
        if isinstance(place.schema, dict):
            yield from self._document.beside(place)
            yield from (part for part in place.parts() if _about(part, place) != "nothing")

    @cached_property
    def tagged(self) -> dict[Place, Personal]:
        """The places whose values are personal by what stands right there → the class; the strictest where it cannot be told."""
        found = {place: class_of(place.schema) for place in self._document.places.values()} | dict.fromkeys(self.lost, CLASSES[-1])
        return {place: said for place, said in found.items() if said != "none"}

    @cached_property
    def lost(self) -> dict[Place, list[Steps]]:
        """The places of which not all can be followed or read → the ways to what cannot, each from the root of its file."""
        known = {(uri, steps[:length]) for uri, steps in self._document.places for length in range(len(steps) + 1)}
        found: dict[Place, list[Steps]] = {}
        for place in self._document.places.values():
            ways = [*_unfollowed(place), *_strays(place, known)]
            if ways:
                found[place] = [(*place.path, *steps) for steps in ways]
        return found

    def _members(self, spot: Spot, name: str) -> Iterator[Place | None]:
        for place in spot:
            schema = place.schema
            here: list[Steps] = [("properties", name)] if name in schema.get("properties", ()) else []
            here += [("patternProperties", one) for one in schema.get("patternProperties", ()) if may_match(one, name)]
            yield from (place.inside(*steps) for steps in here or [("additionalProperties",)])
            yield place.inside("unevaluatedProperties")

    def _parts(self, spot: Spot, *about: About) -> Iterator[Place]:
        return (part for place in spot for part in place.parts() if _about(part, place) in about)

    def _together(self, places: Iterable[Place | None]) -> Spot:
        """Places that are objects, and all that say something of the same value."""
        found: dict[Place, None] = {}
        todo = list(places)[::-1]
        while todo:
            place = todo.pop()
            if place is not None and isinstance(place.schema, dict) and place not in found:
                found[place] = None
                todo += list(self._document.beside(place))[::-1]
        return tuple(found)


def _about(part: Place, place: Place) -> About:
    """What a schema right within a place is about."""
    return ABOUT[str(part.path[len(place.path)])]


def _unfollowed(place: Place) -> Iterator[Steps]:
    yield from ((word,) for word, targets in place.targets() if not targets)
    yield from ((word,) for word in place.schema if word == "$recursiveRef" or is_unreadable(word, place.schema[word]))


def _strays(place: Place, known: Collection[Key]) -> Iterator[Steps]:
    """The tags below words that are no keywords, and below which no reference leads."""
    uri, steps = place.key
    for word, value in place.schema.items():
        if word not in DATA and not word.startswith("x-") and (uri, (*steps, word)) not in known:
            yield from _tags_in(value, (word,))


def _closure(start: Iterable[Place], following: Callable[[Place], Iterable[Place]]) -> set[Place]:
    found = set(start)
    todo = list(found)
    while todo:
        fresh = set(following(todo.pop())) - found
        found |= fresh
        todo += fresh
    return found


@lru_cache(maxsize=64)
def reach_of(document: Document) -> Reach:
    """The reach of a contract; whoever asks for it asks for each of its properties."""
    return Reach(document)


def _tags_in(value: Any, steps: Steps) -> Iterator[Steps]:
    if isinstance(value, dict) and any(map(is_tag, value)):
        yield steps
    for step, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _tags_in(part, (*steps, step))
