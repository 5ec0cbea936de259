"""One file being read: where it is, what comes next, and the batches made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import orjson

from connectors.errors import Changed, SourceError, Unfinished
from connectors.sources.content import state
from connectors.sources.lines import Lines
from connectors.sources.marks import Mark, decode, encode
from connectors.sources.memory import ALWAYS, Memory
from connectors.sources.source import Records, SourceSpec, open_records
from contracts.model.batches import SourceBatch
from contracts.text.times import MIN_US, parse_time

_TIMES = ("timestamp", "originalTimestamp", "receivedAt")


class Partition:
    """Makes the batches of one partition, in order; ``after`` is the position behind which it starts, ``history`` what its source is."""

    stopped = ""
    """Why it is read no further; empty while it is read."""
    changed = False
    """Whether that is because what was read is no longer there."""

    def __init__(self, space: str, source: str, name: str, records: Records | None, after: int, *, history: bool = False) -> None:
        self.space, self.source, self.name, self.history = space, source, name, history
        self.finished = False
        self._records = records
        self._last = after
        self._said_us: int | None = None
        self._next_us: int | None = None

    def next_us(self) -> int | None:
        """The time of the next record, the earliest possible if it has none that can be read; None at the end."""
        if self._next_us is None:
            raw = self._records.peek() if self._records is not None else None
            self._next_us = None if raw is None else peek_time(raw)
        return self._next_us

    def batch(self, count: int, now_us: int, *, follow: bool) -> SourceBatch:
        """The next records, at most ``count``; whether they reach the end is said on the batch itself."""
        records = self._records.take(count) if self._records is not None else []
        first, self._last = self._last + 1, self._last + len(records)
        self._next_us = None
        ended = self._at_end()
        self.finished = ended and not follow
        if self.finished:
            self.close()
        self._said_us = now_us
        hints = ended and follow, self.finished, self.history, self._mark()
        return SourceBatch(self.space, self.source, self.name, first, self._last, records, now_us, *hints)

    def rest(self, now_us: int) -> SourceBatch:
        """An empty batch that says that the partition is read no further for now; nothing is taken from it."""
        hints = False, True, self.history, self._mark()
        return SourceBatch(self.space, self.source, self.name, self._last + 1, self._last, [], now_us, *hints)

    @property
    def waits(self) -> bool:
        """Whether nothing is there for now, and that is not the end."""
        return False

    @property
    def last(self) -> int:
        """The last record that was handed over, 0 for none."""
        return self._last

    def due(self, now_us: int, every_us: int) -> bool:
        """Whether a caught-up partition should say the time again (also one that has never said anything)."""
        return self._said_us is None or now_us - self._said_us >= every_us

    def look(self) -> None:
        """While following: look whether what is read has changed, if it does not notice that by itself."""

    def renew(self) -> None:
        """Read on as the definitions say that are in force from here."""

    def close(self) -> None:
        if self._records is not None:
            self._records.close()

    def _at_end(self) -> bool:
        return self.next_us() is None

    def _mark(self) -> bytes:
        """What is to be stored of what was read; nothing if it is stored already."""
        return b""


def control(space: str, name: str, path: Path, after: int) -> Partition:
    """The control partition, always read like a followed file: a line without its end is still being written."""
    return Partition(space, name, name, Lines(path, skip=after, follow=True), after)


class FilePartition(Partition):
    """The file of a source. What is wrong with it stops it alone: it then says so once, and may go on when the file is as it should be.

    ``memory`` knows what was read of the file, and by which mapping which of its rows are read.
    """

    def __init__(self, spec: SourceSpec, name: str, path: Path, after: int, memory: Memory, *, follow: bool) -> None:
        super().__init__(spec.space, spec.name, name, None, after, history=spec.history)
        self.spec, self.path = spec, path
        self._memory, self._until = memory, ALWAYS
        mark = decode(memory.mark(spec.space, name))
        self._follow = follow
        # What was read before there were marks is taken on trust.
        self._known = Mark(unmarked=after) if mark is None else mark
        self._told = encode(self._known) if mark is not None else b""
        self._state: tuple[int, ...] | None = None
        self.open()

    def open(self) -> None:
        """Open the file where it was left."""
        self.close()
        self._records, self.stopped, self.changed, self.finished = None, "", False, False
        self._next_us = None
        known = msgspec.structs.replace(self._known, waiting=0, stopped="", changed=False)
        self._map()
        try:
            self._state = state(self.path.stat())
            self._records = open_records(self.spec, self.path, skip=self._last + known.behind, follow=self._follow, mark=known)
            self._known = known
        except SourceError as error:
            self._stop(error)
        except OSError as error:
            self._stop(SourceError(self.path, f"expected a file that can be read: {error.strerror}"))

    def _map(self) -> bool:
        """Find the mapping of the next record; whether it is another one."""
        mapping, self._until = self._memory.mapping(self.spec, self.name, self._last + 1)
        if mapping == self.spec.mapping:
            return False
        self.spec = replace(self.spec, mapping=mapping)
        return True

    def renew(self) -> None:
        if (self.stopped or not self.finished) and self._map():
            self.open()

    def look(self) -> None:
        try:
            now = state(self.path.stat())
        except OSError:
            return
        if now != self._state and (self._records is None or not self._records.follows):
            self.open()

    def batch(self, count: int, now_us: int, *, follow: bool) -> SourceBatch:
        return super().batch(min(count, self._until - self._last - 1), now_us, follow=follow)

    def next_us(self) -> int | None:
        if self._last + 1 >= self._until:
            self.renew()
        try:
            return super().next_us()
        except SourceError as error:
            self._stop(error)
            return None

    def rest(self, now_us: int) -> SourceBatch:
        self.finished = bool(self.stopped)
        return super().rest(now_us)

    def _at_end(self) -> bool:
        return super()._at_end() and not self.stopped

    def _stop(self, error: SourceError) -> None:
        self._keep()
        self.close()
        self._records = None
        if self._follow and isinstance(error, Unfinished):
            self._known = msgspec.structs.replace(self._known, waiting=self._state[1] if self._state else 0)
            return
        self.stopped, self.changed = str(error), isinstance(error, Changed)
        self._known = msgspec.structs.replace(self._known, stopped=self.stopped, changed=self.changed)

    def _keep(self) -> None:
        """Note what was read until now."""
        if self._records is not None:
            known = self._known
            self._known = msgspec.structs.replace(self._records.mark(), behind=known.behind, unmarked=known.unmarked)

    def _mark(self) -> bytes:
        self._keep()
        mark = encode(self._known)
        if mark == self._told:
            return b""
        self._told = mark
        return mark


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
