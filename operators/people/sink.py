"""Where the people step's batches end: everything that others want to know of them is in the shard by then."""

from __future__ import annotations

from typing import Any

from bytewax.outputs import DynamicSink, StatelessSinkPartition


class _Nothing(StatelessSinkPartition[Any]):
    def write_batch(self, items: list[Any]) -> None:
        """A dataflow must end in an output; the commit has happened in the step before."""


class Committed(DynamicSink[Any]):
    """Takes the committed batches off the stream."""

    def build(self, step_id: str, worker_index: int, worker_count: int) -> _Nothing:  # noqa: ARG002
        return _Nothing()
