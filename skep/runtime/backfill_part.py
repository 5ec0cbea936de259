"""One of the processes among which a backfill divides its work: it judges what it is handed, and folds the islands that it is given.

    python -P -m skep.runtime.backfill_part DESCRIPTOR

It talks through a socket with the process that has started it, and ends with it.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from multiprocessing.connection import Connection
from queue import Queue
from threading import Thread
from typing import Any

import msgspec

from contracts.model.batches import SourceBatch
from contracts.model.hashing import Hasher
from operators import meta as meta_row
from operators.backfill.chunks import Chunk, Folded
from operators.backfill.laying import Judging
from operators.backfill.share import Folding
from operators.epochs import Epoch
from operators.lookups.lookup_epochs import LookupEpochs
from operators.people.work import Work
from operators.quality.scorer import BatchQuality
from operators.validate import Validate
from skep.project.judging import tolerance
from skep.project.lookup_versions import lookers
from skep.project.settings import Settings
from skep.project.spaces import archive_path, backfill_path, bundles, shard_path
from skep.project.work import work_of
from state.errors import StateError
from state.overlay import Overlay
from state.shard import SecondaryShard

WAITING = 1
"""What a part is told before it has done what it was told last: one thing."""


class Slice(msgspec.Struct):
    """Where a space stands when a slice begins: its ``meta``, the definitions that judge, and how far shard and archive have come."""

    space: str
    meta: bytes
    digest: str
    epochs: list[Epoch]
    applied: dict[str, int]
    archived: dict[str, int]


class Apart:
    """Does what it is told, one call after the other."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._settings, self._number = settings, number
        self._load = cache(bundles(settings))
        self._tables = lookers(settings)

    def begin(self, one: Slice) -> None:
        """A slice begins."""
        settings = self._settings
        self._slice = one
        self._folder = backfill_path(settings, one.space)
        versions = LookupEpochs(self._tables, {one.space: meta_row.decode(one.meta).lookups})
        self._validate = Validate(self._load, {one.space: one.epochs}, versions=versions, **tolerance(settings))
        self._before = SecondaryShard(shard_path(settings, one.space))
        self._judging = Judging(
            one.space, self._number, self._folder, self._validate, one.digest, self._before, Hasher(settings.secret, one.space),
            archive_path(settings, one.space), one.applied, one.archived,
        )  # fmt: skip

    def judge(self, number: int, batch: SourceBatch) -> Chunk:
        """Judge a chunk of it."""
        return self._judging.judge(number, batch)

    def judged(self) -> None:
        """All of it has been judged."""
        self._judging.finish()
        self._before.close()

    def fold(self, meta: bytes, chunks: list[Chunk], shares: dict[int, bytes], said: Callable[[int], None]) -> Folded:
        """Fold the islands of a share; ``meta`` is that of the slice, with every contract that the parts have found."""
        one, settings = self._slice, self._settings
        self._folding = Folding(shard_path(settings, one.space), self._folder, self._number, meta, self._work, one.applied)
        return self._folding.fold(chunks, shares, said)

    def _work(self, shard: Overlay) -> Work:
        return work_of(self._settings, self._slice.space, shard, load=self._load, judge=self._validate.judge)

    def score_without(self, chunk: Chunk, refused: set[int]) -> BatchQuality:
        """The scores of a chunk that it has judged, without some of its events."""
        return self._judging.score_without(chunk, refused)

    def write(self, changes: int, turns: int) -> int:
        """Write what it has folded; the bytes of its files."""
        written = self._folding.write(changes, turns)
        del self._folding
        return written


Ending = Callable[[], object]
"""Ends who serves, whatever he does."""


def started(descriptor: int) -> Ending:
    """A process of its own that serves there, as long as the descriptor's other end is open."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "skep.runtime.backfill_part", str(descriptor)],
        pass_fds=[descriptor],
        # Ctrl-C reaches the command alone.
        start_new_session=True,
    )

    def end() -> None:
        process.kill()
        process.wait()

    return end


class Helper:
    """A part in a process of its own; `call` it, and `answer` says what came of it."""

    def __init__(self, settings: Settings, number: int, start: Callable[[int], Ending] = started) -> None:
        """``start`` has somebody `serve` at the other end of the socket of this descriptor."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._ending = start(theirs.fileno())
        self.connection = Connection(ours.detach())
        with _alive():
            self.connection.send((settings, number))
        self.waiting = 0
        """Calls that have not been answered."""

    def call(self, name: str, *args: Any) -> None:
        """Have it do something, behind what it is doing; at most `WAITING` calls may wait there."""
        self.waiting += 1
        with _alive():
            self.connection.send((name, args))

    def answer(self) -> Any:
        """What came of the oldest call, or how far a long one is (a whole number). Raises what it has raised."""
        with _alive():
            kind, found = self.connection.recv()
        if kind == "said":
            return found
        self.waiting -= 1
        if kind == "failed":
            raise found
        return found

    def end(self) -> None:
        """Let it go, whatever it does."""
        self.connection.close()
        self._ending()


@contextmanager
def _alive() -> Iterator[None]:
    """Somebody is at the other end. Raises `StateError`."""
    try:
        yield
    except (EOFError, BrokenPipeError, ConnectionResetError) as error:
        raise StateError(
            "one of the processes that share the work has ended, perhaps because memory ran out; what was taken in before stays "
            "→ run it again, with more memory or fewer of them: --parts 1"
        ) from error


def serve(connection: Connection, closed: Callable[[], object] = lambda: None) -> None:
    """Do what is called for, until the other end is closed; ``closed`` is called at that moment, whatever is being done."""
    settings, number = connection.recv()
    part = Apart(settings, number)
    calls: Queue[tuple[str, tuple[Any, ...]]] = Queue(WAITING)
    Thread(target=partial(_hear, connection, calls, closed), daemon=True).start()
    while True:
        name, args = calls.get()
        if not name:
            return
        try:
            if name == "fold":
                args = (*args, lambda count: _say(connection, ("said", count)))
            _say(connection, ("done", getattr(part, name)(*args)))
        except Exception as error:  # noqa: BLE001 - told where it is waited for
            _say(connection, ("failed", error))


def _say(connection: Connection, what: tuple[str, Any]) -> None:
    """Nobody may be there any more; `_hear` finds that out."""
    with suppress(OSError):
        connection.send(what)


def _hear(connection: Connection, calls: Queue[tuple[str, tuple[Any, ...]]], closed: Callable[[], object]) -> None:
    """Take calls while another one is being done; what has no name is the end."""
    with suppress(EOFError, OSError):
        while True:
            calls.put(connection.recv())
    closed()
    calls.put(("", ()))


def main(descriptor: int) -> None:
    """A process that is one part, and ends at once with the one that has started it: another one may write into the same folder."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    gc.disable()
    serve(Connection(descriptor), lambda: os._exit(0))


if __name__ == "__main__":
    main(int(sys.argv[1]))
