"""Reads all sources of a flow: the control partitions first, then whichever partition is behind in event time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from connectors.control import PARTITION
from connectors.sources.files import discover
from connectors.sources.kafka.topics import Topics
from connectors.sources.memory import Memory
from connectors.sources.partition import FilePartition, Partition, control
from connectors.sources.source import SourceSpec
from contracts.model.batches import SourceBatch
from contracts.model.partitions import generation

TICK_US = 20_000
"""How often a caught-up partition says that it still is."""
DISCOVER_US = 1_000_000
"""How often a followed folder or glob is looked through for new files, and those that were read for changes."""
_TURNS = re.compile(rb'"type" ?: ?"(?:reread|skip|definitions|lookups)"')
"""What control entries say by which a file may begin anew, or be read or judged in another way."""


class Reader:
    """Hands over batches of all partitions, from the positions on that the stores have.

    ``positions(space, partition)`` is the last position that every store has, 0 for none; ``memory`` what they know beside it. A partition
    is called ``<source>/<file>``, control is ``control``. With ``follow`` the reader never ends by itself. ``topics`` are those of the
    sources that read Kafka, by space and source.

    What is wrong with a file stops its partition, not the others: it says so once, by an empty batch whose mark says why.

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
        memory: Memory | None = None,
        topics: Mapping[tuple[str, str], Topics] | None = None,
    ) -> None:
        self._specs = specs
        self._topics = topics or {}
        self._positions = positions
        self._memory = memory or Memory()
        self._batch_size, self._follow, self._now_us = batch_size, follow, now_us
        self._stopped = stopped
        self._resting: set[tuple[str, str]] = set()
        self._held: set[str] = set()
        """Spaces of which nothing is read before it is known which of their sources are stopped."""
        self._parts: dict[tuple[str, str], Partition] = {}
        """By space and file."""
        self._places: dict[tuple[str, str], tuple[SourceSpec, Path | tuple[str, int]]] = {}
        """What each of them reads: a file, or a topic and the number of its partition."""
        self._turning: dict[str, int] = {}
        """By space, while it has not been applied: the control entry behind which files are read in another way."""
        self._control = [control(space, PARTITION, path, positions(space, PARTITION)) for space, path in control_paths.items()]
        self._discovered_us = now_us()
        self._discover()

    @property
    def done(self) -> bool:
        """Whether everything was handed over; never while following."""
        if self._follow or self._turning or not all(part.finished for part in self._control):
            return False
        return all(part.finished or key in self._resting for key, part in self._parts.items())

    @property
    def partitions(self) -> list[tuple[str, str]]:
        """``(space, partition)`` of every file known so far."""
        return [(part.space, part.name) for part in self._parts.values()]

    @property
    def history(self) -> frozenset[tuple[str, str]]:
        """Those of `partitions` that are history."""
        return frozenset((part.space, part.name) for part in self._parts.values() if part.history)

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
        for topics in self._topics.values():
            topics.close()

    def _poll_control(self, now_us: int) -> list[SourceBatch]:
        waiting = [part for part in self._control if not part.finished and (not self._follow or part.next_us() is not None)]
        batches = [part.batch(self._batch_size, now_us, follow=self._follow) for part in waiting]
        self._turning |= {batch.space: batch.last for batch in batches if any(map(_TURNS.search, batch.records))}
        return batches

    def _poll_sources(self, now_us: int) -> list[SourceBatch]:
        batches = self._turn(now_us) if self._turning else []
        batches += self._rest(now_us)
        if batches:
            return batches
        for topics in self._topics.values():
            topics.fill(self._batch_size)
        open_parts = [part for key, part in self._parts.items() if not part.finished and not (key in self._resting or key[0] in self._held)]
        lagging: Partition | None = None
        lagging_us = 0
        for part in open_parts:
            next_us = part.next_us()
            if next_us is None:
                if part.stopped:
                    self._memory.stopped(part.space, part.name, part.stopped)
                    batches.append(part.rest(now_us))
                elif not part.waits and (not self._follow or part.due(now_us, TICK_US)):
                    # Nothing (more) in it: it says so by an empty batch, at once or as a tick.
                    batches.append(part.batch(0, now_us, follow=self._follow))
            elif lagging is None or next_us < lagging_us:
                lagging, lagging_us = part, next_us
        if lagging is not None:
            batches.insert(0, lagging.batch(self._batch_size, now_us, follow=self._follow))
        return batches

    def _rest(self, now_us: int) -> list[SourceBatch]:
        """Lets the partitions of stopped sources rest, and those of others go on; what is to be said of it."""
        stopped = {control.space: self._stopped(control.space, control.last) for control in self._control}
        self._held = {space for space, sources in stopped.items() if sources is None} | self._turning.keys()
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

    def _turn(self, now_us: int) -> list[SourceBatch]:
        """Begins files anew of which a control entry has said so, as soon as it is applied, and reads the others on as definitions in
        force say; what is to be said of the old ones."""
        applied = [space for space, last in self._turning.items() if self._memory.applied(space) >= last]
        batches = []
        for space in applied:
            del self._turning[space]
            for key, part in self._parts.items():
                if key[0] != space:
                    continue
                if part.name == self._partition(*key):
                    part.renew()
                else:
                    batches.append(part.rest(now_us))
                    part.close()
                    self._open(*key)
        return batches

    def _discover(self) -> None:
        """Finds new files, and looks at those that are read."""
        for spec in self._specs:
            topics = self._topics.get((spec.space, spec.name))
            found = discover(spec.path, follow=self._follow) if topics is None else topics.names()
            for name, place in found.items():
                key = spec.space, f"{spec.name}/{name}"
                if key in self._parts:
                    self._parts[key].look()
                else:
                    self._places[key] = spec, place
                    self._open(*key)
                if self._parts[key].changed and spec.reread:
                    self._memory.reread(spec, key[1], self._parts[key].stopped)

    def _open(self, space: str, file: str) -> None:
        """Begin to read the generation of a file that is the last one now."""
        spec, place = self._places[space, file]
        name = self._partition(space, file)
        if isinstance(place, Path):
            part: Partition = FilePartition(spec, name, place, self._positions(space, name), self._memory, follow=self._follow)
        else:
            part = self._topics[space, spec.name].open(name, place, anew=name != file)
        self._parts[space, file] = part

    def _partition(self, space: str, file: str) -> str:
        return generation(file, self._memory.generation(space, file))
