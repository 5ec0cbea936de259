"""The end of activation: each destination is told its changes, then its cursor moves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bytewax.outputs import DynamicSink, StatelessSinkPartition

from connectors.destinations.destination import Cursor, Delivery, Destination
from connectors.destinations.file import FileDestination
from contracts.model.destinations import Destination as Definition

OPENERS: dict[str, Callable[[Definition, Path], Destination]] = {"file": lambda to, root: FileDestination(root / to.path)}
"""By kind how a destination is opened; paths are relative to the project folder."""


class _Deliveries(StatelessSinkPartition[Delivery]):
    def __init__(self, root: Path, cursor: Callable[[str], Cursor]) -> None:
        self._root, self._cursor = root, cursor
        self._opened: dict[str, tuple[Definition, Destination, Cursor]] = {}

    def write_batch(self, items: list[Delivery]) -> None:
        for told in items:
            destination, cursor = self._open(told)
            if told.changes:
                destination.deliver(told.changes)
            cursor.store(told.last)

    def _open(self, told: Delivery) -> tuple[Destination, Cursor]:
        """The destination, opened again where definitions have changed it."""
        if told.cursor in self._opened:
            known, destination, cursor = self._opened[told.cursor]
            if known == told.to:
                return destination, cursor
            destination.close()
        opened = OPENERS[told.to.kind](told.to, self._root), self._cursor(told.cursor)
        self._opened[told.cursor] = (told.to, *opened)
        return opened


class Deliver(DynamicSink[Delivery]):
    """Tells destinations at least once: a crash between delivery and cursor repeats the last batch, with the same ids."""

    def __init__(self, root: Path, cursor: Callable[[str], Cursor]) -> None:
        self._root, self._cursor = root, cursor

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Deliveries:  # noqa: ARG002
        return _Deliveries(self._root, self._cursor)
