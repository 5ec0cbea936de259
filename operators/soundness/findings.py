"""What a check has looked at, and every difference that it has found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

SAID_MAX = 1_000
"""Differences of one check that are kept in words; more are counted."""


class Finding(NamedTuple):
    """One difference: what it is about, what was expected there, and what is there."""

    about: str
    expected: str
    found: str


@dataclass(slots=True)
class Findings:
    """Of one check: how much it has ``looked`` at, how many ``differences`` there are, and what they are."""

    check: str
    what: str
    """In words: what is counted, and what must be so."""
    looked: int = 0
    differences: int = 0
    said: list[Finding] = field(default_factory=list)

    def differ(self, about: str, expected: object, found: object) -> None:
        """One more difference."""
        self.differences += 1
        if len(self.said) < SAID_MAX:
            self.said.append(Finding(about, str(expected), str(found)))

    def same(self, about: str, expected: object, found: object) -> None:
        """Look at one thing more, which is a difference if the two are not equal."""
        self.looked += 1
        if expected != found:
            self.differ(about, expected, found)
