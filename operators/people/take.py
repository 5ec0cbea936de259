"""What one event meets in a space, in the order in which it meets it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contracts.envelope import message_hash
from contracts.model.batches import Event, JudgedBatch, Refused
from contracts.text.times import iso
from operators.epochs import CONTROL
from operators.people import denials, doings, fold, local, members, repeat, resemblance
from operators.people.quarantine import QuarantineRow, refused_event
from operators.people.recompute import NONE_GONE, rebuild
from operators.people.store import Same, Slot
from operators.people.work import Work
from operators.quality.scores import source_of
from operators.records import SELF, Person, Record, encode
from operators.stitch.owners import ITSELF
from state.keys import NOBODY as NO_ANCHOR
from state.keys import sequence_key


def take_in(work: Work, records: Sequence[Event | Refused], batch: JudgedBatch, done: int) -> None:
    """Take in the records of a batch that lie behind the position ``done``, in order."""
    partition, history, accepted, sources = batch.partition, batch.history, work.quality.accepted, (batch.source,)
    for record in records:
        if record.position <= done:
            continue
        if isinstance(record, Event):
            if record.traits is not None and not record.sources:
                record.sources = sources
            refusal = take(work, record, partition, exempt=history)
            if refusal is not None:
                refuse(work, refused_event(record, *refusal), batch)
            else:
                accepted.append(record)
        else:
            refuse(work, record, batch)


def take(work: Work, event: Event, partition: str, *, exempt: bool = False) -> tuple[str, str] | None:
    """Apply one event; what is wrong with it as (reason, detail) if it cannot be. ``exempt``: from the horizon."""
    message = message_hash(event.message_id)
    return take_known(work, event, partition, message, work.shard.seen.get(message), exempt=exempt)


def take_known(work: Work, event: Event, partition: str, message: bytes, seen: bytes | None, *, exempt: bool) -> tuple[str, str] | None:
    """As `take`, with the hash of the event's message id, and the row under which that is remembered."""
    if work.first is not None:
        work.first(event.identifiers)
    refusal = _meet(work, event, partition, message, seen, exempt=exempt)
    if refusal is not None and event.consents:
        denials.hear(work, work.judge.denials(event.raw, event.time_us), event.raw, event.time_us, source_of(partition))
    end(work)
    return refusal


def again(work: Work, event: Event, message: bytes, partition: str = CONTROL) -> None:
    """Apply an event that has been accepted before, and was no repeat; the clock stands."""
    work.meta.remembered += 1
    _place(work, event, message, partition)
    end(work)


def end(work: Work) -> None:
    """What is left to do at the end of an event."""
    if work.accounts.waiting:
        members.settle(work)
    if work.store.callings.renamed:
        fold.ask_renamed(work)
    if work.changed_who:
        work.remember()


def _meet(work: Work, event: Event, partition: str, message: bytes, seen: bytes | None, *, exempt: bool) -> tuple[str, str] | None:
    meta, time = work.meta, event.time_us
    # It may be too late,
    clock = meta.clock
    if clock is not None and time < clock - work.horizon_us and not exempt:
        return "too_late", f"{iso(time)} is more than the horizon behind the clock {iso(clock)}; `skep quarantine replay` takes it in"
    # or have been there before.
    kept = repeat.find(work, event, message, seen) if seen is not None or exempt else None
    if kept is not None:
        return repeat.settle(work, event, kept)
    meta.events += 1
    meta.remembered += 1
    # Time comes to it, with all timers due by then.
    if not exempt:
        known = meta.clocks.get(partition)
        if known is None or time > known:
            work.clock.came_to(partition, time)
            advance(work, work.clock.lowest(), None)
    elif partition != CONTROL:
        work.clock.read(partition, time)
    elif clock is None:
        advance(work, time, None)
    _place(work, event, message, partition)
    if work.beside is not None:
        again(work.beside, work.beside.judge.understood(event), message, partition)
    return None


def _place(work: Work, event: Event, message: bytes, partition: str) -> None:
    """Apply an event that is to be applied. ``message``: the hash of its id."""
    meta = work.meta
    pairs: tuple[Same, ...] = event.identifiers
    work.begin(event.message_id, event.time_us)
    if event.group is not None:
        work.accounts.say(event, work.store.hash(work.rules.anchor(pairs)) if pairs else NO_ANCHOR)
    # It is about nobody,
    if not pairs:
        meta.unidentified += 1
        work.moments.keep(NO_ANCHOR, event, message, ITSELF)
        return
    # or stands for a denial that was refused,
    if event.consents and denials.stands_for(work, event, message, partition):
        _anew(work, event, message)
        return
    # or is the first of somebody, or says nothing new of who is who; or it does.
    store = work.store
    first = store.slots.get(pairs[0]) or store.slot(pairs[0])
    if first is None and work.matcher is None:
        new = work.stitcher.newcomer(event)
        if new is not None:
            work.announcer.welcome(new, work.rules.version)
            work.moments.keep(new.key, event, message, ITSELF)
            fold.apply(work, event, new.key, new, settle=True, blank=True)
            return
    settled = None if first is None else work.stitcher.known(event, first)
    if settled is None:
        _stitch(work, event, message, first)
        return
    person, anchor, owner, opens = settled
    work.moments.keep(anchor, event, message, owner)
    if owner[0] == SELF:
        fold.apply(work, event, anchor, person)
    else:
        store.dirty[person.key] = person
        changed: list[Person] = []
        holder = fold.owner_of(work, person, pairs[0], owner, changed, opens=opens)
        fold.apply(work, event, anchor, holder, settle=bool(changed), blank=True)
    if work.matcher is not None:
        resemblance.note(work, work.matcher, person, store.slots[pairs[0]][1], event)


def _stitch(work: Work, event: Event, message: bytes, first: Slot | None) -> None:
    """An event that says something new about who is who, or that belongs to whom its device's sessions say."""
    store = work.store
    pairs: tuple[Same, ...] = event.identifiers
    slots = [first, *map(store.slot, pairs[1:])]
    # Who is who by its links,
    linked = work.stitcher.link(event, slots)
    person = linked.person
    changed = fold.announce_joins(work, linked) if linked.created or linked.joined else []
    # whose it is by its devices,
    anchor = work.rules.anchor(pairs)
    waits = store.denials.some and denials.wait(work, pairs, slots)
    owned = None if person is None else work.stitcher.visits.owner(event, [store.slots[pair][1] for pair in pairs], person, anchor)
    if person is None or owned is None or waits:
        if waits or not local.repair(work, event, message, linked, changed):
            _anew(work, event, message, linked.gone)
        return
    key = store.slots[anchor][1].hash
    work.moments.keep(key, event, message, owned.owner)
    store.dirty[person.key] = person
    # what others had and it takes with it,
    relinked = linked if linked.relinked else None
    for claim in owned.claims:
        fold.claim(work, claim, relinked)
        relinked = None if claim.moments else relinked
    # and what it makes true of whom.
    holder = person
    if owned.owner[0] != SELF:
        holder = fold.owner_of(work, person, anchor, owned.owner, changed, opens=owned.opens)
    settle, blank = any(each is holder for each in changed), not linked.joined and not owned.claims
    fold.apply(work, event, key, holder, settle=settle, blank=blank, linked=relinked)
    for each in changed:
        if each is not holder:
            work.announcer.settle(each, work.clock.now)
    if work.matcher is not None:
        alone = [each for _, each in linked.parted]
        before = [*alone, *(slot[0] for slot in slots if slot is not None)]
        resemblance.stitched(work, work.matcher, event, anchor, before, linked=linked)


def _anew(work: Work, event: Event, message: bytes, gone: Mapping[bytes, Record] = NONE_GONE) -> None:
    """An event that is applied the long way: everybody whom it concerns is rebuilt."""
    store, pairs = work.store, event.identifiers
    work.moments.keep(store.hash(work.rules.anchor(pairs)), event, message, ITSELF)
    people = {slot[0].key: slot[0] for slot in map(store.slot, pairs) if slot is not None}
    rebuild(work, people.values(), {store.hash(pair) for pair in pairs}, gone)


def advance(work: Work, time_us: int | None, limit: int | None) -> bool:
    """Move the clock, and fire the timers due by then, each at its moment; returns whether the limit left some."""
    meta, quality = work.meta, work.quality
    if time_us is None or (meta.clock is not None and time_us < meta.clock):
        return False
    meta.clock = work.clock.now = time_us
    waiting = time_us >= work.timers.next_due and bool(work.digest) and _fire(work, time_us, limit)
    if time_us >= quality.next_us and not waiting:
        quality.enter(time_us)
    return waiting


def _fire(work: Work, time_us: int, limit: int | None) -> bool:
    """Fire the timers due by a time, at most so many; returns whether some are left."""
    timers = work.timers
    fired = 0
    while limit is None or fired < limit:
        found = timers.due(time_us)
        if found is None:
            return False
        if not work.announcer.fire(*found, time_us):
            doings.fire(work, *found, time_us)
        fired += 1
    return timers.waiting(time_us)


def refuse(work: Work, record: Refused, batch: JudgedBatch) -> None:
    """Put a record into quarantine, and take its denials."""
    row = QuarantineRow(
        record.reason, record.detail, record.schema_path, batch.partition, record.position, record.received_at_us, record.raw,
        record.event, record.contract, batch.read_at_us,
    )  # fmt: skip
    work.quality.refuse(record)
    work.shard.quarantine.put(sequence_key(work.meta.quarantined), encode(row))
    work.meta.quarantined += 1
    work.meta.count_refusal(record.reason, 1, source_of(batch.partition))
    denials.hear(work, record.denials, record.raw, batch.read_at_us, source_of(batch.partition))
