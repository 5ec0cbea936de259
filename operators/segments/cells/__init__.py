"""The running value of a feature: how an event changes it, what it is at a moment, how two of them join. One file a measure."""

from __future__ import annotations

from collections.abc import Callable

from contracts.model.definitions import Feature, Trait
from operators.segments.cells.cell import Cell
from operators.segments.cells.distinct import distinct
from operators.segments.cells.first import first, last
from operators.segments.cells.set import newest
from operators.segments.cells.sum import total
from operators.segments.cells.times import times

MEASURES: dict[str, Callable[[Feature, Trait | None], Cell]] = {
    "times": times,
    "sum": total,
    "distinct": distinct,
    "first": first,
    "last": last,
    "set": newest,
}
"""The cell of a feature by its measure; the trait is the one that shows it, if one does."""
