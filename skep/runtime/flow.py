"""What a flow is made of: settings and contracts turned into sources, steps and stores. One process, one writer."""

from __future__ import annotations

import atexit
import gc
import signal
import threading
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import FrameType

from connectors.errors import SourceError
from connectors.sources.files import discover
from connectors.sources.kafka.topics import Topics
from connectors.sources.reader import Reader
from contracts.model.definitions import Definitions
from contracts.text.problems import ContractErrors
from operators import meta as meta_row
from operators.epochs import CONTROL, Epoch
from operators.lookups.lookup_epochs import LookupEpochs
from operators.meta import Meta
from operators.people.space import Space
from operators.validate import Validate
from skep.answers.sources import spec_of
from skep.project.asking import folder_of_questions
from skep.project.definitions import declare, declared
from skep.project.in_force import digest_in_force
from skep.project.judging import tolerance
from skep.project.log import logger
from skep.project.lookup_versions import lookers, put_in_force
from skep.project.process import take_lock
from skep.project.settings import Settings, SourceSettings
from skep.project.spaces import archive_path, bundles, control_path
from skep.project.work import open_shard, work_of
from skep.runtime import ends, recovery
from skep.runtime.asked import Asked
from skep.runtime.changing import Changing
from skep.runtime.large_repairs import LargeRepairs
from skep.runtime.remembered import Remembered
from skep.runtime.starting import project, start
from skep.runtime.telling import Telling, Told
from skep.tools.registry import pull_if_there
from state.archive import Archive
from state.errors import StateError
from state.shard import Shard

_BLOCK_CACHE = 125_000
"""Bytes of RocksDB's own cache for each MB of `cache_mb`, which bounds the decoded people."""


class Runtime:
    """Everything that the main flow holds open. Made once per process by `start`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stop = threading.Event()
        self._bundle = bundles(settings)
        self._known_stopped: dict[str, frozenset[str]] = {}
        self._start = start(settings)
        self._lock = take_lock(settings)
        self._loaded: dict[str, Definitions] = {one.digest: one for one in self._start.definitions.values()}
        self._shards = {space: self._shard(space) for space in settings.spaces}
        self._asked = Asked(folder_of_questions(settings), self._shards)
        self._archives = {space: self._archive(space) for space in settings.spaces}
        self.validate = Validate(
            self.load,
            {space: self._epochs(space) for space in settings.spaces},
            {space: self._behind(space) for space in settings.spaces},
            versions=LookupEpochs(lookers(settings), {space: self._meta(space).lookups for space in settings.spaces}),
            **tolerance(settings),
        )
        self._spaces = {space: self._space(space) for space in settings.spaces}
        self._telling = Telling(settings, {name: partial(getattr, space, "meta") for name, space in self._spaces.items()})
        for space in self._spaces.values():
            space.work.computing = partial(self._telling.computing, space.name)
            space.work.stepped = Changing(space.work, time.monotonic)
            space.work.reading.paused = LargeRepairs(space.work, time.monotonic)

    @classmethod
    def start(cls) -> Runtime:
        """Open everything for the project of the environment; exits with a clear message if it cannot be."""
        try:
            settings = project()
            for source in settings.sources:
                if source.kafka is None:
                    discover(Path(source.path), follow=settings.follow)
            pull_if_there(settings)
            runtime = cls(settings)
        except (ContractErrors, StateError, SourceError) as error:
            raise ends.stopped(error) from None
        recovery.prepare()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, runtime.end)
        runtime.begin()
        gc.collect()
        gc.freeze()
        gc.disable()
        return runtime

    def begin(self) -> None:
        """Say that the flow starts, and when the process ends, how far it came."""
        self._telling.started(", ".join(sorted({one.digest for one in self._start.definitions.values()})))
        atexit.register(self._asked.close)
        atexit.register(self._telling.stopped)

    def end(self, number: int, _frame: FrameType | None) -> None:
        """The handler of signals: sources end where they are."""
        self._telling.asked(number)
        self.stop.set()

    # ---- what the flow asks for

    def reader(self) -> Told:
        """All sources, each from where every store behind it stands."""
        settings = self.settings
        reader = self.read(settings.sources, settings.spaces, settings.batch_size, follow=settings.follow)
        for space, running in self._spaces.items():
            history = frozenset(partition for name, partition in reader.history if name == space)
            running.start([partition for name, partition in reader.partitions if name == space], history)
        return Told(reader, self._telling, self._asked.look)

    def read(self, sources: Iterable[SourceSettings], spaces: Iterable[str], batch_size: int, *, follow: bool) -> Reader:
        """These sources, and the control partitions of these spaces. Waits for the clusters of those that read Kafka."""
        sources, memory = list(sources), Remembered(self.settings, self._spaces, self.load)
        topics = {
            (one.space, one.name): Topics(
                (one.space, one.name), one.kafka, partial(self._position, one.space), memory, follow=follow, stop=self.stop
            )
            for one in sources
            if one.kafka is not None
        }
        return Reader(
            [spec_of(one, self._start.definitions[one.space]) for one in sources],
            {space: control_path(self.settings, space) for space in spaces},
            self._position,
            batch_size=batch_size,
            follow=follow,
            now_us=lambda: time.time_ns() // 1000,
            stopped=self._stopped,
            memory=memory,
            topics=topics,
        )

    def renew(self, name: str) -> None:
        """Know a space and its archive anew, of which something was stored past them."""
        self._spaces[name] = self._space(name)
        self._archives[name] = self._archive(name)

    def _stopped(self, space: str, control: int) -> frozenset[str] | None:
        """The sources of a space that are read no further; None while a control entry that may change that is under way."""
        running = self._spaces[space]
        sources = running.work.quality.stopped
        if sources and running.meta.applied.get(CONTROL, 0) < control:
            return None
        before = self._known_stopped.get(space, frozenset())
        if sources != before:
            self._known_stopped[space] = sources
            for source in sorted(sources - before):
                logger().error("source stopped: a quality expectation is broken", space=space, source=source)
            for source in sorted(before - sources):
                logger().warning("source is read on", space=space, source=source)
        return sources

    def space(self, name: str) -> Space:
        """The state of a space."""
        return self._spaces[name]

    def archive(self, name: str) -> Archive:
        """The archive of a space."""
        return self._archives[name]

    def load(self, digest: str) -> Definitions:
        """Definitions by their digest, from those kept under data/definitions."""
        found = self._loaded.get(digest)
        if found is None:
            found = self._loaded[digest] = self._bundle(digest)
        return found

    # ---- opening

    def _shard(self, space: str) -> Shard:
        return open_shard(self.settings, space, self.settings.cache_mb * _BLOCK_CACHE)

    def _archive(self, space: str) -> Archive:
        settings = self.settings
        return Archive(archive_path(settings, space).parent, space, settings.archive_rows, settings.archive_interval_us)

    def _space(self, name: str) -> Space:
        return Space(work_of(self.settings, name, self._shards[name], load=self.load, judge=self.validate.judge))

    def _meta(self, space: str) -> Meta:
        row = self._shards[space].row("meta", meta_row.KEY)
        return meta_row.decode(row) if row is not None else Meta()

    def _position(self, space: str, partition: str) -> int:
        return min(self._meta(space).applied.get(partition, 0), self._archives[space].positions.get(partition, 0))

    def _epochs(self, space: str) -> list[Epoch]:
        """The definitions in force so far; where the files are to be, a control entry that puts them in force."""
        meta, path = self._meta(space), control_path(self.settings, space)
        stored = [meta.applied, self._archives[space].positions]
        now = self._start.definitions[space]
        if now.lookups:
            digest = digest_in_force(self.settings, space)
            before = self.load(digest) if digest is not None and digest != now.digest else None
            for problem in put_in_force(self.settings, space, before, now, stored):
                logger().error("lookup without new data", problem=str(problem), so="events say so, or wait in quarantine")
        if space in self._start.anew:
            declare(path, now.digest, stored)
        return meta.epochs or [(declared(path)[0]["digest"], {})]

    def _behind(self, space: str) -> dict[str, int]:
        """The first record of each partition that no store has."""
        stores = self._meta(space).applied, self._archives[space].positions
        return {name: max(known.get(name, 0) for known in stores) + 1 for name in {name for known in stores for name in known} - {CONTROL}}
