"""What an expression over traits means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands there: a text, a boolean, or a number in 10⁻⁶."""

    value: str | bool | int


@dataclass(frozen=True, slots=True)
class ReadTrait:
    """The value at a path of the traits."""

    path: str


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether there is a value at a path of the traits."""

    path: str


@dataclass(frozen=True, slots=True)
class Operation:
    """``op``: ``+ - * / = != < <= > >= and or`` of two parts, ``not`` of one."""

    op: str
    parts: tuple[Expression, ...]


Expression = Constant | ReadTrait | Presence | Operation

CALCULATIONS, ORDERS, EQUALITIES = ("+", "-", "*", "/"), ("<", "<=", ">", ">="), ("=", "!=")
COMPARISONS = (*ORDERS, *EQUALITIES)
LIMIT = 10**30
"""A number of so many 10⁻⁶ or more, without its sign, is missing in an expression."""


def paths(expression: Expression) -> Iterator[str]:
    """The paths that are read, in the order in which they stand."""
    if isinstance(expression, ReadTrait | Presence):
        yield expression.path
    elif isinstance(expression, Operation):
        for part in expression.parts:
            yield from paths(part)
