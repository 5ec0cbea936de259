"""What segments may cost, by tier and by owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Of = Literal["tier", "owner"]
MEASURES = ("segments", "features", "state", "members", "evaluations")
"""What is limited: live segments; features that they ask for, each once; bytes of a profile for these; members of all of them
together; events a second at which one of them may change."""
STATIC = ("segments", "features")
"""Those that definitions alone decide."""


@dataclass(frozen=True, slots=True)
class SegmentLimits:
    """The most of each measure, and the line at which it stands."""

    of: Of
    name: str
    most: Mapping[str, int] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """``contracts/budget.yaml``; without the file nothing is limited."""

    limits: tuple[SegmentLimits, ...] = ()

    def each(self) -> Iterator[tuple[SegmentLimits, str, int]]:
        """Every limit: of whom, of what, how much."""
        for one in self.limits:
            for measure, most in one.most.items():
                yield one, measure, most


NO_BUDGET = Budget()
"""Nothing is limited."""
