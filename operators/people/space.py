"""One space: applies judged batches one record at a time and commits each batch at once. No Bytewax in here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import orjson

from contracts.model.batches import Event, JudgedBatch, Refused
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.text.times import iso
from operators.epochs import CONTROL
from operators.judge import Judge
from operators.match.model import model_of
from operators.people import meta as meta_row
from operators.people import rebuilds
from operators.people.announce import Announcer, Hide
from operators.people.blocks import BlockIndex
from operators.people.changes import ChangeLog
from operators.people.clock import Clock
from operators.people.content import content, replaces
from operators.people.control import Control
from operators.people.denials import Denials, message_hash
from operators.people.history import History
from operators.people.manual import Manual
from operators.people.meta import Meta
from operators.people.quarantine import QuarantineRow, refused_event
from operators.people.rebuild import Group, Rebuilt, anchors_of, component, versions
from operators.people.regroup import Regroup
from operators.people.stitcher import Stitcher
from operators.people.store import Kept, Pair, PeopleStore, Slot
from operators.people.timers import Timers
from operators.people.visits import Claim
from operators.profile import fold, join, next_due, resolve_consents
from operators.quality.keeper import Quality
from operators.quality.scores import source_of
from operators.records import (
    NOBODY,
    OWNED,
    SELF,
    Person,
    decode_person,
    encode,
    moment_contract,
    moment_message,
    moment_raw,
    pack_moment,
    with_owner,
)
from operators.segments.compile import Program
from operators.stitch.owners import ITSELF, Owner
from operators.stitch.rules import Rules
from state.errors import Gap
from state.keys import NOBODY as NO_ANCHOR
from state.keys import mark_key, period_of, sequence_key, time_key
from state.shard import Shard

SEAL_ROWS = 2_000
"""Moments that one batch turns into pages at most."""
TICK_TIMERS = 1_000
"""Timers that one tick fires at most; the rest follow in the next commits."""


class Space:
    """The state of one space and what changes it.

    ``judge`` gives the judge by a digest of definitions, ``load`` the definitions themselves. ``hide`` makes of
    definitions what hides personal values in change events; without it they go out in the clear.
    """

    def __init__(
        self,
        name: str,
        shard: Shard,
        hasher: Hasher,
        *,
        load: Callable[[str], Definitions],
        judge: Callable[[str], Judge],
        horizon_us: int,
        cache_bytes: int = 512_000_000,
        hide: Callable[[Definitions], Hide] | None = None,
    ) -> None:
        self.name = name
        self.shard = shard
        self.hasher = hasher
        self._load = load
        self._judge_of = judge
        self._horizon = horizon_us
        self._cache_bytes = cache_bytes
        self._hide = hide
        row = shard.meta.get(meta_row.KEY)
        self.meta = meta_row.decode(row) if row is not None else Meta()
        self._numbers = {contract: number for number, contract in enumerate(self.meta.contracts)}
        self.clock = Clock(self.meta)
        self.timers = Timers(shard.timers)
        self.log = ChangeLog(name, shard.changes, self.meta)
        self.history = History(shard.history, self.meta, self.log)
        self.manual = Manual(shard.manual)
        self.quality = Quality(shard.quality, self.meta, self.log)
        self.denials = Denials(self)
        self._control = Control(self)
        self._sealed = -(1 << 31)
        cost = shard.meta.get(rebuilds.KEY)
        self.cost = rebuilds.decode(cost) if cost is not None else rebuilds.Rebuilds()
        """What rebuilds have cost, as committed and since."""
        self._costly = self.cost.rebuilds
        """How many of them there were at the last commit."""
        self.digest = ""
        self.computing: Callable[[str], AbstractContextManager[object]] = nullcontext
        """Wrapped around computing everybody anew, told why: for whoever says so to people."""
        self.regroup: Regroup | None = None
        if self.meta.digest:
            self.use(self.meta.digest)

    @property
    def rebuilds(self) -> int:
        """How often people were computed anew from their moments."""
        return self.cost.rebuilds

    def use(self, digest: str) -> None:
        """Work by the definitions of this digest from now on."""
        definitions = self.definitions = self._load(digest)
        self.digest = digest
        self.judge = self._judge_of(digest)
        self.program = Program(definitions)
        self.rules = Rules(definitions.identity)
        self.store = PeopleStore(self.shard, self.hasher, self.rules, self._cache_bytes)
        self.stitcher = Stitcher(self.store, self.manual, self.program)
        likeness = definitions.identity.probabilistic
        self.regroup = Regroup(self, likeness, model_of(definitions)) if likeness is not None else None
        hide = self._hide(definitions) if self._hide is not None else None
        self.announcer = Announcer(self.meta, self.log, self.store, self.timers, self.program, history=self.history, hide=hide)
        self.quality.use(definitions)

    def start(self, partitions: list[str], history: frozenset[str] = frozenset()) -> None:
        """Which partitions this run reads, and which of them are history. Before anything else people are brought to today's meaning."""
        self.clock.start(partitions, history)
        self.renew()

    def renew(self) -> None:
        """Compute everybody anew, in one commit, if that was last done by an older meaning of what is stored."""
        if self._control.renew():
            self._commit()

    # ---- a batch

    def apply(self, batch: JudgedBatch) -> bool:
        """Apply a batch and commit it. Returns whether timers that are due are still waiting."""
        meta = self.meta
        done = meta.applied.get(batch.partition, 0)
        if batch.first > done + 1:
            raise Gap(
                f"space {self.name}, partition {batch.partition}: expected record {done + 1} next, got {batch.first}. "
                "The source has skipped records; restart the flow, and if it persists look whether the file was cut."
            )
        self._seal()
        waiting = False
        if batch.partition == CONTROL:
            if not self.digest and batch.digest:
                # Entries that were given before the first run come before the definitions.
                self.use(batch.digest)
            for entry in batch.control:
                if entry.position > done:
                    # One entry a commit: new definitions start from what is stored.
                    self._control.apply(entry)
                    meta.applied[CONTROL] = entry.position
                    self._commit()
        else:
            self.clock.take_up(batch.partition, history=batch.history)
            self._records(batch, done)
            meta.applied[batch.partition] = max(done, batch.last)
            waiting = self._hint(batch)
        meta.applied[batch.partition] = max(done, batch.last)
        if batch.mark:
            self.shard.meta.put(mark_key(batch.partition), batch.mark)
        self._commit()
        return waiting

    def _records(self, batch: JudgedBatch, done: int) -> None:
        partition = batch.partition
        if batch.last > done:
            new = batch.last - max(done, batch.first - 1)
            self.meta.received += new
            self.meta.sources[batch.source] = self.meta.sources.get(batch.source, 0) + new
            self.meta.uncorrected += sum(position > done for position in batch.uncorrected)
        records: list[Event | Refused] = list(batch.events)
        if batch.digest and batch.digest != self.digest:
            # After a crash with the archive ahead, what the old definitions judge can come after the new ones took effect.
            records = [self._understood(event) for event in batch.events]
        if batch.refused:
            records = sorted([*records, *batch.refused], key=lambda record: record.position)
        quality = self.quality
        quality.begin(batch.source, batch.read_at_us)
        history = batch.history
        for record in records:
            if record.position <= done:
                continue
            if isinstance(record, Event):
                refusal = self.take(record, partition, exempt=history)
                if refusal is not None:
                    self._quarantine(refused_event(record, *refusal), batch)
                else:
                    quality.accepted.append(record)
            else:
                self._quarantine(record, batch)
        quality.score()

    def _understood(self, event: Event) -> Event:
        """An event that other definitions accepted, as those in force read it."""
        again = self.judge.reread(event.raw, event.contract)
        again.position, again.time_us, again.message_id = event.position, event.time_us, event.message_id
        again.received_at_us = event.received_at_us
        return again

    def _commit(self) -> None:
        if self.digest:
            self.store.flush()
        self.quality.ledger.flush()
        self.shard.meta.put(meta_row.KEY, meta_row.encode(self.meta))
        if self.cost.rebuilds != self._costly:
            self._costly = self.cost.rebuilds
            self.shard.meta.put(rebuilds.KEY, rebuilds.encode(self.cost))
        self.shard.commit()
        forgotten = self.store.trim() if self.digest else False
        if self.regroup is not None:
            self.regroup.matcher.committed(forgotten=forgotten)
        self.quality.ledger.trim()
        self.timers.trim()

    def _seal(self) -> None:
        clock = self.meta.clock
        if clock is None or not self.digest:
            return
        limit = self._seal_before(clock)
        if limit <= self._sealed:
            return
        sealed, left = self.store.seal(limit, SEAL_ROWS)
        if sealed:
            self.meta.remembered -= sealed
            self._commit()
        if not left:
            self._sealed = limit

    def _seal_before(self, clock: int) -> int:
        """The first period that is not sealed yet."""
        return period_of(clock - self._horizon - self.rules.backstitch)

    def is_sealed(self, time_us: int) -> bool:
        """Whether messages of a time may have been forgotten."""
        clock = self.meta.clock
        return clock is not None and period_of(time_us) < self._seal_before(clock)

    def _hint(self, batch: JudgedBatch) -> bool:
        """What the batch says beside its records: its partition has finished, or has caught up with the wall clock."""
        if batch.finished:
            self.clock.finish(batch.partition)
            # After history that is everybody's timer: too much for one commit.
            while self._advance(self.clock.lowest(), TICK_TIMERS):
                self._commit()
            return False
        if batch.caught_up:
            self.clock.catch_up(batch.partition, batch.read_at_us)
            waiting = self._advance(self.clock.lowest(), TICK_TIMERS)
            if self.meta.clock is not None and not waiting:
                self.quality.tick(self.meta.clock)
            return waiting
        return False

    def _advance(self, time_us: int | None, limit: int | None) -> bool:
        """Move the clock, and fire the timers due by then, each at its moment; returns whether the limit left some."""
        meta = self.meta
        if time_us is None or (meta.clock is not None and time_us < meta.clock):
            return False
        meta.clock = time_us
        waiting = self._fire(time_us, limit)
        if time_us >= self.quality.next_us and not waiting:
            self.quality.enter(time_us)
        return waiting

    def _fire(self, time_us: int, limit: int | None) -> bool:
        """Fire the timers due by a time, at most so many; returns whether some are left."""
        timers = self.timers
        if time_us < timers.next_due or not self.digest:
            return False
        fired = 0
        while limit is None or fired < limit:
            found = timers.due(time_us)
            if found is None:
                return False
            self.announcer.fire(*found, time_us)
            fired += 1
        return timers.waiting(time_us)

    # ---- one record

    def _quarantine(self, record: Refused, batch: JudgedBatch) -> None:
        row = QuarantineRow(
            record.reason, record.detail, record.schema_path, batch.partition, record.position, record.received_at_us, record.raw,
            record.event, record.contract, batch.read_at_us,
        )  # fmt: skip
        self.quality.refuse(record)
        self.shard.quarantine.put(sequence_key(self.meta.quarantined), encode(row))
        self.meta.quarantined += 1
        self.count_refusal(record.reason, 1, batch.partition)
        self.denials.take(record.denials, source_of(batch.partition))

    def count_refusal(self, reason: str, by: int, partition: str) -> None:
        """One more, or one less, in quarantine for a reason, of a partition."""
        if reason == "conflict":
            self.meta.conflict += by
        if reason == "too_late":
            _count(self.meta.late, source_of(partition), by)
        _count(self.meta.quarantine, reason, by)

    def take(self, event: Event, partition: str, *, exempt: bool = False) -> tuple[str, str] | None:
        """Apply one event; what is wrong with it as (reason, detail) if it cannot be. ``exempt``: from the horizon."""
        refusal = self._take(event, partition, exempt=exempt)
        if refusal is not None and event.consents:
            self.denials.take(self.judge.denials(event.raw, event.time_us), source_of(partition))
        if self.store.moves or self.history.waiting:
            self.remember()
        return refusal

    def remember(self) -> None:
        """Write into the history what the cause at hand has done to people."""
        self.history.write(self.store.moves, self.shard.alias, self.rules.version)
        self.store.moves.clear()

    def _take(self, event: Event, partition: str, *, exempt: bool) -> tuple[str, str] | None:
        meta = self.meta
        time = event.time_us
        clock = meta.clock
        if clock is not None and time < clock - self._horizon and not exempt:
            return "too_late", f"{iso(time)} is more than the horizon behind the clock {iso(clock)}; `skep quarantine replay` takes it in"
        message = message_hash(event.message_id)
        seen = self.shard.seen.get(message)
        if seen is not None:
            kept = self.store.remembered(message, seen)
            if kept is None:
                raise LookupError(f"message {event.message_id}: its moment is gone while it is remembered")
            return self._repeat(event, kept)
        if exempt and event.identifiers:
            sealed = self.store.sealed(self.store.hash(self.stitcher.visits.anchor(event.identifiers)), message)
            if sealed is not None:
                return self._repeat(event, sealed)
        meta.events += 1
        meta.remembered += 1
        if not exempt:
            known = meta.clocks.get(partition)
            if known is None or time > known:
                self.clock.came_to(partition, time)
                self._advance(self.clock.lowest(), None)
        elif partition != CONTROL:
            self.clock.read(partition, time)
        elif clock is None:
            self._advance(time, None)
        log = self.log
        log.cause, log.time, log.clock = event.message_id, time, time if meta.clock is None else meta.clock
        if not event.identifiers:
            meta.unidentified += 1
            self._keep(NO_ANCHOR, event, message, ITSELF)
            return None
        if event.consents and self.denials.stands_for(event, message, partition):
            self._anew(event, self.store.hash(self.stitcher.visits.anchor(event.identifiers)), message)
            return None
        settled = self.stitcher.known(event)
        if settled is None:
            self._stitch(event, message)
            return None
        person, anchor, owner = settled
        self._keep(anchor, event, message, owner)
        if owner[0] == SELF:
            self._fold(event, anchor, person)
        else:
            self.store.dirty[person.key] = person
            changed: list[Person] = []
            self._fold(event, anchor, self._owner(person, event.identifiers[0], owner, changed), settle=bool(changed), blank=True)
        if self.regroup is not None:
            self.regroup.note(person, self.store.slots[event.identifiers[0]][1], event)
        return None

    def _keep(self, anchor: bytes, event: Event, message: bytes, owner: Owner) -> None:
        """Remember the event: its moment under its anchor, and where that is under its message id."""
        row = pack_moment(owner[0], owner[1], self._number(event.contract), event.message_id.encode("utf-8", "surrogatepass"), event.raw)
        self.store.put_moment(anchor, event.time_us, message, row)
        self.shard.seen.pending[message] = time_key(event.time_us) + anchor

    def _number(self, contract: str) -> int:
        number = self._numbers.get(contract)
        if number is None:
            number = self._numbers[contract] = len(self.meta.contracts)
            self.meta.contracts.append(contract)
        return number

    def _repeat(self, event: Event, kept: Kept) -> tuple[str, str] | None:
        """A message id that is known: a duplicate, of which the better one stands, or a conflict."""
        raw = moment_raw(kept.row)
        if raw != event.raw and content(orjson.loads(raw)) != content(event.body):
            return "conflict", f"message {event.message_id} came before with another content; the first one stands"
        self.meta.duplicate += 1
        if replaces(event, kept.time_us, self.meta.contracts[moment_contract(kept.row)], raw):
            self._replace(event, kept)
        return None

    def _replace(self, event: Event, kept: Kept) -> None:
        """Let a repeat stand in the place of what is stored. It may carry other identifiers, since ``28.0`` and 28 are equal contents."""
        store, log = self.store, self.log
        pairs = event.identifiers
        anchors = {store.hash(pair) for pair in (*self.reread(moment_raw(kept.row), moment_contract(kept.row)).identifiers, *pairs)}
        store.drop(kept)
        self.meta.remembered += kept.forgotten
        anchor = store.hash(self.stitcher.visits.anchor(pairs)) if pairs else NO_ANCHOR
        self.meta.unidentified += (anchor == NO_ANCHOR) - (kept.anchor == NO_ANCHOR)
        self._keep(anchor, event, kept.message, ITSELF)
        if anchors:
            clock = self.meta.clock
            log.cause, log.time, log.clock = event.message_id, event.time_us, event.time_us if clock is None else clock
            holders = {holder.key: holder for holder in map(store.holder, sorted(anchors)) if holder is not None}
            self.rebuild(list(holders.values()), anchors)

    def _stitch(self, event: Event, message: bytes) -> None:
        """An event that says something new about who is who, or that belongs to whom its device's sessions say."""
        store, stitcher = self.store, self.stitcher
        pairs = event.identifiers
        slots: list[Slot | None] = [store.slot(pair) for pair in pairs]
        anchor = stitcher.visits.anchor(pairs)
        anchor_hash = store.hash(anchor)
        person = stitcher.link(event, slots)
        blank = not stitcher.joined
        alone = [each for _, each in stitcher.parted]
        changed = self.announce_joins() if stitcher.created or stitcher.joined else []
        owner = None if person is None else stitcher.visits.owner(event, slots, person)
        if person is None or owner is None or (store.denials.some and self.denials.waits(pairs, slots)):
            self._anew(event, anchor_hash, message)
            return
        self._keep(anchor_hash, event, message, owner)
        store.dirty[person.key] = person
        claims, stitcher.visits.claims = stitcher.visits.claims, []
        for claim in claims:
            self._claimed(claim)
        person = self._owner(person, anchor, owner, changed)
        self._fold(event, anchor_hash, person, settle=any(each is person for each in changed), blank=blank and not claims)
        for each in changed:
            if each is not person:
                self.announcer.settle(each, self.clock.now)
        if self.regroup is not None:
            self._compared(event, anchor, [*alone, *(slot[0] for slot in slots if slot is not None)])

    def _anew(self, event: Event, anchor: bytes, message: bytes) -> None:
        """An event that is applied the long way: everybody whom it concerns is rebuilt."""
        self._keep(anchor, event, message, ITSELF)
        people = {slot[0].key: slot[0] for slot in map(self.store.slot, event.identifiers) if slot is not None}
        self.rebuild(list(people.values()), {self.store.hash(pair) for pair in event.identifiers})

    def _compared(self, event: Event, anchor: Pair, before: list[Person]) -> None:
        """What an event means for the records that are compared; ``before``: the people whom it was about until then."""
        regroup, store = self.regroup, self.store
        slot = store.slot(anchor)
        assert regroup is not None, "asked only with probabilistic rules"
        assert slot is not None, "the event's own identifier has just been stored"
        if not self.stitcher.relinks:
            regroup.note(*slot, event)
            return
        regroup.matcher.evidence.note(slot[1], event)
        now = [found[0] for found in map(store.slot, event.identifiers) if found is not None]
        people = {person.key: person for person in [*before, *now] if store.person(person.key) is person}
        gone, self.stitcher.gone = self.stitcher.gone, {}
        regroup.refresh(people.values(), gone)

    def _owner(self, person: Person, anchor: Pair, owner: Owner, changed: list[Person]) -> Person:
        """To whom an event goes that hangs on an identifier of this person; added to ``changed`` if that is somebody new."""
        if owner[0] == OWNED:
            holder = self.store.holder(owner[1])
            assert holder is not None, "an owner is an identifier of somebody"
            return holder
        return self._shared(person, anchor, changed) if owner[0] == NOBODY else person

    def _fold(self, event: Event, anchor: bytes, person: Person, *, settle: bool = False, blank: bool = False) -> None:
        """Apply an event to whom it belongs and announce what that changes. ``settle``: evaluate everything; ``blank``: of
        somebody of whom nothing but this event is known."""
        now = self.clock.now
        touched, due = fold(person, event, anchor, self.program, now)
        self.store.dirty[person.key] = person
        if event.consents:
            resolve_consents(person, self.store.holder)
        if self.stitcher.relinked:
            touched = self._reconsider(person, event, touched)
        if due is not None:
            self.timers.arm(person, due)
        if settle:
            self.announcer.settle(person, now, touched if blank else None)
        elif touched:
            self.announcer.move(person, touched, now)

    def _reconsider(self, person: Person, event: Event, touched: tuple[Any, ...]) -> tuple[Any, ...]:
        """Links of the cluster have changed: so may whose decision overrides whose, also of those who own its devices' events."""
        self.stitcher.relinked = False
        store = self.store
        slot = store.slot(event.identifiers[0])
        holder = slot[0] if slot is not None else person
        owners = [*map(store.holder, self.stitcher.visits.deciding(holder)), *self.stitcher.left]
        self.stitcher.left = []
        for each in {each.key: each for each in (holder, *owners) if each is not None}.values():
            if all(len(decisions) < 2 for decisions in each.consents.values()):
                continue
            resolve_consents(each, store.holder)
            store.dirty[each.key] = each
            purposes = tuple(f"!{purpose}" for purpose in each.consents)
            if each is person:
                touched += purposes
            else:
                self.announcer.move(each, purposes, self.clock.now)
        return touched

    def _claimed(self, claim: Claim) -> None:
        """Move events from nobody to a person, and bring nobody's profile back to what it was before them."""
        store, other = self.store, claim.other
        person = store.holder(claim.person)
        assert person is not None, "who claims events is somebody"
        assert other.aside is not None, "what was before is known"
        told: list[tuple[tuple[int, str], Event]] = []
        for kept in claim.moments:
            store.rewrite(kept, with_owner(kept.row, OWNED, claim.person))
            event = self.reread(moment_raw(kept.row), moment_contract(kept.row))
            event.time_us, event.message_id = kept.time_us, moment_message(kept.row)
            told.append(((event.time_us, event.message_id), event))
        for _, event in sorted(told, key=lambda each: each[0]):
            self._fold(event, claim.held.hash, person)
        row, other.aside = other.aside[1], None
        if not row:
            assert claim.held.device is not None, "events hang on a device that was seen"
            claim.held.device.nobody = False
            self.announcer.vanished(other, person)
        else:
            was = decode_person(row)
            other.first, other.last, other.traits, other.cells, other.consents = was.first, was.last, was.traits, was.cells, was.consents
            resolve_consents(other, store.holder)
            store.dirty[other.key] = other
            self.timers.arm(other, next_due(other, self.program, self.clock.now))
            self.announcer.settle(other, self.clock.now)
        self.announcer.reassigned({(other.key, person.key): [message for (_, message), _ in told]})

    def _shared(self, person: Person, anchor: Pair, changed: list[Person]) -> Person:
        """The person for a device's event that belongs to nobody; added to ``changed`` if it is new."""
        slot = self.store.slot(anchor)
        assert slot is not None, "the event's own identifier has just been stored"
        device = slot[1].device
        assert device is not None, "an event hangs on a device that was seen"
        if not any(self.rules.person[each.namespace] for each in person.identifiers):
            known, new = person, False
        else:
            key = self.store.shared_key(slot[1])
            found = self.store.person(key)
            new = found is None
            known = found or Person(key, [], {}, version=self.store.version(key), cells=[None] * len(self.program.cells))
        if self.stitcher.visits.opens:
            # Later in the session, as after a rebuild, what was before it is no longer known.
            known.aside = None
            known.aside = [device.start, b"" if new else encode(known)]
        if new:
            self.store.add(known)
            self.announcer.created(known)
            changed.append(known)
        return known

    def announce_joins(self) -> list[Person]:
        """Say who is new and who has joined whom; returns those of whom everything has to be evaluated."""
        stitcher = self.stitcher
        for person in stitcher.created:
            self.announcer.created(person)
        for parent, person in stitcher.parted:
            self.announcer.split(parent, person)
        for person, other in stitcher.joined:
            join(person, other, self.program)
            self.announcer.vanished(other, person)
            if person.consents:
                resolve_consents(person, self.store.holder)
            # What the other waited for, and what only both together will leave.
            self.timers.arm(person, other.armed)
            self.timers.arm(person, next_due(person, self.program, self.clock.now))
        vanished = {other.key for _, other in stitcher.joined}
        changed = {each.key: each for each in [*stitcher.created, *(person for person, _ in stitcher.joined)] if each.key not in vanished}
        stitcher.created, stitcher.joined, stitcher.parted = [], [], []
        return list(changed.values())

    # ---- the long way

    def rebuild(self, start: list[Person], anchors: set[bytes]) -> None:
        """Compute the people connected with these anew, and announce every difference."""
        self.stitcher.relinked, self.stitcher.left, self.stitcher.visits.claims = False, [], []
        began = time.thread_time_ns()
        old = component(self.store, self.manual, start)
        self.compute(old, anchors | anchors_of(old.values()))
        self.cost.count(old.values(), self.rules, (time.thread_time_ns() - began) // 1000)

    def compute(self, old: dict[bytes, Person], anchors: set[bytes], *, everybody: bool = False) -> None:
        """The people of these anchors, made anew in the place of ``old``, with those whom likeness draws in; differences are announced."""
        regroup = self.regroup
        while True:
            evidence = regroup.matcher.evidence if regroup is not None else None
            made = versions(self.store, old.values())
            rebuilt = Rebuilt(self.store, self.manual, self.program, self.reread, self.clock.now, evidence=evidence, made=made)
            parts = rebuilt.read(sorted(anchors))
            if regroup is None:
                groups = [Group([key]) for key in parts]
                break
            groups, outside = regroup.regroup(list(old.values()), parts, rebuilt.shared)
            if not outside:
                break
            old = component(self.store, self.manual, [*old.values(), *outside])
            anchors = anchors | anchors_of(old.values())
        new = rebuilt.build(groups)
        rebuilt.settle(old.values())
        self.replace(old, new, () if everybody else sorted(anchors))
        self.announcer.reassigned(rebuilt.reassigned)
        if regroup is not None:
            regroup.end()

    def clear_records(self) -> None:
        """Forget which records were compared, by whatever rules."""
        index = BlockIndex(self.shard.blocks, 0, self.meta) if self.regroup is None else self.regroup.matcher.index
        index.clear()

    def reread(self, raw: bytes, contract: int) -> Event:
        """An accepted event from its bytes and the number of the contract that accepted it, as the definitions in force read it."""
        return self.judge.reread(raw, self.meta.contracts[contract])

    def replace(self, old: dict[bytes, Person], new: dict[bytes, Person], near: Sequence[bytes]) -> None:
        """Put rebuilt people in the place of what was; announce who came, split and vanished, then what holds of each.

        Who vanishes goes to who holds the lead, else another of the identifiers, else one of those ``near``, that evidence connects.
        """
        store, announcer, now = self.store, self.announcer, self.clock.now
        home = {each.hash: person for person in new.values() for each in person.identifiers}
        was = {each.hash: person for person in old.values() for each in person.identifiers}
        for key, person in was.items():
            if key not in home:
                store.release(next(each for each in person.identifiers if each.hash == key))
        for key in sorted(new):
            person, known = new[key], old.get(key)
            if known is not None:
                person.version, person.told, person.bits, person.armed = known.version, known.told, known.bits, known.armed
            else:
                person.version = store.version(key)
            store.add(person)
            if known is None:
                announcer.created(person)
        for key in sorted(new.keys() - old.keys()):
            for parent in sorted({was[each.hash].key for each in new[key].identifiers if each.hash in was} & new.keys()):
                announcer.split(new[parent], new[key])
        for key in sorted(old.keys() - new.keys()):
            mine = [key, *(each.hash for each in old[key].identifiers)]
            survivor = next((home[end] for end in (*mine, *near) if end in home), None)
            announcer.vanished(old[key], survivor)
            if survivor is not None:
                store.remember(survivor)
        for key in sorted(new):
            self.timers.arm(new[key], next_due(new[key], self.program, now))
            announcer.settle(new[key], now)


def _count(counts: dict[str, int], name: str, by: int) -> None:
    """Add to one of several counts, of which none is kept that is 0."""
    counts[name] = counts.get(name, 0) + by
    if not counts[name]:
        del counts[name]
