"""Whose the anonymous events of a device are, looked at again: where the short way does not say, or who is one person has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from contracts.model.batches import Event
from operators.moment_row import moment_message
from operators.people.moments import Kept
from operators.people.windows import Window
from operators.people.work import Work
from operators.records import OWNED, PERSONS, Identifier, Person
from operators.stitch.owners import NO_ONE, Owner, Visit, attribute, forget_older

Home = Callable[[bytes], bytes]


class Given(NamedTuple):
    """A stored event that another owner has from now on."""

    kept: Kept
    event: Event
    owner: Owner


class Attributed(NamedTuple):
    """``given``: stored events with another owner; ``owner``: that of the event at hand, if it hangs on the device."""

    given: list[Given]
    owner: Owner | None


def again(work: Work, held: Identifier, holder: Person | None, event: Event, cluster: Home) -> Attributed:
    """Bring a device to where all its visits leave it, the event at hand included."""
    rules, store = work.rules, work.store
    kept, visits = _all_visits(work, held, holder, event)
    limit = rules.shared_after[held.namespace]
    shared = limit is not None and len({visit.person for visit in visits if visit.person is not None}) >= limit
    owners, state = attribute(visits, rules, cluster, shared=shared)
    before = held.device
    if before is not None:
        state.decided = before.decided
        # Nobody's profile is found by this until people are made (`making.py`), or made anew of their moments.
        state.nobody |= before.nobody
    older = forget_older(state)
    if older or (before is not None and before.identified > PERSONS):
        store.identified.replace(held.hash, older)
    held.device = state
    work.stitcher.visits.windows.put(held.hash, visits)
    given = [Given(each, work.reread(each), owner) for each in kept if (owner := owners[moment_message(each.row)]) != each.owner]
    return Attributed(given, owners.get(event.message_id))


def turned(work: Work, held: Identifier, holder: Person, event: Event, *, before: Home, after: Home) -> list[Given]:
    """The stored events of a device, to which the event at hand has come, that get another owner because other persons are one now."""
    device, windows, rules = held.device, work.stitcher.visits.windows, work.rules
    if device is None or device.identified < 2 or not rules.by_session or rules.is_shared(held):
        return []
    if held.hash not in windows:
        anonymous = any(True for _ in work.moments.of([held.hash]))
        windows.put(held.hash, _all_visits(work, held, holder, event)[1] if anonymous else [])
    found = []
    for window, nobodys in windows.turned(held, before, after):
        device.nobody |= nobodys
        owner = NO_ONE if nobodys else (OWNED, window.last)
        found += [Given(kept, work.reread(kept), owner) for kept in _within(work, held, window) if kept.owner != owner]
    return found


def _within(work: Work, held: Identifier, window: Window) -> Iterable[Kept]:
    found = work.moments.between(held.hash, window.start, window.end)
    if found is not None:
        return found
    return [kept for kept in work.moments.of([held.hash]) if window.start <= kept.time_us <= window.end]


def _all_visits(work: Work, held: Identifier, holder: Person | None, at_hand: Event) -> tuple[list[Kept], list[Visit]]:
    """The stored anonymous events that hang on a device, in no order, and all of its visits in order, the event at hand among them."""
    pair = (held.namespace, held.value)
    anchors = {held.hash, *work.store.seen_with(held, () if holder is None else holder.links.values())}
    mine: list[Kept] = []
    visits: list[Visit] = []
    for kept in work.moments.of(anchors):
        event = work.reread(kept)
        if pair in event.identifiers:
            visits.append(_visit(work, held, event, kept.anchor))
            if kept.anchor == held.hash:
                mine.append(kept)
    if pair in at_hand.identifiers:
        visits.append(_visit(work, held, at_hand, work.store.hash(work.rules.anchor(at_hand.identifiers))))
    return mine, sorted(visits, key=lambda visit: visit.at)


def _visit(work: Work, held: Identifier, event: Event, anchor: bytes) -> Visit:
    person = work.rules.person[work.rules.anchor(event.identifiers)[0]] and not work.manual.void(anchor, held.hash)
    return Visit((event.time_us, event.message_id), anchor if person else None, anchor == held.hash)
