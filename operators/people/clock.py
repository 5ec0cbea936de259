"""The space's clock: the smallest of the clocks of the partitions that have not finished. History holds nobody's back."""

from __future__ import annotations

from operators.meta import Meta

BEFORE_ALL = -(1 << 62)
"""The clock before it runs: a moment before everything, so that no window drops what it may need. It is also when the
timers of people are due who wait for the clock to be evaluated at all."""


class Clock:
    """Where each partition of this run has come to; what is stored of it is in `Meta`."""

    def __init__(self, meta: Meta) -> None:
        self._meta = meta
        self.now = BEFORE_ALL if meta.clock is None else meta.clock
        """The space's clock, `BEFORE_ALL` before it runs."""
        self._active: dict[str, int | None] = {}
        self._history: set[str] = set()
        """Partitions of history that have not been read to their end."""

    def start(self, partitions: list[str], history: frozenset[str] = frozenset()) -> None:
        """Which partitions this run reads, and which of them are history; those of earlier runs no longer hold the clock back."""
        self._meta.finished = []
        self._active = {partition: self._meta.clocks.get(partition) for partition in partitions if partition not in history}
        self._history = set(history)

    @property
    def waits(self) -> bool:
        """Whether something is going to be read yet."""
        return bool(self._active or self._history)

    def take_up(self, partition: str, *, history: bool) -> None:
        """A partition that turns up during the run, or goes on after its end. It holds the clock back until it has said something;
        one of history never does."""
        if partition in (self._history if history else self._active):
            return
        if partition in self._meta.finished:
            self._meta.finished.remove(partition)
        if history:
            self._active.pop(partition, None)
            self._history.add(partition)
        else:
            self._active[partition] = self._meta.clocks.get(partition)

    def finish(self, partition: str) -> None:
        """The partition has ended and no longer counts."""
        self._active.pop(partition, None)
        self._history.discard(partition)
        if partition not in self._meta.finished:
            self._meta.finished.append(partition)

    def came_to(self, partition: str, time_us: int) -> None:
        """The newest accepted event of a partition."""
        self.read(partition, time_us)
        self._active[partition] = self._meta.clocks[partition]

    def catch_up(self, partition: str, now_us: int) -> None:
        """Nothing more is waiting in a partition: from now on the wall clock moves it, history too."""
        self._history.discard(partition)
        self.came_to(partition, now_us)

    def read(self, partition: str, time_us: int) -> None:
        """An accepted event of a partition. Of history this is all that is noted: the clock stands while it is read."""
        clocks = self._meta.clocks
        known = clocks.get(partition)
        if known is None or time_us > known:
            clocks[partition] = time_us

    def lowest(self) -> int | None:
        """Where the space's clock may stand; None while some partition has said nothing, or only history is left to read."""
        active = self._active
        if len(active) == 1:
            return next(iter(active.values()))
        if not active:
            return None if self._history else max(self._meta.clocks.values(), default=None)
        times = active.values()
        return None if None in times else min(times)  # type: ignore[type-var]
