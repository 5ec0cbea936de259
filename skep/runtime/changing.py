"""What is said while definitions are on their way to people: why, how far they have come, and that they have."""

from __future__ import annotations

from collections.abc import Callable

from operators.people.work import Work
from skep.project.log import logger

PROGRESS_SECONDS = 10.0
"""How often it is told how far it is."""


class Changing:
    """Is called before and behind each commit. ``seconds`` is a clock that never goes back."""

    def __init__(self, work: Work, seconds: Callable[[], float]) -> None:
        self._work, self._seconds = work, seconds
        self._begun: float | None = None
        self._told = 0.0
        self._events = 0

    def __call__(self) -> None:
        meta, now, log, space = self._work.meta, self._seconds(), logger(), self._work.name
        change = meta.change
        if change is None:
            if self._begun is not None:
                log.info("recomputed", space=space, people=meta.people, events=self._events, seconds=round(now - self._begun, 1))
            self._begun = None
            return
        self._events = change.events
        if self._begun is None:
            because = f"definitions {change.after} differ in {', '.join(change.because)}"
            log.info("recomputing", space=space, because=because, people=meta.people)
            self._begun = self._told = now
        elif now - self._told >= PROGRESS_SECONDS:
            doing = "evaluating people" if change.switched else "reading events of people"
            done = f"{100 * int.from_bytes((change.cursor + bytes(2))[:2]) >> 16} %"
            log.info("recomputing", space=space, doing=doing, done=done, events=change.events)
            self._told = now
