"""The ledger of a space: a RocksDB store beside the shard, of what destinations are to hold, what they have acknowledged, and when.

Activation writes it; commands and the snapshot read it as a secondary. Its rows are `operators.activation.ledger_row`'s.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rocksdict import AccessType, BlockBasedOptions, Cache, DBCompressionType, Options, Rdict, WriteBatch, WriteOptions

from state.errors import FormatMismatch, NoState, StateError, explained
from state.family import Family, scan

LEDGER_FORMAT = b"1"
COMMITS = b"commits"
"""Where `meta` has how many commits there were: two readings that find the same have found the same ledger."""
LEDGER_FAMILIES = ("meta", "rows", "due", "attempts", "receipts", "ids", "contacts", "letters", "answers")
"""``meta``: cursors, paces, what each destination was told of; ``rows`` by destination, audience and profile; ``due``: when each is sent;
``attempts`` by time; ``receipts``; ``ids``: the vendors' own ids; ``contacts``: when somebody was written to; ``letters``: the last answer
to what was not taken; ``answers`` to commands."""
_CACHE_BYTES = 32 * 1024 * 1024


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_max_total_wal_size(64 * 1024 * 1024)
    options.set_keep_log_file_num(3)
    return options


def _family(cache: Cache) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(16 * 1024 * 1024)
    return options


def _open(path: Path, access: AccessType, cache: Cache) -> Rdict:
    return Rdict(str(path), _options(), column_families={name: _family(cache) for name in LEDGER_FAMILIES}, access_type=access)


class Ledger:
    """The one writer. Each family is an attribute of its name; what is put into them waits for `commit`."""

    meta: Family
    rows: Family
    due: Family
    attempts: Family
    receipts: Family
    ids: Family
    contacts: Family
    letters: Family
    answers: Family

    def __init__(self, path: Path) -> None:
        """Raises `StateLocked` if another process writes it, `StateError` if it cannot be used."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            self._db = _open(path, AccessType.read_write(), Cache(_CACHE_BYTES))
        except Exception as error:
            raise _explained(path, error) from error
        self.families = {name: Family(self._db, name) for name in LEDGER_FAMILIES}
        self.__dict__.update(self.families)
        found = self.meta.committed_row(b"format")
        if found not in {None, LEDGER_FORMAT}:
            self.close()
            raise FormatMismatch(f"{path} is a ledger of another format, this version of Skep reads format {LEDGER_FORMAT.decode()}.")
        self._commits = int(self.meta.committed_row(COMMITS) or 0)
        self._write = WriteOptions()

    def commit(self) -> int:
        """Write everything pending in one batch; returns how many rows."""
        if not any(family.pending for family in self.families.values()):
            return 0
        batch = WriteBatch(raw_mode=True)
        batch.put(b"format", LEDGER_FORMAT, self.meta.handle)
        self._commits += 1
        batch.put(COMMITS, str(self._commits).encode(), self.meta.handle)
        count = sum(family.write(batch) for family in self.families.values() if family.pending)
        try:
            self._db.write(batch, self._write)
        except Exception as error:
            raise _explained(self.path, error) from error
        for family in self.families.values():
            family.pending = {}
        return count

    def close(self) -> None:
        """Let go of the store; what is pending is lost."""
        for family in self.families.values():
            family.close()
        self._db.close()


class LedgerReader:
    """The ledger as it was committed last, read beside its writer."""

    def __init__(self, path: Path) -> None:
        """Raises `NoState` if there is none yet."""
        if not (path / "CURRENT").exists():
            raise NoState(f"nothing has been sent from here yet: there is no ledger at {path}. `skep run` begins one.")
        self._path = path
        self._scratch = tempfile.mkdtemp(prefix="skep-ledger-")
        try:
            self._db = _open(path, AccessType.secondary(self._scratch), Cache(_CACHE_BYTES // 4))
            self._db.try_catch_up_with_primary()
            self._columns: dict[str, Any] = {name: self._db.get_column_family(name) for name in LEDGER_FAMILIES}
            self.meta = Family(self._db, "meta", self._columns["meta"])
        except Exception as error:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise _explained(path, error) from error

    def refresh(self) -> None:
        """See what has been committed since."""
        self._db.try_catch_up_with_primary()

    def row(self, family: str, key: bytes) -> bytes | None:
        """A row as of the last refresh."""
        found: bytes | None = self._columns[family].get(key)
        return found

    def scan(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows of a family with ``start <= key < end`` in order, as of the last refresh."""
        return scan(self._columns[family], start, end)

    def close(self) -> None:
        """Let go of it."""
        for column in self._columns.values():
            column.close()
        self._db.close()
        shutil.rmtree(self._scratch, ignore_errors=True)


def _explained(path: Path, error: Exception) -> StateError:
    return explained(path, error, "Activation runs there already: stop it, or wait for its end.")
