"""The long way: people made anew of everything that was collected about them.

Used where an event takes something away or comes out of order in a way that matters: a refused link, an event that
changes its owner, a repeat with an earlier time, a manual entry. What it yields equals what the short way yields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

from operators import consent
from operators.moment_row import moment_owner
from operators.people.collected import Collected, Remembered
from operators.people.work import Work
from operators.profile import fold
from operators.records import ALONE, NOBODY, OWNED, PERSONS, SEVERAL, Identifier, Link, Moment, Person, Record
from operators.stitch.clusters import lead, order
from operators.stitch.owners import ITSELF, Owner, Visit, attribute, forget_older


class Group(NamedTuple):
    """Records of one person, by lead; with probabilistic rules, the links between them, their rows, and the person's confidence."""

    leads: list[bytes]
    links: dict[bytes, Link] = {}  # noqa: RUF012 - never changed
    records: dict[bytes, Record] = {}  # noqa: RUF012 - never changed
    confidence: float = 1.0


class Rebuilt:
    """The people of a component as their evidence makes them, keyed by profile key."""

    def __init__(self, work: Work, collected: Collected) -> None:
        self._work = work
        self._store = work.store
        self._rules = work.rules
        self._program = work.program
        self._collected = collected
        self._identifiers = collected.identifiers
        self.people: dict[bytes, Person] = {}
        self.refused: list[Link] = []
        """The links that do not stand."""
        self.older: dict[bytes, dict[bytes, Moment]] = {}
        """By device: who was identified on it beside those who stand in its own row."""
        self.reassigned: dict[tuple[bytes, bytes], list[str]] = {}
        """Ids of messages whose owner has changed, by the keys of (who would have them by the owner before, who has them now)."""

    def build(self, groups: Iterable[Group]) -> dict[bytes, Person]:
        """Make the people of what was collected; owners are corrected in the moments."""
        home = self._people(groups)
        self._refusals()
        owners = self._devices(home)
        for device in self.older:
            self._work.stitcher.visits.windows.forget(device)
        self._fold(owners, home)
        return self.people

    def settle(self, old: Iterable[Person]) -> None:
        """Bring the rows of links that do not stand, and of who was identified on devices, to what was built; ``old``: who was before."""
        before = [each for person in old for each in person.identifiers]
        self._store.refusals.replace([each.hash for each in before if each.refused], self.refused)
        long = {each.hash for each in before if each.device is not None and each.device.identified > PERSONS}
        for device in long.union(device for device, persons in self.older.items() if persons):
            self._store.identified.replace(device, self.older.get(device, {}))

    @cached_property
    def _linked(self) -> dict[bytes, list[Link]]:
        found: dict[bytes, list[Link]] = defaultdict(list)
        for link in self._collected.links.values():
            found[link.a].append(link)
            found[link.b].append(link)
        return found

    def _devices(self, home: dict[bytes, Person]) -> dict[str, Owner]:
        """Bring devices to where their last visits leave them; returns the owners of anonymous events by message id."""
        collected = self._collected
        visits: dict[bytes, list[Visit]] = defaultdict(list)
        for each, device in collected.on_devices():
            at = (each.event.time_us, each.event.message_id)
            visits[device].append(Visit(at, collected.identified(each, device), each.anchor == device))
        owners: dict[str, Owner] = {}
        for device, seen in visits.items():
            theirs, state = attribute(seen, self._rules, lambda person: home[person].key, shared=device in collected.shared)
            owners.update(theirs)
            self._identifiers[device].device = state
            self.older[device] = forget_older(state)
        for each in collected.moments:
            held = self._identifiers[each.anchor].device
            if held is not None and each.event.consents:
                held.decided = True
            self._identifiers[each.anchor].anchor = self._rules.person[self._identifiers[each.anchor].namespace]
        return owners

    def _refusals(self) -> None:
        """What each identifier has to know of the links that do not stand."""
        identifiers, shared, most = self._identifiers, self._collected.shared, self._rules.most
        stand = {id(link) for link in self._collected.standing}
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
        if self._work.manual.of(key):
            return False
        first = min(self._linked[key], key=lambda link: order(link, self._identifiers, self._rules))
        return id(first) in stand

    def _rivals(self, key: bytes) -> int:
        """The one namespace of all that is linked to an identifier."""
        links = self._linked.get(key, ())
        if len(links) == 1:
            return self._identifiers[links[0].other(key)].namespace
        ends = {link.other(key) for link in links}
        spaces = {self._identifiers[end].namespace for end in ends}
        return (spaces.pop() if len(spaces) == 1 else SEVERAL) if spaces else ALONE

    def _people(self, groups: Iterable[Group]) -> dict[bytes, Person]:
        """Make the people, with their links; returns identifier → person."""
        home: dict[bytes, Person] = {}
        for group in groups:
            parts = [each for key in group.leads for each in self._collected.parts[key]]
            identifiers = sorted(parts, key=lambda each: (each.namespace, each.value)) if len(group.leads) > 1 else parts
            person = self._person(lead(identifiers).hash, identifiers)
            for key, link in group.links.items():
                link.rules = self._collected.made.get(key, link.rules)
                person.links[key] = link
            person.records, person.confidence = group.records, group.confidence
            home.update((each.hash, person) for each in identifiers)
        stand = {id(link) for link in self._collected.standing}
        for key, link in self._collected.links.items():
            if id(link) in stand:
                home[link.a].links[key] = link
            else:
                self.refused.append(link)
        return home

    def _person(self, key: bytes, identifiers: list[Identifier]) -> Person:
        person = Person(key, identifiers, {})
        self.people[key] = person
        return person

    def _fold(self, owners: dict[str, Owner], home: dict[bytes, Person]) -> None:
        now = self._work.clock.now
        for each in self._collected.moments:
            owner = owners.get(each.event.message_id, ITSELF)
            person = self._owner(owner, each.anchor, home)
            before = moment_owner(each.kept.row)
            if owner != before:
                self._work.give(each.kept, owner, each.event)
                was = self._owner_before(before, each.anchor, home)
                if was != person.key:
                    self.reassigned.setdefault((was, person.key), []).append(each.event.message_id)
            fold(person, each.event, each.anchor, self._program, now)
        if self._store.denials.some:
            self._denials(home)
        for person in self.people.values():
            if person.consents:
                consent.resolve(person, home.get)

    def _denials(self, home: dict[bytes, Person]) -> None:
        """Count the denials of refused records for those who hold their identifiers, unless they have been accepted since."""
        messages: dict[str, Remembered] = {}
        for key, identifier in self._identifiers.items():
            for purpose, (time, message) in self._store.denials.of(key):
                identifier.anchor = True
                messages = messages or {each.event.message_id: each for each in self._collected.moments}
                taken = messages.get(message)
                if taken is not None and consent.repeats(taken.event, key in taken.identifiers, purpose, time):
                    continue
                if purpose in self._program.defaults:
                    consent.withdraw(home[key], key, purpose, time, message)

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
        return any(self._rules.person[each.namespace] for each in person.identifiers)

    def _nobody(self, holder: Person, device: Identifier) -> Person:
        if not self._has_persons(holder):
            return holder
        key = self._store.shared_key(device)
        return self.people.get(key) or self._person(key, [])
