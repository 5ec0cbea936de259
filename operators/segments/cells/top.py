"""Lists of values: in the order of their events, or by how much these weigh."""

from __future__ import annotations

from bisect import insort
from typing import Any

from contracts.model.definitions import Feature
from contracts.model.event_patterns import matches
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, packed, property_of
from operators.segments.cells.moving import Entry, Noted, place_of
from operators.segments.predicates import value_key


class Listed(Cell):
    """``[time, message id, value]`` of the newest events that have the property, in order."""

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        self._read = property_of(feature)
        self._limit: int = feature.option("limit")

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found = self._read(properties)
        if found is None:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = []
        insort(cell, [time, message, found], key=place_of)
        del cell[: -self._limit]
        return True

    def value(self, cell: Any, now: int) -> Any:
        return [entry[2] for entry in cell] if cell else None

    def join(self, a: Any, b: Any) -> Any:
        return sorted([*a, *b], key=place_of)[-self._limit :] if a and b else a or b


class Top(Cell):
    """Value key → ``[weight of its events in micros, value]``."""

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        self._read = property_of(feature)
        self._weight = weight_of(feature)
        self._shown: int = feature.option("k")

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        found = self._read(properties)
        if found is None:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = {}
        key = value_key(found)
        known = cell.get(key)
        if known is None:
            cell[key] = [packed(self._weight), found]
        else:
            known[0] = packed(int(known[0]) + self._weight)
        return True

    def value(self, cell: Any, now: int) -> Any:
        return heaviest(cell, self._shown) if cell else None

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        return {key: _both(a.get(key), b.get(key)) for key in {**a, **b}}


def _both(a: Any, b: Any) -> Any:
    return [packed(int(a[0]) + int(b[0])), a[1]] if a and b else a or b


def weight_of(feature: Feature) -> int:
    """How much one event that is folded counts, in micros: the longest pattern that means it decides."""
    event: str = feature.option("event")
    found = [(name, weight) for name, weight in feature.option("weights") if matches(name, event)]
    return max(found, key=lambda one: len(one[0]))[1] if found else MICRO


def heaviest(weights: dict[str, list[Any]], shown: int) -> Any:
    """The values of the greatest weights, of equal ones the first by their keys; what weighs nothing is none."""
    found = sorted((key for key in weights if int(weights[key][0]) > 0), key=lambda key: (-int(weights[key][0]), key))[:shown]
    values = [weights[key][1] for key in found]
    return (values[0] if shown == 1 else values) if values else None


def seen_list(feature: Feature) -> Noted:
    limit: int = feature.option("limit")
    return Noted(None, property_of(feature), lambda entries, _now: [entry[2] for entry in entries[-limit:]] or None, ordered=True)


def seen_top(feature: Feature) -> Noted:
    read, weight, shown = property_of(feature), weight_of(feature), int(feature.option("k"))

    def weighed(properties: Any) -> Any:
        found = read(properties)
        return None if found is None else [packed(weight), found]

    def of(entries: list[Entry], _now: int) -> Any:
        weights: dict[str, list[Any]] = {}
        for entry in entries:
            key = value_key(entry[2][1])
            known = weights.get(key)
            weights[key] = [int(entry[2][0]) + (int(known[0]) if known else 0), entry[2][1]]
        return heaviest(weights, shown)

    return Noted(None, weighed, of)
