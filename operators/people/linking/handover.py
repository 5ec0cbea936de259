"""3. The newest link of an identifier takes it over."""

from __future__ import annotations

from contracts.model.batches import Event
from operators.people.linking.linked import Linked, Pairs, Slots, links_of, meet, new_link
from operators.people.linking.union import Union
from operators.records import Identifier, Link, Person


def pass_on(union: Union, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
    """The link is the newest of the identifier's, so it stands (`conflict: newest`); all others that it has are to
    other values of the same unique namespace, so none of them can. It is no bridge to anything else and has no events
    of its own, so nothing else moves, unless its place in the cluster that it leaves is wanted.
    """
    rules, limits, second = union.rules, union.limits, slots[1]
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
    if len(mine) != 1 or event.time_us <= holder.links[mine[0]].last or not _bare(union, held, event.time_us):
        return None
    if rules.identifiers_max < 2 or (limits.shares and limits.any_shared(event.identifiers, (pairs[1],), slots[1:])):
        return None
    if _makes_room(union, holder, held):
        return None
    return _move(union, linked, event, pairs, slots)


def _bare(union: Union, held: Identifier, time: int) -> bool:
    """Whether no event goes where an identifier goes; of a device only if the event comes in order."""
    if union.rules.person[held.namespace] or held.anchor:
        return not held.anchor
    device = held.device
    return device is not None and not device.own and time > device.end


def _makes_room(union: Union, holder: Person, held: Identifier) -> bool:
    """Whether a link that was refused for what the cluster holds may stand when this identifier has left it."""
    loose = [each for each in holder.identifiers if each.loose and each is not held]
    if not loose:
        return False
    if union.rules.most[held.namespace] is not None:
        return True
    room = union.rules.identifiers_max - len(holder.identifiers)
    for each in loose:
        for end in union.store.refusals.ends(each.hash):
            other = union.store.holder(end)
            if other is None or other is holder or len(other.identifiers) > room:
                return True
    return False


def _move(union: Union, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
    store, limits, time = union.store, union.limits, event.time_us
    first, second = slots
    assert second is not None, "what passes on is somebody's"
    holder, held = second
    (standing,) = links_of(holder, held)
    key = store.hash(pairs[0])
    link: Link | None = None
    if first is not None:
        person, identifier = first
        link = store.refusals.get(key, held.hash) if identifier.refused else None
        if not limits.has_room(person, held.namespace) or time < identifier.first or limits.unpins(identifier, held):
            return None
        if limits.degree(person, identifier) - (link is not None) >= union.rules.links_max:
            return None
        identifier.last = max(identifier.last, time)
    else:
        identifier = Identifier(*pairs[0], key, time, time)
        person = union.alone(linked, identifier)
    lost = holder.links.pop(standing)
    store.callings.changes(holder)
    holder.identifiers.remove(held)
    next(each for each in holder.identifiers if each.hash == lost.a).refused += 1
    held.refused += 1
    store.refusals.put(lost)
    if link is None:
        link = new_link(key, held.hash, event, union.rules.version)
        meet(identifier, held)
    else:
        store.refusals.delete(link)
        identifier.refused -= 1
        identifier.loose = min(identifier.loose, identifier.refused)
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
