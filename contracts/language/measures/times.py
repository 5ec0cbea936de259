"""How often."""

from contracts.language.measures.measure import Measure, count

TIMES = Measure("times", "how many", "how many matching events", count, condition=True, trait="count", of_property=False, counts=True)
