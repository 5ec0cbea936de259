"""3. The newest link of an identifier takes it over."""

from __future__ import annotations

from contracts.model.batches import Event
from operators.people.linking.limits import Limits
from operators.people.linking.linked import Linked, Pairs, Slots, links_of, meet, new_link
from operators.people.linking.union import Union
from operators.people.store import Slot
from operators.records import Identifier, Link, Person


class Handover:
    """A device, an e-mail, a phone passes to the person who shows up with it, as one that is shared does all day."""

    def __init__(self, limits: Limits, union: Union) -> None:
        self._limits = limits
        self._store = limits.store
        self._rules = limits.rules
        self._union = union

    def pass_on(self, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
        """The link is the newest of the identifier's, so it stands (`conflict: newest`); all others that it has are to
        other values of the same unique namespace, so none of them can. It is no bridge to anything else and has no events
        of its own, so nothing else moves, unless its place in the cluster that it leaves is wanted.
        """
        rules, limits, second = self._rules, self._limits, slots[1]
        if second is None or not rules.newest or not rules.by_session:
            return None
        (space, _), (holder, held), first = pairs[0], second, slots[0]
        if held.rivals != space or held.loose or rules.most[space] != 1 or not rules.person[space] or limits.manual.of(held.hash):
            return None
        if first is not None and first[0] is holder:
            return None
        decided = held.device is not None and held.device.decided
        if decided and any(_decided(one, held) for one in (holder, first[0] if first is not None else holder)):
            return None
        mine = links_of(holder, held)
        if len(mine) != 1 or event.time_us <= holder.links[mine[0]].last or not self._bare(held, event.time_us):
            return None
        if rules.identifiers_max < 2 or (limits.shares and limits.turns_shared(event.identifiers, (pairs[1],), slots[1:])):
            return None
        if self._makes_room(holder, held):
            return None
        return self._move(linked, event, pairs, second, first, standing=mine[0])

    def _bare(self, held: Identifier, time: int) -> bool:
        """Whether no event goes where an identifier goes; of a device only if the event comes in order."""
        if self._rules.person[held.namespace] or held.anchor:
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

    def _move(self, linked: Linked, event: Event, pairs: Pairs, second: Slot, first: Slot | None, *, standing: bytes) -> Person | None:
        """``second``: who has the identifier, and the identifier; ``first``: who gets it, if known; ``standing``: key of its link."""
        store, limits, time = self._store, self._limits, event.time_us
        holder, held = second
        key = store.hash(pairs[0])
        link: Link | None = None
        if first is not None:
            person, identifier = first
            link = store.refusals.get(key, held.hash) if identifier.refused else None
            if not limits.has_room(person, held.namespace) or time < identifier.first or limits.unpins(identifier, held):
                return None
            if limits.degree(person, identifier) - (link is not None) >= self._rules.links_max:
                return None
            identifier.last = max(identifier.last, time)
        else:
            identifier = Identifier(*pairs[0], key, time, time)
            person = self._union.alone(linked, identifier)
        lost = holder.links.pop(standing)
        holder.identifiers.remove(held)
        next(each for each in holder.identifiers if each.hash == lost.a).refused += 1
        held.refused += 1
        store.refusals.put(lost)
        if link is None:
            link = new_link(key, held.hash, event, self._rules.version)
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
            linked.relinked = True
            linked.left.append(holder)
        return person


def _decided(person: Person, held: Identifier) -> bool:
    """Whether decisions hang on another device of somebody, so that they may be joined to those on this one, whoever owns them."""
    return any(each is not held and each.device is not None and each.device.decided for each in person.identifiers)
