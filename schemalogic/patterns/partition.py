"""Splits the characters into classes that an automaton cannot tell apart."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from schemalogic.patterns.charset import ANYTHING, PREFERRED, CharSet


def partition(sets: Sequence[CharSet]) -> list[tuple[CharSet, int]]:
    """Disjoint sets that cover all characters; with each the bits of the given sets it lies in."""
    everything = 1 << len(sets)
    toggles: dict[int, int] = {}
    for bit, chars in [(1 << index, chars) for index, chars in enumerate(sets)] + [(everything, ANYTHING)]:
        for low, high in chars.ranges:
            toggles[low] = toggles.get(low, 0) ^ bit
            toggles[high + 1] = toggles.get(high + 1, 0) ^ bit
    found: dict[int, list[tuple[int, int]]] = {}
    mask, start = 0, 0
    for point in sorted(toggles):
        if mask & everything and start < point:
            found.setdefault(mask, []).append((start, point - 1))
        mask, start = mask ^ toggles[point], point
    return [(CharSet.of(ranges), mask ^ everything) for mask, ranges in found.items()]


class Alphabet:
    """Disjoint classes of characters that cover them all, by number."""

    def __init__(self, classes: Sequence[CharSet]) -> None:
        self.classes = tuple(classes)
        ends = sorted((low, number) for number, chars in enumerate(self.classes) for low, _ in chars.ranges)
        self._lows = [low for low, _ in ends]
        self._numbers = [number for _, number in ends]
        self.preferred = tuple((chr(point), self.class_of(point)) for point in PREFERRED)

    def class_of(self, point: int) -> int:
        """The class of a code point, which must not be a surrogate."""
        return self._numbers[bisect_right(self._lows, point) - 1]
