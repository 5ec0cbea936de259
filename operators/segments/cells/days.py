"""Days, weeks and periods: on how many there was an event, and how many in a row."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contracts.model.definitions import DAY_US, Feature
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell
from operators.segments.cells.moving import Entry, Noted

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_MONDAY = 3
"""1970 began on a Thursday."""


def day_of(zone: str) -> Callable[[int], int]:
    """The number of the day of a time: days since 1970 in the zone."""
    if zone == "UTC":
        return lambda time: time // DAY_US
    known = ZoneInfo(zone)

    def day(time: int) -> int:
        try:
            return (_EPOCH + timedelta(microseconds=time)).astimezone(known).toordinal() - _EPOCH_DAY
        except OverflowError:
            # There it is still the day before the first that a date can say, or already the one after the last.
            return time // DAY_US + (1 if time > 0 else -1)

    return day


class Days(Cell):
    """The days in order, no more than have to be counted."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(MICRO)
        self._day = day_of(feature.timezone)
        self._cap = feature.cap

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = []
        return put(cell, self._day(time), self._cap) and self.turns(len(cell))

    def value(self, cell: Any, now: int) -> int:
        return len(cell) if cell else 0

    def join(self, a: Any, b: Any) -> Any:
        return sorted({*a, *b})[: self._cap] if a and b else a or b


class Streak(Cell):
    """The days, or weeks, in order. What is in a row up to now grows by events alone, and ends by itself a day or week after the last."""

    windowed = True

    def __init__(self, feature: Feature) -> None:
        super().__init__(MICRO)
        self._length = DAY_US * (7 if feature.option("unit") == "weeks" else 1)
        self._offset = _MONDAY * DAY_US if feature.option("unit") == "weeks" else 0

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = []
        return put(cell, self._number(time), None)

    def _number(self, time: int) -> int:
        return (time + self._offset) // self._length

    def value(self, cell: Any, now: int) -> int:
        today = self._number(now)
        here = bisect_right(cell, today) if cell else 0
        if not here or cell[here - 1] < today - 1:
            return 0
        length = 1
        while length < here and cell[here - 1 - length] == cell[here - 1] - length:
            length += 1
        return length

    def join(self, a: Any, b: Any) -> Any:
        return sorted({*a, *b}) if a and b else a or b

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        today = self._number(now)
        past = bisect_right(cell, today)
        moments = [cell[past]] if past < len(cell) else []
        if past and cell[past - 1] + 2 > today:
            moments.append(cell[past - 1] + 2)
        return min(moments) * self._length - self._offset if moments else None


def put(numbers: list[int], number: int, cap: int | None) -> bool:
    """Put a number among others in order, if it is not there; whether it was not. With ``cap`` no more than so many are kept."""
    if numbers and number > numbers[-1]:
        here = len(numbers)
    else:
        here = bisect_left(numbers, number)
        if here < len(numbers) and numbers[here] == number:
            return False
    if cap is not None and len(numbers) >= cap:
        return False
    insort(numbers, number)
    return True


def seen_days(feature: Feature) -> Noted:
    day = day_of(feature.timezone)
    return Noted(MICRO, lambda _properties: 0, lambda entries, _now: len({day(entry[0]) for entry in entries}))


def seen_periods(feature: Feature) -> Noted:
    each: int = feature.option("each")

    def turn(entries: list[Entry], now: int) -> int | None:
        return min((entry[0] + ((now - entry[0]) // each + 1) * each for entry in entries), default=None)

    return Noted(MICRO, lambda _properties: 0, lambda entries, now: len({(now - entry[0]) // each for entry in entries}), turn)
