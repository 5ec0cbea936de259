"""A property of the earliest, or the latest, event that has it; whether the latest event is such."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.cell import Cell, property_of
from operators.segments.cells.moving import Noted


def first(feature: Feature) -> Cell:
    """The cell is time, message id and value."""
    return _Register(property_of(feature), newest=False)


def last(feature: Feature) -> Cell:
    """The cell is time, message id and value."""
    return _Register(property_of(feature), newest=True)


def latest(feature: Feature) -> Cell:
    """The cell is time, message id and whether the event is such."""
    matched: bool = feature.option("matched")
    return _Register(lambda _properties: matched, newest=True)


def by_source(feature: Feature) -> Cell:
    """The cell is the source's rank, time, message id and value; the first of those that are listed has the greatest rank."""
    return _Register(property_of(feature), newest=True, rank=(-feature.option("step"),))


def seen_end(feature: Feature) -> Noted:
    """The first, or the last, in a window."""
    end = 0 if feature.measure == "first" else -1
    return Noted(None, property_of(feature), lambda entries, _now: entries[end][2] if entries else None, tail=end < 0, ordered=True)


def seen_latest(feature: Feature) -> Noted:
    matched: bool = feature.option("matched")
    return Noted(None, lambda _properties: matched, lambda entries, _now: entries[-1][2] if entries else None, tail=True, ordered=True)


class _Register(Cell):
    """``[time, message id, value]`` of the earliest or latest event that has the property; ``rank`` stands before the time, and a
    greater one is better whatever the time."""

    def __init__(self, read: Callable[[Any], Any], *, newest: bool, rank: tuple[int, ...] = ()) -> None:
        super().__init__()
        self._read = read
        self._newest = newest
        self._rank = rank

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found, cell = self._read(properties), cells.get(at)
        if found is None:
            return False
        fresh = [*self._rank, time, message, found]
        if cell is not None and not self._better(fresh, cell):
            return False
        cells[at] = fresh
        return True

    def value(self, cell: Any, now: int) -> Any:
        return cell[-1] if cell else None

    def join(self, a: Any, b: Any) -> Any:
        if a is None or b is None:
            return a or b
        return a if self._better(a, b) else b

    def _better(self, a: Any, b: Any) -> bool:
        """Of one event's values the first is the first, the last the last."""
        one, other = a[:-1], b[:-1]
        return bool(one >= other if self._newest else one < other)
