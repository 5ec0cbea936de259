"""The short way: one event's evidence, applied to the people it concerns without looking at their moments.

Every method answers None (or False) when the event is not one of the simple cases; the caller then rebuilds the
people concerned. What has been changed by then does no harm, since a rebuild starts from the moments.
"""

from __future__ import annotations

from collections import Counter
from operator import attrgetter

from contracts.model.batches import Event
from operators.people.manual import Manual
from operators.people.rebuild import empty_device
from operators.people.store import Pair, PeopleStore, Slot
from operators.people.visits import Visits
from operators.records import ALONE, SEVERAL, Identifier, Link, Person, Record, Run
from operators.segments.compile import Program
from operators.stitch.clusters import lead
from operators.stitch.owners import ITSELF, Owner

Pairs = tuple[Pair, ...]
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
        self.visits = Visits(store, manual)
        self._plain = self._person == tuple(sorted(self._person, reverse=True))
        """Whether all persons' namespaces come before the devices', so that who is identified on a device is linked to it."""
        self.created: list[Person] = []
        self.joined: list[tuple[Person, Person]] = []
        """(who stays, who vanishes) of this event, for the caller to announce and to join."""
        self.parted: list[tuple[Person, Person]] = []
        """(whose identifier it was, who is created of it) of this event, for the caller to announce."""
        self.relinked = False
        """Whether a link is new or first seen earlier than known, so that consents may stand otherwise."""
        self.left: list[Person] = []
        """Whom an identifier has left on which decisions hang."""
        self.relinks = False
        """Whether the event last linked has changed who holds which identifier."""
        self.gone: dict[bytes, Record] = {}
        """The records of people who have joined others by identifiers, by lead, for the caller to forget."""

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
            owner = self.visits.visit(identifier, (time, event.message_id), mine=True)
            if owner is None:
                return None
            identifier.last = max(identifier.last, time)
            self.visits.note(identifier, event)
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
                device.cut = device.anonymous = False
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
        identifier.anchor = True
        return person, anchor, ITSELF

    def link(self, event: Event, slots: list[Slot | None]) -> Person | None:
        """Apply the event's identifiers and links; returns the person of the first identifier."""
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
        return self._grow(event, event.identifiers, slots) or self._one_by_one(event)

    def _one_by_one(self, event: Event) -> Person | None:
        """The links of an event, each as if it came alone: people are what their links make them, so the order does not matter."""
        pairs, person = event.identifiers, None
        for pair in pairs[1:]:
            two = (pairs[0], pair)
            slots = [self._store.slot(each) for each in two]
            first, second = slots
            if first is not None and second is not None and first[0] is second[0] and first[1].hash + second[1].hash in first[0].links:
                person = self._seen_again(first[0], first, slots, event)
            else:
                person = (
                    self._grow(event, two, slots)
                    or self._stays_out(event, two, slots)
                    or self._handed_over(event, two, slots)
                    or self._take_in(event, two, slots)
                )
            if person is None:
                return None
        return person

    def _link(self, a: bytes, b: bytes, event: Event) -> Link:
        """The link that an event makes by the rules in force."""
        time = event.time_us
        return Link(a, b, manual=False, first=time, last=time, message=event.message_id, rules=self._rules.version)

    def _stays_out(self, event: Event, pairs: Pairs, slots: list[Slot | None]) -> Person | None:
        """A link between two people that cannot stand: it touches nothing but the limit of links.

        It was refused before and keeps its place in the order; or it comes after all links of both, who cannot be one. Or whatever
        else is true: its device is shared; both ends are values of one unique namespace; its lower end was seen with values of one
        unique namespace only, and belongs to another of them by a link that comes before this one.
        """
        store, time, second = self._store, event.time_us, slots[1]
        if second is None or time < second[1].first or self.visits.anchor(event.identifiers) != pairs[0]:
            return None
        (space, _), (holder, held), first = pairs[0], second, slots[0]
        key = store.hash(pairs[0])
        if (first is not None and (first[0] is holder or time < first[1].first)) or self._manual.of(held.hash):
            return None
        link = store.refusals.get(key, held.hash) if first is not None and first[1].refused else None
        identifier = first[1] if first is not None else Identifier(*pairs[0], key, time, time)
        stays = link is not None and (time <= link.last if self._rules.newest else time >= link.first)
        loose = not stays and not self._out(event, space, second, link)
        if loose and not (link is None and self._comes_last(time, first[0] if first is not None else None, identifier, second)):
            return None
        most = self._rules.links_max - (link is None)
        if (link is None and self._unpins(identifier, held)) or (not stays and first is not None and self._degree(*first) > most):
            return None
        if not stays and (loose or space == held.namespace) and self._degree(holder, held) > most:
            return None
        person = first[0] if first is not None else self._united([], [identifier], [identifier])
        if link is None:
            link = self._link(key, held.hash, event)
            for end in (identifier, held):
                end.refused += 1
                end.loose += loose
            meet(identifier, held)
        else:
            link.again(time, event.message_id)
        store.refusals.put(link)
        identifier.last = max(identifier.last, time)
        held.last = max(held.last, time)
        store.dirty[holder.key] = holder
        return person

    def _comes_last(self, time: int, person: Person | None, identifier: Identifier, second: Slot) -> bool:
        """Whether a new link comes after all that stand in two clusters, which cannot be one."""
        holder, held = second
        people = [holder] if person is None else [person, holder]
        everyone = [identifier] if person is None else []
        everyone += [each for one in people for each in one.identifiers]
        if self._fits(everyone):
            return False
        spaces = {each.hash: each.namespace for each in everyone}
        lower = max(identifier.namespace, held.namespace)
        links = [link for one in people for link in one.links.values() if not link.manual]
        if self._rules.newest:
            return all((max(spaces[link.a], spaces[link.b]), -link.last) < (lower, -time) for link in links)
        return all((link.first, max(spaces[link.a], spaces[link.b])) < (time, lower) for link in links)

    def _out(self, event: Event, space: int, second: Slot, link: Link | None) -> bool:
        """Whether a link from this namespace to an identifier of somebody else is refused by what no other link can change."""
        holder, held = second
        limit = self._rules.shared_after[held.namespace]
        if limit is not None and held.device is not None and held.device.identified >= limit:
            return True
        if self._rules.most[space] != 1:
            return False
        if space == held.namespace:
            return not self._manual.rulings
        if held.rivals != space or held.loose or not self._person[space]:
            return False
        mine = _links_of(holder, held)
        if len(mine) != 1:
            return False
        if self._rules.newest:
            return holder.links[mine[0]].last > max(event.time_us, event.time_us if link is None else link.last)
        return holder.links[mine[0]].first < min(event.time_us, event.time_us if link is None else link.first)

    def _handed_over(self, event: Event, pairs: Pairs, slots: list[Slot | None]) -> Person | None:
        """A device, an e-mail, a phone passes to the person who shows up with it, as one that is shared does all day.

        The link is the newest of the identifier's, so it stands (`conflict: newest`); all others that it has are to
        other values of the same unique namespace, so none of them can. It is no bridge to anything else and has no events
        of its own, so nothing else moves, unless its place in the cluster that it leaves is wanted.
        """
        rules, second = self._rules, slots[1]
        if second is None or not rules.newest or not rules.by_session:
            return None
        (space, _), (holder, held), first = pairs[0], second, slots[0]
        if held.rivals != space or held.loose or rules.most[space] != 1 or not self._person[space] or self._manual.of(held.hash):
            return None
        if first is not None and first[0] is holder:
            return None
        decided = held.device is not None and held.device.decided
        if decided and any(self._decided(one, held) for one in (holder, first[0] if first is not None else holder)):
            return None
        mine = _links_of(holder, held)
        if len(mine) != 1 or event.time_us <= holder.links[mine[0]].last or not self._bare(held, event.time_us):
            return None
        if rules.identifiers_max < 2 or self._turns_shared(event, (pairs[1],), slots[1:]) or self._makes_room(holder, held):
            return None
        return self._hand_over(event, pairs, second, first, mine[0])

    def _bare(self, held: Identifier, time: int) -> bool:
        """Whether no event goes where an identifier goes; of a device only if the event comes in order."""
        if self._person[held.namespace] or held.anchor:
            return not held.anchor
        device = held.device
        return device is not None and not device.own and time > device.end

    def _makes_room(self, holder: Person, held: Identifier) -> bool:
        """Whether a link that was refused for what the cluster holds may stand when this identifier has left it."""
        loose = [each for each in holder.identifiers if each.loose and each is not held]
        if not loose:
            return False
        if self._rules.most[held.namespace] is not None:
            return True
        room = self._rules.identifiers_max - len(holder.identifiers)
        for each in loose:
            for end in self._store.refusals.ends(each.hash):
                other = self._store.holder(end)
                if other is None or other is holder or len(other.identifiers) > room:
                    return True
        return False

    def _hand_over(self, event: Event, pairs: Pairs, second: Slot, first: Slot | None, standing: bytes) -> Person | None:
        """``second``: who has the identifier, and the identifier; ``first``: who gets it, if known; ``standing``: key of its link."""
        store, time = self._store, event.time_us
        holder, held = second
        key = store.hash(pairs[0])
        link: Link | None = None
        if first is not None:
            person, identifier = first
            link = store.refusals.get(key, held.hash) if identifier.refused else None
            if not self._has_room(person, held.namespace) or time < identifier.first or self._unpins(identifier, held):
                return None
            if self._degree(person, identifier) - (link is not None) >= self._rules.links_max:
                return None
            identifier.last = max(identifier.last, time)
        else:
            identifier = Identifier(*pairs[0], key, time, time)
            person = self._united([], [identifier], [identifier])
        lost = holder.links.pop(standing)
        holder.identifiers.remove(held)
        next(each for each in holder.identifiers if each.hash == lost.a).refused += 1
        held.refused += 1
        store.refusals.put(lost)
        if link is None:
            link = self._link(key, held.hash, event)
            meet(identifier, held)
        else:
            store.refusals.delete(link)
            identifier.refused -= 1
            held.refused -= 1
            link.again(time, event.message_id)
        held.last = time
        person.links[key + held.hash] = link
        store.adopt(person, held, of=holder.key)
        store.dirty[holder.key] = holder
        if held.device is not None and held.device.decided:
            self.relinked = True
            self.left.append(holder)
        return person

    def _decided(self, person: Person, held: Identifier) -> bool:
        """Whether decisions hang on another device of somebody, so that they may be joined to those on this one, whoever owns them."""
        return any(each is not held and each.device is not None and each.device.decided for each in person.identifiers)

    def _has_room(self, person: Person, space: int) -> bool:
        """Whether a cluster may hold one more identifier of a namespace."""
        most = self._rules.most[space]
        if len(person.identifiers) >= self._rules.identifiers_max:
            return False
        return most is None or sum(each.namespace == space for each in person.identifiers) < most

    def _degree(self, person: Person, identifier: Identifier) -> int:
        """How many links an identifier has that count for ``limits.links``; more if that is less than the limit anyway."""
        most = len(person.links) + identifier.refused
        if most < self._rules.links_max:
            return most
        key = identifier.hash
        return identifier.refused + sum(key in (link.a, link.b) for link in person.links.values() if not link.manual)

    def _unpins(self, one: Identifier, other: Identifier) -> bool:
        """Whether refused links are refused only because this was seen with one unique namespace so far, and that ends here."""
        most = self._rules.most
        return any(
            end.refused > 0 and end.rivals >= 0 and most[end.rivals] == 1 and end.rivals != beside.namespace
            for end, beside in ((one, other), (other, one))
        )

    def _turns_shared(self, event: Event, pairs: Pairs, slots: list[Slot | None]) -> bool:
        """Whether a device among these is shared by now, with the person whom the event identifies."""
        if not self._shares:
            return False
        anchor = self.visits.anchor(event.identifiers)
        for pair, slot in zip(pairs, slots, strict=True):
            limit = self._rules.shared_after[pair[0]]
            if limit is None or self._person[pair[0]]:
                continue
            known = 0 if slot is None or slot[1].device is None else slot[1].device.identified
            new = self._person[anchor[0]] and (slot is None or not self.visits.was_identified(slot[1], self._store.hash(anchor)))
            if known + new >= limit:
                return True
        return False

    def _take_in(self, event: Event, pairs: Pairs, slots: list[Slot | None]) -> Person | None:
        """A device seen for the first time comes to somebody who has as many identifiers, or links, as may be.

        The last accepted link gives way: where that is a device's only link, the cluster is as large as before, and nothing
        else moves.
        """
        rules, first, time = self._rules, slots[0], event.time_us
        if first is None or slots[1] is not None or not rules.by_session or self._turns_shared(event, pairs, slots):
            return None
        key = self._store.hash(pairs[1])
        person, held = first
        space = pairs[1][0]
        if not self._person[held.namespace] or self._person[space] or time < held.first or self._manual.of(key):
            return None
        mine = [link for link in person.links.values() if held.hash in (link.a, link.b) and not link.manual]
        if self._has_room(person, space) and len(mine) < rules.links_max:
            return None
        last = self._gives_way(person, held, mine, time) if rules.newest and mine else None
        if last is None or last.namespace != space:
            return None
        fresh = Identifier(*pairs[1], key, time, time, empty_device(time))
        if self._unpins(held, fresh):
            return None
        self._part(person, held, last)
        self._store.adopt(person, fresh)
        meet(held, fresh)
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
        if leaf.anchor or leaf.rivals != held.namespace or leaf.refused or self._manual.of(leaf.hash):
            return None
        if device.identified != 1 or held.hash not in device.persons:
            return None
        for link in person.links.values():
            if oldest.b in (link.a, link.b):
                if link is not oldest:
                    return None
            elif link.last <= oldest.last and not link.manual and max(spaces[link.a], spaces[link.b]) == space:
                return None
        return leaf

    def _part(self, person: Person, held: Identifier, leaf: Identifier) -> None:
        """A device leaves its person; the link between them is refused from now on."""
        store = self._store
        key = next(key for key in person.links if leaf.hash in (key[:16], key[16:32]))
        link = person.links.pop(key)
        person.identifiers.remove(leaf)
        store.refusals.put(link)
        for each in (held, leaf):
            each.refused += 1
            each.loose += 1
        alone = Person(leaf.hash, [leaf], {}, version=store.version(leaf.hash), cells=[None] * len(self._program.cells))
        store.add(alone)
        self.created.append(alone)
        self.parted.append((person, alone))

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

    def _grow(self, event: Event, pairs: Pairs, slots: list[Slot | None]) -> Person | None:
        """New identifiers, new links, people that join.

        If all of them may be in one cluster, what stood stands, since no cluster on the way holds more; and what was refused
        stays refused, since no cluster on the way holds less. Only the limit of links can tell otherwise.
        """
        people = list({slot[0].key: slot[0] for slot in slots if slot is not None}.values())
        if len(slots) > 1 and self._turns_shared(event, pairs, slots):
            return None
        store, time = self._store, event.time_us
        fresh = [
            Identifier(pair[0], pair[1], store.hash(pair), time, time) for pair, slot in zip(pairs, slots, strict=True) if slot is None
        ]
        everyone = [each for person in people for each in person.identifiers] + fresh
        strangers = not people and len({each.namespace for each in fresh}) == len(fresh) <= self._rules.identifiers_max
        if not strangers and not (self._fits(everyone) and self.unmoved(people, fresh)):
            return None
        named = {(each.namespace, each.value): each for each in fresh}
        ends = [slot[1] if slot is not None else named[pair] for pair, slot in zip(pairs, slots, strict=True)]
        center, others = ends[0], ends[1:]
        if self._manual.rulings and any(self._manual.void(center.hash, other.hash) for other in others):
            return None
        if not self._few_links(people, len(everyone), center, others) or any(self._unpins(center, other) for other in others):
            return None
        for slot in slots:
            if slot is not None:
                slot[1].first = min(slot[1].first, time)
                slot[1].last = max(slot[1].last, time)
        person = self._united(people, fresh, everyone)
        self.relinked = True
        for other in others:
            meet(center, other)
            known = person.links.get(center.hash + other.hash)
            if known is None:
                person.links[center.hash + other.hash] = self._link(center.hash, other.hash, event)
            else:
                known.again(time, event.message_id)
        return person

    def _fits(self, everyone: list[Identifier]) -> bool:
        rules = self._rules
        if len(everyone) > rules.identifiers_max:
            return False
        for space, number in Counter(each.namespace for each in everyone).items():
            most = rules.most[space]
            if most is not None and number > most:
                return False
        return True

    def unmoved(self, people: list[Person], fresh: list[Identifier]) -> bool:
        """Whether no event that belongs to nobody finds an owner, or another home, when these people join."""
        person = self._person
        named = [one for one in people if any(person[each.namespace] for each in one.identifiers)]
        many = len(named) > 1
        if not many and not named and not any(person[each.namespace] for each in fresh):
            return True
        for one in people:
            if (many or one not in named) and any(each.device is not None and each.device.nobody for each in one.identifiers):
                return False
        return not many or self._strangers(named)

    def _strangers(self, people: list[Person]) -> bool:
        """Whether no events of a device that is somebody else's belong to nobody because two of these were identified on it."""
        few, *rest = sorted(people, key=lambda one: sum(each.refused for each in one.identifiers))
        if not any(each.refused for one in rest for each in one.identifiers):
            return True
        if not self._plain or len(rest) > 1:
            return False
        persons = [each.hash for each in rest[0].identifiers if self._person[each.namespace]]
        for each in few.identifiers:
            for end in self._store.refusals.ends(each.hash) if each.refused else ():
                holder = self._store.holder(end)
                held = next((one for one in holder.identifiers if one.hash == end), None) if holder is not None else None
                if held is None or held.device is None or not held.device.nobody:
                    continue
                if any(self.visits.was_identified(held, one) for one in persons):
                    return False
        return True

    def _few_links(self, people: list[Person], size: int, center: Identifier, others: list[Identifier]) -> bool:
        """Whether no end of the new links passes ``limits.links``; in its cluster it has one link at most to each other identifier."""
        most = self._rules.links_max
        refused = max(each.refused for each in (center, *others))
        if min(size - 1, sum(len(person.links) for person in people) + len(others)) + refused <= most:
            return True
        degree: Counter[bytes] = Counter({each.hash: each.refused for each in (center, *others)})
        for person in people:
            for link in person.links.values():
                if not link.manual:
                    degree[link.a] += 1
                    degree[link.b] += 1
        fresh = [other for other in others if not any(center.hash + other.hash in person.links for person in people)]
        return degree[center.hash] + len(fresh) <= most and all(degree[other.hash] + 1 <= most for other in fresh)

    def _united(self, people: list[Person], fresh: list[Identifier], everyone: list[Identifier]) -> Person:
        store = self._store
        key = lead(everyone).hash
        person = next((each for each in people if each.key == key), None)
        if person is None:
            person = Person(key, [], {}, version=store.version(key), cells=[None] * len(self._program.cells))
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


def meet(one: Identifier, other: Identifier) -> None:
    """Two identifiers were seen together."""
    for end, beside in ((one, other), (other, one)):
        if end.rivals == ALONE:
            end.rivals = beside.namespace
        elif end.rivals != beside.namespace:
            end.rivals = SEVERAL


def _links_of(person: Person, identifier: Identifier) -> list[bytes]:
    """The keys of the standing links of an identifier in its cluster."""
    return [key for key in person.links if identifier.hash in (key[:16], key[16:32])]
