"""The RocksDB directory of one space: the one writer, and reading as a secondary."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    Checkpoint,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteOptions,
)

from state.errors import DiskFull, FormatMismatch, NoState, StateError, explained
from state.family import Family, Missing, scan
from state.files import held

FORMAT = b"5"
"""Raised when a stored row changes its meaning; a shard of another format is refused."""
_OURS = frozenset({FORMAT})

FAMILIES = (
    "meta", "seen", "moments", "pages", "people", "alias", "versions", "timers", "changes", "quarantine", "answers", "manual", "quality",
    "refused", "identified", "blocks", "history", "denials", "accounts", "calls", "members", "traits", "shares",
)  # fmt: skip
GENERATIONS = (
    "seen", "moments", "pages", "people", "alias", "timers", "refused", "identified", "blocks", "denials", "accounts", "calls",
    "members", "traits", "shares",
)  # fmt: skip
"""Families made of events and definitions, of which there may be two generations; of the later one ``meta`` is there twice, too."""
OTHER = "other."
"""Before the name of a family of the generation that is not in force."""
_BESIDE = (*GENERATIONS, "meta")
_GENERATION = b"generation"
"""Where `meta` has the number of the generation in force; 0 if it has none."""
_POINT_READS = frozenset({
    "seen", "people", "alias", "versions", "refused", "identified", "denials", "blocks", "accounts", "members", "traits", "shares",
})  # fmt: skip


def _family_options(name: str, cache: Cache) -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(cache)
    table.set_block_size(16 * 1024 if name in {"changes", "moments", "pages"} else 4 * 1024)
    if name in _POINT_READS:
        table.set_bloom_filter(10, False)
    options = Options(raw_mode=True)
    options.set_block_based_table_factory(table)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_bottommost_compression_type(DBCompressionType.zstd())
    options.set_write_buffer_size((64 if name in {"seen", "moments", "people"} else 16) * 1024 * 1024)
    options.set_max_write_buffer_number(3)
    if name in _POINT_READS:
        options.set_memtable_whole_key_filtering(True)
        options.set_memtable_prefix_bloom_ratio(0.1)
    return options


def table_options(name: str) -> Options:
    """How the files of a family are written that are made beside the shard: compaction compresses them once more, as any of its own."""
    options = _family_options(name, Cache(0))
    # A file that is made so would take it for its own compression.
    options.set_bottommost_compression_type(DBCompressionType.lz4())
    return options


def _options() -> Options:
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.create_missing_column_families(True)
    options.set_max_background_jobs(2)
    options.set_max_total_wal_size(256 * 1024 * 1024)
    options.set_keep_log_file_num(3)
    options.set_max_open_files(512)
    return options


def _open(path: Path, access: AccessType, cache: Cache, names: Iterable[str]) -> Rdict:
    families = {name: _family_options(name.partition("@")[0], cache) for name in names}
    return Rdict(str(path), _options(), column_families=families, access_type=access)


def _stored(name: str, generation: int) -> str:
    """The column family in which a generation of a family lies."""
    return f"{name}@{generation}" if generation else name


def _newest(listed: Set[str]) -> tuple[int, bool]:
    """The newest generation of which column families are there, and whether the one before it is there as well."""
    newest = max((int(number) for _, at, number in (name.partition("@") for name in listed) if at), default=0)
    return newest, _stored("meta", newest) in listed and newest > 0


def _layout(listed: Set[str], generation: int) -> dict[str, str]:
    """The column family of each family of a shard in which these are there. ``generation``: the one in force."""
    newest, both = _newest(listed)
    found = {name: _stored(name, generation) if name in GENERATIONS else name for name in FAMILIES}
    if both:
        other = newest if generation < newest else newest - 1
        found |= {OTHER + name: _stored(name, other) for name in GENERATIONS} | {OTHER + "meta": _stored("meta", newest)}
    return found


class Shard:
    """The primary: the one writer of a space's state. Each family is an attribute of its name."""

    meta: Family
    seen: Family
    moments: Family
    pages: Family
    people: Family
    alias: Family
    versions: Family
    timers: Family
    changes: Family
    quarantine: Family
    answers: Family
    manual: Family
    quality: Family
    refused: Family
    identified: Family
    blocks: Family
    history: Family
    denials: Family
    accounts: Family
    calls: Family
    members: Family
    traits: Family
    shares: Family

    def __init__(self, path: Path, *, sync: bool = False, cache_bytes: int = 64 * 1024 * 1024, formats: Set[bytes] = _OURS) -> None:
        """``formats``: those that are taken; what is committed makes it one of today's."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        try:
            listed = _listed(path) if (path / "CURRENT").exists() else set()
            # Which of two generations is in force is not known yet.
            newest, both = _newest(listed)
            names = {stored for at in range(newest - both, newest + 1) for stored in _layout(listed, at).values()}
            self._cache = Cache(cache_bytes)
            self.db = _open(path, AccessType.read_write(), self._cache, names)
        except Exception as error:
            raise _explained(path, error) from error
        self.generation = int(self.db.get_column_family("meta").get(_GENERATION) or 0)
        self.families = {name: Family(self.db, stored) for name, stored in _layout(names, self.generation).items()}
        self.__dict__.update({name: self.families[name] for name in FAMILIES})
        try:
            _check_format(path, self.row("meta", b"format"), formats)
        except FormatMismatch:
            self.close()
            raise
        self._write = WriteOptions()
        self._write.sync = sync
        self._write.memtable_insert_hint_per_batch = True

    def commit(self) -> int:
        """Write everything pending in one batch; returns how many rows."""
        batch = WriteBatch(raw_mode=True)
        batch.put(b"format", FORMAT, self.families["meta"].handle)
        count = sum(family.write(batch) for family in self.families.values() if family.pending)
        try:
            self.db.write(batch, self._write)
        except Exception as error:
            raise _explained(self.path, error) from error
        switched = _GENERATION in self.meta.pending
        for family in self.families.values():
            if family.pending:
                family.pending = {}
        if switched:
            self._swap()
        return count

    @property
    def other(self) -> bool:
        """Whether there is another generation beside the one in force."""
        return OTHER + "meta" in self.families

    def begin_other(self) -> None:
        """Make the families of the next generation, empty ones, beside those in force."""
        while not self.begin_next():
            pass

    def begin_next(self) -> bool:
        """Make one of them, which takes RocksDB some writes to the disk; whether all are there."""
        missing = [name for name in ("meta", *GENERATIONS) if OTHER + name not in self.families]
        for name in missing[:1]:
            stored = _stored(name, self.generation + 1)
            self.db.create_column_family(stored, _family_options(name, self._cache))
            self.families[OTHER + name] = Family(self.db, stored)
        return len(missing) <= 1

    def switch(self) -> None:
        """The commit that follows puts the other generation in force, and that of before is the other one."""
        self.meta.put(_GENERATION, str(self.generation + 1).encode())

    def _swap(self) -> None:
        for name in GENERATIONS:
            self.families[name].swap(self.families[OTHER + name])
        self.generation += 1

    def drop_other(self) -> None:
        """Let go of the generation that is not in force. What is killed in the middle is opened as both, and can be done again."""
        while not self.drop_next():
            pass

    def drop_next(self, *, wait: bool = True) -> bool:
        """Let go of one of its families; whether none is left. Without ``wait`` nothing is done while a reader opens them."""
        name = next((name for name in (*GENERATIONS, "meta") if OTHER + name in self.families), None)
        if name is not None:
            stored = _layout(_listed(self.path), self.generation)[OTHER + name]
            try:
                with held(self.path, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB):
                    self.families.pop(OTHER + name).close()
                    self.db.drop_column_family(stored)
            except BlockingIOError:
                return False
        return not self.other

    def row(self, family: str, key: bytes) -> bytes | None:
        """A committed row."""
        return self.families[family].committed_row(key)

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Committed rows of a family in order."""
        return self.families[family].committed(start, end)

    def sizes(self) -> dict[str, int]:
        """Bytes on disk and in memtables, for metrics."""
        total = {"sst": 0, "memtables": 0}
        for family in self.families.values():
            total["sst"] += family.number("rocksdb.total-sst-files-size")
            total["memtables"] += family.number("rocksdb.cur-size-all-mem-tables")
        return total

    def compact(self) -> None:
        """Have RocksDB write every file again, without what is deleted; reads and commits go on meanwhile."""
        for family in self.families.values():
            family.compact()

    def checkpoint(self, path: Path) -> None:
        """Make a folder, which is not there yet, of exactly what is committed; tables are hard links where they can be.

        Raises DiskFull or StateError. Commits go on meanwhile, but for the moment at the end: memory is written out before.
        """
        for family in self.families.values():
            family.write_out()
        try:
            Checkpoint(self.db).create_checkpoint(str(path))
        except Exception as error:
            if "No space left" in str(error):
                raise DiskFull(f"the disk of {path} is full → name a folder on another disk, or free some space") from error
            raise StateError(f"{path}: no checkpoint of {self.path} can be made there: {error}") from error

    def close(self) -> None:
        """Let go of the folder, so that another process can write it."""
        for family in self.families.values():
            family.close()
        self.db.close()


class SecondaryShard:
    """A reader beside the writer, in any process; sees what was committed at its last `refresh`."""

    def __init__(self, path: Path, *, any_format: bool = False) -> None:
        """``any_format``: also a shard of which this version can read nothing but its format. Raises `NoState`, else `FormatMismatch`."""
        if not (path / "CURRENT").exists():
            raise NoState(f"nothing has run here yet: {path} is empty. Run `skep run --once` or `python -m bytewax.run flows.cdp` first.")
        self._path = path
        self._scratch = tempfile.mkdtemp(prefix="skep-secondary-")
        # Also at the end of a process that never closes its view.
        weakref.finalize(self, shutil.rmtree, self._scratch, ignore_errors=True)
        try:
            self._open()
        except Exception:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        written = self.columns["meta"].get(b"format")
        if written is None and self._incomplete:
            self.close()
            raise _unfinished(path)
        if not any_format:
            _check_format(path, written, _OURS)

    def _open(self) -> None:
        """Open the families that are there: the writer makes them one by one, and a newer one those that an older has not; and it drops
        some."""
        try:
            while not self._opened():
                pass
        except Exception as error:
            if "Column family not found" in str(error):
                raise _unfinished(self._path) from error
            raise _explained(self._path, error) from error
        self._generation = self._in_force()
        layout = _layout(self._families, self._generation)
        self.columns: dict[str, Any] = {
            name: self.db.get_column_family(stored) if stored in self._families else Missing() for name, stored in layout.items()
        }
        self._incomplete = any(isinstance(self.columns[name], Missing) for name in FAMILIES)
        self.holds_before = OTHER + "meta" in layout and _newest(self._families)[0] == self._generation
        """Whether the other generation is the one that was in force before."""

    def _opened(self) -> bool:
        """Open the families that are there now; False if others are by then. RocksDB does not survive that some are dropped meanwhile."""
        with held(self._path, fcntl.LOCK_SH):
            return self._opened_as_they_are()

    def _opened_as_they_are(self) -> bool:
        self._families = _listed(self._path)
        names = {name for name in self._families if name.partition("@")[0] in FAMILIES}
        try:
            self.db = _open(self._path, AccessType.secondary(self._scratch), Cache(16 * 1024 * 1024), names)
            self.db.try_catch_up_with_primary()
        except Exception as error:
            if "olumn family" in str(error) and _listed(self._path) != self._families:
                return False
            raise
        if _listed(self._path) == self._families:
            return True
        self.db.close()
        return False

    def _in_force(self) -> int:
        """The generation that is."""
        return int(self.db.get_column_family("meta").get(_GENERATION) or 0) if "meta" in self._families else 0

    def refresh(self) -> None:
        """See everything committed until now, in families too that the writer has made since."""
        try:
            self.db.try_catch_up_with_primary()
        except Exception as error:
            # The writer has been started again, with families that were not there when this was opened.
            if "unknown column family" not in str(error):
                raise
            self._let_go()
            self._open()
        if (self._incomplete and _listed(self._path) != self._families) or self._in_force() != self._generation:
            self._let_go()
            self._open()

    def row(self, family: str, key: bytes) -> bytes | None:
        """A row as of the last refresh."""
        found: bytes | None = self.columns[family].get(key)
        return found

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows of a family in order, as of the last refresh."""
        return scan(self.columns[family], start, end)

    def close(self) -> None:
        self._let_go()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _let_go(self) -> None:
        for family in self.columns.values():
            family.close()
        self.db.close()


def _listed(path: Path) -> set[str]:
    """Names of the families that are there."""
    return set(Rdict.list_cf(str(path), _options()))


def _unfinished(path: Path) -> NoState:
    return NoState(f"nothing has run here yet: {path} is just being made. Ask again in a moment.")


def _check_format(path: Path, found: bytes | None, formats: Set[bytes]) -> None:
    if found is not None and found not in formats:
        raise FormatMismatch(
            f"{path} has state of format {found.decode(errors='replace')}, this version of Skep reads format {FORMAT.decode()}. "
            "`skep state info` says what it needs."
        )


def _explained(path: Path, error: Exception) -> StateError:
    return explained(path, error, "Stop the flow that is running, or choose another `data:` folder.")
