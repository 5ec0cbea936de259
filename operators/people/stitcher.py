"""The short way: one event's evidence, applied to the people it concerns without looking at their moments.

Every method answers None (or False) when the event is not one of the simple cases; the caller then rebuilds the
people concerned. What has been changed by then does no harm, since a rebuild starts from the moments.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

from contracts.events import Event
from operators.people.manual import Manual
from operators.people.rebuild import empty_device
from operators.people.store import Pair, PeopleStore, Slot
from operators.records import OWNED, SELF, Device, Identifier, Link, Person, Record, Run
from operators.segments.compile import Program
from operators.stitch.clusters import lead
from operators.stitch.owners import ITSELF, NO_ONE, Owner, owner_in_order

_last = attrgetter("last")


class Stitcher:
    """Finds, makes and joins the people of an event; `absorb` is called for each person that joins another."""

    def __init__(self, store: PeopleStore, manual: Manual, program: Program) -> None:
        self._store = store
        self._manual = manual
        self._program = program
        rules = store.rules
        self._person = rules.person
        self._rules = rules
        self._shares = any(rules.shared_after)
        self.created: list[Person] = []
        self.joined: list[tuple[Person, Person]] = []
        """(who stays, who vanishes) of this event, for the caller to announce and to join."""
        self.parted: list[tuple[Person, Person]] = []
        """(whose identifier it was, who is created of it) of this event, for the caller to announce."""
        self.relinked = False
        """Whether a link is new or first seen earlier than known, so that consents may stand otherwise."""
        self.relinks = False
        """Whether the event last linked has changed who holds which identifier."""
        self.gone: dict[bytes, Record] = {}
        """The records of people who have joined others by identifiers, by lead, for the caller to forget."""

    def anchor(self, pairs: tuple[Pair, ...]) -> Pair:
        """The identifier that an event hangs on: its first person identifier, else its first device."""
        person = self._person
        for pair in pairs:
            if person[pair[0]]:
                return pair
        return pairs[0]

    def known(self, event: Event) -> tuple[Person, bytes, Owner] | None:
        """The person, the anchor and the owner of an event that says nothing new: of one device, or by one person's identifier,
        alone or with a device on which that person has been alone since its session began, in order. The shortest way."""
        pairs = event.identifiers
        count = len(pairs)
        slots = self._store.slots
        first = slots.get(pairs[0]) or self._store.slot(pairs[0])
        if first is None or count > 2:
            return None
        person, identifier = first
        time, anchor = event.time_us, identifier.hash
        if not self._person[pairs[0][0]]:
            if count == 2 or time < identifier.first:
                return None
            owner = self._visit(identifier, (time, event.message_id), mine=True)
            if owner is None:
                return None
            identifier.last = max(identifier.last, time)
            self._note(identifier, event)
            return person, anchor, owner
        if count == 2:
            second = slots.get(pairs[1])
            if second is None or second[0] is not person or self._person[pairs[1][0]] or self._manual.rulings or not self._rules.by_session:
                return None
            held = second[1]
            device, link = held.device, person.links.get(anchor + held.hash)
            if link is None or device is None or time <= device.end or time < link.last or time < held.last or anchor not in device.persons:
                return None
            at = (time, event.message_id)
            runs = device.runs
            if time - device.end > self._rules.gap:
                device.start = time
                device.runs = [Run(anchor, at, at)]
                device.anonymous = False
            elif len(runs) == 1 and runs[0].person == anchor:
                runs[0].last = at
            else:
                return None
            device.end = link.last = held.last = time
            link.count += 1
            device.persons[anchor] = at
        if time > identifier.last:
            identifier.last = time
        elif time < identifier.first:
            return None
        return person, anchor, ITSELF

    def link(self, event: Event, slots: list[Slot | None]) -> Person | None:
        """Apply the event's identifiers and links; returns the person of the first identifier."""
        time = event.time_us
        first = slots[0]
        self.relinks = False
        if first is not None:
            person = first[0]
            known = True
            for slot in slots[1:]:
                if slot is None or slot[0] is not person or first[1].hash + slot[1].hash not in person.links:
                    known = False
                    break
            if known:
                return self._seen_again(person, first, slots, event)
        self.relinks = True
        if any(slot is not None and len(slot[0].records) > 1 for slot in slots):
            return None
        return self._handed_over(event, slots, time) or self._grow(event, slots, time) or self._take_in(event, slots, time)

    def _handed_over(self, event: Event, slots: list[Slot | None], time: int) -> Person | None:
        """A device passes to the person who logs in on it, as one that is shared does all day.

        The link is the newest of the device's, so it stands (`conflict: newest`); all others that the device has are to
        other values of the same unique namespace, so none of them can. A device is no bridge to anything else and counts
        towards no limit but that of the cluster, so nothing else moves, unless its place there is wanted.
        """
        rules, second = self._rules, slots[1] if len(slots) == 2 else None
        if second is None or not rules.newest or self._shares or not rules.by_session or self._manual.of(second[1].hash):
            return None
        (space, _), (device_space, _) = event.identifiers
        holder, held = second
        device, first = held.device, slots[0]
        if device is None or device.rivals != space or device.own or device.decided or time <= device.end:
            return None
        if rules.most[space] != 1 or not self._person[space] or rules.most[device_space] is not None:
            return None
        if first is not None and first[0] is holder:
            return None
        mine = [key for key in holder.links if held.hash in (key[:16], key[16:32])]
        theirs = [key for key, link in holder.refused.items() if held.hash in (link.a, link.b)]
        if len(mine) != 1 or rules.identifiers_max < 2 or any(holder.refused[key].manual or holder.refused[key].void for key in theirs):
            return None
        if len(theirs) < len(holder.refused) and self._makes_room(holder, held):
            return None
        return self._hand_over(event, second, first, [*mine, *theirs])

    def _makes_room(self, holder: Person, held: Identifier) -> bool:
        """Whether a link that was refused for the size of the cluster may stand when this device has left it."""
        room = self._rules.identifiers_max - len(holder.identifiers)
        own = {each.hash for each in holder.identifiers}
        for link in holder.refused.values():
            if held.hash not in (link.a, link.b):
                other = self._store.holder(link.b if link.a in own else link.a)
                if other is None or other is holder or len(other.identifiers) > room:
                    return True
        return False

    def _hand_over(self, event: Event, second: Slot, first: Slot | None, keys: list[bytes]) -> Person | None:
        """``second``: who has the device, and the device; ``first``: who gets it, if known; ``keys``: its links, the standing one first."""
        store, time = self._store, event.time_us
        holder, held = second
        key = store.hash(event.identifiers[0])
        if first is not None:
            person, identifier = first
            degree = sum(key in (link.a, link.b) for links in (person.links, person.refused) for link in links.values())
            if len(person.identifiers) >= self._rules.identifiers_max or degree >= self._rules.links_max or time < identifier.first:
                return None
            identifier.last = max(identifier.last, time)
        else:
            newcomer = [Identifier(*event.identifiers[0], key, time, time)]
            person = self._united([], newcomer, newcomer)
        lost = holder.links.pop(keys[0])
        holder.identifiers.remove(held)
        for each in keys[1:]:
            person.refused[each] = holder.refused.pop(each)
        holder.refused[keys[0]] = person.refused[keys[0]] = lost
        again = key + held.hash
        link = person.refused.pop(again, None)
        if link is None:
            link = self._link(key, held.hash, event)
        else:
            link.again(time, event.message_id)
        held.last = time
        person.links[again] = link
        store.adopt(person, held, of=holder.key)
        store.dirty[holder.key] = holder
        return person

    def _take_in(self, event: Event, slots: list[Slot | None], time: int) -> Person | None:
        """A device seen for the first time comes to somebody who has refused links, or as many identifiers as may be.

        It makes the cluster larger, so what was refused stays refused. If there is no room, the last accepted link gives way:
        where that is a device's only link, the cluster is as large as before, and nothing else moves.
        """
        rules, first = self._rules, slots[0]
        if len(slots) != 2 or first is None or slots[1] is not None or not rules.by_session or self._shares:
            return None
        key = self._store.hash(event.identifiers[1])
        person, held = first
        space = event.identifiers[1][0]
        if not self._person[held.namespace] or self._person[space] or time < held.first or self._manual.of(key):
            return None
        most = rules.most[space]
        full = len(person.identifiers) >= rules.identifiers_max
        if most is not None and not full:
            full = sum(each.namespace == space for each in person.identifiers) >= most
        mine = [link for link in person.links.values() if held.hash in (link.a, link.b) and not link.manual]
        if full or len(mine) >= rules.links_max:
            last = self._gives_way(person, held, mine, time) if rules.newest and mine else None
            if last is not None and last.namespace != space:
                return None
            if last is None:
                return None
            self._part(person, last)
        elif len(person.links) + len(person.refused) >= rules.links_max:
            return None
        fresh = Identifier(*event.identifiers[1], key, time, time, empty_device(time, held.namespace))
        self._store.adopt(person, fresh)
        held.last = max(held.last, time)
        person.links[held.hash + fresh.hash] = self._link(held.hash, fresh.hash, event)
        return person

    def _gives_way(self, person: Person, held: Identifier, mine: list[Link], time: int) -> Identifier | None:
        """The device of the oldest of ``mine``, the links of ``held``, if that is the last of all in the order of acceptance and
        the device has no other link and no events of its own."""
        oldest = min(mine, key=_last)
        if oldest.a != held.hash or oldest.last >= time:
            return None
        spaces = {each.hash: each.namespace for each in person.identifiers}
        leaf = next(each for each in person.identifiers if each.hash == oldest.b)
        device, space = leaf.device, leaf.namespace
        if device is None or device.own or device.nobody or device.decided or space < max(spaces.values()):
            return None
        if device.rivals != held.namespace or device.persons.keys() != {held.hash} or self._manual.of(leaf.hash):
            return None
        for link in person.links.values():
            if oldest.b in (link.a, link.b):
                if link is not oldest:
                    return None
            elif link.last <= oldest.last and not link.manual and max(spaces[link.a], spaces[link.b]) == space:
                return None
        return leaf

    def _part(self, person: Person, leaf: Identifier) -> None:
        """A device leaves its person; the link between them is refused from now on."""
        store = self._store
        key = next(key for key in person.links if leaf.hash in (key[:16], key[16:32]))
        link = person.links.pop(key)
        person.identifiers.remove(leaf)
        person.refused[key] = link
        alone = Person(leaf.hash, [leaf], {}, {key: link}, version=store.version(leaf.hash), cells=[None] * len(self._program.cells))
        store.add(alone)
        self.created.append(alone)
        self.parted.append((person, alone))

    def _link(self, a: bytes, b: bytes, event: Event) -> Link:
        """The link that an event makes by the rules in force."""
        time = event.time_us
        return Link(a, b, manual=False, first=time, last=time, message=event.message_id, rules=self._rules.version)

    def _seen_again(self, person: Person, first: Slot, slots: list[Slot | None], event: Event) -> Person | None:
        time = event.time_us
        for slot in slots:
            identifier = slot[1]  # type: ignore[index]  # all are known here
            if time > identifier.last:
                identifier.last = time
            elif time < identifier.first:
                identifier.first = time
                if len(person.records) > 1 or lead(person.identifiers).hash != person.key:
                    return None
        key = first[1].hash
        links = person.links
        for slot in slots[1:]:
            link = links[key + slot[1].hash]  # type: ignore[index]
            self.relinked |= time < link.first
            link.again(time, event.message_id)
        return person

    def _grow(self, event: Event, slots: list[Slot | None], time: int) -> Person | None:
        """New identifiers, new links, people that join."""
        people = list({slot[0].key: slot[0] for slot in slots if slot is not None}.values())
        if any(person.refused for person in people) or (self._shares and len(slots) > 1):
            return None
        store = self._store
        fresh = [
            Identifier(pair[0], pair[1], store.hash(pair), time, time)
            for pair, slot in zip(event.identifiers, slots, strict=True)
            if slot is None
        ]
        everyone = [each for person in people for each in person.identifiers] + fresh
        strangers = not people and len({each.namespace for each in fresh}) == len(fresh) <= self._rules.identifiers_max
        if not strangers and not self._fits(people, everyone):
            return None
        keys = [slot[1].hash if slot is not None else store.hash(pair) for pair, slot in zip(event.identifiers, slots, strict=True)]
        links = keys[1:]
        if self._manual.rulings and any(self._manual.void(keys[0], other) for other in links):
            return None
        if not self._few_links(people, len(everyone), keys[0], links):
            return None
        for slot in slots:
            if slot is not None:
                slot[1].first = min(slot[1].first, time)
                slot[1].last = max(slot[1].last, time)
        person = self._united(people, fresh, everyone)
        self.relinked = True
        for other in links:
            known = person.links.get(keys[0] + other)
            if known is None:
                person.links[keys[0] + other] = self._link(keys[0], other, event)
            else:
                known.again(time, event.message_id)
        return person

    def _fits(self, people: list[Person], everyone: list[Identifier]) -> bool:
        rules = self._rules
        if len(everyone) > rules.identifiers_max:
            return False
        for space, number in Counter(each.namespace for each in everyone).items():
            most = rules.most[space]
            if most is not None and number > most:
                return False
        joins = len(people) > 1 or len(everyone) > sum(len(person.identifiers) for person in people)
        return not (joins and any(each.device is not None and each.device.nobody for each in everyone))

    def _few_links(self, people: list[Person], size: int, first: bytes, others: list[bytes]) -> bool:
        """Whether no identifier of a cluster of this size can pass ``limits.links``: it has one link at most to each other."""
        most = self._rules.links_max
        if size - 1 <= most or sum(len(person.links) for person in people) + len(others) <= most:
            return True
        degree: Counter[bytes] = Counter()
        for person in people:
            for link in person.links.values():
                if not link.manual:
                    degree[link.a] += 1
                    degree[link.b] += 1
        fresh = [other for other in others if not any(first + other in person.links for person in people)]
        return degree[first] + len(fresh) <= most and all(degree[other] + 1 <= most for other in fresh)

    def _united(self, people: list[Person], fresh: list[Identifier], everyone: list[Identifier]) -> Person:
        store = self._store
        key = lead(everyone).hash
        person = next((each for each in people if each.key == key), None)
        if person is None:
            person = Person(key, [], {}, {}, version=store.version(key), cells=[None] * len(self._program.cells))
            store.add(person)
            self.created.append(person)
        for each in fresh:
            store.adopt(person, each)
        for other in people:
            if other is not person:
                self.joined.append((person, other))
                for each in other.identifiers:
                    store.adopt(person, each, of=other.key)
                person.links.update(other.links)
                self.gone.update(other.records)
        return person

    def unite(self, people: list[Person]) -> Person:
        """Make one person of several whom probabilistic links join."""
        gone = dict(self.gone)
        person = self._united(people, [], [each for one in people for each in one.identifiers])
        self.gone = gone
        person.records = {key: row for one in people for key, row in one.records.items()}
        return person

    def owner(self, event: Event, slots: list[Slot | None], person: Person) -> Owner | None:
        """Bring the devices of the event up to date; returns who owns it (an identified event: its anchor, as `ITSELF`)."""
        pairs = event.identifiers
        anchor = self.anchor(pairs)
        identified = self._person[anchor[0]]
        owner: Owner | None = ITSELF
        for pair, slot in zip(pairs, slots, strict=True):
            if self._person[pair[0]]:
                continue
            held = slot[1] if slot is not None else next(each for each in person.identifiers if (each.namespace, each.value) == pair)
            at = (event.time_us, event.message_id)
            if identified:
                if not self._login(held, at, self._store.hash(anchor), person):
                    return None
            else:
                mine = pair == anchor
                found = self._visit(held, at, mine=mine)
                if found is None:
                    return None
                if mine:
                    owner = found
                    self._note(held, event)
        return owner

    def _note(self, held: Identifier, event: Event) -> None:
        """Remember that a consent decision hangs on the device."""
        if event.consents and held.device is not None:
            held.device.decided = True

    def _cluster(self, identifier: bytes) -> bytes:
        return self._store.shard.alias.get(identifier) or identifier

    def _advance(self, held: Identifier, at: tuple[int, str]) -> Device | None:
        """The device with its latest session brought to the event; None if that is not where the event belongs."""
        time = at[0]
        device = held.device
        if device is None:
            device = held.device = empty_device(time)
        elif time > device.end + self._rules.gap:
            device.start = device.end = time
            device.runs = []
            device.anonymous = False
        elif time > device.end:
            device.end = time
        elif time < device.start:
            return None
        return device

    def _only(self, held: Identifier, at: tuple[int, str]) -> bytes | None:
        """The one person who owns everything on the device, if the event lies well before its latest session."""
        device = held.device
        if device is None or device.nobody or len(device.persons) != 1 or at[0] >= device.start - self._rules.gap:
            return None
        if device.login is None or device.login > min(at[0], held.first) + self._rules.backstitch:
            return None
        return next(iter(device.persons))

    def _visit(self, held: Identifier, at: tuple[int, str], *, mine: bool) -> Owner | None:
        """An anonymous event on the device."""
        if not self._rules.by_session:
            held.device = held.device or empty_device(at[0])
            held.device.own = True
            return ITSELF
        device = self._advance(held, at)
        if device is None:
            person = self._only(held, at)
            return None if person is None else (OWNED, person)
        limit = self._rules.shared_after[held.namespace]
        owner = owner_in_order(device, at, self._rules, self._cluster, shared=limit is not None and len(device.persons) >= limit)
        if mine:
            device.anonymous = True
            device.own |= owner[0] == SELF
            device.nobody |= owner == NO_ONE
        return owner

    def _login(self, held: Identifier, at: tuple[int, str], anchor: bytes, person: Person) -> bool:
        """An event that identifies a person on the device."""
        if self._manual.rulings and self._manual.void(anchor, held.hash):
            return self._advance(held, at) is not None
        if not self._rules.by_session:
            held.device = held.device or empty_device(at[0])
            return True
        before = held.device.end if held.device is not None else None
        device = self._advance(held, at)
        if device is None:
            if self._only(held, at) != anchor or held.device is None or held.device.login is None:
                return False
            device = held.device
            device.login = min(device.login or at[0], at[0])
            device.persons[anchor] = max(device.persons[anchor], at)
            return True
        if device.nobody and device.login is not None and at[0] < device.login:
            # What was nobody's, because the first login came too late, can be claimed by an earlier one.
            return False
        limit = self._rules.shared_after[held.namespace]
        if limit is not None and anchor not in device.persons:
            return False
        shared = limit is not None and len(device.persons) >= limit
        if not device.persons:
            if device.own and (held.first < at[0] - self._rules.backstitch or held not in person.identifiers):
                return False
        elif (
            not device.runs
            and device.anonymous
            and owner_in_order(device, at, self._rules, self._cluster, shared=shared) != (OWNED, anchor)
        ):
            return False
        if not self._extend(device, at, anchor, before):
            return False
        device.persons[anchor] = max(device.persons.get(anchor, at), at)
        device.login = at[0] if device.login is None else min(device.login, at[0])
        return True

    def _extend(self, device: Device, at: tuple[int, str], anchor: bytes, before: int | None) -> bool:
        """Put the identification into the runs of the latest session."""
        runs = device.runs
        if not runs:
            runs.append(Run(anchor, at, at))
        elif len(runs) == 1 and runs[0].person == anchor:
            runs[0].first, runs[0].last = min(runs[0].first, at), max(runs[0].last, at)
        elif runs[-1].person == anchor and at > runs[-1].last:
            runs[-1].last = at
        elif at[0] > (before if before is not None else at[0] - 1):
            runs.append(Run(anchor, at, at))
        else:
            return False
        return True
