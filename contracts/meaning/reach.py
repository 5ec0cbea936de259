"""Every subschema that may say something of a value: through all branches, references and names.

`schemalogic.typed` tells what a value can be, and leaves out what cannot apply or is too much to tell apart. What is tagged
must not be lost, so nothing is left out here; and what cannot be followed is told (`Reach.lost`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import Any

from contracts.meaning.classes import CLASSES, Personal, class_of, is_tag, is_unreadable
from schemalogic.documents import Document, Place, may_match
from schemalogic.paths import Step
from schemalogic.walk import Key, Steps, subschemas

Spot = tuple[Key, ...]
"""The places that may say something of one value, the one nearest to its name first."""
_ITEMS = ("items", "prefixItems", "additionalItems", "contains", "unevaluatedItems")
_WILD = ("patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames", "contentSchema")
_NOT_OF_VALUES = ("$defs", "definitions")
_DATA = ("const", "default", "enum", "examples")


class Reach:
    """What can be reached from the root of a contract."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._walk = document.walk
        self.root: Spot = self._together([(self._walk.root, ())])

    def below(self, spot: Spot, step: Step) -> Spot:
        """What may be said of a member by its name, or of some item."""
        return self._together(self._members(spot, step) if isinstance(step, str) else self._parts(spot, _ITEMS))

    def names(self, spot: Spot) -> tuple[str, ...]:
        """The names that are declared, in the order of the file."""
        return tuple(dict.fromkeys(name for key in spot for name in self.schema(key).get("properties", ())))

    def has_items(self, spot: Spot) -> bool:
        """Whether anything is said of items."""
        return any(True for _ in self._parts(spot, _ITEMS))

    def wild(self, spot: Spot) -> Spot:
        """What is said of members that no name tells, of the names themselves, and of what a text holds."""
        return self._together(self._parts(spot, _WILD))

    def place(self, key: Key) -> Place:
        """The place in its file."""
        return self._document.place(key)

    def schema(self, key: Key) -> dict[str, Any]:
        """What stands at a place."""
        return self._walk.places[key].schema

    def classes(self, spot: Spot, around: Spot) -> Iterator[Personal]:
        """The classes that count for a value: its own, of what it stands in, and of what in it is not told apart from it."""
        inner = (*self.below(spot, None), *self._inner(self.wild(spot)))
        return (self.tagged.get(key, "none") for key in (*spot, *around, *inner))

    @cached_property
    def leading(self) -> set[Key]:
        """The places below or beside which something is tagged."""
        before: dict[Key, list[Key]] = {}
        for key in self._walk.places:
            for following in self._following(key):
                before.setdefault(following, []).append(key)
        return _closure(self.tagged, lambda key: before.get(key, ()))

    def _inner(self, spot: Spot) -> set[Key]:
        return _closure(spot, self._following)

    def _following(self, key: Key) -> Iterator[Key]:
        """The places beside a place and right below it."""
        if key in self._walk.places:
            yield from self._walk.beside(key)
            yield from (self._inside(key, steps) for steps, _ in subschemas(self.schema(key)) if steps[0] not in _NOT_OF_VALUES)

    @cached_property
    def tagged(self) -> dict[Key, Personal]:
        """The places whose values are personal by what stands right there → the class; the strictest where it cannot be told."""
        found = {key: class_of(place.schema) for key, place in self._walk.places.items()} | dict.fromkeys(self.lost, CLASSES[-1])
        return {key: said for key, said in found.items() if said != "none"}

    @cached_property
    def lost(self) -> dict[Key, list[Steps]]:
        """The places of which not all can be followed or read → the ways to what cannot, each from the root of its file."""
        known = {(uri, steps[:length]) for uri, steps in self._walk.places for length in range(len(steps) + 1)}
        found: dict[Key, list[Steps]] = {}
        for key in self._walk.places:
            ways = [*self._unfollowed(key), *self._strays(key, known)]
            if ways:
                found[key] = [(*key[1], *steps) for steps in ways]
        return found

    def _unfollowed(self, key: Key) -> Iterator[Steps]:
        schema = self.schema(key)
        if "$ref" in schema and key not in self._walk.targets:
            yield ("$ref",)
        if "$dynamicRef" in schema and key not in self._walk.first and not self._walk.dynamic(key):
            yield ("$dynamicRef",)
        yield from ((word,) for word in schema if word == "$recursiveRef" or is_unreadable(word, schema[word]))

    def _strays(self, key: Key, known: Collection[Key]) -> Iterator[Steps]:
        """The tags below words that are no keywords, and below which no reference leads."""
        for word, value in self.schema(key).items():
            if word not in _DATA and not word.startswith("x-") and self._inside(key, (word,)) not in known:
                yield from _tags_in(value, (word,))

    def _inside(self, key: Key, steps: Steps) -> Key:
        return key[0], (*key[1], *steps)

    def _members(self, spot: Spot, name: str) -> Iterator[Key]:
        for key in spot:
            schema = self.schema(key)
            here: list[Steps] = [("properties", name)] if name in schema.get("properties", ()) else []
            here += [("patternProperties", one) for one in schema.get("patternProperties", ()) if may_match(one, name)]
            yield from (self._inside(key, steps) for steps in here or [("additionalProperties",)])
            yield self._inside(key, ("unevaluatedProperties",))

    def _parts(self, spot: Spot, words: Collection[str]) -> Iterator[Key]:
        for key in spot:
            yield from (self._inside(key, steps) for steps, _ in subschemas(self.schema(key)) if steps[0] in words)

    def _together(self, keys: Iterable[Key]) -> Spot:
        """Places that are objects, and all that say something of the same value."""
        found: dict[Key, None] = {}
        todo = list(keys)[::-1]
        while todo:
            key = todo.pop()
            if key not in found and key in self._walk.places:
                found[key] = None
                todo += list(self._walk.beside(key))[::-1]
        return tuple(found)


def _closure(start: Iterable[Key], following: Callable[[Key], Iterable[Key]]) -> set[Key]:
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
