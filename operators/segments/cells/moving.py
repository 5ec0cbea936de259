"""Any measure over a window of time: the matching events that lie in it, or will, are kept with what the measure reads of them."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any, NamedTuple

from operators.segments.cells.cell import Cell, earlier

Entry = list[Any]
"""``[time, message id, what is read]``"""


class Noted(NamedTuple):
    """``read``: what is kept of an event's properties, None if it does not count; ``of``: the value of the entries in the window, in
    order, at a time; ``turn``: when that changes by itself; ``tail``: only the last entry in the window matters; ``ordered``: message ids
    order those of one time."""

    unit: int | None
    read: Callable[[Any], Any]
    of: Callable[[list[Entry], int], Any]
    turn: Callable[[list[Entry], int], int | None] | None = None
    tail: bool = False
    ordered: bool = False


EVER = 1 << 62


class Lookback:
    """Of things in order of their times those of ``now - back < time <= now - until`` (µs). ``back``: None is however long ago."""

    def __init__(self, back: int | None, until: int, time: Callable[[Any], int]) -> None:
        self.back = EVER if back is None else back
        self.until = until
        self._time = time

    def inside(self, cell: list[Any], now: int) -> list[Any]:
        """What lies in it."""
        return cell[bisect_right(cell, now - self.back, key=self._time) : bisect_right(cell, now - self.until, key=self._time)]

    def passed(self, cell: list[Any], now: int) -> int | None:
        """The next moment at which something enters or leaves it."""
        entering, leaving = bisect_right(cell, now - self.until, key=self._time), bisect_right(cell, now - self.back, key=self._time)
        moment = self._time(cell[entering]) + self.until if entering < len(cell) else None
        if leaving < len(cell) and self.back != EVER:
            moment = earlier(moment, self._time(cell[leaving]) + self.back)
        return moment


class Moving(Cell):
    """The entries in order. Those in the window count, those that no longer do are dropped."""

    windowed = True

    def __init__(self, seen: Noted, back: int, until: int, cap: int | None) -> None:
        super().__init__(seen.unit)
        self._seen = seen
        self._read = seen.read
        self._lookback = Lookback(back, until, time_of)
        self._cap = cap

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        kept, lookback = self._read(properties), self._lookback
        if kept is None or time <= now - lookback.back:
            return False
        cell, entry = cells.get(at), [time, message if self._seen.ordered else "", kept]
        if cell is None:
            cells[at] = [entry]
            return True
        if time > cell[-1][0]:
            cell.append(entry)
        else:
            insort(cell, entry, key=place_of)
        gone = bisect_right(cell, now - lookback.back, key=time_of)
        if self._seen.tail:
            gone = max(gone, bisect_right(cell, now - lookback.until, key=time_of) - 1)
        if gone > 0:
            del cell[:gone]
        return True

    def value(self, cell: Any, now: int) -> Any:
        inside = self._lookback.inside(cell, now) if cell else []
        value, cap = self._seen.of(inside, now), self._cap
        return value if cap is None or value < cap else cap

    def join(self, a: Any, b: Any) -> Any:
        return sorted([*a, *b], key=place_of) if a and b else a or b

    def critical(self, numbers: set[int]) -> None:
        """Every entry that comes or goes is looked at."""

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return self._seen.turn is not None or bool(cell[0][0] + self._lookback.until < armed)

    def due(self, cell: Any, now: int) -> int | None:
        moment, turn = self._lookback.passed(cell, now), self._seen.turn
        return moment if turn is None else earlier(moment, turn(self._lookback.inside(cell, now), now))


def time_of(entry: Entry) -> int:
    """Also of one that has no message id."""
    time: int = entry[0]
    return time


def place_of(entry: Entry) -> tuple[int, str]:
    """By what entries are in order."""
    return entry[0], entry[1]
