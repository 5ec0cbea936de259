"""How many different values."""

from contracts.language.measures.measure import Measure, count

DISTINCT = Measure("distinct", "how many different", "how many different values of this property", count, condition=True, counts=True)
