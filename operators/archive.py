"""The archive step: judged batches into Parquet files."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from bytewax.outputs import DynamicSink, StatelessSinkPartition

from contracts.model.batches import JudgedBatch
from operators.metrics import batch_took
from state.archive import Archive
from state.errors import StateError

ArchiveOf = Callable[[str], Archive]
"""Opens the archive of a space."""


class _ArchivePartition(StatelessSinkPartition[JudgedBatch]):
    def __init__(self, open_archive: ArchiveOf) -> None:
        self._open = open_archive
        self._archives: dict[str, Archive] = {}

    def write_batch(self, items: list[JudgedBatch]) -> None:
        for batch in items:
            archive = self._archives.get(batch.space)
            if archive is None:
                archive = self._archives[batch.space] = self._open(batch.space)
            began = time.perf_counter()
            archive.append(batch)
            batch_took("archive", began)

    def close(self) -> None:
        for archive in self._archives.values():
            try:
                archive.close()
            except (OSError, StateError) as error:
                # Bytewax aborts if this raises while another step's error ends the flow. Nothing is lost: it is read again.
                structlog.get_logger().error("archive not written at the end", because=str(error))


class ArchiveSink(DynamicSink[JudgedBatch]):
    """Archives every space's accepted events, for one worker.

    Rows wait in memory between batches. Nothing is lost by that, because sources start from the archive's own
    positions, which move only when the rows are on disk.
    """

    def __init__(self, open_archive: ArchiveOf) -> None:
        self._open = open_archive

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _ArchivePartition:  # noqa: ARG002
        return _ArchivePartition(self._open)
