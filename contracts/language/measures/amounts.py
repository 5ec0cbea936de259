"""Numbers of a property: sum, mean, extremes, percentile."""

from __future__ import annotations

from contracts.language.measures.adding import check_number, check_sum, total
from contracts.language.measures.beside import AT, HALF_LIFE, PROPERTY_OR_TRUE
from contracts.language.measures.measure import Measure, number, spread

SUM = Measure("sum", "sum of", "the sum of this property over the matching events", total, asks="beside", trait="sum", numeric=True,
              check=check_sum)  # fmt: skip
AVG = Measure("avg", "mean of", "the mean of this property over the matching events that have it as a number", number, asks="beside",
              trait="avg", numeric=True, check=check_sum)  # fmt: skip
MIN = Measure("min", "least", "the least number of this property", number, asks="beside", trait="min", numeric=True, check=check_number)
MAX = Measure("max", "greatest", "the greatest number of this property", number, asks="beside", trait="max", numeric=True,
              check=check_number)  # fmt: skip
STDDEV = Measure("stddev", "standard deviation of", "the standard deviation of the numbers of this property, all of them", spread,
                 trait="stddev", numeric=True, check=check_sum)  # fmt: skip
DECAYED_SUM = Measure(
    "decayed_sum", "decayed sum of", "the sum of this property, or of 1, over the matching events, each halved once in every half-life",
    number, asks="beside", trait="decayed_sum", takes=PROPERTY_OR_TRUE, numeric=True, options=(HALF_LIFE,), passing=True, session=False,
    check=check_sum,
)  # fmt: skip
PERCENTILE = Measure(
    "percentile", "percentile of", "the number of this property below which a share of them lies", number, trait="percentile",
    numeric=True, options=(AT,), approximate="by up to 0.5 %", check=check_sum,
)  # fmt: skip
