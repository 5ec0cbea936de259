"""Sets of Unicode code points as sorted ranges. The universe has no surrogates: decoded JSON holds none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LAST = 0x10FFFF
_READABLE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_PRINTABLE = " -_.,:/@#+!?$%&'()*;<=>[\\]^`{|}~\""
PREFERRED = tuple(map(ord, _READABLE + _PRINTABLE))
"""The characters that examples are made of, the most readable first."""
_PREFERRED = frozenset(PREFERRED)
_SHOWN = ((0xA1, 0xAC), (0xAE, 0x377), (0x391, 0x3A1), (0x3A3, 0x481), (0x4E00, 0x9FA5), (0x1F600, 0x1F64F))


@dataclass(frozen=True, slots=True)
class CharSet:
    """Code points in disjoint, ascending, inclusive ranges that do not touch."""

    ranges: tuple[tuple[int, int], ...]

    @staticmethod
    def of(ranges: Iterable[tuple[int, int]]) -> CharSet:
        """The set of any ranges, in any order; surrogates are left out."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(_without_surrogates(ranges)):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = merged[-1][0], max(merged[-1][1], high)
            else:
                merged.append((low, high))
        return CharSet(tuple(merged))

    @staticmethod
    def chars(text: str) -> CharSet:
        """The set of the characters of a text."""
        return CharSet.of((ord(char), ord(char)) for char in text)

    def __or__(self, other: CharSet) -> CharSet:
        return CharSet.of((*self.ranges, *other.ranges))

    def __and__(self, other: CharSet) -> CharSet:
        return ~(~self | ~other)

    def __sub__(self, other: CharSet) -> CharSet:
        return ~(~self | other)

    def __invert__(self) -> CharSet:
        gaps, start = [], 0
        for low, high in self.ranges:
            gaps.append((start, low - 1))
            start = high + 1
        return CharSet.of((*gaps, (start, LAST)))

    def __contains__(self, char: object) -> bool:
        point = ord(char) if isinstance(char, str) else char
        if not isinstance(point, int):
            return False
        at = bisect_right(self.ranges, (point, LAST)) - 1
        return at >= 0 and self.ranges[at][0] <= point <= self.ranges[at][1]

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __len__(self) -> int:
        return sum(high - low + 1 for low, high in self.ranges)

    def __iter__(self) -> Iterator[int]:
        """All code points, the most readable first."""
        yield from (point for point in PREFERRED if point in self)
        shown = self & SHOWN
        for ranges in (shown.ranges, (self - shown).ranges):
            for low, high in ranges:
                yield from (point for point in range(low, high + 1) if point not in _PREFERRED)

    def representative(self) -> str:
        """The most readable character; ValueError if there is none."""
        for point in self:
            return chr(point)
        raise ValueError("an empty set of characters has no representative")


def _without_surrogates(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for low, high in ranges:
        if high < 0xD800 or low > 0xDFFF:
            if low <= high:
                yield low, high
            continue
        if low < 0xD800:
            yield low, 0xD7FF
        if high > 0xDFFF:
            yield 0xE000, high


NOTHING = CharSet(())
PREFERRED_SET = CharSet.of((point, point) for point in PREFERRED)
ANYTHING = CharSet.of([(0, LAST)])
SHOWN = CharSet.of(_SHOWN)
DIGIT = CharSet.of([(0x30, 0x39)])
WORD = CharSet.of([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
SPACE = CharSet.chars(" \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | CharSet.of([(0x2000, 0x200A)])
LINE_END = CharSet.chars("\n\r\u2028\u2029")
NO_LINE_END = ~LINE_END
