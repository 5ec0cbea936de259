"""1. What may be one cluster is joined: what stood stands, what was refused stays refused."""

from __future__ import annotations

from contracts.model.batches import Event
from operators.people.linking.limits import Limits
from operators.people.linking.linked import Linked, Pairs, Slots, meet, new_link
from operators.people.visits import Visits
from operators.records import Identifier, Person
from operators.stitch.clusters import lead


class Union:
    """Makes people, and joins them."""

    def __init__(self, limits: Limits, visits: Visits) -> None:
        self.limits = limits
        self.store = limits.store
        self._manual = limits.manual
        self._visits = visits
        self.rules = limits.rules
        self._person = limits.rules.person
        self.plain = self._person == tuple(sorted(self._person, reverse=True))
        """Whether all persons' namespaces come before the devices', so that who is identified on a device is linked to it."""

    def join(self, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
        """New identifiers, new links, people that join.

        If all of them may be in one cluster, what stood stands, since no cluster on the way holds more; and what was refused
        stays refused, since no cluster on the way holds less. Only the limit of links can tell otherwise.
        """
        limits = self.limits
        people = list({slot[0].key: slot[0] for slot in slots if slot is not None}.values())
        if limits.shares and len(slots) > 1 and limits.any_shared(event.identifiers, pairs, slots):
            return None
        store, time = self.store, event.time_us
        fresh = [
            Identifier(pair[0], pair[1], store.hash(pair), time, time) for pair, slot in zip(pairs, slots, strict=True) if slot is None
        ]
        everyone = [each for person in people for each in person.identifiers] + fresh
        strangers = not people and len({each.namespace for each in fresh}) == len(fresh) <= self.rules.identifiers_max
        if not strangers and not (limits.fits(everyone) and self.unmoved(people, fresh)):
            return None
        named = {(each.namespace, each.value): each for each in fresh}
        ends = [slot[1] if slot is not None else named[pair] for pair, slot in zip(pairs, slots, strict=True)]
        center, others = ends[0], ends[1:]
        if self._manual.rulings and any(self._manual.void(center.hash, other.hash) for other in others):
            return None
        if not limits.may_link(people, len(everyone), center, others):
            return None
        for slot in slots:
            if slot is not None:
                if time < slot[1].first:
                    store.callings.changes(slot[0])
                    slot[1].first = time
                slot[1].last = max(slot[1].last, time)
        person = self._united(linked, people, fresh, everyone)
        linked.relinked = True
        for other in others:
            meet(center, other)
            known = person.links.get(center.hash + other.hash)
            if known is None:
                person.links[center.hash + other.hash] = new_link(center.hash, other.hash, event, self.rules.version)
            else:
                known.again(time, event.message_id)
        return person

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
        if not self.plain or len(rest) > 1:
            return False
        persons = [each.hash for each in rest[0].identifiers if self._person[each.namespace]]
        for each in few.identifiers:
            for end in self.store.refusals.ends(each.hash) if each.refused else ():
                _, held = self.store.linked(end)
                if held.device is None or not held.device.nobody:
                    continue
                if any(self._visits.was_identified(held, one) for one in persons):
                    return False
        return True

    def alone(self, linked: Linked, identifier: Identifier) -> Person:
        """Somebody new of whom this is the only identifier."""
        return self._united(linked, [], [identifier], [identifier])

    def apart(self, linked: Linked, person: Person, identifier: Identifier) -> None:
        """Somebody new of whom this is the only identifier, which was another's."""
        alone = self.store.new(identifier.hash, [identifier])
        self.store.add(alone)
        linked.created.append(alone)
        linked.parted.append((person, alone))

    def of_people(self, linked: Linked, people: list[Person]) -> Person:
        """Make one person of several whom probabilistic links join."""
        person = self._united(linked, people, [], [each for one in people for each in one.identifiers])
        person.records = {key: row for one in people for key, row in one.records.items()}
        return person

    def _united(self, linked: Linked, people: list[Person], fresh: list[Identifier], everyone: list[Identifier]) -> Person:
        store = self.store
        key = lead(everyone).hash
        person = next((each for each in people if each.key == key), None)
        if person is None:
            person = store.new(key)
            store.add(person)
            linked.created.append(person)
        for each in fresh:
            store.adopt(person, each)
        for other in people:
            if other is not person:
                linked.joined.append((person, other))
                for each in other.identifiers:
                    store.adopt(person, each, of=other.key)
                person.links.update(other.links)
                linked.gone.update(other.records)
        return person
