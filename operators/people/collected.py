"""What the moments of some anchors say: who was seen and when, what was linked, which links stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from contracts.model.batches import Event
from operators.match.evidence import Evidence
from operators.people.moments import Kept
from operators.people.work import Work
from operators.records import Identifier
from operators.stitch.sightings import Sightings


class Remembered(msgspec.Struct, gc=False):
    """A moment with its event; ``identifiers`` are hashes in rank."""

    kept: Kept
    event: Event
    identifiers: list[bytes]
    anchor: bytes


class Collected(Sightings):
    """Collects the evidence of a space. ``likeness`` takes what events say of traits that are compared."""

    def __init__(self, work: Work, made: Mapping[bytes, int], likeness: Evidence | None) -> None:
        super().__init__(work.rules, work.store.hash, made)
        self._work = work
        self._manual = work.manual
        self._likeness = likeness
        self.moments: list[Remembered] = []
        """By time and message id."""

    def read(self, anchors: Iterable[bytes]) -> dict[bytes, list[Identifier]]:
        """Read the moments of these anchors; returns what manual and deterministic links join, by lead."""
        anchors = list(anchors)
        self.moments = sorted(self._remembered(anchors), key=lambda each: (each.event.time_us, each.event.message_id))
        for each in self.moments:
            self.event(each.event.identifiers, each.identifiers, each.event.time_us, each.event.message_id)
            if self._likeness is not None:
                self._likeness.note(self.identifiers[each.anchor], each.event)
        self._rulings(set(anchors))
        return self.settle(self._manual.void, self._identified())

    def _remembered(self, anchors: Iterable[bytes]) -> Iterator[Remembered]:
        for kept in self._work.moments.of(anchors):
            event = self._work.reread(kept)
            yield Remembered(kept, event, [self._hash(pair) for pair in event.identifiers], kept.anchor)

    def _rulings(self, anchors: set[bytes]) -> None:
        if not self._manual.rulings:
            return
        rulings = {key: ruling for anchor in anchors | set(self.identifiers) for key, ruling in self._manual.of(anchor)}
        for ruling in rulings.values():
            position = self._rules.position
            if not ruling.link or ruling.a[0] not in position or ruling.b[0] not in position:
                continue
            a, b = sorted((position[namespace], value) for namespace, value in (ruling.a, ruling.b))
            self.manual(a, b, ruling.time_us, ruling.message)

    def identified(self, each: Remembered, device: bytes) -> bytes | None:
        """The person that the event identifies on the device."""
        person = self._rules.person
        if not person[self.identifiers[each.anchor].namespace] or self._manual.void(each.anchor, device):
            return None
        return each.anchor

    def on_devices(self) -> Iterator[tuple[Remembered, bytes]]:
        person = self._rules.person
        for each in self.moments:
            for key in each.identifiers:
                if not person[self.identifiers[key].namespace]:
                    yield each, key

    def _identified(self) -> Iterator[tuple[bytes, bytes]]:
        for each, device in self.on_devices():
            found = self.identified(each, device)
            if found is not None:
                yield device, found
