"""From one set of definitions to the next: what of a person's row is taken over as it is, and what has to be computed first.

A cell depends on its feature alone, and on the clock, which only grows: what both count the same way is taken over. A shorter window has
dropped what a longer one wants, a smaller cap what a larger one counts, so it goes from the wider one to the narrower and never back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from contracts.model.definitions import Definitions, Feature, Segment
from contracts.model.event_patterns import matches
from operators.origins import origin_parts
from operators.records import Person
from operators.segments.cells.cell import Cell
from operators.segments.compile import Program
from operators.segments.facts import Facts


class Memberships:
    """Memberships by the segments ``before`` become those by the segments ``after``, by name."""

    def __init__(self, before: Sequence[Segment], after: Sequence[Segment]) -> None:
        numbers = {segment.name: at for at, segment in enumerate(after)}
        self._segments = [(segment, numbers.get(segment.name)) for segment in before]

    def carry(self, person: Person) -> list[Segment]:
        """Number a person's memberships anew; returns the segments of which the person was a member and that are gone."""
        held, bits, gone = int.from_bytes(person.bits, "little"), 0, []
        for at, (segment, number) in enumerate(self._segments):
            if held >> at & 1:
                if number is None:
                    gone.append(segment)
                else:
                    bits |= 1 << number
        person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        return gone


class Carried:
    """People by the definitions ``before`` become people by those ``after``, whose identity rules, purposes and upcasts are the same.

    Between the two are rows by ``widened``: the definitions before, behind whose features the new ones come.
    """

    def __init__(self, before: Definitions, after: Definitions) -> None:
        was, now = Facts(before), Facts(after)
        held = [(at, feature) for at, feature in enumerate(was.features) if was.slots[at] == at]
        wanted = [(at, feature) for at, feature in enumerate(now.features) if now.slots[at] == at]
        known = {at: next((one for one, other in held if _serves(other, was.cells[one], feature)), None) for at, feature in wanted}
        fresh = {feature.key: feature for at, feature in wanted if known[at] is None}
        shown = tuple(trait for trait in after.traits if trait.feature in fresh)
        self.first = len(was.features)
        """The number, in a wide row, of the first feature that is new."""
        self.added = replace(after, features=fresh, traits=shown, segments=())
        """Definitions of nothing but the features that are new, and the traits that show them."""
        self.widened = replace(
            before,
            features={**before.features, **{f"+{key}": _apart(one) for key, one in fresh.items()}},
            traits=(*before.traits, *(replace(each, name=f"+{each.name}", feature=f"+{each.feature}", emit=False) for each in shown)),
        )
        places = {key: self.first + at for at, key in enumerate(fresh)}
        self._cells = [(at, places[feature.key] if (here := known[at]) is None else here) for at, feature in wanted]
        """Number of a feature that has a cell, and where a wide row has that."""
        self._matters: dict[str, bool] = {}
        self._memberships = Memberships(before.segments, after.segments)

    @cached_property
    def narrow(self) -> Program:
        """Nothing but the features that are new, numbered from 0."""
        return Program(self.added)

    def matters(self, contract: str) -> bool:
        """Whether an event that a contract of `Meta.contracts` accepted may say something of a feature that is new."""
        found = self._matters.get(contract)
        if found is None:
            event = origin_parts(contract)[0].partition("/")[0]
            features = self.narrow.features
            wanted = not event or any(one.session_us is not None or any(matches(p, event) for p in one.events) for one in features)
            found = self._matters[contract] = wanted
        return found

    def carry(self, person: Person) -> list[Segment]:
        """Number a wide row's cells and memberships as the definitions after do; returns the segments of which the person was a member and
        that are gone."""
        cells = person.cells
        person.cells = {number: cells[at] for number, at in self._cells if at in cells}
        # What was before a session under way is not what is kept of it: that was numbered as before.
        person.aside = None
        return self._memberships.carry(person)

    def widen(self, person: Person, part: Person | None) -> None:
        """Put what the new features come to, None of no event, behind a person's other cells."""
        known = {at: cell for at, cell in person.cells.items() if at < self.first}
        fresh = {} if part is None else {self.first + at: cell for at, cell in part.cells.items()}
        person.cells = known | fresh
        person.aside = None


def _serves(known: Feature, cell: Cell, wanted: Feature) -> bool:
    """Whether a feature's cell, with its functions, holds what another's has to."""
    if known == wanted:
        return True
    if not cell.is_shared or known.within_us is None or wanted.within_us is None or known.within_us < wanted.within_us:
        return False
    counts = known.cap is None or (wanted.cap is not None and known.cap >= wanted.cap)
    return counts and replace(known, key=wanted.key, within_us=wanted.within_us, cap=wanted.cap) == wanted


def _apart(feature: Feature) -> Feature:
    """A feature whose cell is its own beside those of the definitions before: it also asks for an event that nobody can have."""
    return replace(feature, key=f"+{feature.key}", events=(*feature.events, "+"))
