"""Visits: what an event does to the devices it carries, and whose it is; the short way, as in `stitcher`."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from contracts.model.batches import Event
from operators.people.manual import Manual
from operators.people.moments import Kept, Moments
from operators.people.store import Pair, PeopleStore
from operators.people.windows import Windows
from operators.records import NOBODY, OWNED, PERSONS, RUNS, SELF, Device, Identifier, Moment, Person, Run, empty_device
from operators.stitch.owners import ITSELF, NO_ONE, Owner, extend, owner_in_order

NONE_MOVED: Mapping[bytes, bytes] = {}


class Claim(NamedTuple):
    """Events of a device that belonged to nobody, and from now on to a person's identifier; ``other`` is who had them."""

    held: Identifier
    other: Person
    person: bytes
    moments: list[Kept]


class Owned(NamedTuple):
    """Whose an event is. ``claims``: what it takes from nobody, to be moved; ``opens``: it is the first anonymous one of its session."""

    owner: Owner
    claims: list[Claim]
    opens: bool


class Visits:
    """Keeps the sessions of devices while events come in order. None or False: the people concerned have to be rebuilt."""

    def __init__(self, store: PeopleStore, moments: Moments, manual: Manual) -> None:
        self._store = store
        self._moments = moments
        self._manual = manual
        self._rules = store.rules
        self._person = store.rules.person
        self.windows = Windows(store, moments)
        self.moved: Mapping[bytes, bytes] = NONE_MOVED
        """While people are being made: identifiers that will be somebody else's → whose."""

    def owner(self, event: Event, ends: list[Identifier], person: Person, anchor: Pair) -> Owned | None:
        """Bring the devices of the event up to date; returns who owns it (an identified event: its anchor, as `ITSELF`).

        ``ends``: its identifiers, ``person``: who holds the first of them."""
        hangs_on = ends[event.identifiers.index(anchor)]
        identified = self._person[anchor[0]]
        if identified:
            hangs_on.anchor = True
        owner, opens = ITSELF, False
        claims: list[Claim] = []
        for pair, held in zip(event.identifiers, ends, strict=True):
            if self._person[pair[0]]:
                continue
            at = (event.time_us, event.message_id)
            if identified:
                if not self._login(held, at, hangs_on.hash, person, claims):
                    return None
            else:
                mine = pair == anchor
                visit = self.visit(held, at, mine=mine)
                if visit is None:
                    return None
                if mine:
                    owner, opens = visit
                    note(held, event)
        return Owned(owner, claims, opens)

    def _cluster(self, identifier: bytes) -> bytes:
        return self.moved.get(identifier) or self._store.shard.alias.get(identifier) or identifier

    def _advance(self, held: Identifier, at: tuple[int, str]) -> Device | None:
        """The device with its latest session brought to the event; None if that is not where the event belongs."""
        time = at[0]
        device = held.device
        if device is None:
            device = held.device = empty_device(time)
        elif time > device.end + self._rules.gap:
            self.windows.ends(held)
            device.start = device.end = time
            device.runs = []
            device.cut = device.anonymous = False
        elif time > device.end:
            device.end = time
        elif time < device.start:
            self.windows.forget(held.hash)
            return None
        return device

    def _only(self, held: Identifier, at: tuple[int, str]) -> bytes | None:
        """The one person who owns everything on the device, if the event lies well before its latest session."""
        device = held.device
        if device is None or device.nobody or device.identified != 1 or at[0] >= device.start - self._rules.gap:
            return None
        if self._rules.is_shared(held):
            return None
        if device.login is None or device.login > min(at[0], held.first) + self._rules.backstitch:
            return None
        return next(iter(device.persons))

    def visit(self, held: Identifier, at: tuple[int, str], *, mine: bool) -> tuple[Owner, bool] | None:
        """An anonymous event on the device: whose it is, and whether it is the first such of its session. ``mine``: it hangs on it."""
        if not self._rules.by_session:
            held.device = held.device or empty_device(at[0])
            held.device.own = True
            return ITSELF, False
        device = self._advance(held, at)
        if device is None:
            person = self._only(held, at)
            return None if person is None else ((OWNED, person), False)
        owner = self._in_order(held, device, at)
        if owner is None:
            return None
        opens = mine and not device.anonymous
        if mine:
            device.anonymous = True
            device.own |= owner[0] == SELF
            device.nobody |= owner == NO_ONE
        return owner, opens

    def _in_order(self, held: Identifier, device: Device, at: tuple[int, str]) -> Owner | None:
        older = partial(self._store.identified.of, held.hash)
        return owner_in_order(device, at, self._rules, self._cluster, older, shared=self._rules.is_shared(held))

    def was_identified(self, held: Identifier, person: bytes) -> bool:
        """Whether a person was ever identified on a device."""
        device = held.device
        if device is None or person in device.persons:
            return device is not None
        return device.identified > len(device.persons) and self._store.identified.get(held.hash, person) is not None

    def turns_shared(self, held: Identifier, person: bytes) -> bool:
        """Whether a device becomes a shared one with this person."""
        limit = self._rules.shared_after[held.namespace]
        known = 0 if held.device is None else held.device.identified
        return limit is not None and known + 1 == limit and not self.was_identified(held, person)

    def _identify(self, held: Identifier, device: Device, person: bytes, at: tuple[int, str]) -> None:
        """Remember when a person was identified on a device; the one who was longest ago goes to a row of its own."""
        persons, rows = device.persons, self._store.identified
        known = persons.get(person)
        if known is None:
            known = rows.get(held.hash, person) if device.identified > len(persons) else None
            if known is not None:
                rows.delete(held.hash, person)
            else:
                device.identified += 1
        persons[person] = at if known is None else max(known, at)
        if len(persons) > PERSONS:
            oldest = min(persons, key=persons.__getitem__)
            rows.put(held.hash, oldest, persons.pop(oldest))

    def deciding(self, holder: Person) -> set[bytes]:
        """The persons who may own decisions that hang on two of somebody's devices, so that links between those matter to them."""
        devices = [each for each in holder.identifiers if each.device is not None and each.device.decided]
        devices.sort(key=lambda each: each.device.identified if each.device is not None else 0)
        found: set[bytes] = set()
        for each in devices[:-1]:
            assert each.device is not None, "decisions hang on devices that were seen"
            found.update(each.device.persons)
            if each.device.identified > len(each.device.persons):
                found.update(person for person, _ in self._store.identified.of(each.hash))
        return found

    def _login(self, held: Identifier, at: tuple[int, str], anchor: bytes, person: Person, claims: list[Claim]) -> bool:
        """An event that identifies a person on the device; what that takes from nobody is added to ``claims``."""
        if self._manual.rulings and self._manual.void(anchor, held.hash):
            return self._advance(held, at) is not None
        if self.turns_shared(held, anchor):
            return False
        if not self._rules.by_session:
            held.device = held.device or empty_device(at[0])
            self._identify(held, held.device, anchor, at)
            return True
        before = held.device.end if held.device is not None else None
        device = self._advance(held, at)
        if device is None:
            return self._login_before(held, at, anchor)
        if device.login is not None and at[0] <= device.login and self._claims_earlier(held, device, at[0], anchor):
            return False
        if not device.persons:
            if device.own and (held.first < at[0] - self._rules.backstitch or held not in person.identifiers):
                return False
        elif not device.runs and device.anonymous:
            owner = self._in_order(held, device, at)
            if owner != (OWNED, anchor):
                claim = self._claim(held, device, anchor) if owner == NO_ONE else None
                if claim is None:
                    return False
                claims.append(claim)
        if not self._extend(held, device, at, anchor, before):
            return False
        self._identify(held, device, anchor, at)
        device.login = at[0] if device.login is None else min(device.login, at[0])
        return True

    def _claims_earlier(self, held: Identifier, device: Device, time: int, person: bytes) -> bool:
        """Whether a login that may be the first takes what is nobody's, because that came too late, or what went to the one after it."""
        if device.nobody and device.login is not None and time < device.login:
            return True
        return held.first < device.start and (device.identified > 1 or person not in device.persons)

    def _claim(self, held: Identifier, device: Device, person: bytes) -> Claim | None:
        """The first login of a session takes the session's events from nobody; None if what was before them is not known."""
        store = self._store
        holder = store.slots[held.namespace, held.value][0]
        named = any(self._person[each.namespace] for each in holder.identifiers)
        other = store.person(store.shared_key(held)) if named else holder
        if other is None or len(other.identifiers) > 1 or other.aside is None or other.aside[0] != device.start:
            return None
        found = self._moments.between(held.hash, device.start, device.end)
        if found is None or any(kept.row[0] != NOBODY for kept in found):
            return None
        return Claim(held, other, person, found)

    def _extend(self, held: Identifier, device: Device, at: tuple[int, str], anchor: bytes, before: int | None) -> bool:
        """Put the identification into the runs of the latest session."""
        runs = device.runs
        if not runs:
            runs.append(Run(anchor, at, at))
        elif len(runs) == 1 and runs[0].person == anchor:
            runs[0].first, runs[0].last = min(runs[0].first, at), max(runs[0].last, at)
        elif runs[-1].person == anchor and at > runs[-1].last:
            runs[-1].last = at
        elif at[0] > (before if before is not None else at[0] - 1):
            extend(device, at, anchor)
        else:
            return self._slip_in(held, device, at, anchor)
        return True

    def _slip_in(self, held: Identifier, device: Device, at: Moment, person: bytes) -> bool:
        """Put a late identification between others of the latest session; False if it takes anonymous events from somebody."""
        runs = device.runs
        here = bisect_right(runs, at, key=lambda run: run.first)
        before, after = runs[here - 1] if here else None, runs[here] if here < len(runs) else None
        if before is not None and before.person != person and at < before.last:
            return False
        if device.anonymous and (before is None or before.person != person):
            first = at[0] if here or device.cut else device.start
            if self._moments.between(held.hash, first, after.first[0] if after is not None else device.end) != []:
                return False
        if before is not None and before.person == person:
            before.last = max(before.last, at)
        elif before is None and device.cut:
            return True
        elif after is not None and after.person == person:
            after.first = at
        else:
            runs.insert(here, Run(person, at, at))
            if len(runs) > RUNS:
                del runs[0]
                device.cut = True
        return True

    def _login_before(self, held: Identifier, at: Moment, person: bytes) -> bool:
        """An identification before the device's latest session: simple if it changes no anonymous event's owner."""
        device = held.device
        if device is None or device.login is None:
            return False
        mine = self._only(held, at) == person
        if not mine and (at[0] >= device.start - self._rules.gap or any(True for _ in self._moments.of([held.hash]))):
            return False
        self._identify(held, device, person, at)
        device.login = min(device.login, at[0])
        return True


def note(held: Identifier, event: Event) -> None:
    """Remember that a consent decision hangs on the device."""
    if event.consents and held.device is not None:
        held.device.decided = True
