"""The change log as a source of Bytewax: one partition for each destination and space, from its own cursor on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.destinations import Cursor

IDLE = timedelta(milliseconds=5)
BATCH_CHANGES = 2_000
Told = tuple[str, list[tuple[int, bytes]]]
"""Partition (``destination@space``) and changes as ``(sequence, JSON)``."""


class Log(Protocol):
    """A change log that can be read beside its writer."""

    def refresh(self) -> None: ...

    def changes(self, since: int) -> Iterator[tuple[int, bytes]]: ...


class _ChangesPartition(StatefulSourcePartition[Told, int]):
    def __init__(self, name: str, log: Log, since: int, follow: bool, stop: Flag) -> None:
        self._name, self._log, self._since, self._follow, self._stop = name, log, since, follow, stop
        self._awake: datetime | None = None

    def next_batch(self) -> list[Told]:
        if self._stop.is_set():
            raise StopIteration
        self._log.refresh()
        found = []
        for change in self._log.changes(self._since):
            found.append(change)
            if len(found) >= BATCH_CHANGES:
                break
        if not found:
            if not self._follow:
                raise StopIteration
            self._awake = datetime.now(UTC) + IDLE
            return []
        self._awake = None
        self._since = found[-1][0]
        return [(self._name, found)]

    def next_awake(self) -> datetime | None:
        return self._awake

    def snapshot(self) -> int:
        return self._since


class Changes(FixedPartitionedSource[Told, int]):
    """Reads every partition from where its cursor stands; what Bytewax would resume from is ignored."""

    def __init__(
        self, names: list[str], open_log: Callable[[str], Log], cursor: Callable[[str], Cursor], *, follow: bool, stop: Flag
    ) -> None:
        self._names, self._open, self._cursor, self._follow, self._stop = names, open_log, cursor, follow, stop

    def list_parts(self) -> list[str]:
        return self._names

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _ChangesPartition:  # noqa: ARG002
        return _ChangesPartition(for_part, self._open(for_part), self._cursor(for_part).load(), self._follow, self._stop)
