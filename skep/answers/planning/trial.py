"""New definitions tried on what is stored: the same steps as in the flow, over an overlay that is never written."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.model.batches import ControlEntry, Event, JudgedBatch
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.epochs import CONTROL
from operators.judge import Judge
from operators.people.space import Space
from operators.view.space import View
from skep.project.settings import Settings
from skep.project.spaces import bundles, shard_path
from state.errors import NoState
from state.overlay import Overlay

NEVER_US = 1 << 61
"""No horizon: a trial seals nothing, since that changes no answer."""
STEP = 1_000
"""Events from one word about the progress to the next."""
_ENTRY = "plan"

Progress = Callable[[str, int, int], None]
"""(what is done, how many of them, of how many)"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A space before and after; ``told`` are the changes that its destinations would be told, as JSON.

    ``recomputed``: False if the definitions say the same of every accepted event, so that before and after are one.
    """

    before: View
    after: View
    told: list[bytes]
    recomputed: bool


@contextmanager
def trial(settings: Settings, space: str, definitions: Definitions, progress: Progress) -> Iterator[Trial]:
    """Put the definitions in force in an overlay of the space, as its flow would. Raises `NoState` if nothing has run yet."""
    overlay = Overlay(shard_path(settings, space))
    collecting = gc.isenabled()
    # The steps make no cycles, and there is too much to walk over again and again.
    gc.disable()
    try:
        tried = _tried(settings, space, definitions, overlay, progress)
        # What the steps had in memory, in the one cycle that a space is.
        gc.collect()
        yield tried
    finally:
        overlay.close()
        if collecting:
            gc.enable()


@contextmanager
def with_entries(settings: Settings, space: str, entries: list[dict[str, Any]]) -> Iterator[View]:
    """The space as it would be with these entries of the control partition. Raises `NoState` if nothing has run yet."""
    overlay = Overlay(shard_path(settings, space))
    try:
        hasher, load = Hasher(settings.secret, space), bundles(settings)
        count = _Count(lambda *_: None, 0)
        tried = Space(space, overlay, hasher, load=load, judge=lambda digest: _judge(settings, load(digest), count), horizon_us=NEVER_US)
        first = tried.meta.applied.get(CONTROL, 0) + 1
        said = [ControlEntry(position, entry) for position, entry in enumerate(entries, first)]
        tried.apply(JudgedBatch(space, CONTROL, CONTROL, first, first + len(said) - 1, "", [], [], said, 0))
        yield View(overlay, space, hasher, load)
    finally:
        overlay.close()


def _tried(settings: Settings, name: str, definitions: Definitions, overlay: Overlay, progress: Progress) -> Trial:
    hasher, kept = Hasher(settings.secret, name), bundles(settings)

    def load(digest: str) -> Definitions:
        return definitions if digest == definitions.digest else kept(digest)

    before = View(overlay.before, name, hasher, load)
    meta = before.meta
    if not meta.digest:
        raise NoState(f"space {name}: no definitions have taken effect yet. Run `skep run --once` first.")
    # Every moment is read once to see where it hangs, and once to be folded.
    count = _Count(progress, 2 * meta.events)
    space = Space(name, overlay, hasher, load=load, judge=lambda digest: _judge(settings, load(digest), count), horizon_us=NEVER_US)
    position = meta.applied.get(CONTROL, 0) + 1
    entry = {"type": "definitions", "digest": definitions.digest, "messageId": _ENTRY}
    space.apply(JudgedBatch(name, CONTROL, CONTROL, position, position, "", [], [], [ControlEntry(position, entry)], 0))
    answer = orjson.loads(overlay.answers.get(_ENTRY.encode()) or b"{}")
    told = [row for _, row in sorted(overlay.changes.pending.items()) if row is not None]
    return Trial(before, View(overlay, name, hasher, load), told, bool(answer.get("recomputed")))


class _Count:
    """Counts the events read."""

    def __init__(self, progress: Progress, of: int) -> None:
        self._progress, self._of, self._done = progress, of, 0

    def one(self) -> None:
        self._done += 1
        if self._done % STEP == 0:
            self._progress("computing anew, events read", min(self._done, self._of), self._of)


class _Counted(Judge):
    count: _Count

    def reread(self, raw: bytes, contract: str) -> Event:
        self.count.one()
        return super().reread(raw, contract)


def _judge(settings: Settings, definitions: Definitions, count: _Count) -> Judge:
    judge = _Counted(
        definitions,
        unknown_ok=settings.unknown_events == "accept",
        future_skew_us=settings.future_skew_us,
        max_event_bytes=settings.max_event_bytes,
        formats=settings.formats == "assert",
    )
    judge.count = count
    return judge
