"""The report at the end of `skep run --once`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from skep.console import headline, out, table
from skep.layout import number


def show(found: dict[str, Any], events: int, seconds: float, snapshot: Path | None, example: str | None) -> None:
    """What a run has made: people, merges, segments, changes, quarantine, and how fast."""
    speed = f" in {seconds:,.1f} s ({events / seconds:,.0f} events/s)" if events and seconds > 0 else ", nothing new to read"
    out.print()
    headline(f"{events:,} events", f"{speed}; the clock stands at {found['clock'] or 'nothing'}")
    table(
        ("", number("")),
        [
            ("people", found["people"]),
            ("merges", found["merges"]),
            ("changes told", found["changes"]),
            ("duplicates dropped", found["duplicate"]),
            ("in quarantine", found["quarantined"]),
        ],
    )
    out.print()
    table(("segment", number("members")), found["segments"].items())
    if found["quarantine"]:
        out.print()
        table(("quarantine", number("records")), found["quarantine"].items())
    if snapshot:
        out.print(f"\nsnapshot: {snapshot}")
    who = shlex.quote(example or "user_id:42")
    out.print(f"\nTry next:  skep profile show {who}   ·   skep quarantine list   ·   skep sql 'from profiles limit 5'")
