"""To whom an event goes, and what it makes true of people: folded into a person's row, then announced."""

from __future__ import annotations

from contracts.model.batches import Event
from operators import consent
from operators.people import doings
from operators.people.linking.linked import Linked
from operators.people.store import Pair
from operators.people.visits import Claim
from operators.people.work import Work
from operators.profile import Touched, fold, join, next_due
from operators.records import OWNED, Person, decode_person, encode
from operators.segments.facts import IDENTIFIERS
from operators.stitch.owners import Owner


def apply(
    work: Work, event: Event, anchor: bytes, person: Person, *, settle: bool = False, blank: bool = False, linked: Linked | None = None
) -> None:
    """Apply an event to whom it belongs and announce what that changes. ``settle``: evaluate everything; ``blank``: of somebody of
    whom nothing but this event is known. ``linked``: what its links did, if consents may stand otherwise by them."""
    now, last, group = work.clock.now, person.last, event.group
    calls = None if group is None else person.accounts.get(group[0])
    touched, due = fold(person, event, anchor, work.program, now)
    work.store.dirty[person.key] = person
    if event.consents:
        consent.resolve(person, work.store.holder)
    if group is not None:
        doings.regroup(work, person, group[0], calls, last)
        if not settle:
            work.belonging.tell(person, group[0])
    elif person.accounts:
        doings.take(work, person, event)
    if work.program.identifiers and (settle or person.key in work.store.callings.renamed):
        work.store.callings.renamed.pop(person.key, None)
        touched += (IDENTIFIERS,)
    if linked is not None:
        touched = _reconsider(work, person, event, touched, linked)
    if due is not None:
        work.timers.arm(person, due)
    if settle:
        work.announcer.settle(person, now, touched if blank else None)
    elif touched:
        work.announcer.move(person, touched, now)


def _reconsider(work: Work, person: Person, event: Event, touched: Touched, linked: Linked) -> Touched:
    """Links of the cluster have changed: so may whose decision overrides whose, also of those who own its devices' events."""
    store = work.store
    slot = store.slots.get(event.identifiers[0]) or store.slot(event.identifiers[0])
    holder = slot[0] if slot is not None else person
    owners = [*map(store.holder, work.stitcher.visits.deciding(holder)), *linked.left]
    for each in {each.key: each for each in (holder, *owners) if each is not None}.values():
        if all(len(decisions) < 2 for decisions in each.consents.values()):
            continue
        consent.resolve(each, store.holder)
        store.dirty[each.key] = each
        purposes = tuple(f"!{purpose}" for purpose in each.consents)
        if each is person:
            touched += purposes
        else:
            work.announcer.move(each, purposes, work.clock.now)
    return touched


def ask_renamed(work: Work) -> None:
    """Ask the segments that look at identifiers of those who have others, and whom the event at hand was not applied to."""
    store, renamed = work.store, work.store.callings.renamed
    for key, person in renamed.items() if work.program.identifiers else ():
        if store.person(key) is person:
            work.announcer.move(person, (IDENTIFIERS,), work.clock.now)
    renamed.clear()


def announce_joins(work: Work, linked: Linked) -> list[Person]:
    """Say who is new and who has joined whom; returns those of whom everything has to be evaluated."""
    announcer = work.announcer
    for person in linked.created:
        announcer.created(person)
    for parent, person in linked.parted:
        announcer.split(parent, person)
    for person, other in linked.joined:
        join(person, other, work.program)
        doings.join(work, person, other)
        announcer.vanished(other, person)
        if person.consents:
            consent.resolve(person, work.store.holder)
        # What the other waited for, and what only both together will leave.
        work.timers.arm(person, other.armed)
        work.timers.arm(person, next_due(person, work.program, work.clock.now))
    vanished = {other.key for _, other in linked.joined}
    changed = {each.key: each for each in [*linked.created, *(person for person, _ in linked.joined)] if each.key not in vanished}
    return list(changed.values())


def owner_of(work: Work, person: Person, anchor: Pair, owner: Owner, changed: list[Person], *, opens: bool) -> Person:
    """To whom an event goes that hangs on an identifier of this person, but is not its own; added to ``changed`` if that is
    somebody new. ``opens``: it is the first anonymous event of its device's session."""
    store = work.store
    if owner[0] == OWNED:
        holder = store.holder(owner[1])
        assert holder is not None, "an owner is an identifier of somebody"
        return holder
    # It belongs to nobody: to the device's cluster if that holds no person, else to the device's profile of its own.
    held, known, new = store.slots[anchor][1], person, False
    assert held.device is not None, "an event hangs on a device that was seen"
    if any(work.rules.person[each.namespace] for each in person.identifiers):
        key = store.shared_key(held)
        found = store.person(key)
        known, new = found or store.new(key), found is None
    if opens:
        # Later in the session, as after a rebuild, what was before it is no longer known.
        known.aside = None
        known.aside = [held.device.start, b"" if new else encode(known)]
    if new:
        store.add(known)
        work.announcer.created(known)
        changed.append(known)
    return known


def claim(work: Work, claimed: Claim, linked: Linked | None) -> None:
    """Move events from nobody to a person, and bring nobody's profile back to what it was before them. ``linked``: as of `apply`,
    of the first of them."""
    store, other = work.store, claimed.other
    person = store.holder(claimed.person)
    assert person is not None, "who claims events is somebody"
    assert other.aside is not None, "what was before is known"
    work.accounts.count_again(person)
    told: list[Event] = []
    for kept in claimed.moments:
        told.append(work.reread(kept))
        work.give(kept, (OWNED, claimed.person), told[-1])
    for event in sorted(told, key=lambda each: (each.time_us, each.message_id)):
        apply(work, event, claimed.held.hash, person, linked=linked)
        linked = None
    # Of what is claimed, and counted from what is stored, calls may be.
    work.accounts.count_again(person)
    work.accounts.count_again(other)
    row, other.aside = other.aside[1], None
    if not row:
        assert claimed.held.device is not None, "events hang on a device that was seen"
        claimed.held.device.nobody = False
        work.announcer.vanished(other, person)
    else:
        was = decode_person(row)
        other.first, other.last, other.traits, other.cells, other.consents = was.first, was.last, was.traits, was.cells, was.consents
        other.accounts = was.accounts
        work.accounts.count_again(other)
        consent.resolve(other, store.holder)
        store.dirty[other.key] = other
        work.timers.arm(other, next_due(other, work.program, work.clock.now))
        work.announcer.settle(other, work.clock.now)
    work.announcer.reassigned({(other.key, person.key): [event.message_id for event in told]})
