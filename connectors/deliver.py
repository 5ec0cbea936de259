"""The end of activation: each destination is told the changes it asked for, then its cursor moves."""

from __future__ import annotations

from collections.abc import Callable

from bytewax.outputs import DynamicSink, StatelessSinkPartition

from connectors.audience import Audience
from connectors.changes import Told
from connectors.destinations import Cursor, Destination

Open = Callable[[str], tuple[Destination, Audience]]
"""Name of a partition → the destination, and what of the changes it is told."""


class _Deliveries(StatelessSinkPartition[Told]):
    def __init__(self, open_destination: Open, cursor: Callable[[str], Cursor]) -> None:
        self._open, self._cursor = open_destination, cursor
        self._opened: dict[str, tuple[Destination, Audience, Cursor]] = {}

    def write_batch(self, items: list[Told]) -> None:
        for name, changes in items:
            if name not in self._opened:
                self._opened[name] = (*self._open(name), self._cursor(name))
            destination, audience, cursor = self._opened[name]
            chosen = audience.told(changes)
            if chosen:
                destination.deliver(chosen)
            cursor.store(changes[-1][0])


class Deliver(DynamicSink[Told]):
    """Tells destinations at least once: a crash between delivery and cursor repeats the last batch, with the same ids."""

    def __init__(self, open_destination: Open, cursor: Callable[[str], Cursor]) -> None:
        self._open, self._cursor = open_destination, cursor

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Deliveries:  # noqa: ARG002
        return _Deliveries(self._open, self._cursor)
