"""A space apart, in which the flow's own steps can be tried by hand: over a shard of its own, or over what a flow has committed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

from contracts.model.batches import ControlEntry, Event, JudgedBatch, Refused
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.epochs import CONTROL
from operators.judge import Judge
from operators.people.space import Space
from operators.people.work import NEVER_US, Work
from operators.view.space import View
from state.overlay import Overlay
from state.shard import Shard

CACHE_BYTES = 512_000_000


class Sandbox:
    """Takes judged records and control entries as the people step does, and shows what they come to.

    ``load`` gives the definitions of a digest, ``judge`` what judges by them. Over an `Overlay` nothing is written.
    """

    def __init__(
        self,
        name: str,
        shard: Shard,
        hasher: Hasher,
        *,
        load: Callable[[str], Definitions],
        judge: Callable[[str], Judge],
        horizon_us: int = NEVER_US,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self.name = name
        self.shard = shard
        before = shard.before if isinstance(shard, Overlay) else shard
        self.before = View(before, name, hasher, load)
        """What a flow had committed; of a shard of its own, the same as `view`."""
        self.view = View(shard, name, hasher, load)
        self._work = partial(Work, name, shard, hasher, load=load, judge=judge, horizon_us=horizon_us, cache_bytes=cache_bytes)

    @cached_property
    def space(self) -> Space:
        """What applies and commits; made when it is first asked for."""
        return Space(self._work())

    def forget(self) -> None:
        """Let go of what the steps have in memory; what they have committed stays."""
        self.__dict__.pop("space", None)

    def feed(
        self,
        partition: str,
        events: list[Event],
        refused: Sequence[Refused] = (),
        *,
        read_at_us: int = 0,
        finished: bool = False,
        history: bool = False,
        digest: str = "",
    ) -> None:
        """Apply judged records, whose positions go on behind those of the partition; the rest as in `JudgedBatch`."""
        first = self.following(partition)
        batch = JudgedBatch(
            self.name, partition, partition, first, first + len(events) + len(refused) - 1, "", events, list(refused), [], read_at_us
        )
        batch.finished, batch.history, batch.digest = finished, history, digest
        self.space.apply(batch)

    def come_to(self, partition: str, now_us: int) -> None:
        """A partition that has caught up: its clock comes to a moment, and every timer due by then fires."""
        first = self.following(partition)
        tick = JudgedBatch(self.name, partition, partition, first, first - 1, "", [], [], [], now_us, caught_up=True)
        while self.space.apply(tick):
            pass

    def enter(self, *entries: dict[str, Any]) -> None:
        """Apply entries of the control partition."""
        first = self.following(CONTROL)
        placed = [ControlEntry(position, entry) for position, entry in enumerate(entries, first)]
        self.space.apply(JudgedBatch(self.name, CONTROL, CONTROL, first, first + len(placed) - 1, "", [], [], placed, 0))

    def answer(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Apply an entry that has a ``messageId``; what came of it."""
        self.enter(entry)
        return self.view.answer(entry["messageId"]) or {}

    def following(self, partition: str) -> int:
        """The position of the next record of a partition."""
        return self.space.meta.applied.get(partition, 0) + 1
