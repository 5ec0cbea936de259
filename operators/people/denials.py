"""Denials of consent in refused records: each counts for whoever holds the identifier that it hangs on, now or later.

They are taken in here, and asked which events change what they come to; that is then computed by a rebuild.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.envelope import message_hash
from contracts.model.batches import Denial, Event
from operators import consent
from operators.epochs import CONTROL
from operators.meta import Meta
from operators.people.pairs import denied
from operators.people.quarantine import decode_row
from operators.people.store import Pair, Slot
from operators.people.work import Work
from operators.quality.scores import source_of
from operators.records import Moment


def hear(work: Work, denials: Iterable[Denial], raw: bytes, read_at_us: int, source: str) -> None:
    """The denials of a record that has just been refused, as its judge read them. While everybody is made anew by other definitions, both
    are asked what its bytes deny; what those in force say counts behind the switch, too."""
    if not work.judged_ahead:
        take(work, denials, source)
        return
    mine = work.judge.denials(raw, read_at_us)
    take(work, mine, source)
    if work.beside is not None:
        take(work.beside, (*mine, *work.beside.judge.denials(raw, read_at_us)), source)


def take(work: Work, denials: Iterable[Denial], source: str) -> None:
    """Let denials count that have just been heard."""
    for each in denials:
        anchor, message = work.hasher.identifier(each.namespace, each.value), message_hash(each.message_id)
        if _keep(work, each, anchor, message, source):
            _apply(work, anchor, message, each.purpose, (each.time_us, each.message_id))


def copy(work: Work, key: bytes, row: bytes) -> None:
    """Let a denial count that another generation keeps, by its key and row there."""
    anchor, message, purpose = key[:16], key[16:32], key[32:].decode()
    if not purpose:
        # The row that says that there are some.
        return
    rows, at = work.store.denials, denied(row)
    known = rows.get(anchor, message, purpose)
    if known is None or known < at:
        rows.put(anchor, message, purpose, at)
        work.meta.denials += known is None
        _apply(work, anchor, message, purpose, at)


def read_again(work: Work) -> None:
    """Keep what records in quarantine deny by the definitions in force: there may be purposes that were not declared before."""
    for _, stored in work.shard.quarantine.committed(b""):
        for each, source in _read(work, stored):
            _keep(work, each, work.hasher.identifier(each.namespace, each.value), message_hash(each.message_id), source)


def read(work: Work, stored: bytes) -> None:
    """Let count what a record in quarantine denies by the definitions in force; ``stored`` is its row."""
    for each, source in _read(work, stored):
        take(work, (each,), source)


def _read(work: Work, stored: bytes) -> Iterator[tuple[Denial, str]]:
    row = decode_row(stored)
    read_at = row.stored_at_us if row.stored_at_us is not None else work.clock.now
    for raw in (row.raw, row.original):
        for each in work.judge.denials(raw, read_at) if raw else ():
            yield each, source_of(row.partition)


def _keep(work: Work, denial: Denial, anchor: bytes, message: bytes, source: str) -> bool:
    """Store a denial unless it is known; of copies of one message the latest is."""
    rows, at = work.store.denials, (denial.time_us, denial.message_id)
    known = rows.get(anchor, message, denial.purpose)
    if known is not None and known >= at:
        return False
    rows.put(anchor, message, denial.purpose, at)
    if known is None:
        work.meta.denials += 1
        if denial.unread:
            _count(work.meta, denial.purpose, source)
    return True


def _count(meta: Meta, purpose: str, source: str) -> None:
    """One more decision of a source that could not be read."""
    counts = meta.unread.setdefault(purpose, {})
    counts[source] = counts.get(source, 0) + 1


def _apply(work: Work, anchor: bytes, message: bytes, purpose: str, at: Moment) -> None:
    """Let a new denial count for the person who holds its identifier, if there is one."""
    store = work.store
    person = store.holder(anchor)
    if person is None:
        return
    store.dirty[person.key] = person
    next(each for each in person.identifiers if each.hash == anchor).anchor = True
    # What was before the latest session no longer tells what is without it.
    person.aside = None
    if purpose not in work.program.defaults or _accepted(work, anchor, message, purpose, at[0]):
        return
    if consent.withdraw(person, anchor, purpose, *at):
        work.begin(at[1], at[0])
        consent.resolve(person, store.holder)
        work.announcer.move(person, (f"!{purpose}",), work.clock.now)


def _accepted(work: Work, anchor: bytes, message: bytes, purpose: str, time_us: int) -> bool:
    """Whether an accepted event makes the same decision already."""
    store, seen = work.store, work.shard.seen.get(message)
    kept = None
    if seen is not None:
        kept = work.moments.remembered(message, seen)
    elif work.is_sealed(time_us):
        kept = work.moments.sealed(anchor, message)
    if kept is None:
        return False
    event = work.reread(kept)
    return consent.repeats(event, anchor in map(store.hash, event.identifiers), purpose, time_us)


def wait(work: Work, pairs: tuple[Pair, ...], slots: list[Slot | None]) -> bool:
    """Whether denials wait for an identifier that is new."""
    store = work.store
    return any(slot is None and store.denials.any(store.hash(pair)) for pair, slot in zip(pairs, slots, strict=True))


def stands_for(work: Work, event: Event, message: bytes, partition: str) -> bool:
    """Note what of an accepted event's decisions could not be read; whether it stands from now on for a refused record's denial
    that counts for somebody, so that this may be somebody else's."""
    for purpose in event.unread if partition != CONTROL else ():
        _count(work.meta, purpose, source_of(partition))
    return work.store.denials.some and any(
        _counts(work, event, pair, message, purpose)
        for purpose, granted in (event.consents or {}).items()
        if not granted
        for pair in event.identifiers
    )


def _counts(work: Work, event: Event, pair: Pair, message: bytes, purpose: str) -> bool:
    """Whether a denial by the event's own message is what counts on an identifier, and will not by the event itself."""
    store, rules = work.store, work.rules
    slot = store.slot(pair)
    if slot is None or (rules.person[pair[0]] and pair == rules.anchor(event.identifiers)):
        return False
    known = store.denials.get(slot[1].hash, message, purpose)
    decided = slot[0].consents.get(purpose, {}).get(slot[1].hash)
    return known is not None and known[0] <= event.time_us and decided is not None and (decided[0], decided[1]) == known
