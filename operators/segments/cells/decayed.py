"""A sum in which every event counts half of what it did a half-life before."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from math import log2
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO
from contracts.text.times import MAX_US
from operators.segments.cells.cell import Cell, number_of, packed, place_among
from operators.segments.cells.moving import Lookback, time_of

_LEFT = 2
"""So many half-lives behind the last at which an event is a millionth or more of anything, it is nothing by any rounding."""


class Decayed(Cell):
    """``[time, micros]`` in order, of the events that still come to something or will.

    Each counts ``number * 2 ** (-age / half-life)`` in double precision, rounded to six places, so that the sum is the same in any
    order. It changes at every moment: what conditions ask is when it passes a number.
    """

    windowed = True

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._read: Callable[[Any], Any] = number_of(feature) if feature.property else _one
        self._half_life: int = feature.option("half_life")
        self._lookback = Lookback(feature.within_us, feature.until_us, time_of)
        self._bounds: list[int] = []

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number, back = self._read(properties), self._lookback.back
        if number is None or number == 0 or time <= now - back or self._gone([time, number]) <= now:
            return False
        cell = cells.get(at)
        if cell is None:
            cells[at] = [[time, number]]
            return True
        insort(cell, [time, number], key=time_of)
        while len(cell) > 1 and (cell[0][0] <= now - back or self._gone(cell[0]) <= now):
            del cell[0]
        return True

    def value(self, cell: Any, now: int) -> int:
        return sum(self._come(entry, now) for entry in self._lookback.inside(cell, now)) if cell else 0

    def join(self, a: Any, b: Any) -> Any:
        return sorted([*a, *b], key=time_of) if a and b else a or b

    def compared(self, numbers: set[int]) -> None:
        self._bounds = sorted(numbers)

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        """What comes in or leaves the window next, or before that the first moment at which the sum passes a number."""
        moment = self._lookback.passed(cell, now)
        inside = [[time, int(number)] for time, number in self._lookback.inside(cell, now)]
        if inside and self._bounds:
            last = max(map(self._gone, inside))
            passes = self._passes(inside, now, min(last, MAX_US if moment is None else moment - 1))
            return moment if passes is None else passes
        return moment

    def _come(self, entry: Any, now: int) -> int:
        number, age = int(entry[1]), now - int(entry[0])
        weight: float = 2.0 ** (-age / self._half_life)
        return round(number * weight)

    def _gone(self, entry: Any) -> int:
        """From when on an event comes to nothing."""
        time: int = entry[0]
        return time + int(self._half_life * (log2(abs(int(entry[1]))) + _LEFT)) + 1

    def _passes(self, entries: list[Any], start: int, end: int) -> int | None:
        """The first moment behind ``start`` and up to ``end`` at which the sum lies elsewhere among the bounds than at ``start``.

        What adds and what takes away only become less, so that between two moments the sum lies between what both come to at these:
        where that is all in one place nothing is passed, else each half is looked at, the earlier one first.
        """
        above, below = ([one for one in entries if one[1] > 0], [one for one in entries if one[1] < 0])

        def sums(moment: int) -> tuple[int, int]:
            return sum(self._come(one, moment) for one in above), sum(self._come(one, moment) for one in below)

        first, last = sums(start), sums(end)
        here = place_among(self._bounds, first[0] + first[1])
        waiting = [(start, first, end, last)]
        while waiting:
            left, (more, less), right, (more_then, less_then) = waiting.pop()
            if left >= right or place_among(self._bounds, more_then + less) == here == place_among(self._bounds, more + less_then):
                continue
            if right - left == 1:
                if place_among(self._bounds, more_then + less_then) != here:
                    return right
                continue
            middle = (left + right) // 2
            sums_then = sums(middle)
            waiting += [(middle, sums_then, right, (more_then, less_then)), (left, (more, less), middle, sums_then)]
        return None


def _one(_properties: Any) -> Any:
    return packed(MICRO)
