"""A property of the earliest, or the latest, event that has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature, Trait
from operators.segments.cells.cell import Cell, Functions, property_of


def first(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is time, message id and value."""
    return Cell(_register(property_of(feature), newest=False))


def last(feature: Feature, _trait: Trait | None) -> Cell:
    """The cell is time, message id and value."""
    return Cell(_register(property_of(feature), newest=True))


def _register(read: Callable[[Any], Any], *, newest: bool) -> Functions:
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
