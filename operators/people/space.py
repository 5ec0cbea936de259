"""One space: applies judged batches one record at a time and commits each batch at once. No Bytewax in here."""

from __future__ import annotations

from contracts.model.batches import Event, JudgedBatch, Refused
from operators import meta as meta_row
from operators.epochs import CONTROL
from operators.lookups.attached import count
from operators.people import control, rebuilds, redefinition
from operators.people.change import Bringing
from operators.people.meaning import is_old
from operators.people.take import advance, take_in
from operators.people.work import Work
from state.errors import Gap
from state.keys import mark_key

SEAL_ROWS = 2_000
"""Moments that one batch turns into pages at most."""
SEAL_FEW = 250
"""So many it may turn into pages however few records it has; of many records twice as many as these. Events wait for it."""
TICK_TIMERS = 1_000
"""Timers that one tick fires at most; the rest follow in the next commits."""
_NOTHING_SEALED = -(1 << 31)


class Space:
    """The positions of one space and its commits; the numbers are those of "A commit" in docs/architecture.md."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.name, self.shard, self.meta = work.name, work.shard, work.meta
        self._bringing = Bringing(work)
        self._sealed = _NOTHING_SEALED
        self._rebuilds = work.cost.rebuilds
        """How many rebuilds there were at the last commit."""

    def start(self, partitions: list[str], history: frozenset[str] = frozenset()) -> None:
        """Which partitions this run reads, and which of them are history. Before anything else people are brought to today's meaning."""
        self.work.clock.start(partitions, history)
        self.renew()
        change = self.meta.change
        if change is not None and not self.work.clock.waits:
            self.bring_along()
        elif change is None and self.shard.other:
            self.shard.drop_other()

    def renew(self) -> None:
        """Compute everybody anew, in one commit, if that was last done by an older meaning of what is stored."""
        if is_old(self.meta) and self.meta.change is not None:
            self.bring_along()
        if redefinition.renew(self.work):
            self._commit()

    def apply(self, batch: JudgedBatch) -> bool:
        """Apply a batch and commit it. Returns whether timers that are due are still waiting."""
        # 1. What is at or below the applied position is dropped; what is left begins right behind it.
        applied = self.meta.applied
        done = applied.get(batch.partition, 0)
        if batch.first > done + 1:
            raise Gap(
                f"space {self.name}, partition {batch.partition}: expected record {done + 1} next, got {batch.first}. "
                "The source has skipped records; restart the flow, and if it persists look whether the file was cut."
            )
        self._seal(len(batch.events))
        self._bringing.ready()
        waiting = False
        if batch.partition == CONTROL:
            self._entries(batch, done)
        else:
            self.work.clock.take_up(batch.partition, history=batch.history)
            self._records(batch, done)
            applied[batch.partition] = max(done, batch.last)
            waiting = self._hint(batch)
        if batch.mark:
            self.shard.meta.put(mark_key(batch.partition), batch.mark)
        self._commit()
        if self.meta.change is not None:
            self.bring_along(whole=not self.work.clock.waits)
        return waiting

    def bring_along(self, *, whole: bool = True) -> None:
        """Bring people along to definitions that are on their way: all of them, or the next slice."""
        while self.meta.change is not None:
            self._said()
            generation = self.shard.generation
            self._bringing.slice(whole=whole)
            self._commit()
            if self.shard.generation != generation:
                self.work.begin_again()
                self._sealed = _NOTHING_SEALED
            if not whole:
                break
        self._said()

    def _said(self) -> None:
        if self.work.stepped is not None:
            self.work.stepped()

    def _entries(self, batch: JudgedBatch, done: int) -> None:
        work = self.work
        if not work.digest and batch.digest:
            # Entries that were given before the first run come before the definitions.
            work.use(batch.digest)
        for entry in batch.control:
            if entry.position > done:
                if entry.entry["type"] == "definitions" and self.meta.change is not None:
                    # One change after the other.
                    self.bring_along()
                # One entry a commit: new definitions start from what is stored.
                control.apply(work, entry)
                self.meta.applied[CONTROL] = entry.position
                self._commit()
                self._bringing.ready()
        self.meta.applied[CONTROL] = max(done, batch.last)

    def _records(self, batch: JudgedBatch, done: int) -> None:
        """2. Each record in order of position."""
        work = self.work
        if batch.last > done:
            new = len(batch.events) + len(batch.refused)
            if batch.first <= done:
                new -= sum(event.position <= done for event in batch.events)
                new -= sum(refused.position <= done for refused in batch.refused)
            self.meta.received += new
            self.meta.sources[batch.source] = self.meta.sources.get(batch.source, 0) + new
            self.meta.uncorrected += sum(position > done for position in batch.uncorrected)
        records: list[Event | Refused] = list(batch.events)
        if batch.digest and batch.digest != work.digest and not self._on_their_way(batch.digest):
            # After a crash with the archive ahead, what the old definitions judge can come after the new ones took effect.
            records = list(map(work.judge.understood, batch.events))
        if batch.refused:
            records = sorted([*records, *batch.refused], key=lambda record: record.position)
        if batch.looked:
            count(self.meta.looked, (event for event in batch.events if event.position > done))
        quality = work.quality
        quality.begin(batch.source, batch.read_at_us)
        take_in(work, records, batch, done)
        quality.score()

    def _on_their_way(self, digest: str) -> bool:
        """Whether definitions that judge already are those that people are brought along to, and say the same of every event."""
        change = self.meta.change
        return change is not None and change.after == digest and not self.work.judged_ahead

    def _hint(self, batch: JudgedBatch) -> bool:
        """3. What the batch says beside its records: its partition has finished, or has caught up with the wall clock."""
        work = self.work
        if batch.finished:
            work.clock.finish(batch.partition)
            # After history that is everybody's timer: too much for one commit.
            while advance(work, work.clock.lowest(), TICK_TIMERS):
                self._commit()
            return False
        if batch.caught_up:
            work.clock.catch_up(batch.partition, batch.read_at_us)
            waiting = advance(work, work.clock.lowest(), TICK_TIMERS)
            if self.meta.clock is not None and not waiting:
                work.quality.tick(self.meta.clock)
            return waiting
        return False

    def _commit(self) -> None:
        work = self.work
        # 4. What changed is encoded.
        if work.digest:
            work.store.flush()
            work.accounts.flush()
            work.moments.flush()
        self._bringing.flush()
        work.quality.ledger.flush()
        self.shard.meta.put(meta_row.KEY, meta_row.encode(self.meta))
        if work.cost.rebuilds != self._rebuilds:
            self._rebuilds = work.cost.rebuilds
            self.shard.meta.put(rebuilds.KEY, rebuilds.encode(work.cost))
        # 5. One `WriteBatch`; memory is brought back within its limits behind it.
        self.shard.commit()
        self._bringing.trim()
        forgotten = work.store.trim() if work.digest else False
        if work.matcher is not None:
            work.matcher.committed(forgotten=forgotten)
        work.quality.ledger.trim()
        work.timers.trim()

    def _seal(self, events: int) -> None:
        """Before a batch of so many events, in a commit of their own, old moments become pages: that changes no answer."""
        work, clock = self.work, self.meta.clock
        if clock is None or not work.digest or work.judged_ahead:
            # While everybody is made anew, what has been read stays where it was.
            return
        limit = work.open_period(clock)
        if limit <= self._sealed:
            return
        sealed, left = work.moments.seal(limit, min(SEAL_ROWS, max(SEAL_FEW, 2 * events)))
        if sealed:
            self.meta.remembered -= sealed
            self._commit()
        if not left:
            self._sealed = limit
