"""Numbers: an interval, multiples, and what they are not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import count
from math import ceil, floor, gcd, lcm

from schemalogic.compare.evaluate import number_holds
from schemalogic.compare.nodes import Literal, Space
from schemalogic.compare.values import NUMBER, exact
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Clock, Found, Verdict

_MULTIPLES = 200_000
"""How many multiples of a step are tried."""
_DIGITS = 60
"""Decimals of a number that has to avoid multiples."""


class _Wanted:
    def __init__(self) -> None:
        self.low: Fraction | None = None
        self.high: Fraction | None = None
        self.open_low = self.open_high = False
        self.step: Fraction | None = None
        self.not_steps: list[Fraction] = []

    def at_least(self, bound: Fraction, *, strict: bool) -> None:
        if self.low is None or (bound, strict) > (self.low, self.open_low):
            self.low, self.open_low = bound, strict

    def at_most(self, bound: Fraction, *, strict: bool) -> None:
        if self.high is None or (-bound, strict) > (-self.high, self.open_high):
            self.high, self.open_high = bound, strict

    def multiple(self, step: Fraction) -> None:
        if self.step is not None:
            step = Fraction(lcm(self.step.numerator, step.numerator), gcd(self.step.denominator, step.denominator))
        self.step = step

    def take(self, op: str, payload: Fraction, *, wanted: bool) -> None:
        if op == "multiple":
            if wanted:
                self.multiple(payload)
            else:
                self.not_steps.append(payload)
        elif (op in {"least", "above"}) == wanted:
            self.at_least(payload, strict=op in {"above", "most"})
        else:
            self.at_most(payload, strict=op in {"below", "least"})

    def between(self, step: Fraction) -> tuple[int | None, int | None]:
        """The first and the last multiple of the step inside the interval, by number."""
        first = last = None
        if self.low is not None:
            first = ceil(self.low / step)
            first += self.open_low and first * step == self.low
        if self.high is not None:
            last = floor(self.high / step)
            last -= self.open_high and last * step == self.high
        return first, last


def find_number(space: Space, atoms: frozenset[Literal], clock: Clock) -> Verdict:
    """A number of which all the atoms hold."""
    wanted, forbidden = _Wanted(), set()
    for literal in atoms:
        op, payload = space.ops[abs(literal)], space.payloads[abs(literal)]
        if op == "in":
            forbidden |= {value for kind, value in payload if kind == NUMBER}
        elif op != "opaque":
            wanted.take(op, Fraction(payload), wanted=literal > 0)
    if wanted.low is not None and wanted.high is not None:
        if wanted.low > wanted.high or (wanted.low == wanted.high and (wanted.open_low or wanted.open_high)):
            return IMPOSSIBLE
        if wanted.low == wanted.high:
            point = exact(wanted.low)
            fits = point not in forbidden and all(_avoids(point, step) for step in wanted.not_steps)
            return Found(point) if fits and (wanted.step is None or number_holds("multiple", wanted.step, point)) else IMPOSSIBLE
    if wanted.step is not None:
        if any((wanted.step / step).denominator == 1 for step in wanted.not_steps):
            return IMPOSSIBLE
        return _stepped(wanted, wanted.step, forbidden, clock)
    return _dense(wanted, forbidden, clock)


def _avoids(number: int | Fraction, step: Fraction) -> bool:
    return number % step != 0


def _stepped(wanted: _Wanted, step: Fraction, forbidden: set[int | Fraction], clock: Clock) -> Verdict:
    first, last = wanted.between(step)
    for tried, number in enumerate(_outward(first, last)):
        clock.tick()
        value = exact(number * step)
        if value not in forbidden and all(_avoids(value, one) for one in wanted.not_steps):
            return Found(value)
        if tried > _MULTIPLES:
            return UNDECIDED
    return IMPOSSIBLE


def _outward(first: int | None, last: int | None) -> Iterator[int]:
    """The whole numbers of an interval, small ones first."""
    if first is not None and last is not None and first > last:
        return
    start = first if first is not None and first > 0 else last if last is not None and last < 0 else 0
    yield start
    for distance in count(1):
        up, down = start + distance, start - distance
        more = last is None or up <= last
        less = first is None or down >= first
        if more:
            yield up
        if less:
            yield down
        if not (more or less):
            return


def _dense(wanted: _Wanted, forbidden: set[int | Fraction], clock: Clock) -> Verdict:
    """Decimals of ever more digits: between two different bounds there are some, and multiples leave gaps."""
    for digits in range(_DIGITS):
        scale = Fraction(1, 10**digits)
        first, last = wanted.between(scale)
        for tried, number in enumerate(_outward(first, last)):
            clock.tick()
            value = exact(number * scale)
            if value not in forbidden and all(_avoids(value, one) for one in wanted.not_steps):
                return Found(value)
            if tried > 40 + len(forbidden):
                break
    return UNDECIDED
