"""How many different values."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, Windowed, property_of
from operators.segments.cells.moving import Noted
from operators.segments.predicates import value_key

_SLACK = 16
_Read = Callable[[Any], Any]


def distinct(feature: Feature) -> Cell:
    """The cell is the keys of the values, with a window each with its times."""
    read = property_of(feature)
    if feature.within_us is None:
        return _Distinct(read, feature.cap)
    return _RecentDistinct(read, feature.within_us, feature.cap)


def seen_distinct(feature: Feature) -> Noted:
    read = property_of(feature)

    def key(properties: Any) -> Any:
        found = read(properties)
        return None if found is None else value_key(found)

    return Noted(MICRO, key, lambda entries, _now: len({entry[2] for entry in entries}))


class _Distinct(Cell):
    def __init__(self, read: _Read, cap: int | None) -> None:
        super().__init__(MICRO)
        self._read = read
        self._cap = cap

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found, cell = self._read(properties), cells.get(at)
        if found is None:
            return False
        if cell is None:
            cell = cells[at] = {}
        elif self._cap is not None and len(cell) >= self._cap:
            return False
        before = len(cell)
        cell[value_key(found)] = 0
        return len(cell) > before and self.turns(len(cell))

    def value(self, cell: Any, now: int) -> int:
        return len(cell) if cell else 0

    def join(self, a: Any, b: Any) -> Any:
        return self._trimmed({**a, **b}) if a and b else a or b

    def _trimmed(self, cell: dict[str, int]) -> dict[str, int]:
        if self._cap is not None and len(cell) > self._cap:
            for key in list(cell)[self._cap :]:
                del cell[key]
        return cell


class _RecentDistinct(Windowed):
    """Value key → its newest past time and all future ones, in order."""

    def __init__(self, read: _Read, window: int, cap: int | None) -> None:
        super().__init__(MICRO, window)
        self._read = read
        self._cap = cap
        self._most = 4 * _SLACK if cap is None else 2 * cap + _SLACK
        """So many values are held before those are dropped that no longer count."""

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found, since = self._read(properties), now - self.window
        if found is None or time <= since:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = {}
        key = value_key(found)
        times = cell.get(key)
        counted = time > now
        if times is None:
            cell[key] = [time]
        else:
            counted = counted or since < times[0] <= now
            if time != times[-1] or len(times) > 1:
                insort(times, time)
                past = bisect_right(times, now)
                cell[key] = times[past - 1 :] if past > 1 else times
        # What is dropped here does not count, but for those beyond what has to be counted.
        if len(cell) > self._most:
            self._trim(cell, now)
        return not counted and len(cell) >= self.least and self.turns(self.value(cell, now))

    def _trim(self, cell: dict[str, list[int]], now: int) -> None:
        cap = self._cap
        for key in [key for key, times in cell.items() if times[-1] <= now - self.window]:
            del cell[key]
        if cap is not None and len(cell) > self._most:
            past = sorted((key for key, times in cell.items() if times[-1] <= now), key=lambda key: cell[key][-1])
            for key in past[: max(0, len(past) - cap)]:
                del cell[key]

    def value(self, cell: Any, now: int) -> int:
        if cell is None:
            return 0
        since, cap = now - self.window, self._cap
        number = 0
        for times in cell.values():
            for time in times:
                if since < time <= now:
                    number += 1
                    break
        return number if cap is None or number < cap else cap

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        return {key: sorted({*a.get(key, ()), *b.get(key, ())}) for key in {**a, **b}}

    def may_be_due(self, cell: Any, _armed: int) -> bool:
        return len(cell) >= self.least

    def due(self, cell: Any, now: int) -> int | None:
        if len(cell) < self.least:
            return None
        if all(len(each) == 1 for each in cell.values()):
            return self.after(sorted(each[0] for each in cell.values()), now)
        window = self.window
        moments = [t + window if t <= now else t for each in cell.values() for t in each if t + window > now]
        return min(moments, default=None)
