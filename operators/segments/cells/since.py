"""How long ago: since the earliest or the latest event, and whether the first ever lies in a window."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.times import MAX_US
from operators.segments.cells.cell import Cell, earlier
from operators.segments.cells.moving import EVER, Lookback


class Since(Cell):
    """Times in order: of the first the earliest, of the last the newest past one and all to come, in a window all that it needs.

    The value is in microseconds; it passes numbers by itself, so the moments at which it passes those that conditions name are known.
    """

    windowed = True

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._newest = feature.measure == "since_last"
        self._lookback = Lookback(feature.within_us, feature.until_us, _itself)
        self._bounds: list[int] = []

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        cell, lookback = cells.get(at), self._lookback
        if time <= now - lookback.back:
            return False
        if cell is None:
            cells[at] = [time]
            return True
        insort(cell, time)
        if self._newest:
            gone = bisect_right(cell, now - lookback.until) - 1
        else:
            gone = bisect_right(cell, now - lookback.back)
            if lookback.back == EVER:
                del cell[1:]
        if gone > 0:
            del cell[:gone]
        return True

    def value(self, cell: Any, now: int) -> int | None:
        time = self._time(cell, now) if cell else None
        return None if time is None else now - time

    def _time(self, cell: list[int], now: int) -> int | None:
        start, end = bisect_right(cell, now - self._lookback.back), bisect_right(cell, now - self._lookback.until)
        if start >= end:
            return None
        return cell[end - 1] if self._newest else cell[start]

    def join(self, a: Any, b: Any) -> Any:
        return sorted([*a, *b]) if a and b else a or b

    def compared(self, numbers: set[int]) -> None:
        self._bounds = sorted(numbers)

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        moment, time = self._lookback.passed(cell, now), self._time(cell, now)
        if time is not None:
            # At a number the value is equal to it, a microsecond later beyond it.
            passes = [time + bound + one for bound in self._bounds for one in (0, 1)]
            moment = earlier(moment, min((each for each in passes if now < each <= MAX_US), default=None))
        return moment


def _itself(time: Any) -> int:
    found: int = time
    return found


class FirstTime(Cell):
    """``[time]`` of the earliest event; true while that lies in the window."""

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        self._between = feature.between
        self._back = feature.within_us or EVER
        self._until = feature.until_us
        self.windowed = feature.between is None

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        before = cells.get(at)
        if before is not None and before[0] <= time:
            return False
        cells[at] = [time]
        return True

    def value(self, cell: Any, now: int) -> bool:
        if not cell:
            return False
        if self._between is not None:
            return bool(self._between[0] <= cell[0] <= self._between[1])
        return bool(now - self._back < cell[0] <= now - self._until)

    def join(self, a: Any, b: Any) -> Any:
        return min(a, b) if a and b else a or b

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        return min((moment for moment in (cell[0] + self._until, cell[0] + self._back) if moment > now), default=None)
