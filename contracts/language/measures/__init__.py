"""The measures of matching events, one file each, by name. The cells, the SQL twin and the model go by the same names."""

from __future__ import annotations

from contracts.language.measures.distinct import DISTINCT
from contracts.language.measures.first import FIRST, LAST
from contracts.language.measures.measure import Measure
from contracts.language.measures.set import SET
from contracts.language.measures.sum import SUM
from contracts.language.measures.times import TIMES

MEASURES: dict[str, Measure] = {measure.name: measure for measure in (TIMES, SUM, DISTINCT, FIRST, LAST, SET)}
CONDITIONS = tuple(measure.name for measure in MEASURES.values() if measure.condition)
"""The words beside `did`."""
TRAITS = {measure.trait: measure for measure in MEASURES.values() if measure.trait}
"""By the words of `traits.yaml`."""
RESERVED = (
    "ago", "between", "session", "avg", "min", "max", "distinct_days", "active_periods", "first", "last", "latest", "first_time",
    "since_last", "since_first", "each", "decayed_sum", "half_life",
)  # fmt: skip
"""Words beside `did` that are not built yet, measures and windows."""
RESERVED_TRAITS = ("within", "avg", "min", "max", "distinct", "times", "latest", "decayed_sum", "approximate")
