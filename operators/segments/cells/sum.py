"""The sum of a property."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature, Trait
from contracts.text.numbers import micros
from operators.segments.cells.cell import Cell, Fold, Functions, Windowed, property_of

_PACKED = 1 << 62


def total(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is the sum in micros, with a window the times and what each adds."""
    read = property_of(feature)
    if feature.within_us is None:
        return Cell((_summed(read), _sum_value, _sum_add), 1)
    return _Sum(_recent_sum(read, feature.within_us), 1, feature.within_us)


class _Sum(Windowed):
    def may_be_due(self, cell: Any, armed: int) -> bool:
        return cell is not None and bool(cell[0][0] < armed - self.window)

    def due(self, cell: Any, now: int) -> int | None:
        return None if cell is None else self.after(cell[0], now)


def _packed(number: int) -> int | str:
    """A number as a row can hold it: beyond 62 bits its decimal text."""
    return number if -_PACKED < number < _PACKED else str(number)


def _summed(read: Callable[[Any], Any]) -> Fold:
    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        number = micros(read(properties))
        return cell if number is None else _packed(int(cell or 0) + number)

    return fold


def _sum_value(cell: Any, now: int) -> int:
    return int(cell or 0)


def _sum_add(a: Any, b: Any) -> Any:
    return _packed(int(a or 0) + int(b or 0))


def _recent_sum(read: Callable[[Any], Any], window: int) -> Functions:
    """Two lists side by side, times in order and micros."""

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        number = micros(read(properties))
        if number is None or time <= now - window:
            return cell
        if cell is None:
            return [[time], [_packed(number)]]
        times, numbers = cell
        at = len(times) if time >= times[-1] else bisect_right(times, time)
        times.insert(at, time)
        numbers.insert(at, _packed(number))
        gone = bisect_right(times, now - window)
        if gone:
            del times[:gone]
            del numbers[:gone]
        return cell

    def value(cell: Any, now: int) -> int:
        if cell is None:
            return 0
        return sum(map(int, cell[1][bisect_right(cell[0], now - window) : bisect_right(cell[0], now)]))

    def join(a: Any, b: Any) -> Any:
        pairs = sorted([*zip(*(a or [[], []]), strict=True), *zip(*(b or [[], []]), strict=True)], key=lambda pair: pair[0])
        return [[time for time, _ in pairs], [number for _, number in pairs]] if pairs else None

    return fold, value, join
