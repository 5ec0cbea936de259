"""What repairs read of people's moments: in slices of a budget, between which others have their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from operators.stitch.rules import Pair

BUDGET = 20_000
"""Moments of a slice where no setting says otherwise."""

Paused = Callable[[list[Pair], int], None]
"""Told between two slices: the identifiers that the repair is about, in all slices the same list, and how many moments it has read."""


class Reading:
    """Counts the moments that are read. What one event, or entry, makes people anew from may be more than a ``budget``: then it goes on
    in slices of that, and `paused` is called between them. Nothing is dropped, and nothing is committed in between."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.moments = 0
        """All that were ever read."""
        self.paused: Paused | None = None
        self._budget = budget
        self._about: list[Pair] | None = None
        """Identifiers of the repair at hand; None: there is none."""
        self._begun = self._next = 0

    def begin(self, about: Iterable[Pair]) -> None:
        """A repair begins that is about these identifiers."""
        self._about, self._begun, self._next = list(about), self.moments, self.moments + self._budget

    def count(self, moments: int) -> None:
        """So many are going to be looked at."""
        self.moments += moments
        if self._about is not None and self.moments >= self._next:
            self._next = self.moments + self._budget
            if self.paused is not None:
                self.paused(self._about, self.moments - self._begun)

    def end(self) -> tuple[int, bool]:
        """The repair is done: how many moments it has read, and whether that was more than the budget."""
        self._about = None
        read = self.moments - self._begun
        return read, read >= self._budget
