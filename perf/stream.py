"""A space of its own, fed with judged batches: what the identity measurements run on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import contracts
from contracts.model.batches import ControlEntry, Event, JudgedBatch
from contracts.model.hashing import Hasher
from operators.epochs import CONTROL
from operators.judge import Judge
from operators.people.space import Space
from operators.people.work import Work
from state.shard import Shard

NAME, PARTITION = "perf", "events"
NEVER_US = 1 << 60
BATCH = 2_000
"""Events of one commit, as in the flow by default."""


class Stream:
    """A shard in a folder and the space over it, of this kind. ``texts`` are the files below ``contracts/``; nothing is too late."""

    def __init__(self, folder: Path, texts: Mapping[str, str], cache_mb: int = 512, kind: type[Space] = Space) -> None:
        self.definitions = contracts.load(texts)
        self.shard = Shard(folder, cache_bytes=cache_mb * 125_000)
        self.judge = Judge(self.definitions, unknown_ok=True, future_skew_us=NEVER_US, max_event_bytes=1_000_000)
        work = Work(
            NAME, self.shard, Hasher("perf", NAME), load=lambda _: self.definitions, judge=lambda _: self.judge,
            horizon_us=NEVER_US, cache_bytes=cache_mb * 1_000_000,
        )  # fmt: skip
        self.space = kind(work)
        self._fed = 0
        self.space.start([PARTITION])
        entry = {"type": "definitions", "digest": self.definitions.digest, "from": {}, "messageId": "definitions"}
        self.space.apply(JudgedBatch(NAME, CONTROL, CONTROL, 1, 1, "", [], [], [ControlEntry(1, entry)], 0))

    def judged(self, lines: Sequence[bytes]) -> list[Event]:
        """The events of lines, all of which must be good, as the validate step hands them over."""
        events, refused = self.judge.judge_many(list(lines), 1, 0)
        if refused:
            raise ValueError(f"expected good events, found {refused[0].reason}: {refused[0].detail}")
        return events

    def apply(self, events: list[Event]) -> None:
        """Apply the events in one commit."""
        first = self._fed + 1
        for position, event in enumerate(events, first):
            event.position = position
        self._fed += len(events)
        self.space.apply(JudgedBatch(NAME, PARTITION, PARTITION, first, self._fed, "", events, [], [], 0))

    def close(self) -> None:
        self.shard.close()
