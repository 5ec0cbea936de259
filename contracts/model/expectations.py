"""What ``quality.yaml`` asks of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of ``quality.yaml``: what the events of a name (and source, "" is any) must keep, over ``window_us``.

    ``check`` is one of ``completeness quarantined unknown_properties out_of_range freshness volume``; ``property`` narrows
    ``completeness`` and ``out_of_range`` to one path ("" is all); it holds while ``least <= value <= most`` (None: no bound).
    Values are shares from 0 to 1, of ``freshness`` seconds, of ``volume`` times the usual.
    """

    name: str
    event: str
    source: str
    check: str
    property: str
    least: float | None
    most: float | None
    window_us: int
    severity: Literal["warn", "stop-source"]
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Range:
    """The usual values of a number property of the events of a name or prefix; one outside is scored, not refused."""

    event: str
    property: str
    least: float | None
    most: float | None
