"""A column family as the writer sees it, and rows in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rocksdict import IngestExternalFileOptions, Rdict, WriteBatch


class Family:
    """One column family as a primary sees it: what is committed, with the pending changes of this commit over it.

    The library's own handle on the family is kept as long as the shard is open: letting go of one flushes the family. ``column``:
    what reads the family, of one that is never written.
    """

    __slots__ = ("_db", "handle", "least", "pending")

    def __init__(self, db: Rdict, name: str, column: Any = None) -> None:
        self._db = db.get_column_family(name) if column is None else column
        self.handle: Any = db.get_column_family_handle(name) if column is None else None
        self.pending: dict[bytes, bytes | None] = {}
        """Key → value, None for a deletion."""
        self.least = b""
        """No committed row lies before this key. Whoever finds the first row may say so: what was deleted before it is not passed again."""

    def swap(self, other: Family) -> None:
        """Each is what the other was."""
        self._db, other._db = other._db, self._db
        self.pending, other.pending = other.pending, self.pending
        self.least = other.least = b""
        self.handle, other.handle = other.handle, self.handle

    def cursor(self) -> Any:
        """A RocksDB iterator over what is committed."""
        return self._db.iter()

    def committed_row(self, key: bytes) -> bytes | None:
        """A committed row, whatever is pending."""
        found: bytes | None = self._db.get(key)
        return found

    def number(self, name: str) -> int:
        """One of RocksDB's own numbers about the family, 0 if it has none."""
        return int(self._db.property_int_value(name) or 0)

    def words(self, name: str) -> str:
        """One of RocksDB's own texts about the family, empty if it has none."""
        return str(self._db.property_value(name) or "")

    def write_out(self) -> None:
        """Write what is in memory to files. Other threads go on meanwhile."""
        self._db.flush(True)

    def compact(self) -> None:
        """Have RocksDB write the family's files again, without what is deleted. Other threads go on meanwhile, commits too."""
        self._db.compact_range(None, None)

    def take_in(self, files: Iterable[Path]) -> None:
        """Make sorted files of rows (`state/bulk.py`) part of the family, over what is there; they are gone then."""
        options = IngestExternalFileOptions()
        options.set_move_files(True)
        self._db.ingest_external_file([str(each) for each in files], options)
        self.least = b""

    def close(self) -> None:
        self._db.close()
        self.handle = None

    def get(self, key: bytes) -> bytes | None:
        if key in self.pending:
            return self.pending[key]
        found: bytes | None = self._db.get(key)
        return found

    def write(self, batch: WriteBatch) -> int:
        """Put everything pending into a batch; returns how many rows."""
        batch.set_default_column_family(self.handle)
        # In order, a memtable takes a row beside the last one instead of looking for its place.
        pending = self.pending
        least = self.least
        for key in sorted(pending):
            value = pending[key]
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
                if key < least:
                    self.least = least = key
        return len(pending)

    def put(self, key: bytes, value: bytes) -> None:
        self.pending[key] = value

    def delete(self, key: bytes) -> None:
        self.pending[key] = None

    def committed(self, start: bytes, end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Committed rows with ``start <= key < end`` in order."""
        return scan(self._db, start, end)

    def rows(self, start: bytes, end: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Rows with ``start <= key < end``, pending changes included; pending ones come last, unordered."""
        pending = self.pending
        for key, value in scan(self._db, start, end):
            if key not in pending:
                yield key, value
        for key, kept in list(pending.items()):
            if kept is not None and start <= key < end:
                yield key, kept


class Missing:
    """In the place of a column family that a shard does not have: an older version wrote it, and no newer one has run since."""

    def get(self, key: bytes) -> None:  # noqa: ARG002
        return None

    def iter(self) -> Missing:
        return self

    def seek(self, key: bytes) -> None: ...

    def valid(self) -> bool:
        return False

    def status(self) -> None: ...

    def close(self) -> None: ...


def scan(db: Any, start: bytes, end: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    """Rows of a column family with ``start <= key < end``, in order."""
    rows = db.iter()
    rows.seek(start)
    while rows.valid():
        key = rows.key()
        if end is not None and key >= end:
            return
        yield key, rows.value()
        rows.next()
    # A file that cannot be read ends the rows as their end does.
    rows.status()
