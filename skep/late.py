"""A source of which too much comes too late: said once, with the cause and the remedy, not record by record."""

from __future__ import annotations

from typing import Any

from skep.console import err
from skep.settings import Settings

SHARE = 0.05
"""Of a source's records; more of them in quarantine as `too_late` is no straggler but a wrong setting."""


def late_sources(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of a status of which too much lies in quarantine as too late."""
    return [one for one in found["late"] if one["too_late"] > SHARE * one["received"]]


def tell_late(found: dict[str, Any], settings: Settings) -> None:
    """Say of each such source why, and what to do."""
    history = {one.name for one in settings.sources if one.history}
    for one in late_sources(found):
        name, days = one["source"], f"{settings.horizon_us / 86_400_000_000:g}d"
        much = f"{one['too_late']:,} of {one['received']:,} records of source {name} came TOO LATE"
        where = f"more than the horizon ({days}) behind the clock, which the newest event moves"
        why = "Either the source is not in order of time, or events with a wrong date have moved the clock."
        err.print(f"{much}: {where}. {why}", style="bold yellow")
        remedy = "`skep quarantine replay --reason too_late` takes them in"
        if name not in history:
            remedy = (
                f"If it was written down before it is read, say `history: true` for {name} in skep.yaml: none of it is late then. {remedy}"
            )
        err.print(f"Nothing of it is lost. {remedy}")
