"""Traits that are made of others: an expression as a function of a person."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from contracts.model.expressions import CALCULATIONS, LIMIT, ORDERS, Constant, Expression, Operation, Presence, ReadTrait
from contracts.text.numbers import MICRO, micros, text_micros
from operators.records import Exact, Person
from operators.segments.cells.cell import half_even
from operators.segments.paths import values
from schemalogic.paths import parse_path

Derived = Callable[[Person, int], Any]
"""(person, now) → a number in micros, a text or a boolean; None if it is missing"""
Trait = Callable[[str], Callable[[Person, int], Any]]
"""(name) → (person, now) → the value of a trait"""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def derived(expression: Expression, trait: Trait) -> Derived:
    """An expression compiled. Numbers are exact to six places; a list or an object is missing."""
    if isinstance(expression, Constant):
        value = expression.value
        return lambda person, now: value
    if isinstance(expression, ReadTrait):
        return _read(expression.path, trait)
    if isinstance(expression, Presence):
        found = _at(expression.path, trait)
        return lambda person, now: found(person, now) is not None
    return _operation(expression, [derived(part, trait) for part in expression.parts])


def _at(path: str, trait: Trait) -> Callable[[Person, int], Any]:
    name, *below = parse_path(path)
    read, rest = trait(str(name)), tuple(below)
    return (lambda person, now: values(rest, read(person, now))[0]) if rest else read


def _read(path: str, trait: Trait) -> Derived:
    found = _at(path, trait)

    def read(person: Person, now: int) -> Any:
        value = found(person, now)
        if type(value) is str or type(value) is bool:
            return value
        return _limited(text_micros(bytes(value.data).decode()) if isinstance(value, Exact) else micros(value))

    return read


def _operation(expression: Operation, parts: list[Derived]) -> Derived:
    op, one = expression.op, parts[0]
    if op == "not":
        return lambda person, now: one(person, now) is not True
    two = parts[1]
    if op == "and":
        return lambda person, now: one(person, now) is True and two(person, now) is True
    if op == "or":
        return lambda person, now: one(person, now) is True or two(person, now) is True
    if op in CALCULATIONS:
        return lambda person, now: _calculated(op, one(person, now), two(person, now))
    return lambda person, now: _compared(op, one(person, now), two(person, now))


def _calculated(op: str, one: Any, two: Any) -> int | None:
    if type(one) is not int or type(two) is not int:
        return None
    if op == "+":
        return _limited(one + two)
    if op == "-":
        return _limited(one - two)
    if op == "*":
        return _limited(half_even(one * two, MICRO))
    return None if two == 0 else _limited(half_even(one * MICRO * (1 if two > 0 else -1), abs(two)))


def _compared(op: str, one: Any, two: Any) -> bool:
    if one is None or two is None:
        return False
    if type(one) is not type(two):
        return op == "!="
    if op in ORDERS:
        return type(one) is not bool and _ORDERS[op](one, two)
    return bool((one == two) is (op == "="))


def _limited(number: int | None) -> int | None:
    return number if number is not None and -LIMIT < number < LIMIT else None
