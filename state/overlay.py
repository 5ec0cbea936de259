"""A shard to try things on: what was committed, read beside the writer, and changes that stay in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from state.family import Family, scan
from state.shard import FAMILIES, SecondaryShard, Shard


class Overlay(Shard):
    """Reads a shard as it was committed when this was opened; what is committed here is kept in ``pending`` and never written.

    What a `Family` calls committed stays as it was, so one change after another sees the first only where it reads row by row.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.before = SecondaryShard(path)
        self.db = self.before.db
        self.families = {name: Family(self.db, name, self.before.columns[name]) for name in FAMILIES}
        self.__dict__.update(self.families)

    def commit(self) -> int:
        """Nothing is written; returns how many rows differ."""
        return sum(len(family.pending) for family in self.families.values())

    def row(self, family: str, key: bytes) -> bytes | None:
        """A row with the changes."""
        return self.families[family].get(key)

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Rows of a family with the changes; changed ones come last, in order."""
        pending = self.families[family].pending
        for key, value in scan(self.before.columns[family], start, end):
            if key not in pending:
                yield key, value
        for key in sorted(pending):
            changed = pending[key]
            if changed is not None and start <= key and (end is None or key < end):
                yield key, changed

    def close(self) -> None:
        self.before.close()
