"""A shard to try things on: what was committed, read beside the writer, and changes that stay in memory."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from state.family import Family
from state.shard import FAMILIES, GENERATIONS, OTHER, SecondaryShard, Shard

_SWITCHED = b"switched"


class Overlay(Shard):
    """Reads a shard as it was committed when this was opened; what is committed here is kept in ``pending`` and never written.

    What a `Family` calls committed stays as it was, so one change after another sees the first only where it reads row by row.
    Another generation lies in a folder of its own until this is closed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = SecondaryShard(path)
        self.db = self.before.db
        self.families = {name: Family(self.db, name, self.before.columns[name]) for name in FAMILIES}
        self.__dict__.update(self.families)
        if self.before.holds_before:
            self.families |= {OTHER + name: Family(self.db, name, self.before.columns[OTHER + name]) for name in (*GENERATIONS, "meta")}
        self.generation = 0
        self._filled: Shard | None = None
        """Where the next generation is made."""
        self._folders: list[Callable[[], object]] = []
        """What removes each of the folders."""
        self._written = 0

    def commit(self) -> int:
        """Nothing is written to the shard; returns how many rows differ."""
        if self._filled is not None:
            self._written += _bytes(self._filled.families.values())
            self._filled.commit()
            if self.meta.pending.pop(_SWITCHED, None) is not None:
                self._swap()
                self._filled = None
        return sum(len(family.pending) for family in self.families.values())

    @property
    def written(self) -> int:
        """Bytes of keys and rows that would have been written."""
        return self._written + _bytes(self.families.values())

    def begin_other(self) -> None:
        folder = tempfile.mkdtemp(prefix="skep-plan-")
        self._folders.append(weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True))
        self._filled = Shard(Path(folder))
        for name in (*GENERATIONS, "meta"):
            self.families[OTHER + name] = self._filled.families[name]

    def begin_next(self) -> bool:
        self.begin_other()
        return True

    def switch(self) -> None:
        self.meta.put(_SWITCHED, b"")

    def drop_other(self) -> None:
        """Its rows stay where they are until this is closed."""
        for name in (*GENERATIONS, "meta"):
            del self.families[OTHER + name]

    def drop_next(self, *, wait: bool = True) -> bool:  # noqa: ARG002 (nobody else opens them)
        self.drop_other()
        return True

    def row(self, family: str, key: bytes) -> bytes | None:
        """A row with the changes."""
        return self.families[family].get(key)

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows of a family with the changes; changed ones come last, in order."""
        pending = self.families[family].pending
        for key, value in self.families[family].committed(start, end):
            if key not in pending:
                yield key, value
        for key in sorted(pending):
            changed = pending[key]
            if changed is not None and start <= key and (end is None or key < end):
                yield key, changed

    def close(self) -> None:
        self.before.close()
        for remove in self._folders:
            remove()


def _bytes(families: Iterable[Family]) -> int:
    return sum(len(key) + len(row or b"") for family in families for key, row in family.pending.items())
