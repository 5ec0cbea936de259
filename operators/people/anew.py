"""Everybody made anew, in commits of bounded size: the stored events are applied once more, by the definitions that come, to an empty
generation beside the one in force; the switch is a small commit; then what is different is told, and the generation of before goes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from operators import meta as meta_row
from operators.meta import Meta, Underway
from operators.people import denials, take
from operators.people.meaning import MEANING
from operators.people.recompute import rebuild
from operators.people.store import LARGEST
from operators.people.stored import committed
from operators.people.work import Work
from operators.records import Stored, decode_person
from state.keys import NOBODY as NO_ANCHOR
from state.other_generation import OtherGeneration

MOMENTS = 2_000
"""Events, and records in quarantine, that are read for one commit."""
PEOPLE = 200
"""Whose events are brought into the order of time together, as many of them as one commit takes."""
_SAID, _NOBODYS, _PEOPLE = b"", b"\0", b"\0\0"
"""Where the cursor stands while denials and manual links are taken over, while events without identifiers are, and before everybody."""


class Anew:
    """Applies what is stored to the generation beside. The order is for speed only: any gives the same people."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._apart: Work | None = None
        self._said: Iterator[tuple[bytes | None, bytes]] | None = None
        self._moments: Iterator[tuple[bytes, Stored]] | None = None
        self._last = b""
        """Who is the last of those whose events are read."""

    def slice(self, change: Underway) -> None:
        """The next events; call it with nothing pending, and commit behind it."""
        apart = self._apart or self._opened(change)
        if change.cursor == _SAID:
            self._take_over(apart, change)
        else:
            self._apply(apart, change)
        if change.switched:
            return
        # What one commit holds; memory is brought back within its limits behind it.
        apart.remember()
        apart.store.flush()
        apart.accounts.flush()
        apart.moments.flush()
        apart.shard.meta.put(meta_row.KEY, meta_row.encode(apart.meta))
        apart.shard.commit()
        forgotten = apart.store.trim()
        if apart.matcher is not None:
            apart.matcher.committed(forgotten=forgotten)

    def _opened(self, change: Underway) -> Work:
        """The steps over the generation beside, which is made if it is not there."""
        work, meta = self._work, self._work.meta
        if not work.shard.other:
            work.shard.begin_other()
            change.cursor, change.within, change.events = _SAID, 0, 0
        # Nobody is asked for meanwhile.
        work.use(work.digest)
        shard = OtherGeneration(work.shard)
        if shard.meta.get(meta_row.KEY) is None:
            unread = {purpose: dict(counts) for purpose, counts in meta.unread.items()}
            new = Meta(clock=meta.clock, meaning=MEANING, edition=meta.edition, denials=meta.denials, unread=unread)
            new.contracts, new.epochs = list(meta.contracts), [(change.after, {})]
            shard.meta.put(meta_row.KEY, meta_row.encode(new))
        apart = self._apart = work.apart(shard)
        return apart

    # ---- what was said and refused

    def _take_over(self, apart: Work, change: Underway) -> None:
        """Denials of refused records; then, at once, what was linked by hand."""
        shard = self._work.shard
        if self._said is None:
            known = ((key, row) for key, row in shard.denials.committed(b""))
            refused = ((None, row) for _, row in shard.quarantine.committed(b""))
            self._said = islice(chain[tuple[bytes | None, bytes]](known, refused), change.within, None)
        count = 0
        for key, row in islice(self._said, MOMENTS):
            count += 1
            if key is None:
                denials.read(apart, row)
            else:
                apart.shard.denials.put(key, row)
        change.within += count
        if count:
            return
        for pair, ruling in sorted(apart.manual.rulings.items()):
            if ruling.link:
                apart.begin(ruling.message, ruling.time_us)
                ends = pair[:16], pair[16:]
                rebuild(apart, [person for person in map(apart.store.holder, ends) if person is not None], set(ends))
        change.cursor, change.within, self._said = _NOBODYS, 0, None

    # ---- events

    def _apply(self, apart: Work, change: Underway) -> None:
        """The next events, in order of time as far as one commit goes; behind the last, the switch."""
        moments = self._next(change)
        if not moments:
            _switch(self._work, change, apart.meta)
            return
        contracts = self._work.meta.contracts
        for anchor, stored in sorted(moments, key=lambda each: (each[1].time_us, each[1].message)):
            event = apart.judge.stored(stored.row, stored.time_us, contracts)
            before = apart.shard.seen.get(stored.message)
            take.again(apart, event, stored.message)
            if before is not None and self._is_forgotten(anchor, stored):
                # Its id was no longer remembered when the other one came.
                apart.shard.seen.put(stored.message, before)
        change.within += len(moments)
        change.events += len(moments)

    def _is_forgotten(self, anchor: bytes, stored: Stored) -> bool:
        """Whether a message id stands for another moment than this one."""
        seen = self._work.shard.seen.get(stored.message)
        kept = None if seen is None else self._work.moments.remembered(stored.message, seen)
        return kept is None or (kept.anchor, kept.time_us) != (anchor, stored.time_us)

    def _next(self, change: Underway) -> list[tuple[bytes, Stored]]:
        """The next moments, each with its anchor; none if that was all."""
        while True:
            if self._moments is None:
                anchors = self._anchors(change)
                if not anchors:
                    return []
                self._moments = islice(committed(self._work.shard, anchors), change.within, None)
            found = list(islice(self._moments, MOMENTS))
            if found:
                return found
            change.cursor, change.within, self._moments = self._last, 0, None

    def _anchors(self, change: Underway) -> list[bytes]:
        """The identifiers of the next people behind the cursor, in order; none behind the last."""
        if change.cursor == _NOBODYS:
            self._last = _PEOPLE
            return [NO_ANCHOR]
        anchors: list[bytes] = []
        for at, (key, row) in enumerate(self._work.shard.people.committed(change.cursor + b"\0"), 1):
            self._last = key
            anchors += [each.hash for each in decode_person(row).identifiers]
            # Nobody's events hang on devices of somebody else.
            if at >= PEOPLE and anchors:
                break
        return sorted(anchors)


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
