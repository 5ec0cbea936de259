"""Predicates on numbers, compiled: tests of a whole number of 10⁻⁶ (a *micro*)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from contracts.model.definitions import Predicate
from contracts.text.numbers import micros

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def exact_test(predicates: Iterable[Predicate]) -> Callable[[int], bool]:
    """All of the predicates as one test of a number that is given in micros."""
    tests = [_exact(predicate) for predicate in predicates]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _exact(predicate: Predicate) -> Callable[[int], bool]:
    op, operand = predicate.op, predicate.operand
    if op in {"eq", "in", "ne", "not_in"}:
        bounds = {micros(item) for item in (operand if op in {"in", "not_in"} else [operand])}
        return (lambda value: value in bounds) if op in {"eq", "in"} else (lambda value: value not in bounds)
    if op == "between":
        low, high = micros(operand[0]), micros(operand[1])
        return lambda value: low is not None and high is not None and low <= value <= high
    if op in _ORDER:
        bound, compare = micros(operand), _ORDER[op]
        return lambda value: bound is not None and compare(value, bound)
    held = operand is True if op == "exists" else op == "is" and operand == "number"
    return lambda _value: held
