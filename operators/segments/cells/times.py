"""How often."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from contracts.model.definitions import Feature, Trait
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, Functions, Value, Windowed


def times(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is the number of events, with a window their times."""
    if feature.within_us is None:
        return Cell((_count, _count_value(feature.cap), _add), MICRO)
    return _Times(_recent(feature.within_us, feature.cap), MICRO, feature.within_us)


class _Times(Windowed):
    def may_be_due(self, cell: Any, armed: int) -> bool:
        return cell is not None and bool(cell[0] < armed - self.window)

    def due(self, cell: Any, now: int) -> int | None:
        return None if cell is None else self.after(cell, now)


def _count(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
    return (cell or 0) + 1


def _count_value(cap: int | None) -> Value:
    if cap is None:
        return lambda cell, now: cell or 0
    return lambda cell, now: min(cell, cap) if cell else 0


def _add(a: Any, b: Any) -> Any:
    return (a or 0) + (b or 0)


def _recent(window: int, cap: int | None) -> Functions:
    """A sorted list of times: all in the window, of the past ones only the newest ``cap``."""

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        if time <= now - window:
            return cell
        if cell is None:
            return [time]
        if time >= cell[-1]:
            cell.append(time)
        else:
            insort(cell, time)
        if cell[0] <= now - window or (cap is not None and len(cell) > cap):
            past = bisect_right(cell, now)
            gone = bisect_right(cell, now - window)
            if cap is not None and past - gone > cap:
                gone = past - cap
            del cell[:gone]
        return cell

    def value(cell: Any, now: int) -> int:
        if cell is None:
            return 0
        number = len(cell) if cell[0] > now - window and cell[-1] <= now else bisect_right(cell, now) - bisect_right(cell, now - window)
        return number if cap is None or number < cap else cap

    def join(a: Any, b: Any) -> Any:
        return sorted((a or []) + (b or [])) or None

    return fold, value, join
