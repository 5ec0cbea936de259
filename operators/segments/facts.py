"""What conditions look at: the features, computed traits and segments of a project by number, and a person's value of each."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any

from contracts.model.definitions import Definitions, Feature, Segment
from contracts.model.traits import Trait
from operators.records import Person
from operators.segments.cells import cell_of
from operators.segments.cells.cell import Cell


class Facts:
    """Feature and segment numbers are positions in ``features``, ``segments``."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.features: tuple[Feature, ...] = tuple(definitions.features.values())
        self.number = {feature.key: at for at, feature in enumerate(self.features)}
        self.traits: dict[str, Trait] = {trait.name: trait for trait in definitions.traits}
        self.computed = {trait.name: self.number[trait.feature] for trait in definitions.traits if trait.feature is not None}
        self.cells = [cell_of(feature) for feature in self.features]
        self.slots = _slots(self.features, self.cells)
        """By number of a feature: the number under which people hold its cell, its own or that of the feature whose cell it looks at."""
        for at, cell in enumerate(self.cells):
            cell.number, cell.slot = at, self.slots[at]
        self.segments: tuple[Segment, ...] = definitions.segments
        self.defaults = {purpose.name: purpose.default for purpose in definitions.purposes}
        self.needs: dict[str, set[Any]] = {}
        """By segment: numbers of features, names of traits, ``"!purpose"`` and `CONFIDENCE`, also through segments that it names."""
        self._bit = {segment.name: 1 << at for at, segment in enumerate(self.segments)}

    def bit(self, segment: str) -> int:
        """The bit of a segment among memberships."""
        return self._bit[segment]

    def cell(self, person: Person, at: int) -> Any:
        """What a person has for a feature; None if nothing."""
        return person.cells.get(self.slots[at])

    def trait(self, person: Person, name: str, now: int) -> Any:
        """The value of a top-level trait, computed ones first; None if missing."""
        at = self.computed.get(name)
        if at is None:
            found = person.traits.get(name)
            return found[2] if found else None
        return self.cells[at].plain(self.cell(person, at), now)


def _slots(features: tuple[Feature, ...], cells: list[Cell]) -> list[int]:
    """Whose cell each feature looks at: of those that count the same events, with other windows and caps, a cell is enough for all
    that look no further back and count no further. Whose cell others look at is told of them."""
    slots = list(range(len(features)))
    alike: dict[str, list[int]] = {}
    for at, feature in enumerate(features):
        if cells[at].is_shared:
            alike.setdefault(repr(replace(feature, key="", within_us=None, cap=None)), []).append(at)
    for numbers in alike.values():
        widest: list[int] = []
        for at in sorted(numbers, key=lambda at: (features[at].within_us or 0, _reach(features[at])), reverse=True):
            slots[at] = next((one for one in widest if _reach(features[one]) >= _reach(features[at])), at)
            if slots[at] == at:
                widest.append(at)
            else:
                cells[slots[at]].share(cells[at])
    return slots


def _reach(feature: Feature) -> float:
    return inf if feature.cap is None else feature.cap
