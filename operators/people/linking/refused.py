"""2. A link that cannot stand: it touches nothing but the limit of links."""

from __future__ import annotations

from contracts.model.batches import Event
from operators.people.linking.linked import Linked, Pairs, Slots, links_of, meet, new_link
from operators.people.linking.union import Union
from operators.people.store import Slot
from operators.records import Identifier, Link, Person


def keep(union: Union, linked: Linked, event: Event, pairs: Pairs, slots: Slots) -> Person | None:
    """A link between two people that cannot stand.

    It was refused before and keeps its place in the order; or it comes after all links of both, who cannot be one. Or whatever
    else is true: its device is shared; both ends are values of one unique namespace; its lower end was seen with values of one
    unique namespace only, and belongs to another of them by a link that comes before this one.
    """
    store, time, second = union.store, event.time_us, slots[1]
    if second is None or time < second[1].first or union.rules.anchor(event.identifiers) != pairs[0]:
        return None
    (space, _), (holder, held), first = pairs[0], second, slots[0]
    key = store.hash(pairs[0])
    if (first is not None and (first[0] is holder or time < first[1].first)) or union.limits.manual.of(held.hash):
        return None
    link = store.refusals.get(key, held.hash) if first is not None and first[1].refused else None
    identifier = first[1] if first is not None else Identifier(*pairs[0], key, time, time)
    stays = link is not None and (time <= link.last if union.rules.newest else time >= link.first)
    loose = not stays and not _out(union, event, space, second, link)
    if loose and not (link is None and _comes_last(union, time, first[0] if first is not None else None, identifier, second)):
        return None
    limits = union.limits
    most = union.rules.links_max - (link is None)
    if (link is None and limits.unpins(identifier, held)) or (not stays and first is not None and limits.degree(*first) > most):
        return None
    if not stays and (loose or space == held.namespace) and limits.degree(holder, held) > most:
        return None
    person = first[0] if first is not None else union.alone(linked, identifier)
    if link is None:
        link = new_link(key, held.hash, event, union.rules.version)
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


def _comes_last(union: Union, time: int, person: Person | None, identifier: Identifier, second: Slot) -> bool:
    """Whether a new link comes after all that stand in two clusters, which cannot be one."""
    holder, held = second
    people = [holder] if person is None else [person, holder]
    everyone = [identifier] if person is None else []
    everyone += [each for one in people for each in one.identifiers]
    if union.limits.fits(everyone):
        return False
    spaces = {each.hash: each.namespace for each in everyone}
    lower = max(identifier.namespace, held.namespace)
    links = [link for one in people for link in one.links.values() if not link.manual]
    if union.rules.newest:
        return all((max(spaces[link.a], spaces[link.b]), -link.last) < (lower, -time) for link in links)
    return all((link.first, max(spaces[link.a], spaces[link.b])) < (time, lower) for link in links)


def _out(union: Union, event: Event, space: int, second: Slot, link: Link | None) -> bool:
    """Whether a link from this namespace to an identifier of somebody else is refused by what no other link can change."""
    holder, held = second
    if union.rules.is_shared(held):
        return True
    if union.rules.most[space] != 1:
        return False
    if space == held.namespace:
        return not union.limits.manual.rulings
    if held.rivals != space or held.loose or not union.rules.person[space]:
        return False
    mine = links_of(holder, held)
    if len(mine) != 1:
        return False
    if union.rules.newest:
        return holder.links[mine[0]].last > max(event.time_us, event.time_us if link is None else link.last)
    return holder.links[mine[0]].first < min(event.time_us, event.time_us if link is None else link.first)
