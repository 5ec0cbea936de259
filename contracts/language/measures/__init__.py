"""The measures of matching events, by name. The cells, the SQL twin and the model go by the same names."""

from __future__ import annotations

from contracts.language.measures.amounts import AVG, DECAYED_SUM, MAX, MIN, PERCENTILE, STDDEV, SUM
from contracts.language.measures.beside import Option
from contracts.language.measures.counting import ACTIVE_PERIODS, DISTINCT, DISTINCT_DAYS, STREAK, TIMES
from contracts.language.measures.lasting import INTERVAL_MEAN, SESSION_COUNT, SESSION_LENGTH, SINCE_FIRST, SINCE_LAST
from contracts.language.measures.measure import Measure
from contracts.language.measures.valued import BY_SOURCE, FIRST, FIRST_TIME, LAST, LATEST, LIST, SET, TOP

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        TIMES, SUM, AVG, MIN, MAX, STDDEV, DISTINCT, DISTINCT_DAYS, ACTIVE_PERIODS, FIRST, LAST, LATEST, FIRST_TIME,
        SINCE_FIRST, SINCE_LAST, DECAYED_SUM, SET, LIST, TOP, PERCENTILE, INTERVAL_MEAN, STREAK, SESSION_COUNT, SESSION_LENGTH,
        BY_SOURCE,
    )
}  # fmt: skip
CONDITIONS = tuple(measure.name for measure in MEASURES.values() if measure.asks)
"""The words beside `did`."""
TRAITS = {measure.trait: measure for measure in MEASURES.values() if measure.trait}
"""By the words of `traits.yaml`."""
OPTIONS: dict[str, Option] = {option.name: option for measure in MEASURES.values() for option in measure.options}
"""The keys that stand beside some measures, by name."""
RESERVED_TRAITS: dict[str, str] = {
    **{name: f"{name} is not supported yet" for name in ("approximate",)},
    **{name: "only conditions of segments have it" for name in CONDITIONS if not MEASURES[name].trait},
}
