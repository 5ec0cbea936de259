"""The different values of a property, no more than the newest of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature, Trait
from operators.segments.cells.cell import Cell, Functions, property_of
from operators.segments.predicates import value_key


def newest(feature: Feature, trait: Trait | None) -> Cell:
    """The cell is the keys of the values, each with its newest time and the value."""
    return Cell(_set(property_of(feature), trait.limit if trait else 100))


def _set(read: Callable[[Any], Any], limit: int) -> Functions:
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
