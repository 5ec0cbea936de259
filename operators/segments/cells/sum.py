"""The sum of a property."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import micros
from operators.segments.cells.cell import Cell, Windowed, number_of, packed, place_among, property_of
from operators.segments.cells.moving import Noted

_Read = Callable[[Any], Any]


def total(feature: Feature) -> Cell:
    """The cell is the sum in micros, with a window the times and what each adds."""
    read = property_of(feature)
    return _Sum(read) if feature.within_us is None else _RecentSum(read, feature.within_us)


def seen_sum(feature: Feature) -> Noted:
    return Noted(1, number_of(feature), lambda entries, _now: sum(int(entry[2]) for entry in entries))


class _Sum(Cell):
    def __init__(self, read: _Read) -> None:
        super().__init__(1)
        self._read = read
        self._bounds: list[int] | None = None
        """The numbers in micros at which, or behind which, conditions change their mind; None if that is not known."""

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number = micros(self._read(properties))
        if number is None:
            return False
        before = int(cells.get(at, 0))
        cells[at] = packed(before + number)
        return self._bounds is None or place_among(self._bounds, before) != place_among(self._bounds, before + number)

    def value(self, cell: Any, now: int) -> int:
        return int(cell or 0)

    def join(self, a: Any, b: Any) -> Any:
        return packed(int(a or 0) + int(b or 0))

    def compared(self, numbers: set[int]) -> None:
        self._bounds = sorted(numbers)


class _RecentSum(Windowed):
    """Two lists side by side, times in order and micros."""

    def __init__(self, read: _Read, window: int) -> None:
        super().__init__(1, window)
        self._read = read

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number, since, cell = micros(self._read(properties)), now - self.window, cells.get(at)
        if number is None or time <= since:
            return False
        if cell is None:
            cells[at] = [[time], [packed(number)]]
            return True
        times, numbers = cell
        here = len(times) if time >= times[-1] else bisect_right(times, time)
        times.insert(here, time)
        numbers.insert(here, packed(number))
        gone = bisect_right(times, since)
        if gone:
            del times[:gone]
            del numbers[:gone]
        return True

    def value(self, cell: Any, now: int) -> int:
        if cell is None:
            return 0
        return sum(map(int, cell[1][bisect_right(cell[0], now - self.window) : bisect_right(cell[0], now)]))

    def join(self, a: Any, b: Any) -> Any:
        pairs = sorted([*zip(*(a or [[], []]), strict=True), *zip(*(b or [[], []]), strict=True)], key=lambda pair: pair[0])
        return [[time for time, _ in pairs], [number for _, number in pairs]] if pairs else None

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return bool(cell[0][0] < armed - self.window)

    def due(self, cell: Any, now: int) -> int | None:
        return self.after(cell[0], now)
