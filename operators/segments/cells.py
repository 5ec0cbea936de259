"""The running value of a feature: how an event changes it, what it is at a moment, how two of them join.

A cell commutes: the same events in any order give the same values at every moment from the clock on. None is the
empty cell. With a window, ``now`` may only grow between calls, since what has left the window is dropped.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature, Trait
from contracts.text.numbers import micros
from operators.segments.paths import getter
from operators.segments.predicates import value_key

Fold = Callable[[Any, int, str, Any, int], Any]
"""(cell, time, message id, properties, now) → cell"""
Value = Callable[[Any, int], Any]
"""(cell, now) → value: an int (times, distinct), micros (sum), any JSON value or None (first, last, set)"""

_SLACK = 16
_PACKED = 1 << 62


def _packed(number: int) -> int | str:
    """A number as a row can hold it: beyond 62 bits its decimal text."""
    return number if -_PACKED < number < _PACKED else str(number)


class Cells:
    """The functions of one feature."""

    def __init__(self, feature: Feature, trait: Trait | None) -> None:
        window, cap = feature.within_us, feature.cap
        read: Callable[[Any], Any] = getter(feature.property)[0] if feature.property else (lambda _: None)
        self.window = window
        self.measure = feature.measure
        self._floor: list[int] | None = None
        """By count: the largest count up to it at which a condition changes its mind, 0 for none."""
        if feature.measure == "times":
            made = (_count, _count_value(cap), _add) if window is None else _recent(window, cap)
        elif feature.measure == "sum":
            made = (_summed(read), _sum_value, _sum_add) if window is None else _recent_sum(read, window)
        elif feature.measure == "distinct":
            made = _distinct(read, cap) if window is None else _recent_distinct(read, window, cap)
        elif feature.measure == "set":
            made = _set(read, trait.limit if trait else 100)
        else:
            made = _register(read, newest=feature.measure == "last")
        self.fold: Fold = made[0]
        self.value: Value = made[1]
        self.join: Callable[[Any, Any], Any] = made[2]

    def critical(self, counts: set[int] | None) -> None:
        """Say at which counts a condition changes its mind (from ``n - 1`` to ``n``); None: at any."""
        self._floor = None if counts is None else [max((c for c in counts if c <= n), default=0) for n in range(max(counts, default=0) + 1)]

    def may_be_due(self, cell: Any, armed: int) -> bool:
        """Whether the cell can change before the moment for which its person is armed: a cheap no is most answers."""
        if cell is None:
            return False
        oldest = cell[0] if self.measure == "times" else cell[0][0] if self.measure == "sum" else armed - self.window - 1  # type: ignore[operator]
        return bool(oldest < armed - self.window)  # type: ignore[operator]

    def due(self, cell: Any, now: int) -> int | None:
        """The next moment after ``now`` at which the value may change by itself in a way that matters; None if never."""
        window = self.window
        if window is None or cell is None:
            return None
        if self.measure == "sum":
            times = cell[0]
        elif self.measure == "distinct":
            times = sorted(each[0] for each in cell.values()) if all(len(each) == 1 for each in cell.values()) else None
        else:
            times = cell
        if times is None:
            moments = [t + window if t <= now else t for each in cell.values() for t in each if t + window > now]
            return min(moments, default=None)
        if times[-1] > now:
            return min((t + window if t <= now else t for t in times if t + window > now), default=None)
        past = len(times) - bisect_right(times, now - window)
        floor = self._floor
        if floor is not None:
            past = floor[past] if past < len(floor) else floor[-1]
        return times[-past] + window if past else None


def _count(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
    return (cell or 0) + 1


def _count_value(cap: int | None) -> Value:
    if cap is None:
        return lambda cell, now: cell or 0
    return lambda cell, now: min(cell, cap) if cell else 0


def _add(a: Any, b: Any) -> Any:
    return (a or 0) + (b or 0)


def _recent(window: int, cap: int | None) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
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


def _summed(read: Callable[[Any], Any]) -> Fold:
    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        number = micros(read(properties))
        return cell if number is None else _packed(int(cell or 0) + number)

    return fold


def _sum_value(cell: Any, now: int) -> int:
    return int(cell or 0)


def _sum_add(a: Any, b: Any) -> Any:
    return _packed(int(a or 0) + int(b or 0))


def _recent_sum(read: Callable[[Any], Any], window: int) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
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


def _distinct(read: Callable[[Any], Any], cap: int | None) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
    def trimmed(cell: dict[str, int]) -> dict[str, int]:
        if cap is not None and len(cell) > cap:
            for key in list(cell)[cap:]:
                del cell[key]
        return cell

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        found = read(properties)
        if found is None:
            return cell
        if cell is None:
            cell = {}
        elif cap is not None and len(cell) >= cap:
            return cell
        cell[value_key(found)] = 0
        return cell

    def join(a: Any, b: Any) -> Any:
        return trimmed({**a, **b}) if a and b else a or b

    return fold, lambda cell, now: len(cell) if cell else 0, join


def _recent_distinct(read: Callable[[Any], Any], window: int, cap: int | None) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
    """Value key → its newest past time and all future ones, in order."""

    def kept(times: list[int], now: int) -> list[int]:
        past = bisect_right(times, now)
        return times[past - 1 :] if past > 1 else times

    def trimmed(cell: dict[str, list[int]], now: int) -> None:
        for key in [key for key, times in cell.items() if times[-1] <= now - window]:
            del cell[key]
        if cap is not None and len(cell) > 2 * cap + _SLACK:
            past = sorted((key for key, times in cell.items() if times[-1] <= now), key=lambda key: cell[key][-1])
            for key in past[: max(0, len(past) - cap)]:
                del cell[key]

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        found = read(properties)
        if found is None or time <= now - window:
            return cell
        cell = {} if cell is None else cell
        key = value_key(found)
        times = cell.get(key)
        if times is None:
            cell[key] = [time]
        elif time != times[-1] or len(times) > 1:
            insort(times, time)
            cell[key] = kept(times, now)
        if len(cell) > (2 * cap + _SLACK if cap is not None else 4 * _SLACK):
            trimmed(cell, now)
        return cell

    def value(cell: Any, now: int) -> int:
        if cell is None:
            return 0
        since = now - window
        number = 0
        for times in cell.values():
            for time in times:
                if since < time <= now:
                    number += 1
                    break
        return number if cap is None or number < cap else cap

    def join(a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        return {key: sorted({*a.get(key, ()), *b.get(key, ())}) for key in {**a, **b}}

    return fold, value, join


def _register(read: Callable[[Any], Any], *, newest: bool) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
    """``[time, message id, value]`` of the earliest or latest event that has the property."""

    def better(a: Any, b: Any) -> bool:
        return bool(([a[0], a[1]] > [b[0], b[1]]) is newest)

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        found = read(properties)
        if found is None:
            return cell
        fresh = [time, message, found]
        return fresh if cell is None or better(fresh, cell) else cell

    def join(a: Any, b: Any) -> Any:
        if a is None or b is None:
            return a or b
        return a if better(a, b) else b

    return fold, lambda cell, now: cell[2] if cell else None, join


def _set(read: Callable[[Any], Any], limit: int) -> tuple[Fold, Value, Callable[[Any, Any], Any]]:
    """Value key → ``[newest time, value]``, of the ``limit`` values with the newest ``(time, key)``."""

    def trimmed(cell: dict[str, list[Any]]) -> dict[str, list[Any]]:
        while len(cell) > limit:
            del cell[min(cell, key=lambda key: (cell[key][0], key))]
        return cell

    def put(cell: dict[str, list[Any]], key: str, time: int, found: Any) -> None:
        known = cell.get(key)
        if known is None or time > known[0]:
            cell[key] = [time, found]

    def fold(cell: Any, time: int, message: str, properties: Any, now: int) -> Any:
        found = read(properties)
        if found is None:
            return cell
        cell = {} if cell is None else cell
        put(cell, value_key(found), time, found)
        return trimmed(cell)

    def value(cell: Any, now: int) -> Any:
        return [cell[key][1] for key in sorted(cell)] if cell else None

    def join(a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        joined = dict(a)
        for key, (time, found) in b.items():
            put(joined, key, time, found)
        return trimmed(joined)

    return fold, value, join
