"""A source that is history, taken in whole: judged in parts, grouped into islands, folded side by side, and put into the shard at once.

A *slice* is taken in as a whole or not at all; a kill leaves what was taken in before, and the next backfill or flow goes on behind it.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

import msgspec

from connectors.sources.files import discover
from connectors.sources.reader import Reader
from contracts.model.batches import JudgedBatch, SourceBatch
from operators import meta as meta_row
from operators.backfill import joining
from operators.backfill.chunks import Chunk, Folded
from operators.backfill.islands import Islands
from operators.epochs import CONTROL
from operators.origins import number_origins
from operators.people.space import Space
from operators.quality.scorer import BatchQuality
from skep.answers.sources import FileRow, report
from skep.project.errors import CommandError
from skep.project.permissions import must_write
from skep.project.process import flow_is_running
from skep.project.settings import Settings, SourceSettings
from skep.project.spaces import archive_path, backfill_path
from skep.runtime.backfill_part import Helper, Slice
from skep.runtime.flow import Runtime
from skep.tools.registry import pull_if_there
from state import bulk
from state.keys import mark_key

CHUNK = 50_000
"""Records that a part judges at once; each chunk has its own files in the archive."""
SLICE = 2_000_000
"""Records that are taken in together, or not at all: they bound the disk that is taken meanwhile, about twice their own size, and what
memory holds of each, some 60 bytes in each process."""
REFUSED = 8
"""As how many a refused record counts there, which is held in memory until the end of its slice."""
PARTS_MAX = 8
Said = Callable[[str, int, int], None]
"""Told what is being done, how many records of it are, and of how many, 0 if that is not known."""


class Backfilled(msgspec.Struct):
    """What became of the records of a source, and of people by them. ``seconds`` by what was done; ``largest``: records of the largest
    island. ``clock`` of the space, None while it does not run."""

    space: str
    source: str
    records: int
    applied: int
    duplicate: int
    quarantined: int
    refused: dict[str, int]
    people: int
    people_before: int
    merges: int
    changes: int
    members: dict[str, int]
    clock: int | None
    slices: int
    islands: int
    largest: int
    parts: int
    bytes: int
    seconds: dict[str, float]
    files: list[FileRow]
    cpu_seconds: float
    """Of the processor, of this process and those that it has started."""
    peak_mb: list[int]
    """The most memory of this process, and of the largest of the others."""

    @property
    def stopped(self) -> list[FileRow]:
        """Files that are read no further."""
        return [one for one in self.files if one.state == "stopped"]


def source_of(settings: Settings, name: str) -> SourceSettings:
    """The source of history that is called so. Raises `CommandError` if there is none."""
    found = next((one for one in settings.sources if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in settings.sources)
        raise CommandError(f"expected a source of skep.yaml, one of {known}, found {name} → `skep sources` lists them")
    if found.kafka is not None:
        raise CommandError(f"source {name} reads Kafka, whose records have no place in a file → skep run reads it")
    if not found.history:
        raise CommandError(
            f"source {name} is no history: its records move the clock as they are read, so they are the flow's → skep run; "
            f"if it was written down before, in whatever order, say `history: true` in skep.yaml"
        )
    return found


def processes(settings: Settings, parts: int | None) -> list[Helper]:
    """Those among whom the work is divided: as many as there are processors, unless it is said."""
    return [Helper(settings, number) for number in range(min(parts or len(os.sched_getaffinity(0)), PARTS_MAX))]


def opened(settings: Settings) -> Runtime:
    """The project's state, to be written by this process. Raises `CommandError` while a flow does, and what a flow may end over."""
    must_write(settings.data)
    if flow_is_running(settings):
        raise CommandError(
            f"a flow is running on {settings.data}, and only one may write → stop it, run this, and start it again: "
            "what its sources hold meanwhile is read then"
        )
    for source in settings.sources:
        if source.kafka is None:
            discover(Path(source.path), follow=False)
    pull_if_there(settings)
    runtime = Runtime(settings)
    gc.disable()
    return runtime


def backfill(runtime: Runtime, source: SourceSettings, helpers: Callable[[], list[Helper]], said: Said) -> Backfilled:
    """Take in what a source holds; nothing else is read meanwhile but the control partition of its space.

    ``helpers`` starts those among whom the work is divided, when there is some."""
    return _Backfill(runtime, source, helpers, said).run()


class _Backfill:
    def __init__(self, runtime: Runtime, source: SourceSettings, helpers: Callable[[], list[Helper]], said: Said) -> None:
        self._runtime, self._source, self._start_helpers, self._said = runtime, source, helpers, said
        self._settings, self._space = runtime.settings, source.space
        self._folder = backfill_path(self._settings, self._space)
        self._seconds: dict[str, float] = {}
        self._helpers: list[Helper] = []
        self._last: dict[str, SourceBatch] = {}
        """By partition: what was read last."""
        self._marks: dict[str, bytes] = {}
        """By partition: what was read of its file in this slice."""
        self._slices = self._islands = self._largest = self._bytes = 0

    def run(self) -> Backfilled:
        """Slice after slice to the end of the source."""
        runtime = self._runtime
        reader = runtime.read([self._source], [self._space], CHUNK, follow=False)
        self._start(reader)
        batches = self._batches(reader)
        first = next(batches, None)
        before = meta_row.decode(meta_row.encode(self._meta))
        alone = self._space_of.work.matcher is not None
        try:
            if alone and first is not None:
                self._ordinary(first, batches)
            while first is not None and not alone:
                first = self._slice(first, batches)
        finally:
            for helper in self._helpers:
                helper.end()
            reader.close()
        with self._timed("move the clock"):
            self._finish(reader)
        return self._told(before)

    @property
    def _space_of(self) -> Space:
        return self._runtime.space(self._space)

    @property
    def _meta(self) -> meta_row.Meta:
        return self._space_of.meta

    def _start(self, reader: Reader) -> None:
        """Say what is read: files of other sources of the space, which nobody reads now, hold the clock where it stands."""
        ours = {partition for _, partition in reader.partitions}
        others = [
            f"{one.name}/{name}"
            for one in self._settings.sources
            if one.space == self._space and one.name != self._source.name
            for name in ([""] if one.kafka is not None else discover(Path(one.path), follow=False))
        ]
        self._space_of.start([*ours, *others], frozenset(ours))

    def _batches(self, reader: Reader) -> Iterator[SourceBatch]:
        """The source's records; entries of the control partition are applied on the way."""
        while not reader.done:
            for batch in reader.poll():
                if batch.partition == CONTROL:
                    self._apply(batch)
                    continue
                self._last[batch.partition] = batch
                if batch.records:
                    yield batch

    def _apply(self, batch: SourceBatch) -> None:
        """Take a batch in as a flow does."""
        for judged in self._runtime.validate([batch]):
            self._runtime.archive(self._space).append(judged)
            self._space_of.apply(judged)
        self._space_of.bring_along()

    def _ordinary(self, first: SourceBatch, batches: Iterator[SourceBatch]) -> None:
        """Links by likeness look across islands, so people are one island, and the flow's own way is the way."""
        done = 0
        for batch in chain([first], batches):
            self._said("taken in one after the other", done, 0)
            with self._timed("one after the other"):
                self._apply(batch)
            done += len(batch.records)

    def _slice(self, first: SourceBatch, batches: Iterator[SourceBatch]) -> SourceBatch | None:
        """Take one slice in; the first batch of the next one."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        archive = self._runtime.archive(self._space)
        archive.flush()
        if not self._helpers:
            self._helpers = self._start_helpers()
        meta = self._meta
        validate = self._runtime.validate
        slice_ = Slice(
            self._space, meta_row.encode(meta), meta.digest, validate.epochs[self._space], dict(meta.applied), dict(archive.positions)
        )  # fmt: skip
        self._all("begin", slice_)
        work = self._space_of.work
        islands = Islands(self._space_of.shard, work.manual.rulings, counted=work.accounts.program.counts)
        with self._timed("read and judge"):
            chunks, following = self._judge(first, batches, islands)
        with self._timed("group"):
            shares, count, largest = islands.shares(chunks, len(self._helpers))
            del islands
        self._islands += count
        self._largest = max(self._largest, largest)
        before = meta_row.decode(slice_.meta)
        number_origins(before.contracts, (name for chunk in chunks for name in chunk.contracts))
        slice_.meta = meta_row.encode(before)
        with self._timed("fold"):
            folded = self._fold(slice_, chunks, shares)
        with self._timed("write and take in"):
            self._take_in(before, chunks, folded)
        self._slices += 1
        return following

    def _judge(
        self, first: SourceBatch, batches: Iterator[SourceBatch], islands: Islands
    ) -> tuple[list[Chunk], SourceBatch | None]:  # fmt: skip
        """Hand the chunks of a slice to whoever is free; they come back in the order in which they were read. Islands hear of each as soon
        as it is there, since this process has little to do meanwhile."""
        chunks: dict[int, Chunk] = {}
        self._marks = {}
        number, records = 0, 0
        batch: SourceBatch | None = first
        while batch is not None and records + sum(chunk.refused for chunk in chunks.values()) * (REFUSED - 1) < SLICE:
            free = min(self._helpers, key=lambda one: one.waiting)
            while free.waiting > 1:
                self._hear(chunks, islands, records)
                free = min(self._helpers, key=lambda one: one.waiting)
            free.call("judge", number, batch)
            if batch.mark:
                self._marks[batch.partition] = batch.mark
            number, records = number + 1, records + len(batch.records)
            batch = next(batches, None)
        while any(helper.waiting for helper in self._helpers):
            self._hear(chunks, islands, records)
        self._all("judged")
        return [chunks[at] for at in range(number)], batch

    def _hear(self, chunks: dict[int, Chunk], islands: Islands, of: int) -> None:
        for helper in self._answering():
            chunk = helper.answer()
            chunks[chunk.number] = chunk
            islands.add(chunk)
            chunk.fresh, chunk.messages = [], b""
        self._said("judged", sum(chunk.last - chunk.first + 1 for chunk in chunks.values()), of)

    def _answering(self) -> list[Helper]:
        there = wait([helper.connection for helper in self._helpers if helper.waiting])
        return [helper for helper in self._helpers if helper.connection in there]

    def _all(self, name: str, *args: Any) -> list[Any]:
        """Have all parts do the same; what came of it."""
        for helper in self._helpers:
            helper.call(name, *args)
        return [helper.answer() for helper in self._helpers]

    def _fold(self, slice_: Slice, chunks: list[Chunk], shares: list[dict[int, bytes]]) -> list[Folded]:
        for helper, share in zip(self._helpers, shares, strict=True):
            helper.call("fold", slice_.meta, chunks, share)
        done = [0] * len(self._helpers)
        found: dict[int, Folded] = {}
        of = sum(chunk.last - chunk.first + 1 for chunk in chunks)
        while len(found) < len(self._helpers):
            for helper in self._answering():
                at = self._helpers.index(helper)
                answer = helper.answer()
                if isinstance(answer, int):
                    done[at] = answer
                else:
                    found[at], done[at] = answer, answer.records
            self._said("folded", sum(done), of)
        return [found[at] for at in range(len(self._helpers))]

    def _take_in(self, before: meta_row.Meta, chunks: list[Chunk], folded: list[Folded]) -> None:
        for helper, behind in zip(self._helpers, joining.begins(before, folded), strict=True):
            helper.call("write", *behind)
        shard, archive = self._space_of.shard, self._runtime.archive(self._space)
        qualities = {}
        refused: dict[int, set[int]] = {}
        for each in folded:
            for number, positions in each.conflicts.items():
                refused.setdefault(number, set()).update(positions)
        self._bytes += sum(helper.answer() for helper in self._helpers)
        for number, without in refused.items():
            qualities[number] = self._scored(chunks[number], without)
        meta, rows = joining.beside(shard, before, chunks, folded, qualities)
        rows += [("meta", mark_key(partition), mark) for partition, mark in self._marks.items()]
        archived = dict(archive.positions)
        for chunk in chunks:
            archived[chunk.partition] = max(meta.applied[chunk.partition], archived.get(chunk.partition, 0))
        bulk.ready(self._folder, rows, archived)
        bulk.take_in(shard, archive_path(self._settings, self._space), self._folder)
        self._runtime.renew(self._space)

    def _scored(self, chunk: Chunk, refused: set[int]) -> BatchQuality:
        helper = self._helpers[chunk.part]
        helper.call("score_without", chunk, refused)
        found: BatchQuality = helper.answer()
        return found

    def _finish(self, reader: Reader) -> None:
        """What was read to its end counts for the clock like any other; then all timers fire that it has passed."""
        self._start(reader)
        for batch in self._last.values():
            if batch.finished:
                end = JudgedBatch(self._space, batch.source, batch.partition, batch.last + 1, batch.last, "", [], [], [], batch.read_at_us)
                end.finished, end.history, end.mark = True, True, batch.mark
                self._space_of.apply(end)
        self._runtime.archive(self._space).close()

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self._seconds[what] = self._seconds.get(what, 0.0) + time.monotonic() - begun

    def _told(self, before: meta_row.Meta) -> Backfilled:
        now = self._meta
        refused = {name: count - before.quarantine.get(name, 0) for name, count in now.quarantine.items()}
        members = {name: count - before.sizes.get(name, 0) for name, count in sorted(now.sizes.items())}
        files = report(self._settings, self._source.name)
        return Backfilled(
            self._space, self._source.name, now.received - before.received, now.events - before.events, now.duplicate - before.duplicate,
            now.quarantined - before.quarantined, {name: count for name, count in refused.items() if count}, now.people, before.people,
            now.merges - before.merges, now.changes - before.changes, {name: count for name, count in members.items() if count}, now.clock,
            self._slices, self._islands, self._largest, len(self._helpers), self._bytes,
            {what: round(spent, 2) for what, spent in self._seconds.items()}, files, round(cpu_seconds(), 2), _peaks(),
        )  # fmt: skip


def cpu_seconds() -> float:
    """What this process and those that it has waited for have taken of the processor, their threads included."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _peaks() -> list[int]:
    return [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
