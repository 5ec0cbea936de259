"""The second half of a bulk load: the islands of one part, record by record as a flow would, into rows that are taken in at once."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import msgspec
import orjson

from contracts.model.batches import JudgedBatch, Refused
from operators import meta as meta_row
from operators.backfill.chunks import REFUSED, STORED, Chunk, Folded, decode_judged, decode_refused
from operators.backfill.islands import NONE
from operators.backfill.laying import event_of
from operators.people import rebuilds
from operators.people.quarantine import refused_event
from operators.people.store import LARGEST
from operators.people.take import refuse, take_known
from operators.people.work import Work
from state.bulk import write_rows
from state.family import Family, Missing
from state.keys import sequence_key, sequence_of
from state.overlay import Overlay

_NUMBERED = frozenset({"changes", "history"})
"""Families whose keys count rows of the whole space: they are written when it is known where a part begins to count."""
_BESIDE = frozenset({"meta", "quality", "quarantine"})
"""Those whose rows are handed over, since the parts' are added up."""
TOGETHER = 2_000
"""Records, at least, behind which what whole islands come to is put aside."""
PIECE = 500_000
"""Rows put aside, at least, that are written to files of their own: they bound memory, about 400 bytes each."""
_REST = 40
"""Bits of a place in a chunk, behind those of the chunk."""

_decode_identifiers = msgspec.msgpack.Decoder(list[tuple[tuple[int, str], ...]]).decode


class Folding:
    """One part's fold of one slice, over the shard as it was committed when the slice began, into files of the folder ``into``.

    ``meta`` is that of the space then."""

    def __init__(  # noqa: PLR0917
        self, path: Path, into: Path, part: int, meta: bytes, work: Callable[[Overlay], Work], applied: dict[str, int]
    ) -> None:
        self._shard = Overlay(path)
        self._folder, self._part = into, part
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
        self._aside: dict[str, dict[bytes, bytes | None]] = {name: {} for name in self._shard.families if name not in _BESIDE}
        """Rows of islands that are done, by family: no other island asks for them."""
        self._waiting = self._pieces = self._bytes = 0
        """Rows put aside since the last piece, pieces, and the bytes of their files."""

    def fold(self, chunks: Sequence[Chunk], shares: dict[int, bytes], said: Callable[[int], None]) -> Folded:
        """Fold the islands of a share (`Islands.shares`), one after the other, each in order of the records' positions.

        ``said`` is told how many records are done, now and then.
        """
        count = done = 0
        with ExitStack() as stack:
            laid = [_Laid(stack, self._folder, chunk, self._applied.get(chunk.partition, 0)) for chunk in chunks]
            identifiers = {part: _decode_identifiers((self._folder / f"identifiers-{part}").read_bytes()) for part in shares}
            for island in _islands(laid, shares):
                for at in island:
                    chunk = laid[at >> _REST]
                    self._take(chunk, at & (1 << _REST) - 1, identifiers[chunk.part])
                count += len(island)
                if count - done >= TOGETHER:
                    self._put_aside()
                    said(count)
                    done = count
        self._put_aside()
        return self._done(count)

    def _take(self, laid: _Laid, at: int, identifiers: list[tuple[tuple[int, str], ...]]) -> None:
        row = laid.row(at)
        if row[:1] == REFUSED:
            self._refuse(decode_refused(row[1:]), laid)
            return
        judged = decode_judged(row[1:])
        event = event_of(judged, laid.first + at, identifiers[laid.groups[at]], looks_up=self._looks_up)
        seen, message = self._shard.seen, judged.message
        if event.traits is not None:
            event.sources = (laid.batch.source,)
        # What the shard does not have may have come before in this island.
        known = seen.get(message) if judged.places & STORED else seen.pending.get(message)
        refusal = take_known(self._work, event, laid.batch.partition, message, known, exempt=True)
        if refusal is not None:
            self._conflicts.setdefault(laid.number, []).append(event.position)
            self._refuse(refused_event(event, *refusal), laid)

    def _refuse(self, record: Refused, laid: _Laid) -> None:
        self._work.quality.begin(laid.batch.source, laid.batch.read_at_us)
        refuse(self._work, record, laid.batch)
        self._work.quality.score()

    def _put_aside(self) -> None:
        """Whole islands are done: encode whom they have changed, each once, and let go of everybody."""
        work, families = self._work, self._shard.families
        work.store.flush()
        work.accounts.flush()
        work.moments.flush()
        work.store.forget()
        for name, rows in self._aside.items():
            family = families[name]
            if family.pending:
                rows.update(family.pending)
                self._waiting += len(family.pending)
                family.pending = {}
        if self._waiting >= PIECE:
            for name, rows in self._aside.items():
                if name not in _NUMBERED:
                    self._write_rows(name, rows)
                    self._aside[name] = {}
            self._pieces += 1
            self._waiting = 0

    def _write_rows(self, family: str, rows: dict[bytes, bytes | None]) -> None:
        if rows:
            self._bytes += write_rows(self._folder, family, f"{self._part}-{self._pieces}", rows)

    def _done(self, count: int) -> Folded:
        work, shard = self._work, self._shard
        work.quality.ledger.flush()
        quarantine = [row for row in shard.quarantine.pending.values() if row is not None]
        quality = [(key, row) for key, row in shard.quality.pending.items() if row is not None]
        largest = shard.meta.get(LARGEST)
        return Folded(
            meta_row.encode(work.meta), rebuilds.encode(work.cost), quarantine, quality, self._conflicts,
            0 if largest is None else int.from_bytes(largest, "big"), count,
        )  # fmt: skip

    def write(self, changes: int, turns: int) -> int:
        """Write what is left; the part's changes and turns begin behind these numbers. Returns the bytes of all of its files."""
        for name in list(self._aside):
            rows = self._aside.pop(name)
            if name == "changes":
                rows = self._renumbered(rows, changes - self._changes)
            elif name == "history":
                rows = _moved(rows, turns - self._turns)
            self._write_rows(name, rows)
        self._let_go()
        return self._bytes

    def _let_go(self) -> None:
        """What a space works on holds itself, so what it holds is let go of one by one: to have it looked for takes longer."""
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


def _islands(laid: Sequence[_Laid], shares: dict[int, bytes]) -> Iterable[array[int]]:
    """Where the records of each island of a share lie, in order; chunk and place in it as one number."""
    islands: dict[int, array[int]] = {}
    by_group: dict[int, array[int]] = {}
    for part, share in shares.items():
        by_group[part] = array("I")
        by_group[part].frombytes(share)
    for number, chunk in enumerate(laid):
        share_of, begin, groups = by_group[chunk.part], number << _REST, chunk.groups
        for at in range(chunk.skip, len(groups)):
            island = share_of[groups[at]]
            if island != NONE:
                found = islands.get(island)
                if found is None:
                    islands[island] = array("Q", (begin + at,))
                else:
                    found.append(begin + at)
    return islands.values()


def _moved(rows: dict[bytes, bytes | None], by: int) -> dict[bytes, bytes | None]:
    """Turns of the history under their numbers in the space."""
    return {key[:16] + sequence_key(sequence_of(key[16:]) + by): row for key, row in rows.items()}
