"""How often."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, Windowed
from operators.segments.cells.moving import Noted


def times(feature: Feature) -> Cell:
    """The cell is the number of events, with a window their times."""
    if feature.within_us is None:
        return _Times(feature.cap)
    return _RecentTimes(feature.within_us, feature.cap)


def seen_times(_feature: Feature) -> Noted:
    return Noted(MICRO, lambda _properties: 0, lambda entries, _now: len(entries))


class _Times(Cell):
    def __init__(self, cap: int | None) -> None:
        super().__init__(MICRO)
        self._cap = cap

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number: int = 1 + cells.get(at, 0)
        cells[at] = number
        return self.turns(number)

    def value(self, cell: Any, now: int) -> int:
        number = cell or 0
        return number if self._cap is None or number < self._cap else self._cap

    def join(self, a: Any, b: Any) -> Any:
        return (a or 0) + (b or 0)


class _RecentTimes(Windowed):
    """A sorted list of times: all in the window, of the past ones only the newest ``cap``, and one more where others look at it."""

    is_shared = True

    def __init__(self, window: int, cap: int | None) -> None:
        super().__init__(MICRO, window)
        self._cap = cap
        self._most = cap
        """So many past times are held; None: all."""

    def share(self, other: Cell) -> None:
        super().share(other)
        # So that one more than another counts is seen as that.
        self._most = None if self._cap is None else self._cap + 1

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        since, most = now - self.window, self._most
        if time <= since:
            return False
        cell = cells.get(at)
        if cell is None:
            cells[at] = [time]
            return time <= now and self.turns(1)
        if time >= cell[-1]:
            cell.append(time)
        else:
            insort(cell, time)
        past = len(cell) if cell[-1] <= now else bisect_right(cell, now)
        gone = 0 if cell[0] > since else bisect_right(cell, since)
        number = past - gone
        if most is not None and number > most:
            gone = past - most
        if gone:
            del cell[:gone]
        return time <= now and self.turns(number)

    def turned(self, cell: Any, time: int, now: int) -> bool:
        return now - self.window < time <= now and self.turns(self._count(cell, now))

    def value(self, cell: Any, now: int) -> int:
        if cell is None:
            return 0
        number, cap = self._count(cell, now), self._cap
        return number if cap is None or number < cap else cap

    def _count(self, cell: list[int], now: int) -> int:
        since = now - self.window
        if cell[0] > since and cell[-1] <= now:
            return len(cell)
        return bisect_right(cell, now) - bisect_right(cell, since)

    def join(self, a: Any, b: Any) -> Any:
        return sorted((a or []) + (b or [])) or None

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return len(cell) >= self.least and bool(cell[0] < armed - self.window)

    def due(self, cell: Any, now: int) -> int | None:
        return None if len(cell) < self.least else self.after(cell, now)
