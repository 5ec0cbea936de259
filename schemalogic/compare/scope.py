"""A place as it is reached: which dynamic anchors are in force there is decided by the schemas on the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag

from schemalogic.document import Document, Place


@dataclass(frozen=True, slots=True)
class Scoped:
    """A place, and the URIs of the schemas whose dynamic anchors are in force, by name; the outermost counts."""

    place: Place
    anchors: tuple[tuple[str, str], ...] = ()

    @property
    def schema(self) -> Any:
        return self.place.schema

    @property
    def old(self) -> bool:
        """Whether it is of draft-07."""
        return self.place.draft == 7

    def at(self, *steps: str | int) -> Scoped:
        """A schema within this one; it may have a URI of its own."""
        return self._to(self.place.at(*steps))

    def follow(self, word: str) -> Scoped:
        """Where the ``$ref`` or ``$dynamicRef`` leads; `BrokenReference` if nowhere or away."""
        document, reference = self.place.document, self.schema[word]
        known = document.targets if word == "$ref" else document.first
        found = known.get(self.place.key) or document.follow(self.place, reference)
        name = urldefrag(reference).fragment
        if word == "$dynamicRef" and isinstance(found.schema, dict) and found.schema.get("$dynamicAnchor") == name:
            outermost = dict(self.anchors).get(name)
            found = found if outermost is None else document.dynamic_anchors[outermost][name]
        return self._to(found)

    def _to(self, place: Place) -> Scoped:
        return Scoped(place, self.anchors if place.base == self.place.base else _within(place, self.anchors))


def start(document: Document) -> Scoped:
    """The schema itself."""
    return Scoped(document.root, _within(document.root, ()))


def _within(place: Place, anchors: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    found = dict(anchors)
    for name in place.document.dynamic_anchors.get(place.base, ()):
        found.setdefault(name, place.base)
    return tuple(sorted(found.items()))
