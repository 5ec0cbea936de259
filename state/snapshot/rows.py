"""What a space's shard tells the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

Settled = tuple[str, str, int, int | None]
"""A record that has left the quarantine otherwise than by passing as it was: id, partition, position, and the position of
the control entry that applied it (None: it was dropped)."""


class Rows(Protocol):
    """What one space's shard tells, all of one moment. Times are microseconds since 1970."""

    @property
    def clock_us(self) -> int | None: ...
    def applied(self) -> dict[str, int]: ...
    def settled(self) -> Iterable[Settled]: ...
    def tables(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        """The rows that fill tables (`state.snapshot.tables`), by the table's name, with personal values in the clear."""
        ...

    def readings(self) -> Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        """By the name of an old contract: how the documents that it accepted are read now."""
        ...
