"""The read step: what is read, as a source of Bytewax."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from contracts.model.batches import SourceBatch

IDLE = timedelta(milliseconds=2)
"""How long to rest when nothing is there."""


class Batches(Protocol):
    """What hands over batches: a `connectors.sources.reader.Reader`, or what hears what one hands over."""

    @property
    def done(self) -> bool: ...

    def poll(self) -> list[SourceBatch]: ...

    def close(self) -> None: ...


class _ReadPartition(StatefulSourcePartition[SourceBatch, int]):
    def __init__(self, reader: Batches, stop: Flag) -> None:
        self._reader, self._stop = reader, stop
        self._awake: datetime | None = None

    def next_batch(self) -> list[SourceBatch]:
        if self._stop.is_set() or self._reader.done:
            raise StopIteration
        batches = self._reader.poll()
        self._awake = None if batches else datetime.now(UTC) + IDLE
        return batches

    def next_awake(self) -> datetime | None:
        return self._awake

    def snapshot(self) -> int:
        return 0

    def close(self) -> None:
        self._reader.close()


class Read(FixedPartitionedSource[SourceBatch, int]):
    """All sources of a flow as one partition of Bytewax.

    What Bytewax would have us resume from is ignored: the stores know what they have applied, to the record, and a
    recovery store that is ahead of them or behind them would lose or repeat. When ``stop`` is set the source ends
    where it is, without calling any partition finished.
    """

    def __init__(self, make_reader: Callable[[], Batches], stop: Flag | None = None) -> None:
        self._make_reader = make_reader
        self._stop = stop or Flag()

    def list_parts(self) -> list[str]:
        return ["read"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _ReadPartition:  # noqa: ARG002
        return _ReadPartition(self._make_reader(), self._stop)
