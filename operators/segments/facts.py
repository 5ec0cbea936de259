"""What conditions look at: the features, computed traits and segments of a project by number, and a person's value of each."""

from __future__ import annotations

from typing import Any

from contracts.model.definitions import Definitions, Feature, Segment, Trait
from operators.records import Person
from operators.segments.cells import MEASURES


class Facts:
    """Feature and segment numbers are positions in ``features``, ``segments``."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.features: tuple[Feature, ...] = tuple(definitions.features.values())
        self.number = {feature.key: at for at, feature in enumerate(self.features)}
        self.traits: dict[str, Trait] = {trait.name: trait for trait in definitions.traits}
        self.computed = {trait.name: self.number[trait.feature] for trait in definitions.traits if trait.feature is not None}
        shown = {self.number[trait.feature]: trait for trait in definitions.traits if trait.feature is not None}
        self.cells = [MEASURES[feature.measure](feature, shown.get(at)) for at, feature in enumerate(self.features)]
        self.segments: tuple[Segment, ...] = definitions.segments
        self.defaults = {purpose.name: purpose.default for purpose in definitions.purposes}
        self.needs: dict[str, set[Any]] = {}
        """By segment: numbers of features, names of traits, ``"!purpose"`` and `CONFIDENCE`, also through segments that it names."""
        self._bit = {segment.name: 1 << at for at, segment in enumerate(self.segments)}

    def bit(self, segment: str) -> int:
        """The bit of a segment among memberships."""
        return self._bit[segment]

    def trait(self, person: Person, name: str, now: int) -> Any:
        """The value of a top-level trait, computed ones first; None if missing."""
        at = self.computed.get(name)
        if at is None:
            found = person.traits.get(name)
            return found[2] if found else None
        return self.cells[at].plain(person.cells.get(at), now)
