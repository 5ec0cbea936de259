"""What the moments of some anchors say: who was seen and when, what was linked, which links stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from contracts.model.batches import Event
from operators.components import Components
from operators.match.evidence import Evidence
from operators.people.moments import Kept
from operators.people.store import Pair
from operators.people.work import Work
from operators.records import Identifier, Link
from operators.stitch.clusters import accepted, lead


class Remembered(msgspec.Struct, gc=False):
    """A moment with its event; ``identifiers`` are hashes in rank."""

    kept: Kept
    event: Event
    identifiers: list[bytes]
    anchor: bytes


class Collected:
    """Collects evidence. ``made``: of links that are known, the version of the rules under which they were made; ``likeness``
    takes what events say of traits that are compared."""

    def __init__(self, work: Work, made: Mapping[bytes, int], likeness: Evidence | None) -> None:
        self._work = work
        self._rules = work.rules
        self._hash = work.store.hash
        self._manual = work.manual
        self.made = made
        self._likeness = likeness
        self.moments: list[Remembered] = []
        """By time and message id."""
        self.shared: set[bytes] = set()
        """The devices that identify nobody."""
        self.standing: list[Link] = []
        self.identifiers: dict[bytes, Identifier] = {}
        self.links: dict[bytes, Link] = {}
        """Manual and deterministic ones, standing or not."""
        self.parts: dict[bytes, list[Identifier]] = {}
        """What the standing links join, by lead; the identifiers of each in rank."""

    def read(self, anchors: Iterable[bytes]) -> dict[bytes, list[Identifier]]:
        """Read the moments of these anchors; returns what manual and deterministic links join, by lead."""
        anchors = list(anchors)
        self.moments = sorted(self._remembered(anchors), key=lambda each: (each.event.time_us, each.event.message_id))
        for each in self.moments:
            self._evidence(each)
        self._rulings(set(anchors))
        self.shared = self._shared_devices()
        self.standing = accepted(self.identifiers, self.links.values(), self.shared, self._rules)
        return self._clusters()

    def _remembered(self, anchors: Iterable[bytes]) -> Iterator[Remembered]:
        for kept in self._work.moments.of(anchors):
            event = self._work.reread(kept)
            yield Remembered(kept, event, [self._hash(pair) for pair in event.identifiers], kept.anchor)

    def _evidence(self, each: Remembered) -> None:
        time = each.event.time_us
        for pair, key in zip(each.event.identifiers, each.identifiers, strict=True):
            self._see(pair, key, time)
        first = each.identifiers[0]
        for other in each.identifiers[1:]:
            link = self.links.get(first + other)
            if link is None:
                self._link(first + other, time, each.event.message_id).void = self._manual.void(first, other)
            else:
                link.again(time, each.event.message_id)
        if self._likeness is not None:
            self._likeness.note(self.identifiers[each.anchor], each.event)

    def _link(self, key: bytes, time: int, message: str, *, manual: bool = False) -> Link:
        """A link by its first evidence, made under the version of the rules that it was known by."""
        rules = self.made.get(key, self._rules.version)
        link = self.links[key] = Link(key[:16], key[16:32], manual=manual, first=time, last=time, message=message, rules=rules)
        return link

    def _see(self, pair: Pair, key: bytes, time: int) -> None:
        known = self.identifiers.get(key)
        if known is None:
            self.identifiers[key] = Identifier(pair[0], pair[1], key, time, time)
        else:
            known.first, known.last = min(known.first, time), max(known.last, time)

    def _rulings(self, anchors: set[bytes]) -> None:
        if not self._manual.rulings:
            return
        rulings = {key: ruling for anchor in anchors | set(self.identifiers) for key, ruling in self._manual.of(anchor)}
        for ruling in rulings.values():
            position = self._rules.position
            if not ruling.link or ruling.a[0] not in position or ruling.b[0] not in position:
                continue
            a, b = sorted((position[namespace], value) for namespace, value in (ruling.a, ruling.b))
            for pair in (a, b):
                self._see(pair, self._hash(pair), ruling.time_us)
            ends = self._hash(a), self._hash(b)
            self._link(ends[0] + ends[1] + b"m", ruling.time_us, ruling.message, manual=True)

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

    def _shared_devices(self) -> set[bytes]:
        limits = self._rules.shared_after
        if not any(limits):
            return set()
        persons: dict[bytes, set[bytes]] = defaultdict(set)
        for each, device in self.on_devices():
            found = self.identified(each, device)
            if found is not None:
                persons[device].add(found)
        return {device for device, found in persons.items() if len(found) >= (limits[self.identifiers[device].namespace] or 1 << 62)}

    def _clusters(self) -> dict[bytes, list[Identifier]]:
        """What the standing links join, by lead; the identifiers of each in rank."""
        for members in Components(self.identifiers, ((link.a, link.b) for link in self.standing)).parts():
            identifiers = sorted((self.identifiers[key] for key in members), key=lambda each: (each.namespace, each.value))
            self.parts[lead(identifiers).hash] = identifiers
        return self.parts
