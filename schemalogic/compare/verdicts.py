"""What a search for a document ends with."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Found:
    """A document that is asked for."""

    document: Any


class Impossible:
    """It is proven that there is none."""

    def __repr__(self) -> str:
        return "Impossible"


class Undecided:
    """Neither found nor proven."""

    def __repr__(self) -> str:
        return "Undecided"


IMPOSSIBLE, UNDECIDED = Impossible(), Undecided()
Verdict = Found | Impossible | Undecided


class OutOfTime(Exception):  # noqa: N818 - it is no error
    """The time for this question is over."""


class Clock:
    """The time for a question, in seconds of the processor for this thread: who else works changes no answer."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds
        self._steps = 0

    @property
    def left(self) -> float:
        return max(0.0, self._end - time.thread_time())

    def shorten(self, seconds: float) -> None:
        """Leave at most so much time."""
        self._end = min(self._end, time.thread_time() + seconds)

    def tick(self) -> None:
        """Called in every loop; OutOfTime when the time is over."""
        self._steps += 1
        if self._steps & 15 == 0 and time.thread_time() > self._end:
            raise OutOfTime
