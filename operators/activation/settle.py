"""What an answer makes of the row of somebody who was in the request: backoff, dead letters, what waits for the destination."""

from __future__ import annotations

from random import Random
from typing import TypeVar

from msgspec.structs import replace

from contracts.model.destinations import LEAVING, Limits
from operators.activation.classify import GONE
from operators.activation.ledger_row import LedgerRow
from operators.activation.told import Verdict

Some = TypeVar("Some")


def of_each(verdict: Verdict, size: int) -> list[str]:
    """What became of each of those in a request."""
    if verdict.says == "delivered":
        return ["delivered"] * size
    if verdict.says == "partial":
        retry, failed = frozenset(verdict.retry), frozenset(verdict.failed)
        return ["retry" if at in retry else "refused" if at in failed else "delivered" for at in range(size)]
    return [verdict.says] * size


def unknown(says: str, status: int, call: str) -> str | None:
    """What it is to somebody that a look-up has found nobody: who leaves has left already, and who comes cannot be told of otherwise.

    None of an answer that says nothing of people, such as that it is tried again later.
    """
    if says != "delivered" and (says != "refused" or status not in GONE):
        return None
    return "delivered" if call in LEAVING - {"alias"} else "refused"


def backoff(attempts: int, limits: Limits, random: Random) -> int:
    """How long is waited behind the so manieth failure, in µs: up to twice as long as behind the one before (full jitter)."""
    first, most = limits.backoff_from_us or 0, limits.backoff_to_us or 0
    return round(random.random() * min(most, first << min(attempts, 40)))


def failed(
    row: LedgerRow, says: str, verdict: Verdict, *, status: int, limits: Limits, now: int, random: Random, counts: bool
) -> LedgerRow:
    """A row of which a call was not taken. ``counts``: whether it is the person's failure, and not the destination's."""
    row = replace(row, last_class=says, reason=verdict.reason, status=status)
    if says == "refused":
        return replace(row, dead=True)
    if says != "retry":
        return row
    attempts = row.attempts + counts
    if attempts >= (limits.attempts or 1):
        return replace(row, attempts=attempts, dead=True)
    return replace(row, attempts=attempts, next_at=now + backoff(attempts, limits, random))


def halves(some: list[Some]) -> tuple[list[Some], list[Some]]:
    """A batch that was refused as a whole, to be sent in two parts."""
    middle = (len(some) + 1) // 2
    return some[:middle], some[middle:]
