"""Numbers within bounds and on steps, often at the very edge."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

_USUAL = (0, 1, -1, 2, 7, 10, 42, 100, 1000, 12345, -7, 2**31, 2**53, 10**15)
_PARTS = (Fraction(1, 2), Fraction(1, 4), Fraction(1, 100), Fraction(1, 1000), Fraction(3, 10), Fraction(99, 100))
_FINEST = Fraction(1, 10**6)


def fraction(value: Any) -> Fraction | None:
    """The exact number that a JSON number is written as; None for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    try:
        return Fraction(value) if isinstance(value, int) else Fraction(str(value))
    except ValueError:
        return None


def plain(number: Fraction) -> int | float:
    """The JSON number of a fraction; a whole one as an integer."""
    if number.denominator == 1:
        return number.numerator
    try:
        return float(number)
    except OverflowError:
        return math.copysign(1e300, number)


def number_within(
    low: Fraction | None,
    high: Fraction | None,
    steps: Sequence[Fraction],
    aims: Sequence[Fraction],
    chance: random.Random,
    *,
    is_open: tuple[bool, bool] = (False, False),
    whole: bool = False,
) -> int | float | None:
    """A number from ``low`` to ``high`` on every step; None if there is none. ``aims`` are worth trying first."""
    steps = [*steps, Fraction(1)] if whole else steps
    if steps:
        step = _common(steps)
        return _on_step(low, high, step, aims, chance, is_open=is_open)
    fits = [aim for aim in aims if _inside(aim, low, high, is_open)]
    if fits and chance.random() < 0.4:
        return plain(chance.choice(fits))
    found = _edge(low, high, chance, is_open)
    return plain(found) if found is not None else None


def _on_step(
    low: Fraction | None,
    high: Fraction | None,
    step: Fraction,
    aims: Sequence[Fraction],
    chance: random.Random,
    *,
    is_open: tuple[bool, bool],
) -> int | float | None:
    first = None if low is None else math.ceil(low / step)
    last = None if high is None else math.floor(high / step)
    if first is not None and is_open[0] and first * step == low:
        first += 1
    if last is not None and is_open[1] and last * step == high:
        last -= 1
    if first is not None and last is not None and first > last:
        return None
    fits = [aim for aim in aims if aim % step == 0 and _inside(aim, low, high, is_open)]
    if fits and chance.random() < 0.4:
        return plain(chance.choice(fits))
    return plain(_count(first, last, chance) * step)


def _count(first: int | None, last: int | None, chance: random.Random) -> int:
    if first is None and last is None:
        return chance.choice(_USUAL) if chance.random() < 0.5 else chance.randint(-1000, 1000)
    if first is None:
        first = (last or 0) - chance.choice(_USUAL[:10]) - 8
    if last is None:
        last = first + chance.choice((0, 1, 2, 10, 1000, 10**6))
    first = min(first, last)
    return chance.choice((first, last, min(first + 1, last), max(last - 1, first), chance.randint(first, last)))


def _edge(low: Fraction | None, high: Fraction | None, chance: random.Random, is_open: tuple[bool, bool]) -> Fraction | None:
    if low is None and high is None:
        return Fraction(chance.choice(_USUAL)) + (chance.choice(_PARTS) if chance.random() < 0.6 else 0)
    if low is None and high is not None:
        low = high - chance.choice((1, 10, 1000))
    if high is None and low is not None:
        high = low + chance.choice((1, 10, 1000))
    assert low is not None
    assert high is not None
    fits = [
        one
        for one in (low, high, low + _FINEST, high - _FINEST, low + 1, high - 1, (low + high) / 2, low + (high - low) / 3)
        if _inside(one, low, high, is_open)
    ]
    return chance.choice(fits) if fits else None


def _inside(number: Fraction, low: Fraction | None, high: Fraction | None, is_open: tuple[bool, bool]) -> bool:
    if low is not None and (number < low or (is_open[0] and number == low)):
        return False
    return not (high is not None and (number > high or (is_open[1] and number == high)))


def _common(steps: Sequence[Fraction]) -> Fraction:
    """The least common multiple."""
    found = steps[0]
    for step in steps[1:]:
        found = Fraction(math.lcm(found.numerator, step.numerator), math.gcd(found.denominator, step.denominator))
    return found
