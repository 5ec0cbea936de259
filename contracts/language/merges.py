"""How what several identify calls say of one trait becomes one value."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.language.measures import MEASURES
from contracts.language.measures.measure import Measure


@dataclass(frozen=True, slots=True)
class Merge:
    """``measure``: of what the calls say, in order of their times, nulls left out; None: the last call counts, and null takes it away.

    ``items``: a list counts by its items.
    """

    means: str
    measure: Measure | None
    items: bool = False


MERGES: dict[str, Merge] = {
    "latest": Merge("what the latest call says; null takes it away", None),
    "earliest": Merge("what the earliest call says", MEASURES["first"]),
    "max": Merge("the greatest number", MEASURES["max"]),
    "min": Merge("the least number", MEASURES["min"]),
    "sources": Merge("what the latest call of the first of these sources says that has one", MEASURES["by_source"]),
    "union": Merge("the different values, of lists their items, the newest", MEASURES["set"], items=True),
}
