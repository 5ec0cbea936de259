"""Everybody made anew, in commits of bounded size, beside events: the stored events are applied once more, by the definitions that come,
to an empty generation beside the one in force; what comes meanwhile is applied to both. The switch is a small commit; then what is
different is told, and the generation of before goes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from contracts.model.batches import Event
from operators import meta as meta_row
from operators.meta import Meta, Underway
from operators.people import denials, members, repeat, take
from operators.people.meaning import MEANING
from operators.people.rulings import link_again
from operators.people.store import LARGEST
from operators.people.stored import committed
from operators.people.work import Work
from operators.records import Stored, decode_person
from state.family import Family
from state.keys import NOBODY as NO_ANCHOR
from state.other_generation import OtherGeneration
from state.shard import OTHER

MOMENTS = 2_000
"""Events, and records in quarantine, that are read for one commit."""
PEOPLE = 200
"""Whose events are brought into the order of time together, as many of them as one commit takes."""
SLICE_US = 15_000
"""Time of the processor that a slice takes, about, while events wait for it."""
_RULINGS, _DENIALS, _REFUSED, _NOBODYS, _PEOPLE = 1, 2, 3, 4, 5
"""What is read, one after the other, as `Underway.stage` has it: what was said by hand, denials of refused records, these records
themselves, events without identifiers, the events of people. `Underway.cursor` is where that has come to, of people in the order of all
identifiers. What comes before the denials are read has its turn like what is stored; from then on it is applied at once."""
_READ = b"read/"
"""Before the hash of an identifier in the other generation's `meta`: its events have been read, and it lies behind the cursor."""


class Anew:
    """Applies what is stored to the generation beside. The order is for speed only: any gives the same people.

    An event counts there once, whichever comes first: its turn here, or that it is new or replaced in the generation in force.
    """

    def __init__(self, work: Work, spent_ns: Callable[[], int] = time.thread_time_ns) -> None:
        """``spent_ns``: how much time of the processor this thread has had."""
        self._work, self._spent_ns = work, spent_ns
        self._apart: Work | None = None
        self._ends_ns: int | None = None
        self._moments: Iterator[tuple[bytes, Stored]] | None = None
        """Of those whose events are read."""
        self._waiting: deque[tuple[bytes, Stored]] = deque()
        """What of these has been read, in the order of time."""
        self._last = b""
        """The last identifier up to which everybody's events are read then."""
        self._anchors: set[bytes] = set()
        self._passed: list[bytes] = []
        """Identifiers up to there whose events had been read before."""
        self._heard = 0
        """How many entries had been kept when what was said by hand was read."""

    def _make(self, change: Underway) -> None:
        """Make the families of the generation beside, one after the other."""
        shard = self._work.shard
        if shard.other and shard.families[f"{OTHER}meta"].get(meta_row.KEY) is not None:
            # An earlier version has begun it: what has been applied to it is not known.
            shard.drop_other()
        if shard.begin_next():
            change.stage, change.cursor, change.events = _RULINGS, b"", 0

    def open(self, change: Underway) -> Work:
        """The steps over the generation beside, once it is there."""
        if self._apart is not None:
            return self._apart
        work, meta = self._work, self._work.meta
        shard = OtherGeneration(work.shard)
        if shard.meta.get(meta_row.KEY) is None:
            unread = {purpose: dict(counts) for purpose, counts in meta.unread.items()}
            new = Meta(clock=meta.clock, meaning=MEANING, edition=meta.edition, unread=unread)
            new.contracts, new.epochs = list(meta.contracts), [(change.after, {})]
            shard.meta.put(meta_row.KEY, meta_row.encode(new))
        apart = self._apart = work.apart(shard)
        if change.stage == _RULINGS:
            change.cursor, self._heard = b"", work.manual.heard
        else:
            self._begin(apart)
        return apart

    def _begin(self, apart: Work) -> None:
        """From now on what comes is applied to it, too."""
        self._work.beside, self._work.replaced, self._work.came_again = apart, self._replace, self._come_again

    def slice(self, change: Underway, *, whole: bool) -> None:
        """The next events; call it with nothing pending, and commit behind it. ``whole``: no event waits for it."""
        if not change.stage:
            self._make(change)
            return
        apart = self.open(change)
        self._ends_ns = None if whole else self._spent_ns() + 1000 * SLICE_US
        if change.stage >= _NOBODYS:
            self._apply(apart, change)
        elif change.stage == _RULINGS:
            self._link(apart, change)
        elif change.stage == _DENIALS:
            self._go_through(change, self._work.shard.denials, lambda key, row: denials.copy(apart, key, row))
        else:
            self._go_through(change, self._work.shard.quarantine, lambda _, row: denials.read(apart, row))

    def _is_over(self, count: int) -> bool:
        """Whether one commit has taken enough."""
        return count >= MOMENTS or (self._ends_ns is not None and self._spent_ns() >= self._ends_ns)

    # ---- what was said and refused

    def _go_through(self, change: Underway, family: Family, do: Callable[[bytes, bytes], None]) -> None:
        """Take the next rows over; behind the last begins the next stage."""
        for count, (key, row) in enumerate(family.committed(change.cursor + b"\0"), 1):
            do(key, row)
            change.cursor = key
            if self._is_over(count):
                return
        change.stage, change.cursor = change.stage + 1, b""

    def _link(self, apart: Work, change: Underway) -> None:
        """Take over what was said by hand, from the beginning if more has been said meanwhile."""
        if self._heard != self._work.manual.heard:
            change.cursor, self._heard = b"", self._work.manual.heard
            apart.manual.use(apart.judge.identifiers)
        for count, pair in enumerate(sorted(pair for pair in apart.manual.rulings if pair > change.cursor), 1):
            ruling = apart.manual.rulings[pair]
            apart.begin(ruling.message, ruling.time_us)
            link_again(apart, (pair[:16], pair[16:]))
            change.cursor = pair
            if self._is_over(count):
                return
        change.stage, change.cursor = _DENIALS, b""
        self._begin(apart)

    # ---- events

    def _replace(self, before: Event, event: Event, message: bytes) -> None:
        """A repeat stands in the place of a stored event."""
        apart = self._apart
        assert apart is not None, "whoever is told of it is open"
        kept = repeat.held(apart, apart.judge.understood(before), message)
        again = apart.judge.understood(event)
        if kept is None:
            take.again(apart, again, message)
        else:
            repeat.replace(apart, again, kept)
            take.end(apart)
        # What has been read and not applied may be what was replaced.
        self._moments, self._waiting = None, deque()

    def _come_again(self, stored: Event, sources: tuple[str, ...], message: bytes) -> None:
        """A stored event has come from more sources. If it has not been applied, its turn comes."""
        apart = self._apart
        assert apart is not None, "whoever is told of it is open"
        kept = repeat.held(apart, apart.judge.understood(stored), message)
        if kept is not None:
            repeat.come_again(apart, kept, sources)
            take.end(apart)
        self._moments, self._waiting = None, deque()

    def _apply(self, apart: Work, change: Underway) -> None:
        """The next events, in order of time as far as they are read together; behind the last, the switch."""
        contracts, count = self._work.meta.contracts, 0
        while not self._is_over(count):
            if self._waiting:
                anchor, stored = self._waiting.popleft()
                self._again(apart, anchor, stored, contracts)
                count += 1
            elif not self._read(change):
                change.events += count
                if not count:
                    self._apart = self._work.beside = self._work.replaced = self._work.came_again = None
                    _switch(self._work, change, apart.meta)
                return
        change.events += count

    def _again(self, apart: Work, anchor: bytes, stored: Stored, contracts: list[str]) -> None:
        event = apart.judge.stored(stored.row, stored.time_us, contracts)
        before = apart.shard.seen.get(stored.message)
        if before is not None and repeat.held(apart, event, stored.message) is not None:
            return
        take.again(apart, event, stored.message)
        if before is not None and self._is_forgotten(anchor, stored):
            # Its id was no longer remembered when the other one came.
            apart.shard.seen.put(stored.message, before)

    def _is_forgotten(self, anchor: bytes, stored: Stored) -> bool:
        """Whether a message id stands for another moment than this one."""
        seen = self._work.shard.seen.get(stored.message)
        kept = None if seen is None else self._work.moments.remembered(stored.message, seen)
        return kept is None or (kept.anchor, kept.time_us) != (anchor, stored.time_us)

    def _read(self, change: Underway) -> bool:
        """Read the next moments, perhaps none; whether there are any left to read."""
        if self._moments is None:
            anchors = self._next(change)
            if not anchors:
                return False
            self._moments = committed(self._work.shard, anchors)
        found = sorted(islice(self._moments, MOMENTS), key=lambda each: (each[1].time_us, each[1].message))
        self._waiting.extend(found)
        if not found:
            self._pass(change)
        return True

    def _next(self, change: Underway) -> list[bytes]:
        """The identifiers of the next people of whom one lies behind the cursor, in order; none behind the last."""
        if change.stage == _NOBODYS:
            return [NO_ANCHOR]
        work, people = self._work, 0
        self._anchors, self._passed = set(), []
        for key, lead in work.shard.alias.committed(change.cursor + b"\0"):
            self._last = key
            if self._was_read(key):
                self._passed.append(key)
            elif key not in self._anchors:
                row = work.shard.people.get(lead)
                ends = {key} if row is None else {key, *(each.hash for each in decode_person(row).identifiers)}
                # Those before the cursor have been read, or are new.
                self._anchors |= {end for end in ends if end >= key and not self._was_read(end)}
                people += 1
            if people >= PEOPLE:
                break
        if not self._anchors and self._passed:
            self._pass(change)
            return self._next(change)
        return sorted(self._anchors)

    def _was_read(self, identifier: bytes) -> bool:
        return self._marks.get(_READ + identifier) is not None

    def _pass(self, change: Underway) -> None:
        """The events of these people have been applied."""
        self._moments = None
        if change.stage == _NOBODYS:
            change.stage, change.cursor = _PEOPLE, b""
            return
        for identifier in self._passed:
            self._marks.delete(_READ + identifier)
        for identifier in self._anchors:
            if identifier > self._last:
                self._marks.put(_READ + identifier, b"")
        change.cursor = self._last

    @property
    def _marks(self) -> Family:
        assert self._apart is not None, "whoever reads is open"
        return self._apart.shard.meta

    # ---- commits

    def flush(self) -> None:
        """Encode what has changed in the generation beside into the commit of the one in force."""
        apart = self._apart
        if apart is not None:
            _flush(self._work, apart)

    def trim(self) -> None:
        """Behind that commit, bring the memory of the generation beside back within its limits."""
        apart = self._apart
        if apart is not None:
            forgotten = apart.store.trim()
            if apart.matcher is not None:
                apart.matcher.committed(forgotten=forgotten)


def _flush(work: Work, apart: Work) -> None:
    if apart.accounts.waiting:
        members.settle(apart)
    # What one commit holds; memory is brought back within its limits behind it.
    apart.remember()
    apart.store.flush()
    apart.accounts.flush()
    apart.moments.flush()
    apart.meta.clock, apart.clock.now = work.meta.clock, work.clock.now
    apart.shard.meta.put(meta_row.KEY, meta_row.encode(apart.meta))
    apart.shard.commit()


def _switch(work: Work, change: Underway, new: Meta) -> None:
    """The generation beside is in force for everybody from the commit that follows on; nobody has been told of anything yet."""
    meta = work.meta
    meta.unidentified, meta.remembered, meta.contracts = new.unidentified, new.remembered, new.contracts
    meta.large_blocks, meta.denials, meta.unread = new.large_blocks, new.denials, new.unread
    meta.edition += 1
    change.switched, change.cursor, change.within = True, b"", 0
    largest = work.shard.families["other.meta"].get(LARGEST)
    if largest is not None:
        work.shard.meta.put(LARGEST, largest)
    work.shard.switch()
