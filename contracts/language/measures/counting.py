"""How many: events, different values, days, periods."""

from contracts.language.measures.beside import PERIODS, TRUE, choice
from contracts.language.measures.measure import Measure, count

TIMES = Measure("times", "how many", "how many matching events", count, asks="inside", trait="count", takes=TRUE, counts=True)
DISTINCT = Measure(
    "distinct", "how many different", "how many different values of this property", count, asks="beside", trait="distinct", counts=True
)
DISTINCT_DAYS = Measure(
    "distinct_days", "days with", "on how many different days there was a matching event", count, asks="beside", trait="distinct_days",
    takes=TRUE, counts=True,
)  # fmt: skip
ACTIVE_PERIODS = Measure(
    "active_periods", "periods with", "in how many of the last periods, rolling back from now, there was a matching event", count,
    asks="beside", takes=PERIODS, counts=True, window=False,
)  # fmt: skip
STREAK = Measure(
    "streak", "days or weeks in a row with", "how many days or weeks in a row have a matching event, up to this one or the one before",
    count, trait="streak", takes=choice("unit", "days", "weeks"), window=False,
)  # fmt: skip
