"""The local way: an event's links decided in the clusters that they touch, and people made of the parts that they add up from.

It is taken where the short way does not say what an event's links do. What hangs on an identifier goes where that goes without being
read again; moments are read where a part is not in memory yet (`heads.py`), or where a stored event gets another owner.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from contracts.model.batches import Event
from operators.people import devices
from operators.people.devices import Given
from operators.people.heads import nobodys, owner_key
from operators.people.linking.linked import Linked
from operators.people.making import Making
from operators.people.region import Region
from operators.people.said import SaidLinks
from operators.people.visits import NONE_MOVED, note
from operators.people.work import Work
from operators.records import OWNED, Identifier, Person
from operators.stitch.owners import ITSELF, Owner


def repair(work: Work, event: Event, message: bytes, linked: Linked, changed: Iterable[Person]) -> bool:
    """Apply an event, of whose links some have been ``linked``: all, if visits do not say whose it is. ``changed``: of whom everything is
    to be evaluated anyway. False if that takes everybody whom evidence connects: to be rebuilt from their moments, whatever devices say."""
    if work.matcher is not None or not work.stitcher.union.plain:
        return False
    began = time.thread_time_ns()
    work.heads.trim()
    work.reading.begin(event.identifiers)
    said, store = SaidLinks(work, event, linked), work.store
    if said.turns_shared():
        return False
    people = {slot[0].key: slot[0] for slot in said.slots if slot is not None}
    decided = Region(store, work.manual, said.fresh, said.links, people.values()).decide()
    making = Making(work, decided)
    if store.denials.some and any(store.denials.any(key) for key in making.home):
        return False
    blank = [key for end in said.ends for key in _no_parts(end)]
    owner, given = _Owners(work, event, said.ends, making).found(in_order=linked.person is None)
    if store.denials.some and any(store.denials.any(each.hash) for each in making.concerned(given)):
        return False
    for key in blank:
        if key not in work.heads:
            work.heads.keep(key, None)
    deciding = _deciding(work, making, decided.people.values(), linked)
    reassigned = _give(work, making, given)
    said.write(decided, {each.hash: each for cluster in making.clusters() for each in cluster.identifiers})
    making.make()
    anchor = work.rules.anchor(event.identifiers)
    making.apply(event, said.ends[event.identifiers.index(anchor)], owner)
    for each in changed:
        making.also(each)
    making.also_if_decided([*deciding, *(cluster.kept for cluster in making.clusters() if cluster.kept is not None)])
    making.exchange()
    work.announcer.reassigned(reassigned)
    work.moments.keep(store.hash(anchor), event, message, owner)
    work.cost.count(decided.people.values(), work.rules, *work.reading.end(), (time.thread_time_ns() - began) // 1000)
    return True


def _no_parts(end: Identifier) -> Iterator[bytes]:
    """The keys of the parts to which nothing has been added yet."""
    device = end.device
    if not (end.anchor if device is None else device.own):
        yield end.hash
    if device is not None and not device.nobody:
        yield nobodys(end.hash)


def _deciding(work: Work, making: Making, was: Iterable[Person], linked: Linked) -> list[Person]:
    """Whose decisions may stand otherwise by the links of others: they hang on several of their devices."""
    people = [*was, *(Person(b"", cluster.identifiers, {}) for cluster in making.clusters())]
    found = set[bytes]().union(*map(work.stitcher.visits.deciding, people))
    holders = [work.store.holder(key) for key in sorted(found)]
    return [*linked.left, *(each for each in holders if each is not None)]


def _give(work: Work, making: Making, given: list[Given]) -> dict[tuple[bytes, bytes], list[str]]:
    """Give stored events to their new owners; what is to be told of it, in order of time."""
    told: dict[tuple[bytes, bytes], list[str]] = {}
    for kept, event, owner in sorted(given, key=lambda each: (each.event.time_us, each.event.message_id)):
        loses, gets = making.whose(kept.anchor, kept.owner), making.whose(kept.anchor, owner)
        if loses != gets:
            told.setdefault((loses, gets), []).append(event.message_id)
        making.dirty |= {owner_key(kept.anchor, each) for each in (kept.owner, owner)}
        work.give(kept, owner, event)
    return told


class _Owners:
    """Whose the event is, and which stored events get another owner."""

    def __init__(self, work: Work, event: Event, ends: list[Identifier], making: Making) -> None:
        self._work, self._event, self._ends, self._making = work, event, ends, making
        self._given: list[Given] = []
        self._looked: set[bytes] = set()
        """Devices of which all visits have been looked at."""

    def found(self, *, in_order: bool) -> tuple[Owner, list[Given]]:
        """The owner of the event, and the stored events that are given to others. ``in_order``: it may be in order on its devices."""
        work, making = self._work, self._making
        owner = (self._in_order() if in_order else None) or self._again()
        for cluster in making.clusters():
            for each in cluster.identifiers if cluster.kept is None else ():
                device = each.device
                if device is not None and device.own and device.identified and work.rules.by_session and each.hash not in self._looked:
                    # What came before the first login was left to the device, which had it anyway.
                    self._look(each)
        for held, holder in self._watching():
            self._given += devices.turned(work, held, holder, self._event, before=making.before, after=making.after)
        return owner, self._given

    def _in_order(self) -> Owner | None:
        """The owner of an event that comes in order; None if all visits of its devices have to be looked at."""
        work, event = self._work, self._event
        anchor, visits = work.rules.anchor(event.identifiers), work.stitcher.visits
        person = Person(b"", self._making.home[self._ends[0].hash].identifiers, {})
        if not work.rules.person[anchor[0]]:
            # Who logs in takes what is stored by the clusters as they were; whose this one is, those say that are now.
            visits.moved = {key: cluster.key for key, cluster in self._making.home.items()}
        owned = visits.owner(event, self._ends, person, anchor)
        visits.moved = NONE_MOVED
        if owned is None:
            return None
        for claim in owned.claims:
            self._given += [Given(kept, work.reread(kept), (OWNED, claim.person)) for kept in claim.moments]
        return owned.owner

    def _again(self) -> Owner:
        owner = ITSELF
        for end in self._ends:
            if not self._work.rules.person[end.namespace]:
                owner = self._look(end) or owner
        note(self._ends[self._event.identifiers.index(self._work.rules.anchor(self._event.identifiers))], self._event)
        return owner

    def _look(self, device: Identifier) -> Owner | None:
        making = self._making
        found = devices.again(self._work, device, making.was.get(device.hash), self._event, making.after)
        self._given += found.given
        self._looked.add(device.hash)
        return found.owner

    def _watching(self) -> Iterator[tuple[Identifier, Person]]:
        """The devices on which somebody was identified who is with other persons now."""
        store, found = self._work.store, set(self._looked)
        for each in self._moved():
            person = self._making.was[each.hash]
            for end in store.seen_with(each, person.links.values()):
                if end in found:
                    continue
                found.add(end)
                holder, held = store.linked(end)
                if held.device is not None:
                    yield held, holder

    def _moved(self) -> list[Identifier]:
        """The persons on whom events hang and who are not any more, or not only, with whom they were."""
        was, person = self._making.was, self._work.rules.person
        parts: dict[tuple[int, bytes], list[Identifier]] = {}
        for cluster in self._making.clusters():
            for each in cluster.identifiers if cluster.kept is None else ():
                if each.anchor and person[each.namespace] and each.hash in was:
                    parts.setdefault((id(cluster), was[each.hash].key), []).append(each)
        stays: set[int | bytes] = set()
        moved: list[Identifier] = []
        for ends, part in sorted(parts.items(), key=lambda one: -len(one[1])):
            if stays.intersection(ends):
                moved += part
            stays.update(ends)
        return moved
