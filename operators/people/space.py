"""One space: applies judged batches one record at a time and commits each batch at once. No Bytewax in here."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
import orjson

from contracts.definitions import Definitions
from contracts.events import ControlEntry, Event, JudgedBatch, Refused
from contracts.hashing import Hasher, profile_id
from contracts.times import iso, parse_time
from operators.epochs import CONTROL, append_epoch
from operators.people import meta as meta_row
from operators.people.changes import ChangeLog
from operators.people.manual import Manual, Ruling
from operators.people.meta import Meta
from operators.people.rebuild import Rebuilt, anchors_of, component
from operators.people.stitcher import Stitcher
from operators.people.store import Kept, Pair, PeopleStore, Slot
from operators.people.timers import Timers
from operators.profile import fold, join, next_due, resolve_consents
from operators.records import NOBODY, OWNED, SELF, Person, decode_page, moment_raw, pack_moment
from operators.segments.compile import Program
from operators.stitch.owners import ITSELF, Owner
from operators.stitch.rules import Rules
from operators.validate import Judge
from state.errors import Gap
from state.keys import NOBODY as NO_ANCHOR
from state.keys import period_of, moment_key, sequence_key, time_key, time_of
from state.shard import Shard

SEAL_ROWS = 2_000
"""Moments that one batch turns into pages at most."""
BEFORE_ALL = -(1 << 62)
"""The clock before it runs, and when the timers of people are due who wait for it to be evaluated."""
TICK_TIMERS = 1_000
"""Timers that one tick fires at most; the rest follow in the next commits."""
_NOT_CONTENT = ("sentAt", "receivedAt")
_encode = msgspec.msgpack.Encoder().encode


class QuarantineRow(msgspec.Struct, array_like=True, gc=False):
    """One entry of the quarantine, as stored under its number."""

    reason: str
    detail: str
    schema_path: str
    partition: str
    position: int
    received_at_us: int | None
    raw: bytes


class Space:
    """The state of one space and what changes it.

    ``judge`` gives the judge by a digest of definitions, ``load`` the definitions themselves.
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
        cache_max: int = 100_000,
    ) -> None:
        self.name = name
        self.shard = shard
        self._hasher = hasher
        self._load = load
        self._judge = judge
        self._horizon = horizon_us
        self._cache_max = cache_max
        row = shard.meta.get(meta_row.KEY)
        self.meta = meta_row.decode(row) if row is not None else Meta()
        self._active: dict[str, int | None] = {}
        self.timers = Timers(shard.timers)
        self.log = ChangeLog(name, shard.changes, self.meta)
        self.manual = Manual(shard.manual)
        self._sealed = -(1 << 31)
        self.digest = ""
        if self.meta.digest:
            self._use(self.meta.digest)

    def _use(self, digest: str) -> None:
        """Compile the definitions of a digest."""
        definitions = self._load(digest)
        self.digest = digest
        self.program = Program(definitions)
        self.rules = Rules(definitions.identity)
        self.store = PeopleStore(self.shard, self._hasher, self.rules, self._cache_max)
        self.stitcher = Stitcher(self.store, self.manual, self.program)
        self._epoch = max(len(self.meta.epochs) - 1, 0)

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
        if batch.partition == CONTROL:
            for entry in batch.control:
                if entry.position > done:
                    self._control(entry)
            waiting = False
        else:
            self._partition(batch.partition)
            self._records(batch, done)
            waiting = self._hint(batch)
        meta.applied[batch.partition] = max(done, batch.last)
        self._commit()
        return waiting

    def _records(self, batch: JudgedBatch, done: int) -> None:
        refused = batch.refused
        partition = batch.partition
        if batch.last > done:
            self.meta.received += batch.last - max(done, batch.first - 1)
        if not refused:
            event_step = self._event
            for event in batch.events:
                if event.position > done:
                    event_step(event, partition)
            return
        records: list[Event | Refused] = sorted([*batch.events, *refused], key=lambda each: each.position)
        for record in records:
            if record.position <= done:
                continue
            if isinstance(record, Event):
                self._event(record, partition)
            else:
                self._quarantine(record.reason, record.detail, record.schema_path, partition, record)

    def _commit(self) -> None:
        if self.digest:
            self.store.flush()
        self.shard.meta.put(meta_row.KEY, meta_row.encode(self.meta))
        self.shard.commit()
        if self.digest:
            self.store.trim()
        self.timers.trim()

    def _seal(self) -> None:
        clock = self.meta.clock
        if clock is None or not self.digest:
            return
        limit = period_of(clock - self._horizon - self.rules.backstitch)
        if limit <= self._sealed:
            return
        sealed, left = self.store.seal(limit, SEAL_ROWS)
        if sealed:
            self.meta.remembered -= sealed
            self._commit()
        if not left:
            self._sealed = limit

    # ---- the clock

    def _partition(self, partition: str) -> None:
        """Take a partition up; it holds the clock back until it has said something."""
        if partition not in self._active and partition not in self.meta.finished:
            self._active[partition] = self.meta.clocks.get(partition)

    def start(self, partitions: list[str]) -> None:
        """Which partitions this run reads; those of earlier runs no longer hold the clock back."""
        self.meta.finished = []
        self._active = {partition: self.meta.clocks.get(partition) for partition in partitions}

    def _moved(self, partition: str, time_us: int) -> None:
        """A partition has come to a time."""
        clocks = self.meta.clocks
        known = clocks.get(partition)
        if known is None or time_us > known:
            clocks[partition] = time_us
            self._active[partition] = time_us
            self._advance(self._low())

    def _low(self) -> int | None:
        active = self._active
        if len(active) == 1:
            return next(iter(active.values()))
        if not active:
            return max(self.meta.clocks.values(), default=None)
        times = list(active.values())
        return None if None in times else min(times)  # type: ignore[type-var]

    def _advance(self, time_us: int | None, limit: int | None = None) -> bool:
        """Move the clock, and fire the timers due by then, each at its moment; returns whether the limit left some."""
        meta = self.meta
        if time_us is None or (meta.clock is not None and time_us < meta.clock):
            return False
        meta.clock = time_us
        if not self.digest:
            return False
        fired = 0
        while limit is None or fired < limit:
            found = self.timers.due(time_us)
            if found is None:
                return False
            self._fire(*found)
            fired += 1
        return self.timers.waiting(time_us)

    def _fire(self, due: int, key: bytes) -> None:
        person = self.store.person(key)
        if person is None or person.armed != due:
            return
        person.armed = None
        self.store.dirty[key] = person
        if due == BEFORE_ALL:
            due, order = self._now, self.program.all_segments
            self.log.cause = {"type": "clock"}
        else:
            order = self.program.timed
            self.log.cause = {"type": "timer", "due": iso(due)}
        self.log.clock = due
        self._evaluate(person, order, due)
        self.timers.arm(person, next_due(person, self.program, due))

    def _hint(self, batch: JudgedBatch) -> bool:
        partition = batch.partition
        if batch.finished:
            self._active.pop(partition, None)
            if partition not in self.meta.finished:
                self.meta.finished.append(partition)
            return self._advance(self._low(), None)
        if batch.caught_up:
            self.meta.clocks[partition] = max(batch.read_at_us, self.meta.clocks.get(partition, batch.read_at_us))
            self._active[partition] = self.meta.clocks[partition]
            return self._advance(self._low(), TICK_TIMERS)
        return False

    # ---- one record

    def _quarantine(self, reason: str, detail: str, path: str, partition: str, record: Event | Refused) -> None:
        row = QuarantineRow(reason, detail, path, partition, record.position, record.received_at_us, record.raw)
        self.shard.quarantine.put(sequence_key(self.meta.quarantined), _encode(row))
        self.meta.quarantined += 1
        self._count_refusal(reason, 1)

    def _count_refusal(self, reason: str, by: int) -> None:
        if reason == "conflict":
            self.meta.conflict += by
        counts = self.meta.quarantine
        counts[reason] = counts.get(reason, 0) + by
        if not counts[reason]:
            del counts[reason]

    def _event(self, event: Event, partition: str) -> None:
        refusal = self._take(event, partition, exempt=False)
        if refusal is not None:
            self._quarantine(*refusal, "", partition, event)

    def _take(self, event: Event, partition: str, *, exempt: bool) -> tuple[str, str] | None:
        """Apply one event; what is wrong with it as (reason, detail) if it cannot be."""
        meta = self.meta
        time = event.time_us
        clock = meta.clock
        if clock is not None and time < clock - self._horizon and not exempt:
            return "too_late", f"{iso(time)} is more than the horizon behind the clock {iso(clock)}; `skep quarantine replay` takes it in"
        message = blake2b(event.message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        seen = self.shard.seen.get(message)
        if seen is not None:
            at, anchor = time_of(seen[:8]), seen[8:]
            row = self.shard.moments.get(moment_key(anchor, at, message))
            if row is None:
                raise LookupError(f"message {event.message_id}: its moment is gone while it is remembered")
            return self._repeat(event, Kept(anchor, at, message, row, None))
        if exempt and event.identifiers:
            sealed = self.store.sealed(self.store.hash(self.stitcher.anchor(event.identifiers)), message)
            if sealed is not None:
                return self._repeat(event, sealed)
        meta.events += 1
        meta.remembered += 1
        if not exempt:
            known = meta.clocks.get(partition)
            if known is None or time > known:
                self._moved(partition, time)
        elif clock is None:
            self._advance(time)
        if not event.identifiers:
            meta.unidentified += 1
            self.shard.seen.put(message, time_key(time) + NO_ANCHOR)
            self._keep(NO_ANCHOR, event, message, ITSELF)
            return None
        self.log.cause = {"type": "message", "id": event.message_id}
        self.log.clock = self._said_at(time)
        self._stitch(event, message)
        return None

    @property
    def _now(self) -> int:
        """The clock; before it runs, a moment before everything, so that no window drops what it may need."""
        return BEFORE_ALL if self.meta.clock is None else self.meta.clock

    def _said_at(self, time: int) -> int:
        """What a change event gives as its clock; before the clock runs, the event's own time."""
        return time if self.meta.clock is None else self.meta.clock

    def _keep(self, anchor: bytes, event: Event, message: bytes, owner: Owner) -> None:
        row = pack_moment(owner[0], owner[1], self._epoch, event.message_id.encode("utf-8", "surrogatepass"), event.raw)
        self.store.put_moment(anchor, event.time_us, message, row)

    def _repeat(self, event: Event, kept: Kept) -> tuple[str, str] | None:
        """A message that was there before: the first content stands, with the smallest time."""
        raw = moment_raw(kept.row)
        if raw != event.raw and _content(orjson.loads(raw)) != _content(event.body):
            return "conflict", f"message {event.message_id} came before with another content; the first one stands"
        self.meta.duplicate += 1
        if event.time_us < kept.time_us:
            anchor = kept.anchor
            self.store.drop(kept)
            self.meta.remembered += kept.page is not None
            self.shard.seen.put(kept.message, time_key(event.time_us) + anchor)
            self._keep(anchor, event, kept.message, ITSELF)
            if anchor != NO_ANCHOR:
                self.log.cause = {"type": "message", "id": event.message_id}
                self.log.clock = self._said_at(event.time_us)
                holder = self.store.holder(anchor)
                self.rebuild([holder] if holder is not None else [], {anchor})
        return None

    def _stitch(self, event: Event, message: bytes) -> None:
        store, stitcher = self.store, self.stitcher
        pairs = event.identifiers
        slots: list[Slot | None] = [store.slot(pair) for pair in pairs]
        anchor = stitcher.anchor(pairs)
        anchor_hash = store.hash(anchor)
        self.shard.seen.pending[message] = time_key(event.time_us) + anchor_hash
        person = stitcher.link(event, slots)
        if stitcher.created or stitcher.joined:
            self._announce_joins()
        owner = None if person is None else stitcher.owner(event, slots, person)
        if person is None or owner is None:
            self._keep(anchor_hash, event, message, ITSELF)
            people = {slot[0].key: slot[0] for slot in map(store.slot, pairs) if slot is not None}
            self.rebuild(list(people.values()), {store.hash(pair) for pair in pairs})
            return
        self._keep(anchor_hash, event, message, owner)
        store.dirty[person.key] = person
        if owner[0] == OWNED:
            holder = store.holder(owner[1])
            assert holder is not None, "an owner is an identifier of somebody"
            person = holder
        elif owner[0] == NOBODY:
            person = self._shared(event, person, anchor)
        now = self._now
        touched, due = fold(person, event, anchor_hash, self.program, now)
        if event.consents:
            resolve_consents(person, store.holder)
        if stitcher.relinked:
            self._reconsider(person, event, touched)
        store.dirty[person.key] = person
        fresh = not person.version
        if due is not None:
            self.timers.arm(person, due)
        if fresh or stitcher.created or stitcher.joined:
            self._settle(person, now)
        elif touched:
            self._move(person, touched, now)
        stitcher.created, stitcher.joined = [], []

    def _reconsider(self, person: Person, event: Event, touched: set[Any]) -> None:
        """Links of the cluster have changed: so may whose decision overrides whose, also of those who own its devices' events."""
        self.stitcher.relinked = False
        store = self.store
        slot = store.slot(event.identifiers[0])
        holder = slot[0] if slot is not None else person
        owners = [store.holder(owner) for each in holder.identifiers if each.device is not None for owner in each.device.persons]
        for each in {each.key: each for each in (holder, *owners) if each is not None}.values():
            if all(len(decisions) < 2 for decisions in each.consents.values()):
                continue
            resolve_consents(each, store.holder)
            store.dirty[each.key] = each
            if each is person:
                touched.update(f"!{purpose}" for purpose in each.consents)
            else:
                self._move(each, {f"!{purpose}" for purpose in each.consents}, self._now)

    def _shared(self, event: Event, person: Person, anchor: Pair) -> Person:
        """The person for a device's event that belongs to nobody."""
        if not any(self.rules.person[each.namespace] for each in person.identifiers):
            return person
        slot = self.store.slot(anchor)
        assert slot is not None, "the event's own identifier has just been stored"
        key = self.store.shared_key(slot[1])
        known = self.store.person(key)
        if known is None:
            known = Person(key, [], {}, {}, version=self.store.version(key), cells=[None] * len(self.program.cells))
            self.store.add(known)
            self._announce_new(known)
        return known

    # ---- what becomes true

    def _announce_new(self, person: Person) -> None:
        self.meta.people += 1
        self.log.append("profile.created", person)

    def _announce_joins(self) -> None:
        for person in self.stitcher.created:
            self._announce_new(person)
        for person, other in self.stitcher.joined:
            join(person, other, self.program)
            self._vanish(other, person)
            if person.consents:
                resolve_consents(person, self.store.holder)
            self.timers.arm(person, other.armed)

    def _vanish(self, person: Person, into: Person | None) -> None:
        """A profile id goes: out of its segments, then merged; erased if no evidence names any of it (into is None)."""
        for at, segment in enumerate(self.program.segments):
            if int.from_bytes(person.bits, "little") >> at & 1:
                self._membership(person, at, segment.name, segment.version, entered=False)
        self.meta.people -= 1
        if into is None:
            self.log.append("profile.erased", person, evidence={"reason": "no evidence names it any more"})
        else:
            self.meta.merges += 1
            self.log.append("identity.merged", into, merged=profile_id(person.key), evidence={"merged": profile_id(person.key)})
        self.store.remove(person)

    def _settle(self, person: Person, now: int) -> None:
        """Evaluate everything about a person."""
        self._consents(person)
        self._emit(person, self.program.emitted, now)
        self._evaluate(person, self.program.all_segments, now)

    def _move(self, person: Person, touched: set[Any], now: int) -> None:
        """Evaluate what these features, traits and consents can move."""
        program = self.program
        for each in touched:
            if type(each) is str and each[0] == "!":
                self._consents(person)
                break
        if program.emitted:
            self._emit(person, [name for name in program.emitted if program.computed.get(name, name) in touched], now)
        order = program.affected(frozenset(touched))
        if order:
            self._evaluate(person, order, now)

    def _consents(self, person: Person) -> None:
        for purpose in sorted(person.granted):
            granted, told = person.granted[purpose], "!" + purpose
            if person.told.get(told) is not granted:
                person.told[told] = granted
                self.log.append("consent.changed", person, purpose=purpose, granted=granted, evidence={"granted": granted})

    def _emit(self, person: Person, names: Any, now: int) -> None:
        for name in names:
            value = self.program.trait(person, name, now)
            if person.told.get(name) != value:
                person.told[name] = value
                self.log.append("profile.updated", person, trait=name, value=value, evidence={"trait": name, "value": value})

    def _evaluate(self, person: Person, order: tuple[int, ...], now: int) -> None:
        if now == BEFORE_ALL:
            self.timers.arm(person, BEFORE_ALL)
            self.store.dirty[person.key] = person
            return
        bits = before = int.from_bytes(person.bits, "little")
        program = self.program
        evaluators = program.evaluators
        for at in order:
            bit = 1 << at
            if evaluators[at](person, now, bits) is not (bits & bit != 0):
                bits ^= bit
                segment = program.segments[at]
                self._membership(person, at, segment.name, segment.version, entered=bits & bit != 0)
        if bits != before:
            person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
            self.store.dirty[person.key] = person

    def _membership(self, person: Person, at: int, name: str, version: int, *, entered: bool) -> None:
        sizes = self.meta.sizes
        sizes[name] = sizes.get(name, 0) + (1 if entered else -1)
        self.log.append(
            "segment.entered" if entered else "segment.exited",
            person,
            segment=name,
            purpose=self.program.segments[at].purpose if at >= 0 else None,
            evidence={"segment_version": version, "definitions": self.digest},
        )

    # ---- the long way

    def rebuild(self, start: list[Person], anchors: set[bytes]) -> None:
        """Compute the people connected with these anew, and announce every difference."""
        store = self.store
        self.stitcher.created, self.stitcher.joined = [], []
        old = component(store, self.manual, start)
        now = self._now
        anchors = anchors | anchors_of(old.values())
        new = Rebuilt(store, self.manual, self.program, self._reread, now).build(sorted(anchors))
        self._replace(old, new, anchors, now)

    def _reread(self, raw: bytes, epoch: int) -> Event:  # noqa: ARG002 - the definitions in force read every event
        return self._judge(self.digest).reread(raw)

    def _replace(self, old: dict[bytes, Person], new: dict[bytes, Person], anchors: set[bytes], now: int) -> None:
        store = self.store
        home = {each.hash: person for person in new.values() for each in person.identifiers}
        was = {each.hash: person for person in old.values() for each in person.identifiers}
        for person in old.values():
            for each in person.identifiers:
                if each.hash not in home:
                    store.release(each)
        for key in sorted(new):
            person, known = new[key], old.get(key)
            if known is not None:
                person.version, person.told, person.bits, person.armed = known.version, known.told, known.bits, known.armed
            else:
                person.version = store.version(key)
            store.add(person)
            if known is None:
                self._announce_new(person)
        for key in sorted(new.keys() - old.keys()):
            for parent in {was[each.hash].key for each in new[key].identifiers if each.hash in was} & new.keys():
                self.meta.splits += 1
                self.log.append("identity.split", new[parent], split=profile_id(key), evidence={"split": profile_id(key)})
        for key in sorted(old.keys() - new.keys()):
            survivor = home.get(key) or next((home[end] for end in sorted(anchors) if end in home), None)
            self._vanish(old[key], survivor)
            if survivor is not None:
                store.remember(survivor)
        for key in sorted(new):
            person = new[key]
            due = next_due(person, self.program, now)
            self.timers.arm(person, due)
            self._settle(person, now)

    # ---- control

    def _control(self, entry: ControlEntry) -> None:
        kind = entry.entry["type"]
        answer: dict[str, Any] = {"ok": True, "type": kind}
        self.log.clock = self.meta.clock if self.meta.clock is not None else parse_time(entry.entry.get("timestamp")) or 0
        if kind == "definitions":
            self._definitions(entry)
        elif kind in {"link", "unlink"}:
            answer |= self._rule(entry.entry, link=kind == "link")
        elif kind == "replay":
            answer |= self._replay(entry)
        else:
            answer = {"ok": False, "type": kind, "error": f"control entry {entry.position} is of no known type: {kind!r}"}
        identity = entry.entry.get("messageId")
        if isinstance(identity, str):
            self.shard.answers.put(identity.encode(), orjson.dumps(answer))

    def _definitions(self, entry: ControlEntry) -> None:
        digest = entry.entry["digest"]
        append_epoch(self.meta.epochs, digest, entry.entry["from"], entry.position)
        if digest == self.digest:
            return
        before = self.program if self.digest else None
        self._use(digest)
        if before is not None:
            self.log.cause = {"type": "definition", "digest": digest}
            self._recompute(before)

    def _recompute(self, before: Program) -> None:
        """New definitions: everybody anew from the moments, in one commit; only differences are announced."""
        old: dict[bytes, Person] = {}
        for key, row in self.shard.people.committed(b""):
            from operators.records import decode_person

            old[key] = decode_person(row)
        names = [segment.name for segment in before.segments]
        here = {segment.name: at for at, segment in enumerate(self.program.segments)}
        anchors = {key for key, _ in self.shard.alias.committed(b"")}
        now = self._now
        stored = self._all_moments()
        for anchor in stored:
            self._anchor_again(anchor)
        anchors |= set(stored)
        for person in old.values():
            self._translate(person, names, here, before)
        known = {name for name in here}
        self.meta.sizes = {name: size for name, size in self.meta.sizes.items() if name in known and size}
        new = Rebuilt(self.store, self.manual, self.program, self._reread, now).build(sorted(anchors - {NO_ANCHOR}))
        self._replace(old, new, anchors, now)

    def _translate(self, person: Person, names: list[str], here: dict[str, int], before: Program) -> None:
        """Memberships by name: out of the segments that are gone, the others under their new numbers."""
        held = int.from_bytes(person.bits, "little")
        bits = 0
        for at, name in enumerate(names):
            if held >> at & 1:
                if name in here:
                    bits |= 1 << here[name]
                else:
                    self._membership(person, -1, name, before.segments[at].version, entered=False)
        person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")

    def _all_moments(self) -> set[bytes]:
        anchors = {key[4:20] for key, _ in self.shard.moments.committed(b"")}
        return anchors | {key[:16] for key, _ in self.shard.pages.committed(b"")}

    def _anchor_again(self, anchor: bytes) -> None:
        """Hang the moments of an anchor where the identity rules in force say."""
        judge = self._judge(self.digest)
        for kept in list(self.store.moments(anchor)):
            pairs = judge.reread(moment_raw(kept.row)).identifiers
            home = self.store.hash(self.stitcher.anchor(pairs)) if pairs else NO_ANCHOR
            if home == anchor:
                continue
            if kept.page is not None:
                page = [each for each in decode_page(self.shard.pages.get(kept.page) or b"\x90") if each.message != kept.message]
                self.shard.pages.put(kept.page, _encode(page))
            else:
                self.store.delete_moment(anchor, kept.time_us, kept.message)
            self.store.put_moment(home, kept.time_us, kept.message, bytes((SELF,)) + kept.row[1:7] + kept.row[23 if kept.row[0] == OWNED else 7 :])
            self.shard.seen.put(kept.message, time_key(kept.time_us) + home)
            self.meta.unidentified += (home == NO_ANCHOR) - (anchor == NO_ANCHOR)

    def _rule(self, entry: dict[str, Any], *, link: bool) -> dict[str, Any]:
        """A manual link or unlink."""
        pairs = sorted(filter(None, (self._pair(entry.get("a")), self._pair(entry.get("b")))))
        if len(pairs) != 2 or pairs[0] == pairs[1]:
            return {"ok": False, "error": "expected two different identifiers of declared namespaces, not blocked, as a and b"}
        time = parse_time(entry.get("timestamp"))
        if time is None:
            return {"ok": False, "error": "timestamp: expected a time"}
        a, b = (self.store.hash(pair) for pair in pairs)
        ruling = Ruling(pairs[0], pairs[1], link, time, str(entry.get("messageId", "")))
        if not self.manual.rule(a + b, ruling):
            return {"applied": False}
        self.log.cause = {"type": "link" if link else "unlink", "id": ruling.message}
        self.rebuild([person for person in map(self.store.holder, (a, b)) if person is not None], {a, b})
        homes = sorted({profile_id(person.key) for person in map(self.store.holder, (a, b)) if person is not None})
        return {"applied": True, "joined": len(homes) == 1, "profiles": homes}

    def _pair(self, value: Any) -> Pair | None:
        if not isinstance(value, dict) or not isinstance(value.get("namespace"), str) or not isinstance(value.get("value"), str):
            return None
        return self._judge(self.digest).identifiers.normalize(value["namespace"], value["value"])

    def _replay(self, entry: ControlEntry) -> dict[str, Any]:
        counts = {"applied": 0, "duplicate": 0, "refused": 0, "gone": 0}
        for name, outcome in entry.outcomes:
            key = sequence_key(int(name.removeprefix("q-"))) if name.removeprefix("q-").isdigit() else b""
            row = self.shard.quarantine.get(key) if key else None
            if row is None:
                counts["gone"] += 1
                continue
            known = msgspec.msgpack.decode(row, type=QuarantineRow)
            counts[self._replay_one(key, known, outcome)] += 1
        return counts

    def _replay_one(self, key: bytes, known: QuarantineRow, outcome: Event | Refused) -> str:
        refusal: tuple[str, str] | None
        if known.reason == "conflict":
            # Its bytes are as they were, and so is the message that came first, even when that is forgotten by now.
            return "refused"
        if isinstance(outcome, Refused):
            refusal, path = (outcome.reason, outcome.detail), outcome.schema_path
        else:
            duplicates = self.meta.duplicate
            refusal, path = self._take(outcome, CONTROL, exempt=True), ""
            if refusal is None:
                self._count_refusal(known.reason, -1)
                self.shard.quarantine.delete(key)
                return "applied" if self.meta.duplicate == duplicates else "duplicate"
        assert refusal is not None, "either refused by its contract or by what is known"
        self._count_refusal(known.reason, -1)
        known.reason, known.detail, known.schema_path = refusal[0], refusal[1], path
        self._count_refusal(known.reason, 1)
        self.shard.quarantine.put(key, _encode(known))
        return "refused"


def _content(body: dict[str, Any]) -> bytes:
    """What two messages of one id must have in common."""
    return orjson.dumps({key: value for key, value in body.items() if key not in _NOT_CONTENT}, option=orjson.OPT_SORT_KEYS)


