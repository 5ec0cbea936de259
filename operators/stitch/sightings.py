"""Who was seen when and with whom, and what that joins: the same of a space's moments and of a file of events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from operators.components import Components
from operators.records import Identifier, Link
from operators.stitch.clusters import accepted, lead
from operators.stitch.rules import Pair, Rules


class Sightings:
    """Events and manual links are told in any order, then `settle` says what they come to. ``hashed`` gives the 16 bytes of an
    identifier; ``made``: of links that are known, the version of the rules under which they were made."""

    def __init__(self, rules: Rules, hashed: Callable[[Pair], bytes], made: Mapping[bytes, int]) -> None:
        self._rules = rules
        self._hash = hashed
        self.made = made
        self.identifiers: dict[bytes, Identifier] = {}
        self.links: dict[bytes, Link] = {}
        """Manual and deterministic ones, standing or not."""
        self.shared: set[bytes] = set()
        """The devices that identify nobody."""
        self.standing: list[Link] = []
        self.parts: dict[bytes, list[Identifier]] = {}
        """What the standing links join, by lead; the identifiers of each in rank."""

    def event(self, pairs: Sequence[Pair], keys: Sequence[bytes], time: int, message: str) -> None:
        """An event was seen with these identifiers, in rank; ``keys`` are their hashes. The first is linked with each of the others."""
        for pair, key in zip(pairs, keys, strict=True):
            self._see(pair, key, time)
        first = keys[0]
        for other in keys[1:]:
            link = self.links.get(first + other)
            if link is None:
                self._link(first + other, time, message)
            else:
                link.again(time, message)

    def manual(self, a: Pair, b: Pair, time: int, message: str) -> None:
        """Somebody has linked two identifiers by hand; ``a`` is the higher in rank."""
        ends = self._hash(a), self._hash(b)
        for pair, key in zip((a, b), ends, strict=True):
            self._see(pair, key, time)
        self._link(ends[0] + ends[1] + b"m", time, message, manual=True)

    def settle(self, void: Callable[[bytes, bytes], bool], identified: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[Identifier]]:
        """What manual and deterministic links join, by lead. ``void``: whether two are unlinked by hand; ``identified``: each device
        with each person who was identified on it, less those who are."""
        for link in self.links.values():
            link.void = not link.manual and void(link.a, link.b)
        self.shared = self._shared_devices(identified) if any(self._rules.shared_after) else set()
        self.standing = accepted(self.identifiers, self.links.values(), self.shared, self._rules)
        for members in Components(self.identifiers, ((link.a, link.b) for link in self.standing)).parts():
            identifiers = sorted((self.identifiers[key] for key in members), key=lambda each: (each.namespace, each.value))
            self.parts[lead(identifiers).hash] = identifiers
        return self.parts

    def _link(self, key: bytes, time: int, message: str, *, manual: bool = False) -> None:
        """A link by its first evidence, made under the version of the rules that it was known by."""
        rules = self.made.get(key, self._rules.version)
        self.links[key] = Link(key[:16], key[16:32], manual=manual, first=time, last=time, message=message, rules=rules)

    def _see(self, pair: Pair, key: bytes, time: int) -> None:
        known = self.identifiers.get(key)
        if known is None:
            self.identifiers[key] = Identifier(pair[0], pair[1], key, time, time)
        else:
            known.first, known.last = min(known.first, time), max(known.last, time)

    def _shared_devices(self, identified: Iterable[tuple[bytes, bytes]]) -> set[bytes]:
        limits = self._rules.shared_after
        persons: dict[bytes, set[bytes]] = defaultdict(set)
        for device, person in identified:
            persons[device].add(person)
        return {device for device, found in persons.items() if len(found) >= (limits[self.identifiers[device].namespace] or 1 << 62)}
