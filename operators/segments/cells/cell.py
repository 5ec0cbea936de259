"""What every cell is: functions of one feature, and of its value the unit and when it changes by itself.

A cell commutes: the same events in any order give the same values at every moment from the clock on. None is the
empty cell. With a window, ``now`` may only grow between calls, since what has left the window is dropped.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any

import orjson

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO, micros, number_text
from operators.records import EXACT, Exact
from operators.segments.paths import getter
from operators.segments.predicates import canonical

_NEVER = 1 << 62
_PACKED = 1 << 62


class Cell:
    """The functions of one feature. ``unit``: one of its value in micros (a count: 10⁶, a sum: 1); None if it is no number."""

    windowed = False
    """Whether the value changes by itself, when what it has seen enters or leaves a window, in a way that somebody reads."""
    is_shared = False
    """Whether features that differ in window and cap alone can look at one cell, that of the one that looks furthest."""

    def __init__(self, unit: int | None = None) -> None:
        self.unit = unit
        self.least = 0
        """Of a cell that holds less than so many things nothing ever changes a condition's mind."""
        self._floor: list[int] = []
        """By count: the largest count up to it at which a condition changes its mind, 0 for none; empty if that is not known."""
        self.number = self.slot = 0
        """Of the feature, and that under which people hold its cell."""
        self.needed: tuple[int, ...] = ()
        """The cells by number of which somebody has to have one, so that it matters when the value changes by itself."""
        self.others: list[Cell] = []
        """Of the features that look at the cell of this one."""

    def share(self, other: Cell) -> None:
        """Another feature looks at the cell of this one."""
        self.others.append(other)

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        """Put one more event into the cell, which is this one of a person's; whether a condition may think otherwise by that."""
        raise NotImplementedError

    def matters(self, cells: dict[int, Any]) -> bool:
        """Whether somebody with these cells may enter or leave a segment, or a trait of his is told, when the value changes by itself."""
        return any(slot in cells for slot in self.needed)

    def alone(self, _cell: Any) -> Any:
        """What one event is put into to see what it alone comes to in this cell; None, which is most, is the empty cell."""
        return None

    def counts(self, cell: Any, _now: int) -> bool:
        """Whether some event in the cell lies where it is looked at, as far as the cell knows."""
        return cell is not None

    def turned(self, cell: Any, time: int, now: int) -> bool:
        """Of a feature that looks at another's cell: whether a condition may think otherwise by the event of this time in it."""
        raise NotImplementedError

    def value(self, cell: Any, now: int) -> Any:
        """In ``unit``, or any JSON value or None."""
        raise NotImplementedError

    def join(self, a: Any, b: Any) -> Any:
        """The cell of both, which have no event in common."""
        raise NotImplementedError

    def plain(self, cell: Any, now: int) -> Any:
        """The value as traits have it."""
        value = self.value(cell, now)
        return plain_number(value) if self.unit == 1 and value is not None else value

    def shown(self, cell: Any, now: int) -> Any:
        """The value for orjson, every number exact; None if it is missing."""
        value = self.value(cell, now)
        if self.unit is None or value is None:
            return canonical(value)
        return orjson.Fragment(number_text(value)) if self.unit == 1 else value

    def critical(self, numbers: set[int]) -> None:
        """Say at which counts conditions change their mind (from ``n - 1`` to ``n``), if conditions alone look at the cell."""
        self.least = min(numbers, default=_NEVER)
        self._floor = [max((c for c in numbers if c <= n), default=0) for n in range(max(numbers, default=0) + 1)]

    def compared(self, numbers: set[int]) -> None:
        """Say with which numbers, in micros, conditions compare the value, if conditions alone look at the cell."""

    def turns(self, count: int) -> bool:
        """Whether a condition may change its mind when one more makes this count of the value."""
        floor = self._floor
        return not floor or (count < len(floor) and floor[count] == count)

    def may_be_due(self, _cell: Any, _armed: int) -> bool:
        """Whether a cell, not an empty one, can change before the moment for which its person is armed: a cheap no is most answers."""
        return False

    def due(self, _cell: Any, _now: int) -> int | None:
        """The next moment after ``now`` at which the value may change by itself in a way that matters; None if never."""
        return None


class Windowed(Cell):
    """A cell whose value changes by itself, when what it has seen leaves the window (µs)."""

    windowed = True

    def __init__(self, unit: int, window: int) -> None:
        super().__init__(unit)
        self.window = window

    def after(self, times: list[int], now: int) -> int | None:
        """The next moment at which one of the times, which are in order, enters or leaves the window in a way that matters."""
        window = self.window
        if times[-1] > now:
            return min((t + window if t <= now else t for t in times if t + window > now), default=None)
        past = len(times) if times[0] > now - window else len(times) - bisect_right(times, now - window)
        floor = self._floor
        if floor:
            past = floor[past] if past < len(floor) else floor[-1]
        return times[-past] + window if past else None


def earlier(one: int | None, other: int | None) -> int | None:
    """The earlier of two moments, of which each may be none."""
    return other if one is None or (other is not None and other < one) else one


def packed(number: int) -> int | str:
    """A number as a row can hold it: beyond 62 bits its decimal text."""
    return number if -_PACKED < number < _PACKED else str(number)


def half_even(total: int, count: int) -> int:
    """A whole number divided by a positive one, rounded half to even."""
    whole, rest = divmod(total, count)
    return whole + (1 if 2 * rest > count or (2 * rest == count and whole & 1) else 0)


def property_of(feature: Feature) -> Callable[[Any], Any]:
    """How the property that is measured is read out of an event's."""
    return getter(feature.property or "")[0]


def number_of(feature: Feature) -> Callable[[Any], Any]:
    """How the number that is measured is read, in micros as a row can hold them; None of what is no number."""
    read = property_of(feature)

    def number(properties: Any) -> Any:
        found = micros(read(properties))
        return None if found is None else packed(found)

    return number


def place_among(bounds: list[int], value: int) -> int:
    """Where a number lies among others: at one of them is a place of its own, between what is below and what is above."""
    return bisect_left(bounds, value) + bisect_right(bounds, value)


def plain_number(value: int) -> Any:
    """A number in micros as traits have it: an int or a float; where neither keeps the digits, or a row cannot, an `Exact`."""
    whole, part = divmod(value, MICRO)
    text = number_text(value)
    if not part and -(1 << 63) <= whole < 1 << 64:
        return whole
    if part and micros(float(text)) == value:
        return float(text)
    return Exact(EXACT, text.encode())
