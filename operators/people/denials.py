"""Denials of consent in refused records: each counts for whoever holds the identifier that it hangs on, now or later."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING

from contracts.model.batches import Denial, Event
from operators.epochs import CONTROL
from operators.people.quarantine import decode_row
from operators.people.store import Pair, Slot
from operators.profile import resolve_consents, withdraw
from operators.quality.scores import source_of
from operators.records import Moment, moment_contract, moment_raw

if TYPE_CHECKING:
    from operators.people.space import Space


class Denials:
    """Takes them in, and says which events change what they come to; that is then computed by a rebuild."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def take(self, denials: Iterable[Denial], source: str) -> None:
        """The denials of a record that has just been refused."""
        for each in denials:
            anchor, message = self._space.hasher.identifier(each.namespace, each.value), message_hash(each.message_id)
            if self._keep(each, anchor, message, source):
                self._apply(anchor, message, each.purpose, (each.time_us, each.message_id))

    def read_again(self) -> None:
        """Keep what records in quarantine deny by the definitions in force: there may be purposes that were not declared before."""
        space = self._space
        for _, stored in space.shard.quarantine.committed(b""):
            row = decode_row(stored)
            read_at = row.stored_at_us if row.stored_at_us is not None else space.clock.now
            for raw in (row.raw, row.original):
                for each in space.judge.denials(raw, read_at) if raw else ():
                    anchor = space.hasher.identifier(each.namespace, each.value)
                    self._keep(each, anchor, message_hash(each.message_id), source_of(row.partition))

    def _keep(self, denial: Denial, anchor: bytes, message: bytes, source: str) -> bool:
        """Store a denial unless it is known; of copies of one message the latest is."""
        space, at = self._space, (denial.time_us, denial.message_id)
        known = space.store.denials.get(anchor, message, denial.purpose)
        if known is not None and known >= at:
            return False
        space.store.denials.put(anchor, message, denial.purpose, at)
        if known is None:
            space.meta.denials += 1
            if denial.unread:
                self._count(denial.purpose, source)
        return True

    def _count(self, purpose: str, source: str) -> None:
        """One more decision of a source that could not be read."""
        counts = self._space.meta.unread.setdefault(purpose, {})
        counts[source] = counts.get(source, 0) + 1

    def _apply(self, anchor: bytes, message: bytes, purpose: str, at: Moment) -> None:
        """Let a new denial count for the person who holds its identifier, if there is one."""
        space = self._space
        person = space.store.holder(anchor)
        if person is None:
            return
        space.store.dirty[person.key] = person
        next(each for each in person.identifiers if each.hash == anchor).anchor = True
        # What was before the latest session no longer tells what is without it.
        person.aside = None
        if purpose not in space.program.defaults or self._accepted(anchor, message, purpose, at[0]):
            return
        if withdraw(person, anchor, purpose, *at):
            space.log.cause, space.log.time = at[1], at[0]
            space.log.clock = at[0] if space.meta.clock is None else space.meta.clock
            resolve_consents(person, space.store.holder)
            space.announcer.move(person, (f"!{purpose}",), space.clock.now)

    def _accepted(self, anchor: bytes, message: bytes, purpose: str, time_us: int) -> bool:
        """Whether an accepted event makes the same decision already."""
        space = self._space
        seen = space.shard.seen.get(message)
        if seen is not None:
            kept = space.store.remembered(message, seen)
        else:
            kept = space.store.sealed(anchor, message) if space.is_sealed(time_us) else None
        if kept is None:
            return False
        event = space.reread(moment_raw(kept.row), moment_contract(kept.row))
        event.time_us = kept.time_us
        return repeats(event, anchor in map(space.store.hash, event.identifiers), purpose, time_us)

    def waits(self, pairs: tuple[Pair, ...], slots: list[Slot | None]) -> bool:
        """Whether denials wait for an identifier that is new."""
        store = self._space.store
        return any(slot is None and store.denials.any(store.hash(pair)) for pair, slot in zip(pairs, slots, strict=True))

    def stands_for(self, event: Event, message: bytes, partition: str) -> bool:
        """Note what of an accepted event's decisions could not be read; whether it stands from now on for a refused record's denial
        that counts for somebody, so that this may be somebody else's."""
        for purpose in event.unread if partition != CONTROL else ():
            self._count(purpose, source_of(partition))
        return self._space.store.denials.some and any(
            self._counts(event, pair, message, purpose)
            for purpose, granted in (event.consents or {}).items()
            if not granted
            for pair in event.identifiers
        )

    def _counts(self, event: Event, pair: Pair, message: bytes, purpose: str) -> bool:
        """Whether a denial by the event's own message is what counts on an identifier, and will not by the event itself."""
        store, visits = self._space.store, self._space.stitcher.visits
        slot = store.slot(pair)
        if slot is None or (store.rules.person[pair[0]] and pair == visits.anchor(event.identifiers)):
            return False
        known = store.denials.get(slot[1].hash, message, purpose)
        decided = slot[0].consents.get(purpose, {}).get(slot[1].hash)
        return known is not None and known[0] <= event.time_us and decided is not None and (decided[0], decided[1]) == known


def repeats(event: Event, carries: bool, purpose: str, time_us: int) -> bool:
    """Whether an accepted event stands for a denial of its own message: it carries the identifier and denies, not before."""
    return carries and event.time_us >= time_us and (event.consents or {}).get(purpose) is False


def message_hash(message_id: str) -> bytes:
    """The 16 bytes of a message id."""
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
