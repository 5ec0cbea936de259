"""How often."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from contracts.model.definitions import Feature, Trait
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, Windowed


def times(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is the number of events, with a window their times."""
    if feature.within_us is None:
        return _Times(feature.cap)
    return _RecentTimes(feature.within_us, feature.cap)


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
    """A sorted list of times: all in the window, of the past ones only the newest ``cap``."""

    def __init__(self, window: int, cap: int | None) -> None:
        super().__init__(MICRO, window)
        self._cap = cap

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        since, cap = now - self.window, self._cap
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
        if cap is not None and number > cap:
            gone = past - cap
        if gone:
            del cell[:gone]
        return time <= now and self.turns(number)

    def value(self, cell: Any, now: int) -> int:
        if cell is None:
            return 0
        since, cap = now - self.window, self._cap
        number = len(cell) if cell[0] > since and cell[-1] <= now else bisect_right(cell, now) - bisect_right(cell, since)
        return number if cap is None or number < cap else cap

    def join(self, a: Any, b: Any) -> Any:
        return sorted((a or []) + (b or [])) or None

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return len(cell) >= self.least and bool(cell[0] < armed - self.window)

    def due(self, cell: Any, now: int) -> int | None:
        return None if len(cell) < self.least else self.after(cell, now)
