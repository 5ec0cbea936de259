"""What is said of an event that takes more to put people right than its budget, and whose turn it is meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable

from operators.people.work import Work
from operators.stitch.rules import Pair
from skep.project.log import logger

TOLD_SECONDS = 60.0
"""How often it is said at most."""
NAMES = 5
"""Identifiers that are named."""


class LargeRepairs:
    """Is called between two slices of a repair."""

    def __init__(self, work: Work, seconds: Callable[[], float]) -> None:
        self._work, self._seconds = work, seconds
        self._told = -TOLD_SECONDS
        self._about: list[Pair] | None = None
        """What the repair was about that was here last."""

    def __call__(self, about: list[Pair], moments: int) -> None:
        begins, self._about = about is not self._about, about
        now = self._seconds()
        if begins and now - self._told >= TOLD_SECONDS:
            self._told = now
            identifiers = ", ".join(map(self._work.shown, about[:NAMES]))
            cure = "`skep identity doctor` names the rule that would end it"
            logger().warning("large repair", space=self._work.name, identifiers=identifiers, events_read=moments, cure=cure)
        # Threads that serve metrics, or watch, have their turn.
        time.sleep(0)
