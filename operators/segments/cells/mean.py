"""The mean of a property, its least and its greatest number, and a number below which a share of them lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, half_even, number_of, packed
from operators.segments.cells.moving import Entry, Noted

DIGITS = 3
"""So many digits of a number a percentile keeps: it is wrong by half of the last at most, 0.5 %."""
_Choose = Callable[[Iterable[int]], int]


class Mean(Cell):
    """``[how many, sum]``."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._read = number_of(feature)

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number = self._read(properties)
        if number is None:
            return False
        count, total = cells.get(at) or (0, 0)
        cells[at] = [count + 1, packed(int(total) + int(number))]
        return True

    def value(self, cell: Any, now: int) -> int | None:
        return half_even(int(cell[1]), cell[0]) if cell else None

    def join(self, a: Any, b: Any) -> Any:
        return [a[0] + b[0], packed(int(a[1]) + int(b[1]))] if a and b else a or b


class Extreme(Cell):
    """The least number, or the greatest."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._read = number_of(feature)
        self._choose = _chosen(feature)

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number, before = self._read(properties), cells.get(at)
        if number is None:
            return False
        cells[at] = number if before is None else self.join(before, number)
        return bool(cells[at] != before)

    def value(self, cell: Any, now: int) -> int | None:
        return None if cell is None else int(cell)

    def join(self, a: Any, b: Any) -> Any:
        if a is None or b is None:
            return b if a is None else a
        return packed(self._choose((int(a), int(b))))


class Percentile(Cell):
    """Number with few digits → how many there are. It is a sum by number, so the order of events is nothing to it."""

    def __init__(self, feature: Feature) -> None:
        super().__init__(1)
        self._read = number_of(feature)
        self._at: int = feature.option("at")

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        number = self._read(properties)
        if number is None:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = {}
        key = packed(coarse(int(number)))
        cell[key] = cell.get(key, 0) + 1
        return True

    def value(self, cell: Any, now: int) -> int | None:
        return ranked({int(key): count for key, count in cell.items()}, self._at) if cell else None

    def join(self, a: Any, b: Any) -> Any:
        return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}} if a and b else a or b


def coarse(number: int) -> int:
    """The number to `DIGITS` digits, half to even."""
    digits = len(str(abs(number)))
    step: int = 10 ** max(0, digits - DIGITS)
    return half_even(abs(number), step) * step * (-1 if number < 0 else 1)


def ranked(counts: dict[int, int], share: int) -> int:
    """The least number up to which at least the share (in micros) of all lies."""
    wanted, found = -(-sum(counts.values()) * share // MICRO), 0
    for number in sorted(counts):
        if wanted <= 0:
            break
        wanted, found = wanted - counts[number], number
    return found


def seen_mean(feature: Feature) -> Noted:
    def of(entries: list[Entry], _now: int) -> int | None:
        return half_even(sum(int(entry[2]) for entry in entries), len(entries)) if entries else None

    return Noted(1, number_of(feature), of)


def _chosen(feature: Feature) -> _Choose:
    return _least if feature.measure == "min" else _greatest


def _least(numbers: Iterable[int]) -> int:
    return min(numbers)


def _greatest(numbers: Iterable[int]) -> int:
    return max(numbers)


def seen_extreme(feature: Feature) -> Noted:
    choose = _chosen(feature)

    def of(entries: list[Entry], _now: int) -> int | None:
        return choose([int(entry[2]) for entry in entries]) if entries else None

    return Noted(1, number_of(feature), of)


def seen_percentile(feature: Feature) -> Noted:
    share: int = feature.option("at")

    def of(entries: list[Entry], _now: int) -> int | None:
        counts: dict[int, int] = {}
        for entry in entries:
            key = coarse(int(entry[2]))
            counts[key] = counts.get(key, 0) + 1
        return ranked(counts, share) if counts else None

    return Noted(1, number_of(feature), of)
