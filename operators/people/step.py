"""The people step on Bytewax: one logic a space, which hands batches to `Space`."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from bytewax.operators import StatefulBatchLogic

from contracts.model.batches import JudgedBatch
from operators.metrics import SpaceMetrics, batch_took
from operators.people.space import Space


class PeopleLogic(StatefulBatchLogic[JudgedBatch, JudgedBatch, str]):
    """Applies the batches of one space. Its snapshot is only the space's name: the shard knows what it has applied.

    The garbage collector is off in a flow, since a full collection stalls it; what a batch has left is frozen, so that
    nothing ever walks over it. The steps make no cycles, so counting references frees all that they drop.
    """

    def __init__(self, open_space: Callable[[str], Space], name: str | None) -> None:
        self._open = open_space
        self._space = open_space(name) if name is not None else None
        self._metrics = SpaceMetrics(self._space) if self._space is not None else None

    def on_batch(self, values: list[JudgedBatch]) -> tuple[list[JudgedBatch], bool]:
        for batch in values:
            if self._space is None:
                self._space = self._open(batch.space)
            if self._metrics is None:
                self._metrics = SpaceMetrics(self._space)
            began = time.perf_counter()
            self._space.apply(batch)
            batch_took("people", began)
            self._metrics.committed()
        gc.freeze()
        return values, False

    def snapshot(self) -> str:
        return self._space.name if self._space is not None else ""


def people(open_space: Callable[[str], Space]) -> Callable[[str | None], PeopleLogic]:
    """The builder for ``stateful_batch``; what Bytewax resumes with is the space's name or nothing."""
    return lambda resumed: PeopleLogic(open_space, resumed or None)
