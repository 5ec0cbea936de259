"""How far the numbers of a property lie from their mean."""

from __future__ import annotations

from math import isqrt
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.cell import Cell, number_of, packed
from operators.segments.cells.moving import Entry, Noted


class Spread(Cell):
    """``[how many, sum, sum of squares]``, of all numbers, so that their order is nothing to it."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._read = number_of(feature)

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number = self._read(properties)
        if number is None:
            return False
        cells[at] = self.join(cells.get(at), [1, number, packed(int(number) ** 2)])
        return True

    def value(self, cell: Any, now: int) -> int | None:
        return deviation(cell[0], int(cell[1]), int(cell[2])) if cell else None

    def join(self, a: Any, b: Any) -> Any:
        return [a[0] + b[0], packed(int(a[1]) + int(b[1])), packed(int(a[2]) + int(b[2]))] if a and b else a or b


def deviation(count: int, total: int, squares: int) -> int:
    """The standard deviation of so many numbers, all of them, by their sum and that of their squares; half to even."""
    spread = count * squares - total * total
    whole = isqrt(spread) // count
    past = 4 * spread - (count * (2 * whole + 1)) ** 2
    return whole + (1 if past > 0 or (past == 0 and whole & 1) else 0)


def seen_spread(feature: Feature) -> Noted:
    def of(entries: list[Entry], _now: int) -> int | None:
        numbers = [int(entry[2]) for entry in entries]
        return deviation(len(numbers), sum(numbers), sum(number * number for number in numbers)) if numbers else None

    return Noted(1, number_of(feature), of)
