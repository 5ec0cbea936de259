"""What the owner of a contract promises."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sla:
    """What the owner of a contract promises: how old the newest event may be, and the share (0 to 1) of declared
    optional properties that events carry; None promises nothing."""

    freshness_us: int | None = None
    completeness: float | None = None


NOTHING_PROMISED = Sla()
