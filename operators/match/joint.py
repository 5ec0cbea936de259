"""What two clusters of records weigh together: what each comparison says, taken over all pairs between them.

Each pair says with what likelihood ratio (m / u) a comparison speaks for one person. Over the pairs that have both values the ratios
are averaged: how much likelier what the one cluster says is, if it speaks of whom the other speaks. That values agree is one fact,
however many records repeat it; that they differ would take a mistake in each record, so what speaks against it counts as often as the
square root of the records in the smaller cluster. What no pair can tell says nothing, and the prior counts once.

The ratios are whole numbers of `UNIT`, so that their sums do not depend on the order in which clusters grew.
"""

from __future__ import annotations

import math
from struct import Struct

UNIT_BITS = 24
"""Ratios are counted in 2⁻²⁴."""
RATIO_BITS = 26
"""No pair says more for one person than 2²⁶, of which 10,000 fit into 64 bits."""
_COUNT_BITS, _FIELD_BITS = 64, 96
_FIELD = "QI"
"""Of a comparison: the sum of its ratios and the number of pairs that have both values."""

Evidence = int
"""What pairs say, all comparisons in one number: the evidence of several pairs is its sum."""


def said(place: int, bits: float) -> Evidence:
    """What one pair says by the comparison of that place, in bits."""
    ratio = max(1, round(math.exp2(min(bits, RATIO_BITS) + UNIT_BITS)))
    return (ratio | 1 << _COUNT_BITS) << place * _FIELD_BITS


class Joint:
    """Weighs clusters by a model of so many ``comparisons`` and its ``prior`` in bits; behind the comparisons pairs say how likely
    they are."""

    def __init__(self, prior: float, comparisons: int) -> None:
        self._prior = prior
        self._fields = Struct("<" + (comparisons + 1) * _FIELD)

    def weight(self, evidence: Evidence, smaller: int) -> tuple[float, float]:
        """The match weight of two clusters in bits, by all that their pairs say and the number of records in the smaller one, and the
        mean match probability of the pairs."""
        *fields, likely, number = self._fields.unpack(evidence.to_bytes(self._fields.size, "little"))
        total, against = self._prior, math.sqrt(smaller)
        for ratios, pairs in zip(fields[::2], fields[1::2], strict=True):
            if pairs:
                bits = math.log2(ratios / pairs) - UNIT_BITS
                total += bits if bits >= 0 else bits * against
        return total, likely / number / 2**UNIT_BITS
