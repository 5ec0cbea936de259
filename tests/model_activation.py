"""What is to be told at the end of some lines, naively: of each membership the newest state, nothing of what is older.

`operators.activation.coalesce` must say the same of drawn lines.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Move:
    """Somebody comes into a segment or leaves it; ``version`` counts up for each profile."""

    profile: str
    version: int
    segment: str
    is_in: bool


def wanted(moves: Iterable[Move], asked: frozenset[str]) -> dict[tuple[str, str], tuple[str, int]]:
    """(segment, profile) → the call that tells its state, and the line that it follows from: the last of the highest version."""
    moves = list(moves)
    found = {}
    for segment, profile in {(one.segment, one.profile) for one in moves if one.segment in asked}:
        of_it = [(one.version, line, one) for line, one in enumerate(moves, 1) if (one.segment, one.profile) == (segment, profile)]
        _, line, last = max(of_it, key=lambda each: each[:2])
        found[segment, profile] = ("enter" if last.is_in else "exit", line)
    return found
