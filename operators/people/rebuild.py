"""The long way: everything about some connected people, computed anew from their moments.

Used where an event takes something away or comes out of order in a way that matters: a refused link, an event that
changes its owner, a repeat with an earlier time, a manual entry. What it yields equals what the short way yields.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

import msgspec

from contracts.model.batches import Event
from operators.components import Components
from operators.denials import repeats
from operators.match.evidence import Evidence
from operators.people.manual import Manual
from operators.people.store import Kept, Pair, PeopleStore
from operators.profile import fold, resolve_consents, withdraw
from operators.records import (
    ALONE,
    NOBODY,
    OWNED,
    PERSONS,
    SEVERAL,
    Identifier,
    Link,
    Moment,
    Person,
    Record,
    moment_owner,
    with_owner,
)
from operators.segments.compile import Program
from operators.stitch.clusters import accepted, lead, order
from operators.stitch.owners import ITSELF, Owner, Visit, attribute, forget_older

Reader = Callable[[Kept], Event]
"""A stored event → the event as the definitions in force read it, with its time and id as stored; not judged again"""


class Remembered(msgspec.Struct, gc=False):
    """A moment with its event; ``identifiers`` are hashes in rank."""

    kept: Kept
    event: Event
    identifiers: list[bytes]
    anchor: bytes


class Group(NamedTuple):
    """Records of one person, by lead; with probabilistic rules, the links between them, their rows, and the person's confidence."""

    leads: list[bytes]
    links: dict[bytes, Link] = {}  # noqa: RUF012 - never changed
    records: dict[bytes, Record] = {}  # noqa: RUF012 - never changed
    confidence: float = 1.0


def component(store: PeopleStore, manual: Manual, start: Iterable[Person]) -> dict[bytes, Person]:
    """All people whom any evidence, standing or not, connects with these; by key."""
    found: dict[bytes, Person] = {}
    reached: Counter[bytes] = Counter()
    """Identifier → how many of its refused links have been followed from their other end."""
    edge = list(start)
    while edge:
        person = edge.pop()
        if person.key in found:
            continue
        found[person.key] = person
        near: set[bytes] = set()
        for each in person.identifiers:
            if each.refused > reached[each.hash]:
                ends = store.refusals.ends(each.hash)
                reached.update(ends)
                near.update(ends)
            if manual.rulings:
                near.update(end for key, _ in manual.of(each.hash) for end in (key[:16], key[16:]))
            if each.device is not None and each.device.nobody:
                shared = store.person(store.shared_key(each))
                if shared is not None:
                    edge.append(shared)
        edge += [holder for holder in map(store.holder, sorted(near)) if holder is not None]
    return found


class Rebuilt:
    """The people of a component as their evidence makes them, keyed by profile key. ``made``: `versions` of the people before."""

    def __init__(
        self,
        store: PeopleStore,
        manual: Manual,
        program: Program,
        read: Reader,
        now: int,
        *,
        evidence: Evidence | None,
        made: Mapping[bytes, int],
    ) -> None:
        self._store = store
        self._manual = manual
        self._program = program
        self._read = read
        self._now = now
        self._made = made
        self._likeness = evidence
        self._moments: list[Remembered] = []
        self.shared: set[bytes] = set()
        """The devices that identify nobody."""
        self._standing: list[Link] = []
        self._identifiers: dict[bytes, Identifier] = {}
        self._links: dict[bytes, Link] = {}
        self._pairs: dict[Pair, bytes] = {}
        self._parts: dict[bytes, list[Identifier]] = {}
        self.people: dict[bytes, Person] = {}
        self.refused: list[Link] = []
        """The links that do not stand."""
        self.older: dict[bytes, dict[bytes, Moment]] = {}
        """By device: who was identified on it beside those who stand in its own row."""
        self.reassigned: dict[tuple[bytes, bytes], list[str]] = {}
        """Ids of messages whose owner has changed, by the keys of (who would have them by the owner before, who has them now)."""

    def read(self, anchors: Iterable[bytes]) -> dict[bytes, list[Identifier]]:
        """Read the moments of these anchors; returns what manual and deterministic links join, by lead."""
        anchors = list(anchors)
        self._moments = sorted(self._remembered(anchors), key=lambda each: (each.event.time_us, each.event.message_id))
        for each in self._moments:
            self._evidence(each)
        self._rulings(set(anchors))
        self.shared = self._shared_devices(self._moments)
        self._standing = accepted(self._identifiers, self._links.values(), self.shared, self._store.rules)
        return self._clusters()

    def build(self, groups: Iterable[Group]) -> dict[bytes, Person]:
        """Make the people of what `read` has found; owners are corrected in the moments."""
        home = self._people(groups)
        self._refusals()
        owners = self._devices(self._moments, self.shared, home)
        self._fold(self._moments, owners, home)
        return self.people

    def settle(self, old: Iterable[Person]) -> None:
        """Bring the rows of links that do not stand, and of who was identified on devices, to what was built; ``old``: who was before."""
        before = [each for person in old for each in person.identifiers]
        self._store.refusals.replace([each.hash for each in before if each.refused], self.refused)
        long = {each.hash for each in before if each.device is not None and each.device.identified > PERSONS}
        for device in long.union(device for device, persons in self.older.items() if persons):
            self._store.identified.replace(device, self.older.get(device, {}))

    def _remembered(self, anchors: Iterable[bytes]) -> Iterator[Remembered]:
        for kept in self._store.moments(anchors):
            event = self._read(kept)
            yield Remembered(kept, event, [self._hash(pair) for pair in event.identifiers], kept.anchor)

    def _hash(self, pair: Pair) -> bytes:
        found = self._pairs.get(pair)
        if found is None:
            found = self._pairs[pair] = self._store.hash(pair)
        return found

    def _evidence(self, each: Remembered) -> None:
        time = each.event.time_us
        for pair, key in zip(each.event.identifiers, each.identifiers, strict=True):
            self._see(pair, key, time)
        first = each.identifiers[0]
        for other in each.identifiers[1:]:
            link = self._links.get(first + other)
            if link is None:
                self._link(first + other, time, each.event.message_id).void = self._manual.void(first, other)
            else:
                link.again(time, each.event.message_id)
        if self._likeness is not None:
            self._likeness.note(self._identifiers[each.anchor], each.event)

    def _link(self, key: bytes, time: int, message: str, *, manual: bool = False) -> Link:
        """A link by its first evidence, made under the version of the rules that it was known by."""
        rules = self._made.get(key, self._store.rules.version)
        link = self._links[key] = Link(key[:16], key[16:32], manual=manual, first=time, last=time, message=message, rules=rules)
        return link

    def _see(self, pair: Pair, key: bytes, time: int) -> None:
        known = self._identifiers.get(key)
        if known is None:
            self._identifiers[key] = Identifier(pair[0], pair[1], key, time, time)
        else:
            known.first, known.last = min(known.first, time), max(known.last, time)

    def _rulings(self, anchors: set[bytes]) -> None:
        if not self._manual.rulings:
            return
        rulings = {key: ruling for anchor in anchors | set(self._identifiers) for key, ruling in self._manual.of(anchor)}
        for ruling in rulings.values():
            position = self._store.rules.position
            if not ruling.link or ruling.a[0] not in position or ruling.b[0] not in position:
                continue
            a, b = sorted((position[namespace], value) for namespace, value in (ruling.a, ruling.b))
            for pair in (a, b):
                self._see(pair, self._hash(pair), ruling.time_us)
            ends = self._hash(a), self._hash(b)
            self._link(ends[0] + ends[1] + b"m", ruling.time_us, ruling.message, manual=True)

    def _identified(self, each: Remembered, device: bytes) -> bytes | None:
        """The person that the event identifies on the device."""
        person = self._store.rules.person
        if not person[self._identifiers[each.anchor].namespace] or self._manual.void(each.anchor, device):
            return None
        return each.anchor

    def _on_devices(self, moments: list[Remembered]) -> Iterator[tuple[Remembered, bytes]]:
        person = self._store.rules.person
        for each in moments:
            for key in each.identifiers:
                if not person[self._identifiers[key].namespace]:
                    yield each, key

    def _shared_devices(self, moments: list[Remembered]) -> set[bytes]:
        limits = self._store.rules.shared_after
        if not any(limits):
            return set()
        persons: dict[bytes, set[bytes]] = defaultdict(set)
        for each, device in self._on_devices(moments):
            found = self._identified(each, device)
            if found is not None:
                persons[device].add(found)
        return {device for device, found in persons.items() if len(found) >= (limits[self._identifiers[device].namespace] or 1 << 62)}

    @cached_property
    def _linked(self) -> dict[bytes, list[Link]]:
        found: dict[bytes, list[Link]] = defaultdict(list)
        for link in self._links.values():
            found[link.a].append(link)
            found[link.b].append(link)
        return found

    def _devices(self, moments: list[Remembered], shared: set[bytes], home: dict[bytes, Person]) -> dict[str, Owner]:
        visits: dict[bytes, list[Visit]] = defaultdict(list)
        for each, device in self._on_devices(moments):
            at = (each.event.time_us, each.event.message_id)
            visits[device].append(Visit(at, self._identified(each, device), each.anchor == device))
        owners: dict[str, Owner] = {}
        for device, seen in visits.items():
            theirs, state = attribute(seen, self._store.rules, lambda person: home[person].key, shared=device in shared)
            owners.update(theirs)
            self._identifiers[device].device = state
            self.older[device] = forget_older(state)
        for each in moments:
            held = self._identifiers[each.anchor].device
            if held is not None and each.event.consents:
                held.decided = True
            self._identifiers[each.anchor].anchor = self._store.rules.person[self._identifiers[each.anchor].namespace]
        return owners

    def _refusals(self) -> None:
        """What each identifier has to know of the links that do not stand."""
        identifiers, shared, most = self._identifiers, self.shared, self._store.rules.most
        stand = {id(link) for link in self._standing}
        for key, each in identifiers.items():
            each.rivals = self._rivals(key)
        pinned: dict[bytes, bool] = {}
        for link in self.refused:
            a, b = identifiers[link.a], identifiers[link.b]
            unique = most[a.namespace] == 1
            if unique and b.rivals == a.namespace and link.b not in pinned:
                pinned[link.b] = self._pinned(link.b, stand)
            certain = link.void or (
                not link.manual
                and (link.a in shared or link.b in shared or (unique and (a.namespace == b.namespace or pinned.get(link.b, False))))
            )
            for end in (a, b):
                end.refused += 1
                end.loose += not certain

    def _pinned(self, key: bytes, stand: set[int]) -> bool:
        """Whether the first of an identifier's links stands, so that no other does: all are to values of one unique namespace."""
        if self._manual.of(key):
            return False
        first = min(self._linked[key], key=lambda link: order(link, self._identifiers, self._store.rules))
        return id(first) in stand

    def _rivals(self, key: bytes) -> int:
        """The one namespace of all that is linked to an identifier."""
        links = self._linked.get(key, ())
        if len(links) == 1:
            return self._identifiers[links[0].b if links[0].a == key else links[0].a].namespace
        ends = {link.b if link.a == key else link.a for link in links}
        spaces = {self._identifiers[end].namespace for end in ends}
        return (spaces.pop() if len(spaces) == 1 else SEVERAL) if spaces else ALONE

    def _clusters(self) -> dict[bytes, list[Identifier]]:
        """What the standing links join, by lead; the identifiers of each in rank."""
        for members in Components(self._identifiers, ((link.a, link.b) for link in self._standing)).parts():
            identifiers = sorted((self._identifiers[key] for key in members), key=lambda each: (each.namespace, each.value))
            self._parts[lead(identifiers).hash] = identifiers
        return self._parts

    def _people(self, groups: Iterable[Group]) -> dict[bytes, Person]:
        """Make the people, with their links; returns identifier → person."""
        home: dict[bytes, Person] = {}
        for group in groups:
            parts = [each for key in group.leads for each in self._parts[key]]
            identifiers = sorted(parts, key=lambda each: (each.namespace, each.value)) if len(group.leads) > 1 else parts
            person = self._person(lead(identifiers).hash, identifiers)
            for key, link in group.links.items():
                link.rules = self._made.get(key, link.rules)
                person.links[key] = link
            person.records, person.confidence = group.records, group.confidence
            home.update((each.hash, person) for each in identifiers)
        stand = {id(link) for link in self._standing}
        for key, link in self._links.items():
            if id(link) in stand:
                home[link.a].links[key] = link
            else:
                self.refused.append(link)
        return home

    def _person(self, key: bytes, identifiers: list[Identifier]) -> Person:
        person = Person(key, identifiers, {}, cells=[None] * len(self._program.cells))
        self.people[key] = person
        return person

    def _fold(self, moments: list[Remembered], owners: dict[str, Owner], home: dict[bytes, Person]) -> None:
        for each in moments:
            owner = owners.get(each.event.message_id, ITSELF)
            person = self._owner(owner, each.anchor, home)
            before = moment_owner(each.kept.row)
            if owner != before:
                self._store.rewrite(each.kept, with_owner(each.kept.row, *owner))
                was = self._owner_before(before, each.anchor, home)
                if was != person.key:
                    self.reassigned.setdefault((was, person.key), []).append(each.event.message_id)
            fold(person, each.event, each.anchor, self._program, self._now)
        if self._store.denials.some:
            self._denials(home)
        for person in self.people.values():
            if person.consents:
                resolve_consents(person, home.get)

    def _denials(self, home: dict[bytes, Person]) -> None:
        """Count the denials of refused records for those who hold their identifiers, unless they have been accepted since."""
        messages: dict[str, Remembered] = {}
        for key, identifier in self._identifiers.items():
            for purpose, (time, message) in self._store.denials.of(key):
                identifier.anchor = True
                messages = messages or {each.event.message_id: each for each in self._moments}
                taken = messages.get(message)
                if taken is not None and repeats(taken.event, key in taken.identifiers, purpose, time):
                    continue
                if purpose in self._program.defaults:
                    withdraw(home[key], key, purpose, time, message)

    def _owner(self, owner: Owner, anchor: bytes, home: dict[bytes, Person]) -> Person:
        if owner[0] == NOBODY:
            return self._nobody(home[anchor], self._identifiers[anchor])
        return home[owner[1] if owner[0] == OWNED else anchor]

    def _owner_before(self, owner: Owner, anchor: bytes, home: dict[bytes, Person]) -> bytes:
        """The key of the person who would have an event by an owner that no longer is."""
        if owner[0] == NOBODY and self._has_persons(home[anchor]):
            return self._store.shared_key(self._identifiers[anchor])
        known = home.get(owner[1]) if owner[0] == OWNED else home[anchor]
        return owner[1] if known is None else known.key

    def _has_persons(self, person: Person) -> bool:
        return any(self._store.rules.person[each.namespace] for each in person.identifiers)

    def _nobody(self, holder: Person, device: Identifier) -> Person:
        if not self._has_persons(holder):
            return holder
        key = self._store.shared_key(device)
        return self.people.get(key) or self._person(key, [])


def versions(store: PeopleStore, people: Iterable[Person]) -> dict[bytes, int]:
    """By key of a link: the version of the rules under which it was made."""
    people = list(people)
    found = {key: link.rules for person in people for key, link in person.links.items()}
    for each in (each for person in people for each in person.identifiers if each.refused):
        found.update((link.a + link.b + (b"m" if link.manual else b""), link.rules) for link in store.refusals.of(each.hash))
    return found


def anchors_of(people: Iterable[Person]) -> set[bytes]:
    """Every identifier of these people: where their moments hang."""
    return {each.hash for person in people for each in person.identifiers}
