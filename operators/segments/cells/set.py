"""The different values of a property, no more than the newest of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.cell import Cell, property_of
from operators.segments.cells.moving import Entry, Noted
from operators.segments.predicates import value_key


def newest(feature: Feature) -> Cell:
    """The cell is the keys of the values, each with its newest time and the value."""
    return _Newest(property_of(feature), feature.option("limit"))


def seen_set(feature: Feature) -> Noted:
    limit: int = feature.option("limit")

    def of(entries: list[Entry], _now: int) -> Any:
        cell: dict[str, list[Any]] = {}
        for time, _, found in entries:
            _put(cell, value_key(found), time, found)
        kept = sorted(cell, key=lambda key: (cell[key][0], key))[-limit:]
        return [cell[key][1] for key in sorted(kept)] or None

    return Noted(None, property_of(feature), of)


class _Newest(Cell):
    """Value key → ``[newest time, value]``, of the ``limit`` values with the newest ``(time, key)``."""

    def __init__(self, read: Callable[[Any], Any], limit: int) -> None:
        super().__init__()
        self._read = read
        self._limit = limit

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found = self._read(properties)
        if found is None:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = {}
        _put(cell, value_key(found), time, found)
        self._trimmed(cell)
        return True

    def value(self, cell: Any, now: int) -> Any:
        return [cell[key][1] for key in sorted(cell)] if cell else None

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        joined = dict(a)
        for key, (time, found) in b.items():
            _put(joined, key, time, found)
        return self._trimmed(joined)

    def _trimmed(self, cell: dict[str, list[Any]]) -> dict[str, list[Any]]:
        while len(cell) > self._limit:
            del cell[min(cell, key=lambda key: (cell[key][0], key))]
        return cell


def _put(cell: dict[str, list[Any]], key: str, time: int, found: Any) -> None:
    known = cell.get(key)
    if known is None or time > known[0]:
        cell[key] = [time, found]
