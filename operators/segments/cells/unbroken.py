"""Since when what identify calls write of a trait has satisfied predicates without a break."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.cell import Cell
from operators.segments.paths import satisfied
from operators.segments.predicates import compiled
from schemalogic.paths import parse_path

Entry = list[Any]
"""``[time, message id, whether what it wrote satisfies the predicates]``"""
ALWAYS = -(1 << 62)
"""Since ever: nothing that was written ends it, and before that nothing was there, which satisfies the predicates, too."""


class Unbroken(Cell):
    """Every write of the trait that may still matter, in order: those that are not as old as the longest time that is asked for, and the
    one before them; of more than ``kept`` the newest."""

    windowed = True

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        (where,) = feature.where
        self._name = str(parse_path(where.path)[0])
        self._holds = satisfied(where.path, compiled(where.predicates, feature.timezone))
        self._bounds: tuple[int, ...] = feature.option("bounds_us")
        self._kept: int = feature.option("kept")
        self._at_first = self._holds({})

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        if self._name not in properties:
            return False
        entry: Entry = [time, message, self._holds(properties)]
        cell = cells.get(at)
        if cell is None:
            cells[at] = [entry]
            return True
        before = self.value(cell, now)
        cell.insert(bisect_left(cell, (time, message), key=_place), entry)
        self._drop(cell, now)
        return self.value(cell, now) != before

    def _drop(self, cell: list[Entry], now: int) -> None:
        """Forget what no longer matters: the clock only grows."""
        gone = bisect_right(cell, now - self._bounds[-1] - 1, key=_time) - 1
        gone = max(gone, len(cell) - self._kept)
        if gone > 0:
            del cell[:gone]

    def value(self, cell: Any, now: int) -> int | None:
        """Since when (µs), or `ALWAYS`; None if the last write does not satisfy them."""
        since = ALWAYS if self._at_first else None
        if not cell:
            return since
        place = len(cell)
        while place and cell[place - 1][2]:
            place -= 1
        if place == len(cell):
            return None
        return ALWAYS if place == 0 and self._at_first else int(cell[place][0])

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        return sorted([*a, *b], key=_place)[-self._kept :]

    def critical(self, numbers: set[int]) -> None:
        """Nothing is counted."""

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        since = self.value(cell, now)
        return None if since is None or since == ALWAYS else passing(since, self._bounds, now)


def passing(since: int, bounds: tuple[int, ...], now: int) -> int | None:
    """The next moment after now at which the time since a moment comes to one of the bounds, or passes it."""
    return min((edge for bound in bounds for edge in (since + bound, since + bound + 1) if edge > now), default=None)


def _time(entry: Entry) -> int:
    time: int = entry[0]
    return time


def _place(entry: Entry) -> tuple[int, str]:
    return entry[0], entry[1]
