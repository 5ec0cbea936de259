"""Reads all sources of a flow: the control partitions first, then whichever partition is behind in event time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from connectors.control import PARTITION
from connectors.files import discover
from connectors.lines import Lines
from connectors.partition import Partition
from connectors.sources import SourceSpec, open_records
from contracts.events import SourceBatch

TICK_US = 20_000
"""How often a caught-up partition says that it still is."""
DISCOVER_US = 1_000_000
"""How often a followed folder or glob is looked through for new files."""


class Reader:
    """Hands over batches of all partitions, from the positions on that the stores have.

    ``positions(space, partition)`` is the last position that every store has, 0 for none. A partition is called
    ``<source>/<file>``, control is ``control``. With ``follow`` the reader never ends by itself.

    ``stopped(space, control)`` are the sources of a space that are to be read no further, None as long as that is open
    because a control entry up to that position has not been applied. Their partitions rest where they are, and do not
    keep a reader that does not follow from its end.
    """

    def __init__(
        self,
        specs: list[SourceSpec],
        control_paths: dict[str, Path],
        positions: Callable[[str, str], int],
        *,
        batch_size: int,
        follow: bool,
        now_us: Callable[[], int],
        stopped: Callable[[str, int], frozenset[str] | None] = lambda space, control: frozenset(),  # noqa: ARG005
    ) -> None:
        self._specs = specs
        self._positions = positions
        self._batch_size, self._follow, self._now_us = batch_size, follow, now_us
        self._stopped = stopped
        self._resting: set[tuple[str, str]] = set()
        self._held: set[str] = set()
        """Spaces of which nothing is read before it is known which of their sources are stopped."""
        self._parts: dict[tuple[str, str], Partition] = {}
        self._control = [self._control_partition(space, path) for space, path in control_paths.items()]
        self._discovered_us = now_us()
        self._discover()

    @property
    def done(self) -> bool:
        """Whether everything was handed over; never while following."""
        if self._follow or not all(part.finished for part in self._control):
            return False
        return all(part.finished or key in self._resting for key, part in self._parts.items())

    @property
    def partitions(self) -> list[tuple[str, str]]:
        """``(space, partition)`` of every file known so far."""
        return list(self._parts)

    @property
    def history(self) -> frozenset[tuple[str, str]]:
        """Those of `partitions` that are history."""
        return frozenset(key for key, part in self._parts.items() if part.history)

    def poll(self) -> list[SourceBatch]:
        """What is there now, without waiting: control entries if there are any, else one batch of one partition, and ticks."""
        now_us = self._now_us()
        if self._follow and now_us - self._discovered_us >= DISCOVER_US:
            self._discovered_us = now_us
            self._discover()
        return self._poll_control(now_us) or self._poll_sources(now_us)

    def close(self) -> None:
        """Closes the files; nothing has to be kept."""
        for part in [*self._control, *self._parts.values()]:
            part.close()

    def _poll_control(self, now_us: int) -> list[SourceBatch]:
        waiting = [part for part in self._control if not part.finished and (not self._follow or part.next_us() is not None)]
        return [part.batch(self._batch_size, now_us, follow=self._follow) for part in waiting]

    def _poll_sources(self, now_us: int) -> list[SourceBatch]:
        batches = self._rest(now_us)
        if batches:
            return batches
        open_parts = [part for key, part in self._parts.items() if not part.finished and not (key in self._resting or key[0] in self._held)]
        lagging: Partition | None = None
        lagging_us = 0
        for part in open_parts:
            next_us = part.next_us()
            if next_us is None:
                # Nothing (more) in it: it says so by an empty batch, at once or as a tick.
                if not self._follow or part.due(now_us, TICK_US):
                    batches.append(part.batch(0, now_us, follow=self._follow))
            elif lagging is None or next_us < lagging_us:
                lagging, lagging_us = part, next_us
        if lagging is not None:
            batches.insert(0, lagging.batch(self._batch_size, now_us, follow=self._follow))
        return batches

    def _rest(self, now_us: int) -> list[SourceBatch]:
        """Lets the partitions of stopped sources rest, and those of others go on; what is to be said of it."""
        stopped = {control.space: self._stopped(control.space, control.last) for control in self._control}
        self._held = {space for space, sources in stopped.items() if sources is None}
        if not self._resting and not any(stopped.values()):
            return []
        batches = []
        for key, part in self._parts.items():
            sources = stopped[part.space]
            if sources is None or part.finished:
                continue
            if part.source not in sources:
                self._resting.discard(key)
            elif key not in self._resting:
                self._resting.add(key)
                batches.append(part.rest(now_us))
        return batches

    def _discover(self) -> None:
        for spec in self._specs:
            for name, path in discover(spec.path, follow=self._follow).items():
                partition = f"{spec.name}/{name}"
                if (spec.space, partition) in self._parts:
                    continue
                after = self._positions(spec.space, partition)
                records = open_records(spec, path, skip=after, follow=self._follow)
                self._parts[spec.space, partition] = Partition(spec.space, spec.name, partition, records, after, history=spec.history)

    def _control_partition(self, space: str, path: Path) -> Partition:
        after = self._positions(space, PARTITION)
        # Always read like a followed file: a line without its end is still being written.
        return Partition(space, PARTITION, PARTITION, Lines(path, skip=after, follow=True), after)
