"""Predicates on numbers, compiled: tests of a whole number of 10⁻⁶ (a *micro*)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from contracts.language.operators import OPERATORS
from contracts.model.definitions import Predicate


def exact_test(predicates: Iterable[Predicate]) -> Callable[[int], bool]:
    """All of the predicates as one test of a number that is given in micros."""
    tests = [OPERATORS[predicate.op].exact(predicate.operand) for predicate in predicates]
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)
