"""New definitions tried on what is stored: the same steps as in the flow, over an overlay that is never written."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.model.definitions import Definitions
from operators.sandbox import Sandbox
from operators.view.space import View
from skep.answers.planning.answer import Effort
from skep.answers.sandbox import sandbox
from skep.project.settings import Settings
from state.errors import NoState
from state.overlay import Overlay

STEP = 1_000
"""Events from one word about the progress to the next."""

SLICE_BYTES = 32_000_000
"""What people who are brought along take in memory at most, beside the cache of people (measured)."""
ANEW_BYTES = 300_000_000
"""The same where everybody is made anew: the second generation's rows that are not in files yet, and what a commit holds (measured)."""

Progress = Callable[[str, int, int], None]
"""(what is done, how many of them, of how many)"""


@dataclass(frozen=True, slots=True)
class Trial:
    """A space before and after; ``told`` are the changes that its destinations would be told, as JSON.

    ``recomputed``: False if the definitions say the same of every accepted event, so that before and after are one. ``cost`` is what the
    flow will have to do; only where everybody is made anew may they say otherwise of who is who and whose an event is.
    """

    before: View
    after: View
    told: list[bytes]
    recomputed: bool
    cost: Effort


@contextmanager
def trial(settings: Settings, space: str, definitions: Definitions, progress: Progress) -> Iterator[Trial]:
    """Put the definitions in force in an overlay of the space, as its flow would. Raises `NoState` if nothing has run yet."""
    count = _Count(progress)
    collecting = gc.isenabled()
    with sandbox(settings, space, definitions, counted=count.one) as box:
        # The steps make no cycles, and there is too much to walk over again and again.
        gc.disable()
        try:
            tried = _tried(box, definitions, count)
            # What the steps had in memory, in the one cycle that a space is.
            box.forget()
            gc.collect()
            yield tried
        finally:
            if collecting:
                gc.enable()


def _tried(box: Sandbox, definitions: Definitions, count: _Count) -> Trial:
    meta = box.before.meta
    if not meta.digest:
        raise NoState(f"space {box.name}: no definitions have taken effect yet. Run `skep run --once` first.")
    count.of = meta.events
    began = time.process_time()
    answer = box.answer({"type": "definitions", "digest": definitions.digest, "messageId": "plan"})
    seconds = time.process_time() - began
    told = [row for _, row in sorted(box.shard.changes.pending.items()) if row is not None]
    anew = bool(answer.get("anew"))
    assert isinstance(box.shard, Overlay)
    people, events = answer.get("people", 0), answer.get("events", 0)
    cost = Effort(round(seconds, 3), people, events, box.shard.written, ANEW_BYTES if anew else SLICE_BYTES, anew)
    return Trial(box.before, box.view, told, bool(answer.get("recomputed")), cost)


class _Count:
    """Counts the events read, ``of`` so many."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self.done = progress, 0
        self.of = 0

    def one(self) -> None:
        self.done += 1
        if self.done % STEP == 0:
            self._progress("computing anew, events read", min(self.done, self.of), self.of)
