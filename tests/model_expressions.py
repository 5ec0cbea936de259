"""What an expression over traits comes to."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction

from contracts.model.expressions import Constant, Expression, Presence, ReadTrait
from contracts.text.numbers import MICRO, micros

OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def evaluate(expression: Expression, value_at: Callable[[str], object]) -> object:
    """A Fraction, a text, a boolean, or None: missing, as are lists, objects, and numbers of 10²⁴ and more.

    ``value_at``: what stands at a path of the traits, a number as Fraction; None if it is missing.
    """
    match expression:
        case Constant(value):
            return Fraction(value, MICRO) if type(value) is int else value
        case ReadTrait(path):
            found = value_at(path)
            return limited(found) if isinstance(found, Fraction) else found if isinstance(found, str | bool) else None
        case Presence(path):
            return value_at(path) is not None
    values = [evaluate(part, value_at) for part in expression.parts]
    match expression.op:
        case "not":
            return values[0] is not True
        case "and":
            return values[0] is True and values[1] is True
        case "or":
            return values[0] is True or values[1] is True
        case "+" | "-" | "*" | "/" as op:
            return calculated(op, values[0], values[1])
        case op:
            return compared(op, values[0], values[1])


def calculated(op: str, one: object, two: object) -> Fraction | None:
    if not isinstance(one, Fraction) or not isinstance(two, Fraction) or (op == "/" and not two):
        return None
    exact = {"+": lambda: one + two, "-": lambda: one - two, "*": lambda: one * two, "/": lambda: one / two}[op]()
    return limited(Fraction(round(exact * MICRO), MICRO))


def compared(op: str, one: object, two: object) -> bool:
    """Of different kinds two values are not equal and in no order; of a missing one nothing holds."""
    if one is None or two is None:
        return False
    if type(one) is not type(two):
        return op == "!="
    return (op in {"=", "!="} or not isinstance(one, bool)) and OPERATORS[op](one, two)


def limited(number: Fraction) -> Fraction | None:
    return number if abs(number) < 10**24 else None


def number(value: object) -> Fraction | None:
    exact = micros(value)
    return None if exact is None else Fraction(exact, MICRO)
