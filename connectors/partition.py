"""One file being read: where it is, what comes next, and the batches made of it."""

from __future__ import annotations

import orjson

from connectors.sources import Records
from contracts.events import SourceBatch
from contracts.times import MIN_US, parse_time

_TIMES = ("timestamp", "originalTimestamp", "receivedAt")


class Partition:
    """Makes the batches of one partition, in order; ``after`` is the position behind which it starts, ``history`` what its source is."""

    def __init__(self, space: str, source: str, name: str, records: Records, after: int, *, history: bool = False) -> None:
        self.space, self.source, self.name, self.history = space, source, name, history
        self.finished = False
        self._records = records
        self._last = after
        self._said_us: int | None = None
        self._next_us: int | None = None

    def next_us(self) -> int | None:
        """The time of the next record, the earliest possible if it has none that can be read; None at the end."""
        if self._next_us is None:
            raw = self._records.peek()
            self._next_us = None if raw is None else peek_time(raw)
        return self._next_us

    def batch(self, count: int, now_us: int, *, follow: bool) -> SourceBatch:
        """The next records, at most ``count``; whether they reach the end is said on the batch itself."""
        records = self._records.take(count)
        first, self._last = self._last + 1, self._last + len(records)
        self._next_us = None
        ended = self.next_us() is None
        self.finished = ended and not follow
        if self.finished:
            self.close()
        self._said_us = now_us
        hints = ended and follow, self.finished, self.history
        return SourceBatch(self.space, self.source, self.name, first, self._last, records, now_us, *hints)

    def rest(self, now_us: int) -> SourceBatch:
        """An empty batch that says that the partition is read no further for now; nothing is taken from it."""
        first, last = self._last + 1, self._last
        return SourceBatch(self.space, self.source, self.name, first, last, [], now_us, finished=True, history=self.history)

    @property
    def last(self) -> int:
        """The last record that was handed over, 0 for none."""
        return self._last

    def due(self, now_us: int, every_us: int) -> bool:
        """Whether a caught-up partition should say the time again (also one that has never said anything)."""
        return self._said_us is None or now_us - self._said_us >= every_us

    def close(self) -> None:
        self._records.close()


def peek_time(raw: bytes) -> int:
    """A record's own time, roughly: it only decides which partition is read next."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return MIN_US
    if type(body) is not dict:
        return MIN_US
    for key in _TIMES:
        if body.get(key) is not None:
            time_us = parse_time(body[key])
            return MIN_US if time_us is None else time_us
    return MIN_US
