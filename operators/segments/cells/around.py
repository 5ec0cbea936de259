"""Cells that see other events than they are given: those of a span of time, or each item of a list as one."""

from __future__ import annotations

from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.cell import Cell
from operators.segments.paths import values
from schemalogic.paths import parse_path

ITEM = "item"
"""The property by which an inner cell reads an item."""


class Around(Cell):
    """A cell that another one is in; what is kept is the other one's."""

    def __init__(self, inner: Cell) -> None:
        super().__init__(inner.unit)
        self.windowed = inner.windowed
        self.inner = inner

    def value(self, cell: Any, now: int) -> Any:
        return self.inner.value(cell, now)

    def join(self, a: Any, b: Any) -> Any:
        return self.inner.join(a, b)

    def critical(self, numbers: set[int]) -> None:
        self.inner.critical(numbers)
        self.least = self.inner.least

    def compared(self, numbers: set[int]) -> None:
        self.inner.compared(numbers)

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return self.inner.may_be_due(cell, armed)

    def due(self, cell: Any, now: int) -> int | None:
        return self.inner.due(cell, now)


class Spanned(Around):
    """Of the events of a span of time, both ends included."""

    def __init__(self, inner: Cell, first: int, last: int) -> None:
        super().__init__(inner)
        self._first = first
        self._last = last

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        return self._first <= time <= self._last and self.inner.fold(cells, at, time, message, properties, now)


class ItemsOf(Around):
    """Of a path with ``[]`` each item, in its order, as if it were the property of an event of its own."""

    def __init__(self, inner: Cell, feature: Feature) -> None:
        super().__init__(inner)
        self._steps = parse_path(feature.property or "")
        self._sent = feature.sent

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        turned = False
        for item in self._items(properties):
            if item is not None and self.inner.fold(cells, at, time, message, {ITEM: item}, now):
                turned = True
        return turned

    def _items(self, properties: Any) -> list[Any]:
        if self._sent:
            (found,) = values(self._steps[:-1], properties)
            return found if type(found) is list else [found]
        return values(self._steps, properties)
