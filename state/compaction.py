"""Compaction of an archive: the small files of a day become few, beside the flow that writes it and those who read it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from state.archive import COMPRESSION, SCHEMA, load_positions, named
from state.archive_files import POSITIONS, ArchiveFile, remove, removing, whole
from state.errors import StateError
from state.files import needing_room, sync

LARGEST = 128_000_000
"""Bytes that a merged file has at most, so that reading one day stays cheap, and a file that is as large is not written again."""
_GROUP_BYTES = 32_000_000
"""Bytes of a row group, uncompressed: so much is in memory while files are merged."""
_AT_ONCE = 1_000_000_000
"""Bytes of files that may stand beside the merged one that stands for them before they are removed."""
_SCRATCH = ".compacting"


@dataclass(frozen=True, slots=True)
class Merged:
    """How many files and bytes there were, and are."""

    files: int
    bytes: int
    files_now: int
    bytes_now: int


@dataclass(slots=True)
class _Replaced:
    """Files of which another one has every row, until they are removed."""

    folder: Path
    files: list[ArchiveFile] = field(default_factory=list)
    bytes: int = 0

    def remove(self) -> None:
        if self.files:
            with removing(self.folder):
                remove(self.files)
            for day in {one.path.parent for one in self.files}:
                sync(day)
        self.files, self.bytes = [], 0


def merge(folder: Path) -> Merged:
    """Merge the small files of each day and partition of a space's archive; rows stay as they are, in their order.

    What a merged file stands for is removed behind it, and by then counts no more (`state.archive_files.whole`). Killed at any
    moment, every row is there once. Waits for who is `reading`. Raises `StateError` if another process is at it, `DiskFull`.
    """
    files, covered = whole(folder)
    if not files:
        return Merged(0, 0, 0, 0)
    with _scratch(folder) as scratch:
        before = len(files) + len(covered), _size(files) + _size(covered)
        replaced = _Replaced(folder, covered)
        try:
            with needing_room(folder, "the archive is as it was. Free some space and compact it again."):
                for run in _runs(files, named(load_positions(folder / POSITIONS))):
                    _write(scratch, run)
                    replaced.files += run
                    replaced.bytes += _size(run)
                    if replaced.bytes >= _AT_ONCE:
                        replaced.remove()
        finally:
            replaced.remove()
    after = whole(folder)[0]
    return Merged(*before, len(after), _size(after))


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for what is being written, of one process at a time; what another one has left is removed."""
    scratch = folder / _SCRATCH
    scratch.mkdir(exist_ok=True)
    handle = os.open(scratch, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for left in scratch.iterdir():
            left.unlink()
        yield scratch
    except BlockingIOError as error:
        raise StateError(f"{folder} is being compacted by another process → wait for it") from error
    finally:
        os.close(handle)


def _runs(files: list[ArchiveFile], durable: dict[str, int]) -> Iterator[list[ArchiveFile]]:
    """Neighbours by position, of one day and partition, that go into one file. What is not durable yet is the flow's."""
    for _, group in groupby(files, key=lambda one: (one.path.parent, one.partition)):
        run: list[ArchiveFile] = []
        size = 0
        for one in sorted(group, key=lambda one: one.first):
            own = one.path.stat().st_size
            ours = one.last <= durable.get(one.partition, 0) and own < LARGEST and _is_ours(pq.read_schema(one.path))
            if run and (not ours or size + own > LARGEST):
                yield from _worth(run)
                run, size = [], 0
            if ours:
                run.append(one)
                size += own
        yield from _worth(run)


def _is_ours(schema: pa.Schema) -> bool:
    """Whether a file is as it is written now, or was before there were lookups."""
    return bool(schema.equals(SCHEMA) or schema.equals(pa.schema([field for field in SCHEMA if field.name != "lookup"])))


def _worth(run: list[ArchiveFile]) -> Iterator[list[ArchiveFile]]:
    if len(run) > 1:
        yield run


def _write(scratch: Path, run: list[ArchiveFile]) -> None:
    """Put a file in place that has the rows of all of these."""
    target = run[0].path.with_name(f"{run[0].partition}~{run[0].first}-{run[-1].last}.parquet")
    fresh = scratch / "merged"
    expected = 0
    with pq.ParquetWriter(fresh, SCHEMA, **COMPRESSION) as writer:
        for table in _groups(run):
            expected += table.num_rows
            writer.write_table(table)
    rows = sum(pq.read_metadata(one.path).num_rows for one in run)
    if not rows == expected == pq.read_metadata(fresh).num_rows:
        raise StateError(f"{target.parent}: expected {rows} rows in {target.name}, found {expected} → look whether the disk is sound")
    sync(fresh)
    fresh.replace(target)
    sync(target.parent)


def _groups(run: Iterable[ArchiveFile]) -> Iterator[pa.Table]:
    """The rows of all files in order, a row group at a time."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for one in run:
        with pq.ParquetFile(one.path) as file:
            for batch in file.iter_batches():
                if "lookup" not in batch.schema.names:
                    batch = batch.append_column("lookup", pa.nulls(batch.num_rows, pa.string()))  # noqa: PLW2901
                waiting.append(batch)
                size += batch.nbytes
                if size >= _GROUP_BYTES:
                    yield pa.Table.from_batches(waiting, SCHEMA)
                    waiting, size = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting, SCHEMA)


def _size(files: Iterable[ArchiveFile]) -> int:
    return sum(one.path.stat().st_size for one in files)
