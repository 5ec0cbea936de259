"""JSON values inside the engine: numbers are exact, ``true`` is not 1, and 1.0 is 1."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

Value = Any
"""None, a boolean, an int or a Fraction, a text, a list or a dict."""

NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT = "null", "boolean", "number", "string", "array", "object"
TYPES = (NULL, BOOLEAN, NUMBER, STRING, ARRAY, OBJECT)

Key = tuple[Any, ...]
"""A hashable form of a value; equal keys, equal values in the sense of JSON Schema."""


def exact(number: Any) -> int | Fraction:
    """The number that a decoded JSON number stands for: a float by its shortest decimal form."""
    if isinstance(number, int):
        return int(number)
    fraction = number if isinstance(number, Fraction) else Fraction(number) if isinstance(number, Decimal) else Fraction(repr(number))
    return fraction.numerator if fraction.denominator == 1 else fraction


def normal(value: Any) -> Value:
    """A decoded JSON value with exact numbers."""
    if isinstance(value, dict):
        return {name: normal(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [normal(one) for one in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    return exact(value)


def type_of(value: Value) -> str:
    """The JSON type of a value."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return STRING
    if isinstance(value, dict):
        return OBJECT
    return ARRAY if isinstance(value, list) else NUMBER


def key(value: Value) -> Key:
    """The value's hashable form; it begins with its type."""
    kind = type_of(value)
    if kind == OBJECT:
        return (kind, frozenset((name, key(one)) for name, one in value.items()))
    if kind == ARRAY:
        return (kind, tuple(map(key, value)))
    return (kind, exact(value) if kind == NUMBER else value)


def unkeyed(form: Key) -> Value:
    """The value of a key."""
    kind, content = form
    if kind == OBJECT:
        return {name: unkeyed(one) for name, one in sorted(content, key=lambda pair: str(pair[0]))}
    return [unkeyed(one) for one in content] if kind == ARRAY else content


def plain(value: Value) -> Any:
    """The value with ints and floats, as a JSON text is decoded; a number that no float stands for becomes a Decimal."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return _decimal(value) if isinstance(value, Fraction) else value


def _decimal(number: Fraction) -> float | Decimal:
    try:
        near = float(number)
    except OverflowError:
        near = float("inf")
    if near not in (float("inf"), float("-inf")) and Fraction(repr(near)) == number:
        return near
    digits, rest = 0, number.denominator
    while rest % 10 == 0:
        digits, rest = digits + 1, rest // 10
    while rest > 1:
        digits, rest = digits + 1, rest // (2 if rest % 2 == 0 else 5) if rest % 2 == 0 or rest % 5 == 0 else 0
    return Decimal(number.numerator * 10**digits // number.denominator).scaleb(-digits)


def size(value: Value, limit: int) -> int:
    """About how many bytes the value takes as JSON; it stops counting above the limit, also where parts are shared."""
    total, left = 0, [value]
    while left and total <= limit:
        one = left.pop()
        if isinstance(one, dict):
            total += sum(len(name) + 4 for name in one) + 2
            left.extend(one.values())
        elif isinstance(one, list):
            total += len(one) + 2
            left.extend(one)
        else:
            total += len(one) + 2 if isinstance(one, str) else 8
    return total
