"""The change log as a source of Bytewax: each space's, for all of its destinations, each from its own cursor on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event as Flag
from typing import Protocol

from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition

from connectors.destinations.destination import Delivery

IDLE = timedelta(milliseconds=5)
BATCH_CHANGES = 2_000


class Log(Protocol):
    """The change log of a space, read beside its writer."""

    def poll(self) -> list[Delivery]:
        """What there is to tell now: for each destination the next changes, at most `BATCH_CHANGES`; nothing if all have been told all."""

    def waits(self) -> timedelta | None:
        """How long to wait for more that is on its way to destinations; None if nothing is that is worth waiting for."""

    def close(self) -> None:
        """Let what is under way come to its end, and let go of everything."""


class _ChangesPartition(StatefulSourcePartition[Delivery, int]):
    def __init__(self, logs: Sequence[Log], follow: bool, stop: Flag) -> None:
        self._logs, self._follow, self._stop = logs, follow, stop
        self._awake: datetime | None = None

    def next_batch(self) -> list[Delivery]:
        if self._stop.is_set():
            self._end()
        found = [told for log in self._logs for told in log.poll()]
        waits = min((wait for log in self._logs if (wait := log.waits()) is not None), default=None)
        if not found and waits is None and not self._follow:
            self._end()
        self._awake = None if found else datetime.now(UTC) + (IDLE if waits is None else min(waits, IDLE))
        return found

    def _end(self) -> None:
        for log in self._logs:
            log.close()
        raise StopIteration

    def next_awake(self) -> datetime | None:
        return self._awake

    def snapshot(self) -> int:
        return 0


class Changes(FixedPartitionedSource[Delivery, int]):
    """All logs as one partition of Bytewax, since destinations come and go while it runs.

    Each destination is told from where its cursor stands; what Bytewax would resume from is ignored.
    """

    def __init__(self, open_logs: Callable[[], Sequence[Log]], *, follow: bool, stop: Flag) -> None:
        self._open, self._follow, self._stop = open_logs, follow, stop

    def list_parts(self) -> list[str]:
        return ["changes"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> _ChangesPartition:  # noqa: ARG002
        return _ChangesPartition(self._open(), self._follow, self._stop)
