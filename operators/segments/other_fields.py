"""Predicates of which some hold a value against another field: a trait of the person, a property of the event."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from typing import Any

from contracts.language.operators import OPERATORS as ROWS
from contracts.model.definitions import OtherField, Predicate
from contracts.text.folding import folded
from contracts.text.numbers import micros, text_micros
from operators.records import Exact
from operators.segments.moving import timed
from operators.segments.predicates import OPERATORS, kind

Asked = Callable[[Any, Any, int], bool]
"""(value, what has the other fields, now) → satisfies all"""
Read = Callable[[str], Callable[[Any, int], Any]]
"""(path) → (what has the other fields, now) → the value there, None if it is missing"""

_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le,
}  # fmt: skip


def refers(predicates: Iterable[Predicate]) -> bool:
    """Whether any of the predicates has another field as its operand."""
    return any(isinstance(each.operand, OtherField) for each in predicates)


def asked(predicates: Iterable[Predicate], zone: str, read: Read) -> Asked:
    """All of the predicates as one test."""
    tests = [_test(each, zone, read) for each in predicates]
    return lambda value, root, now: all(test(value, root, now) for test in tests)


def _test(predicate: Predicate, zone: str, read: Read) -> Asked:
    field = predicate.operand
    if not isinstance(field, OtherField):
        holds = timed(predicate, zone).holds
        return lambda value, root, now: holds(value, now)
    other, make, kinds = read(field.path), OPERATORS[predicate.op], frozenset(ROWS[predicate.op].refers)
    numbers, small = _NUMBERS.get(predicate.op), predicate.ignore_case

    def test(value: Any, root: Any, now: int) -> bool:
        operand = other(root, now)
        if operand is None or value is None:
            return False
        if numbers is not None:
            one, two = _number(value), _number(operand)
            if one is not None and two is not None:
                return numbers(one, two)
            if one is not None or two is not None:
                return predicate.op == "ne"
        if kind(operand) not in kinds:
            return False
        if small:
            return make(folded(operand), zone)(folded(value))
        return make(operand, zone)(value)

    return test


def _number(value: Any) -> int | None:
    """In micros, also of a computed one that no float has the digits of."""
    return text_micros(bytes(value.data).decode()) if isinstance(value, Exact) else micros(value)
