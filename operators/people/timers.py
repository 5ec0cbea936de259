"""When something becomes true by itself: one timer a person, in RocksDB, the nearest ones in memory."""

from __future__ import annotations

from heapq import heapify, heappop, heappush, nsmallest

from operators.records import Person
from state.family import Family
from state.keys import time_key, time_of

LOADED_MAX = 50_000
"""Timers held in memory; the later ones wait in RocksDB."""
_LAST = b"\xff" * 17
"""Behind the key of everybody."""
_FOREVER = ((1 << 63) - 1, _LAST)
_PAST = -(1 << 62) - 1
"""Before the timers of people who wait for the clock to run."""


class Timers:
    """Timers fire in order of ``(due, profile)``. A row whose person is armed for another moment is stale and ignored."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._heap: list[tuple[int, bytes]] = []
        self.fired = 0
        """Timers taken since the start."""
        self._loaded = _PAST, b""
        """Every timer up to this one is in the heap. Where many people have one of the same moment, it may lie among these."""
        self.next_due = _PAST
        """No timer is due before this moment."""

    def arm(self, person: Person, due: int | None) -> None:
        """Make sure that the person's timer fires at ``due`` or earlier."""
        if due is None or (person.armed is not None and person.armed <= due):
            return
        person.armed = due
        self._family.put(time_key(due) + person.key, b"")
        if (due, person.key) <= self._loaded:
            heappush(self._heap, (due, person.key))
        self.next_due = min(self.next_due, due)

    def due(self, until: int) -> tuple[int, bytes] | None:
        """Take the next timer due at or before ``until``."""
        heap = self._heap
        while True:
            if heap and heap[0][0] <= until:
                due, key = heappop(heap)
                self.fired += 1
                self._family.delete(time_key(due) + key)
                return due, key
            if self._loaded >= (until, _LAST):
                self.next_due = heap[0][0] if heap else self._loaded[0]
                return None
            self._load()
            heap = self._heap

    def waiting(self, until: int) -> bool:
        """Whether a timer is due at or before ``until``."""
        while self._loaded < (until, _LAST) and not self._heap:
            self._load()
        self.next_due = self._heap[0][0] if self._heap else self._loaded[0]
        return bool(self._heap) and self._heap[0][0] <= until

    def overdue(self, until: int) -> int:
        """How many of the timers in memory are due at or before ``until``."""
        heap = self._heap
        return sum(1 for due, _ in heap if due <= until) if heap and heap[0][0] <= until else 0

    def _load(self) -> None:
        start = time_key(self._loaded[0]) + self._loaded[1] + b"\x00"
        pending = self._family.pending
        found: list[tuple[int, bytes]] = []
        loaded = _FOREVER
        for key, _ in self._family.committed(start):
            if len(found) >= LOADED_MAX // 2:
                loaded = found[-1]
                break
            if key not in pending:
                found.append((time_of(key[:8]), key[8:]))
        for key, kept in pending.items():
            if kept is not None and key >= start and (time_of(key[:8]), key[8:]) <= loaded:
                found.append((time_of(key[:8]), key[8:]))
        self._heap += found
        heapify(self._heap)
        self._loaded = loaded

    def trim(self) -> None:
        """Between commits: leave the later timers to RocksDB when there are too many in memory."""
        if len(self._heap) > LOADED_MAX:
            near = nsmallest(LOADED_MAX // 2, self._heap)
            self._loaded = near[-1]
            self._heap = near
            self.next_due = min(self.next_due, self._loaded[0])
