"""How many different values."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature, Trait
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, Functions, Windowed, property_of
from operators.segments.predicates import value_key

_SLACK = 16


def distinct(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is the keys of the values, with a window each with its times."""
    read = property_of(feature)
    if feature.within_us is None:
        return Cell(_distinct(read, feature.cap), MICRO)
    return _Distinct(_recent_distinct(read, feature.within_us, feature.cap), MICRO, feature.within_us)


class _Distinct(Windowed):
    def may_be_due(self, cell: Any, _armed: int) -> bool:
        return cell is not None and not self.indifferent(len(cell))

    def due(self, cell: Any, now: int) -> int | None:
        if cell is None or self.indifferent(len(cell)):
            return None
        if all(len(each) == 1 for each in cell.values()):
            return self.after(sorted(each[0] for each in cell.values()), now)
        window = self.window
        moments = [t + window if t <= now else t for each in cell.values() for t in each if t + window > now]
        return min(moments, default=None)


def _distinct(read: Callable[[Any], Any], cap: int | None) -> Functions:
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


def _recent_distinct(read: Callable[[Any], Any], window: int, cap: int | None) -> Functions:
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
