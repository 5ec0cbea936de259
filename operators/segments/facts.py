"""What conditions look at: the features, computed traits and segments of a project by number, and a person's value of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

import orjson

from contracts.model.definitions import Definitions, Feature, Segment
from contracts.model.expressions import paths
from contracts.model.traits import Trait
from contracts.text.numbers import number_text
from operators.records import Person
from operators.segments.cells import cell_of
from operators.segments.cells.cell import Cell, plain_number
from operators.segments.derived import derived
from schemalogic.paths import parse_path

SEEN = ("seen",)
"""Among what a change has touched: when somebody was first and last seen."""
IDENTIFIERS = ("identifiers",)
"""The same of which identifiers somebody has, and which of them were seen first."""


class Facts:
    """Feature and segment numbers are positions in ``features``, ``segments``."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.features: tuple[Feature, ...] = tuple(definitions.features.values())
        self.number = {feature.key: at for at, feature in enumerate(self.features)}
        self.traits: dict[str, Trait] = {trait.name: trait for trait in definitions.traits}
        self.computed = {trait.name: self.number[trait.feature] for trait in definitions.traits if trait.feature is not None}
        self.derived = {one.name: derived(one.expression, self._reader) for one in definitions.traits if one.expression is not None}
        """Traits that are made of others, by name."""
        self.made = dict.fromkeys((*self.computed, *self.derived))
        """The names of the traits that Skep makes itself."""
        self.cells = [cell_of(feature) for feature in self.features]
        self.slots = _slots(self.features, self.cells)
        """By number of a feature: the number under which people hold its cell, its own or that of the feature whose cell it looks at."""
        for at, cell in enumerate(self.cells):
            cell.number, cell.slot = at, self.slots[at]
        self.segments: tuple[Segment, ...] = definitions.segments
        self.defaults = {purpose.name: purpose.default for purpose in definitions.purposes}
        self._rests: dict[str, frozenset[Any]] = {}
        self.needs: dict[str, set[Any]] = {}
        """By segment: numbers of features, names of traits, ``"!purpose"``, `SEEN`, `IDENTIFIERS`, `CONFIDENCE`, also through segments."""
        self.account_of: Callable[[str], Person | None] = _no_account
        """An account by its id, in the form of a person, for those who know some."""
        self._bit = {segment.name: 1 << at for at, segment in enumerate(self.segments)}

    def bit(self, segment: str) -> int:
        """The bit of a segment among memberships."""
        return self._bit[segment]

    def cell(self, person: Person, at: int) -> Any:
        """What a person has for a feature; None if nothing."""
        return person.cells.get(self.slots[at])

    def rests_on(self, name: str) -> frozenset[Any]:
        """What changes when the value of a trait does: numbers of features, names of traits that identify calls write."""
        known, trait = self._rests.get(name), self.traits.get(name)
        if known is None:
            at = self.computed.get(name)
            if trait is not None and trait.expression is not None:
                roots = {str(parse_path(path)[0]) for path in paths(trait.expression)}
                known = frozenset(each for root in roots for each in self.rests_on(root))
            else:
                known = frozenset((name if at is None else at,))
            self._rests[name] = known
        return known

    def _reader(self, name: str) -> Callable[[Person, int], Any]:
        return lambda person, now: self.trait(person, name, now)

    def shown(self, person: Person, name: str, now: int) -> Any:
        """The value of a trait that is computed or made of others, for orjson, every number exact; None if it is missing."""
        at = self.computed.get(name)
        if at is not None:
            return self.cells[at].shown(self.cell(person, at), now)
        value = self.derived[name](person, now)
        return orjson.Fragment(number_text(value)) if type(value) is int else value

    def trait(self, person: Person, name: str, now: int) -> Any:
        """The value of a top-level trait, computed ones first; None if missing."""
        at = self.computed.get(name)
        if at is None:
            made = self.derived.get(name)
            if made is not None:
                value = made(person, now)
                return plain_number(value) if type(value) is int else value
            found = person.traits.get(name)
            return found[2] if found else None
        return self.cells[at].plain(self.cell(person, at), now)


def _no_account(_account: str) -> Person | None:
    return None


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
