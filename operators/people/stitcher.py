"""The short way: one event's evidence, applied to the people it concerns without looking at their moments.

Where an event is not one of the simple cases the people concerned are to be rebuilt; what has been changed by then does no harm,
since a rebuild starts from the moments.
"""

from __future__ import annotations

from contracts.model.batches import Event
from operators.people.linking import eviction, handover, refused
from operators.people.linking.limits import Limits
from operators.people.linking.linked import Linked, Slots, new_link
from operators.people.linking.union import Union
from operators.people.manual import Manual
from operators.people.moments import Moments
from operators.people.store import PeopleStore, Same, Slot
from operators.people.visits import Visits, note
from operators.records import SEVERAL, Identifier, Person, Run, empty_device
from operators.stitch.clusters import lead
from operators.stitch.owners import ITSELF, Owner


class Stitcher:
    """Finds, makes and joins the people of an event."""

    def __init__(self, store: PeopleStore, moments: Moments, manual: Manual) -> None:
        self._store = store
        self._manual = manual
        self._rules = store.rules
        self._person = store.rules.person
        self.visits = Visits(store, moments, manual)
        self.union = Union(Limits(store, manual, self.visits), self.visits)

    def known(self, event: Event, first: Slot) -> tuple[Person, bytes, Owner, bool] | None:
        """Of an event that says nothing new: the person, the anchor, the owner, and whether it opens a session of its device.

        ``first``: who holds its first identifier, and this. It names one device, or one person's identifier, alone or with a
        device on which that person has been alone since its session began, in order. The shortest way."""
        pairs: tuple[Same, ...] = event.identifiers
        count = len(pairs)
        if count > 2:
            return None
        person, identifier = first
        time, anchor = event.time_us, identifier.hash
        if not self._person[pairs[0][0]]:
            if count == 2 or time < identifier.first:
                return None
            visit = self.visits.visit(identifier, (time, event.message_id), mine=True)
            if visit is None:
                return None
            identifier.last = max(identifier.last, time)
            note(identifier, event)
            owner, opens = visit
            return person, anchor, owner, opens
        if count == 2:
            second = self._store.slots.get(pairs[1])
            if second is None or second[0] is not person or self._person[pairs[1][0]] or self._manual.rulings or not self._rules.by_session:
                return None
            held = second[1]
            device, link = held.device, person.links.get(anchor + held.hash)
            if link is None or device is None or time <= device.end or time < link.last or time < held.last or anchor not in device.persons:
                return None
            at = (time, event.message_id)
            runs = device.runs
            if time - device.end > self._rules.gap:
                self.visits.windows.ends(held)
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
        return person, anchor, ITSELF, False

    def newcomer(self, event: Event) -> Person | None:
        """Somebody of whom nothing was known before: by a person's identifier that nobody has, alone or with others that are new too,
        or by a new device alone. None if more may have to be asked: it is what `link` and `Visits.owner` come to where nothing is.

        The first identifier is known to be new."""
        store, rules, person = self._store, self._rules, self._person
        pairs: tuple[Same, ...] = event.identifiers
        count, identified = len(pairs), person[pairs[0][0]]
        if self._manual.rulings or store.denials.some or not rules.by_session or not (identified or count == 1):
            return None
        if count > 1 and (count > rules.identifiers_max or count - 1 > rules.links_max):
            return None
        for at in range(1, count):
            space = pairs[at][0]
            if space == pairs[at - 1][0] or rules.shared_after[space] == 1 or store.slot(pairs[at]) is not None:
                return None
        time, moment = event.time_us, (event.time_us, event.message_id)
        key = store.hash(pairs[0])
        center = Identifier(pairs[0][0], pairs[0][1], key, time, time, anchor=identified)
        new = store.new(key, [center])
        if not identified:
            center.device = empty_device(time)
            center.device.anonymous = center.device.own = True
            note(center, event)
        for at in range(1, count):
            space, value = pairs[at]
            other = Identifier(space, value, store.hash(pairs[at]), time, time, rivals=center.namespace)
            center.rivals = space if at == 1 else SEVERAL
            if not person[space]:
                other.device = empty_device(time)
                other.device.runs.append(Run(key, moment, moment))
                other.device.persons[key], other.device.login, other.device.identified = moment, time, 1
            new.identifiers.append(other)
            new.links[key + other.hash] = new_link(key, other.hash, event, rules.version)
        store.welcome(new, pairs)
        return new

    def link(self, event: Event, slots: Slots) -> Linked:
        """Apply the event's identifiers and links; ``slots``: who holds its identifiers, and these."""
        linked = Linked()
        first = slots[0]
        if first is not None:
            person, key = first[0], first[1].hash
            if all(slot is not None and slot[0] is person and key + slot[1].hash in person.links for slot in slots[1:]):
                linked.again = True
                linked.person = self._seen_again(linked, first, slots, event)
                return linked
        if not any(slot is not None and len(slot[0].records) > 1 for slot in slots):
            linked.person = self.union.join(linked, event, event.identifiers, slots) or self._one_by_one(linked, event)
        return linked

    def _one_by_one(self, linked: Linked, event: Event) -> Person | None:
        """The links of an event, each as if it came alone: people are what their links make them, so the order does not matter."""
        pairs, person = event.identifiers, None
        for pair in pairs[1:]:
            two = (pairs[0], pair)
            slots = [self._store.slot(each) for each in two]
            first, second = slots
            if first is not None and second is not None and first[0] is second[0] and first[1].hash + second[1].hash in first[0].links:
                person = self._seen_again(linked, first, slots, event)
            else:
                person = (
                    self.union.join(linked, event, two, slots)  # 1
                    or refused.keep(self.union, linked, event, two, slots)  # 2
                    or handover.pass_on(self.union, linked, event, two, slots)  # 3
                    or eviction.take_in(self.union, linked, event, two, slots)  # 4
                )
            if person is None:
                return None
            linked.done += 1
        return person

    def _seen_again(self, linked: Linked, first: Slot, slots: Slots, event: Event) -> Person | None:
        person, time = first[0], event.time_us
        for slot in slots:
            identifier = slot[1]  # type: ignore[index]  # all are known here
            if time > identifier.last:
                identifier.last = time
            elif time < identifier.first:
                self._store.callings.changes(person)
                identifier.first = time
                if len(person.records) > 1 or lead(person.identifiers).hash != person.key:
                    return None
        key = first[1].hash
        links = person.links
        for slot in slots[1:]:
            link = links[key + slot[1].hash]  # type: ignore[index]
            linked.relinked |= time < link.first
            link.again(time, event.message_id)
        return person
