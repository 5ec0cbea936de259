"""The people step on Bytewax: one logic a space, which hands batches to `Space`."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from bytewax.operators import StatefulBatchLogic

from contracts.model.batches import JudgedBatch
from operators.metrics import SpaceMetrics, Standing, batch_took
from operators.people.space import Space


class PeopleLogic(StatefulBatchLogic[JudgedBatch, JudgedBatch, str]):
    """Applies the batches of one space. Its snapshot is only the space's name: the shard knows what it has applied.

    The garbage collector is off in a flow, since a full collection stalls it; what a batch has left is frozen, so that
    nothing ever walks over it. The steps make no cycles, so counting references frees all that they drop.
    """

    def __init__(self, open_space: Callable[[str], Space], name: str | None) -> None:
        self._open = open_space
        self._space: Space | None = None
        if name is not None:
            self._opened(name)

    def on_batch(self, values: list[JudgedBatch]) -> tuple[list[JudgedBatch], bool]:
        for batch in values:
            space = self._space or self._opened(batch.space)
            began = time.perf_counter()
            space.apply(batch)
            batch_took("people", began)
            tell(self._metrics, space)
        gc.freeze()
        return values, False

    def _opened(self, name: str) -> Space:
        self._space = space = self._open(name)
        self._metrics = SpaceMetrics(name, standing(space))
        return space

    def snapshot(self) -> str:
        return self._space.name if self._space is not None else ""


def people(open_space: Callable[[str], Space]) -> Callable[[str | None], PeopleLogic]:
    """The builder for ``stateful_batch``; what Bytewax resumes with is the space's name or nothing."""
    return lambda resumed: PeopleLogic(open_space, resumed or None)


def tell(metrics: SpaceMetrics, space: Space) -> None:
    """Tell the metrics of a space where it stands behind a commit."""
    quality = space.work.quality
    if metrics.sizes_wanted():
        metrics.sizes(space.shard.sizes())
        metrics.quality.measured(quality.scores())
    metrics.committed(standing(space))
    broken = ((one.source, one.event) for one in space.meta.broken.values())
    metrics.quality.committed(quality.ledger.newly_scored(), broken, quality.stopped)


def standing(space: Space) -> Standing:
    """Where a space stands, in numbers."""
    work, meta, cost, timers = space.work, space.meta, space.work.cost, space.work.timers
    due = timers.overdue(meta.clock) if meta.clock is not None else 0
    return Standing(
        meta.received, meta.events, meta.duplicate, dict(meta.quarantine), timers.fired, cost.rebuilds, cost.identifiers, cost.busy_us,
        meta.clocks, meta.clock, due, meta.people, meta.changes, work.store.cached if work.digest else None,
    )  # fmt: skip
