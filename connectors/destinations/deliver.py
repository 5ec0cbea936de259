"""The end of activation: each destination is told the changes it asked for, then its cursor moves."""

from __future__ import annotations

from collections.abc import Callable

from bytewax.outputs import DynamicSink, StatelessSinkPartition

from connectors.destinations.changes import Recipient, Told
from connectors.destinations.file import Cursor, FileDestination


class _Deliveries(StatelessSinkPartition[Told]):
    def __init__(self, cursor: Callable[[str], Cursor]) -> None:
        self._cursor = cursor
        self._opened: dict[str, tuple[Recipient, FileDestination, Cursor]] = {}

    def write_batch(self, items: list[Told]) -> None:
        for name, recipient, changes in items:
            destination, cursor = self._open(name, recipient)
            chosen = recipient.audience.told(changes)
            if chosen:
                destination.deliver(chosen)
            cursor.store(changes[-1][0])

    def _open(self, name: str, recipient: Recipient) -> tuple[FileDestination, Cursor]:
        """The destination, opened again where definitions have changed it."""
        if name in self._opened:
            known, destination, cursor = self._opened[name]
            if known == recipient:
                return destination, cursor
            destination.close()
        opened = FileDestination(recipient.path), self._cursor(name)
        self._opened[name] = (recipient, *opened)
        return opened


class Deliver(DynamicSink[Told]):
    """Tells destinations at least once: a crash between delivery and cursor repeats the last batch, with the same ids."""

    def __init__(self, cursor: Callable[[str], Cursor]) -> None:
        self._cursor = cursor

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Deliveries:  # noqa: ARG002
        return _Deliveries(self._cursor)
