"""4. In a full cluster the oldest device, a leaf without events of its own, makes room."""

from __future__ import annotations

from operator import attrgetter

from contracts.model.batches import Event
from operators.people.linking.linked import Linked, Pairs, Slots, meet, new_link
from operators.people.linking.union import Union
from operators.records import Identifier, Link, Person, empty_device

_last = attrgetter("last")


def take_in(union: Union, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
    """A device seen for the first time comes to somebody who has as many identifiers, or links, as may be.

    The last accepted link gives way: where that is a device's only link, the cluster is as large as before, and nothing
    else moves.
    """
    rules, limits, first, time = union.rules, union.limits, slots[0], event.time_us
    if first is None or slots[1] is not None or not rules.by_session:
        return None
    if limits.shares and limits.any_shared(event.identifiers, pairs, slots):
        return None
    key = union.store.hash(pairs[1])
    person, held = first
    space = pairs[1][0]
    if not rules.person[held.namespace] or rules.person[space] or time < held.first or limits.manual.of(key):
        return None
    mine = [link for link in person.links.values() if held.hash in (link.a, link.b) and not link.manual]
    if limits.has_room(person, space) and len(mine) < rules.links_max:
        return None
    last = _gives_way(union, person, held, mine, time) if rules.newest and mine else None
    if last is None or last.namespace != space:
        return None
    fresh = Identifier(*pairs[1], key, time, time, empty_device(time))
    if limits.unpins(held, fresh):
        return None
    _part(union, linked, person, held, last)
    union.store.adopt(person, fresh)
    meet(held, fresh)
    held.last = max(held.last, time)
    person.links[held.hash + fresh.hash] = new_link(held.hash, fresh.hash, event, rules.version)
    return person


def _gives_way(union: Union, person: Person, held: Identifier, mine: list[Link], time: int) -> Identifier | None:
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
    if leaf.anchor or leaf.rivals != held.namespace or leaf.refused or union.limits.manual.of(leaf.hash):
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


def _part(union: Union, linked: Linked, person: Person, held: Identifier, leaf: Identifier) -> None:
    """A device leaves its person; the link between them is refused from now on."""
    store = union.store
    key = next(key for key in person.links if leaf.hash in (key[:16], key[16:32]))
    link = person.links.pop(key)
    store.callings.changes(person)
    person.identifiers.remove(leaf)
    store.refusals.put(link)
    for each in (held, leaf):
        each.refused += 1
        each.loose += 1
    union.apart(linked, person, leaf)
