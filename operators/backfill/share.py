"""The second half of a bulk load: the islands of one part, record by record as a flow would, into rows that are taken in at once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import msgspec
import orjson

from contracts.model.batches import JudgedBatch, Refused
from operators import meta as meta_row
from operators.backfill.chunks import REFUSED, Chunk, decode_judged, decode_refused
from operators.backfill.islands import NONE
from operators.backfill.laying import event_of
from operators.people import rebuilds
from operators.people.quarantine import refused_event
from operators.people.store import LARGEST
from operators.people.take import refuse, take
from operators.people.work import Work
from state.bulk import write_rows
from state.family import Family
from state.keys import sequence_key, sequence_of
from state.overlay import Overlay
from state.shard import Missing

NUMBERED = frozenset({"changes", "history"})
"""Families whose keys count rows of the whole space: they are written when it is known where a part begins to count."""
_OTHERWISE = frozenset({"meta", "quality", "quarantine", *NUMBERED})
_REST = 40
"""Bits of a place in a chunk, behind those of the chunk."""

_decode_identifiers = msgspec.msgpack.Decoder(list[tuple[tuple[int, str], ...]]).decode


class Folded(msgspec.Struct, gc=False):
    """What a part's islands come to beside the rows of its files.

    ``meta`` is what it was when the slice began, with what the part has added; ``rebuilds`` what it has cost. ``quarantine`` are rows
    without their numbers; ``quality`` rows of scores of refused records alone; ``conflicts`` positions of events that were not accepted,
    by chunk. ``largest``: the most identifiers of one person.
    """

    meta: bytes
    rebuilds: bytes
    quarantine: list[bytes]
    quality: list[tuple[bytes, bytes]]
    conflicts: dict[int, list[int]]
    largest: int
    records: int


class Folding:
    """One part's fold of one slice, over the shard as it was committed when the slice began. ``meta`` is that of the space then."""

    def __init__(self, path: Path, meta: bytes, work: Callable[[Overlay], Work], applied: dict[str, int]) -> None:
        self._shard = Overlay(path)
        # What is counted there is added to what others count.
        quality = Family(self._shard.db, "quality", Missing())
        self._shard.families["quality"] = self._shard.quality = quality
        self._shard.meta.put(meta_row.KEY, meta)
        self._applied = applied
        before = meta_row.decode(meta)
        self._changes, self._turns = before.changes, before.turns
        self._work = work(self._shard)
        self._looks_up = bool(self._work.definitions.lookups)
        self._work.cost = rebuilds.Rebuilds()
        self._conflicts: dict[int, list[int]] = {}

    def fold(self, folder: Path, chunks: Sequence[Chunk], shares: dict[int, bytes], said: Callable[[int], None]) -> Folded:
        """Fold the islands of a share (`Islands.shares`), one after the other, each in order of the records' positions.

        ``said`` is told how many records are done, now and then.
        """
        count = 0
        with ExitStack() as stack:
            laid = [_Laid(stack, folder, chunk, self._applied.get(chunk.partition, 0)) for chunk in chunks]
            identifiers = {part: _decode_identifiers((folder / f"identifiers-{part}").read_bytes()) for part in shares}
            for at in _in_order(laid, shares):
                chunk = laid[at >> _REST]
                self._take(chunk, at & (1 << _REST) - 1, identifiers[chunk.part])
                count += 1
                if not count & 8191:
                    said(count)
        return self._done(count)

    def _take(self, laid: _Laid, at: int, identifiers: list[tuple[tuple[int, str], ...]]) -> None:
        row = laid.row(at)
        if row[:1] == REFUSED:
            self._refuse(decode_refused(row[1:]), laid)
            return
        judged = decode_judged(row[1:])
        event = event_of(judged, laid.first + at, identifiers[laid.groups[at]], looks_up=self._looks_up)
        refusal = take(self._work, event, laid.batch.partition, exempt=True)
        if refusal is not None:
            self._conflicts.setdefault(laid.number, []).append(event.position)
            self._refuse(refused_event(event, *refusal), laid)

    def _refuse(self, record: Refused, laid: _Laid) -> None:
        self._work.quality.begin(laid.batch.source, laid.batch.read_at_us)
        refuse(self._work, record, laid.batch)
        self._work.quality.score()

    def _done(self, count: int) -> Folded:
        work, shard = self._work, self._shard
        work.store.flush()
        work.accounts.flush()
        work.moments.flush()
        work.quality.ledger.flush()
        quarantine = [row for row in shard.quarantine.pending.values() if row is not None]
        quality = [(key, row) for key, row in shard.quality.pending.items() if row is not None]
        largest = shard.meta.get(LARGEST)
        return Folded(
            meta_row.encode(work.meta), rebuilds.encode(work.cost), quarantine, quality, self._conflicts,
            0 if largest is None else int.from_bytes(largest, "big"), count,
        )  # fmt: skip

    def write(self, folder: Path, part: int, changes: int, turns: int) -> int:
        """Write the part's files; its changes and turns begin behind these numbers. Returns their bytes."""
        written = 0
        for name, family in self._shard.families.items():
            rows: dict[bytes, bytes | None] = family.pending
            if name == "changes":
                rows = self._renumbered(rows, changes - self._changes)
            elif name == "history":
                rows = _moved(rows, turns - self._turns)
            elif name in _OTHERWISE:
                continue
            if rows:
                written += write_rows(folder, name, part, rows)
        self._let_go()
        return written

    def _let_go(self) -> None:
        """What a space works on holds itself, so its people and rows are let go of one by one: to have them looked for takes longer."""
        for family in self._shard.families.values():
            family.pending = {}
        self._work.use(self._work.digest)
        self._shard.close()

    def _renumbered(self, rows: dict[bytes, bytes | None], by: int) -> dict[bytes, bytes | None]:
        """Changes under their numbers in the space, which their ids say too."""
        begin = f'{{"id":{orjson.dumps(self._work.name).decode()[:-1]}-0-'
        found: dict[bytes, bytes | None] = {}
        for key, row in rows.items():
            number = sequence_of(key)
            assert row is not None, "what was told stays told"
            found[sequence_key(number + by)] = f"{begin}{number + by}".encode() + row[len(f"{begin}{number}".encode()) :]
        return found


class _Laid:
    """A chunk whose rows are read by their places."""

    def __init__(self, stack: ExitStack, folder: Path, chunk: Chunk, applied: int) -> None:
        self.number, self.part, self.first = chunk.number, chunk.part, chunk.first
        self.groups, lengths = array("I"), array("I")
        self.groups.frombytes(chunk.groups)
        lengths.frombytes(chunk.lengths)
        self.skip = max(0, applied - chunk.first + 1)
        """Records that the shard has already."""
        self._ends = array("Q", lengths)
        end = 0
        for at, length in enumerate(lengths):
            end += length
            self._ends[at] = end
        self.batch = JudgedBatch(
            "", chunk.source, chunk.partition, chunk.first, chunk.last, "", [], [], [], chunk.read_at_us, history=True
        )  # fmt: skip
        self._content: Any = b""
        if end:
            file = stack.enter_context((folder / str(chunk.number)).open("rb"))
            self._content = stack.enter_context(mmap(file.fileno(), 0, access=ACCESS_READ))

    def row(self, at: int) -> bytes:
        content: bytes = self._content[self._ends[at - 1] if at else 0 : self._ends[at]]
        return content


def _in_order(laid: Sequence[_Laid], shares: dict[int, bytes]) -> Iterator[int]:
    """Where the records of a share lie, island by island; chunk and place in it as one number."""
    islands: dict[int, list[int]] = {}
    by_group = {}
    for part, share in shares.items():
        by_group[part] = array("I")
        by_group[part].frombytes(share)
    for number, chunk in enumerate(laid):
        share_of, begin = by_group[chunk.part], number << _REST
        for at in range(chunk.skip, len(chunk.groups)):
            island = share_of[chunk.groups[at]]
            if island != NONE:
                found = islands.get(island)
                if found is None:
                    islands[island] = [begin + at]
                else:
                    found.append(begin + at)
    for places in islands.values():
        yield from places


def _moved(rows: dict[bytes, bytes | None], by: int) -> dict[bytes, bytes | None]:
    """Turns of the history under their numbers in the space."""
    return {key[:16] + sequence_key(sequence_of(key[16:]) + by): row for key, row in rows.items()}
