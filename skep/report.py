"""The report at the end of `skep run --once`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skep.console import out, table


def show(found: dict[str, Any], events: int, seconds: float, snapshot: Path | None, example: str | None) -> None:
    """What a run has made: people, merges, segments, changes, quarantine, and how fast."""
    speed = f" in {seconds:,.1f} s ({events / seconds:,.0f} events/s)" if events and seconds > 0 else ", nothing new to read"
    out.print(f"\n[bold]{events:,} events[/bold]{speed}; the clock stands at {found['clock'] or 'nothing'}")
    table(
        ("", ""),
        [
            ("people", found["people"]),
            ("merges", found["merges"]),
            ("changes told", found["changes"]),
            ("duplicates dropped", found["duplicate"]),
            ("in quarantine", found["quarantined"]),
        ],
        right=("",),
    )
    out.print()
    table(("segment", "members"), found["segments"].items(), right=("members",))
    if found["quarantine"]:
        out.print()
        table(("quarantine", "records"), found["quarantine"].items(), right=("records",))
    if snapshot:
        out.print(f"\nsnapshot: {snapshot}", markup=False)
    out.print(f"\nTry next:  skep profile show {example or 'user_id:42'}   ·   skep quarantine list   ·   skep sql 'from profiles limit 5'")
