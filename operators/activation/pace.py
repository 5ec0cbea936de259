"""How fast a destination may be called, and whether at all: its token bucket, what it asked to wait, its breaker. Times are µs."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from contracts.model.destinations import Limits
from operators.activation.told import Verdict

BREAKS_AT = 5
"""Calls in a row that fail before the breaker opens."""
BURST_SECONDS = 0.02
"""How much of a rate may be used at once after a silence."""
_SECOND_US = 1_000_000


class Pace(msgspec.Struct, array_like=True):
    """``tokens`` as of ``at``; ``held_until``: it asked to wait; ``failures`` in a row; ``open_until``: when the breaker lets a call try.

    ``stopped``: the mark of the connection that was not let in; ``paused``: by a person. ``reason``: of the last failure.
    """

    tokens: float = 1.0
    at: int = 0
    held_until: int = 0
    failures: int = 0
    open_until: int = 0
    stopped: str = ""
    paused: bool = False
    last_ok: int = 0
    reason: str = ""

    @property
    def breaker(self) -> str:
        """``closed``, ``open``, ``auth`` (it does not let us in) or ``paused``."""
        return "paused" if self.paused else "auth" if self.stopped else "open" if self.failures >= BREAKS_AT else "closed"


def opens_at(pace: Pace, limits: Limits, now: int, under_way: int) -> int | None:
    """When the next call may be made, at ``now`` if at once; None if only an answer or a person can tell."""
    if pace.paused or pace.stopped or under_way >= (limits.concurrency or 1):
        return None
    if pace.failures >= BREAKS_AT and under_way:
        return None
    when = max(now, pace.held_until, pace.open_until if pace.failures >= BREAKS_AT else 0)
    if limits.rate and when == now:
        missing = 1 - _filled(pace, limits.rate, now)
        when += 0 if missing <= 0 else round(missing / limits.rate * _SECOND_US) + 1
    return when


def took(pace: Pace, limits: Limits, now: int) -> Pace:
    """A call is made."""
    if not limits.rate:
        return pace
    return replace(pace, tokens=_filled(pace, limits.rate, now) - 1, at=now)


def _filled(pace: Pace, rate: float, now: int) -> float:
    most = max(1.0, rate * BURST_SECONDS)
    return min(most, pace.tokens + max(0, now - pace.at) * rate / _SECOND_US)


def heard(pace: Pace, verdict: Verdict, limits: Limits, now: int, mark: str) -> Pace:
    """A call was answered, or not. ``mark`` stands for the connection by which it was made."""
    if verdict.says == "auth":
        return replace(pace, stopped=mark, reason=verdict.reason)
    wait = 0 if verdict.wait is None else round(verdict.wait * _SECOND_US)
    if verdict.says in {"throttle", "retry"}:
        failures = pace.failures + 1
        most = limits.backoff_to_us or 0
        held = max(pace.held_until, now + wait)
        if verdict.says == "throttle" and not wait:
            held = max(held, now + min(most, (limits.backoff_from_us or 0) * 2 ** min(pace.failures, 20)))
        opened = now + most if failures >= BREAKS_AT else 0
        return replace(pace, failures=failures, held_until=held, open_until=opened, reason=verdict.reason)
    return replace(pace, failures=0, open_until=0, held_until=max(pace.held_until, now + wait) if wait else pace.held_until,
                   last_ok=now if verdict.says in {"delivered", "partial"} else pace.last_ok, reason="")  # fmt: skip


def resumed(pace: Pace) -> Pace:
    """A person says that it goes on."""
    return replace(pace, paused=False, stopped="", failures=0, open_until=0, held_until=0, reason="")
