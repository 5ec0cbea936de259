"""What has come of a backfill."""

from __future__ import annotations

from contracts.text.times import iso_or_none
from skep.answers.catalog.words import plural
from skep.cli.console import err, headline, out, table
from skep.cli.layout import number
from skep.cli.show.state import mb
from skep.runtime.backfill import Backfilled


def show(found: Backfilled) -> None:
    """Records and what became of them, people, segments, where the time went, and what comes next."""
    seconds = sum(found.seconds.values())
    speed = f" in {seconds:,.1f} s ({found.records / seconds:,.0f} a second)" if found.records and seconds else ", nothing new to read"
    headline(f"{found.records:,} records of {found.source}", speed)
    if found.records:
        _tell(found, seconds)
    for one in found.stopped:
        err.print(f"STOPPED: {one.partition}: {one.reason}; `skep sources` says what to do", style="bold red")
    if found.clock is None:
        out.print("\nThe clock of the space does not run yet: nobody is in a segment before. Next: skep run --once")
    else:
        out.print(f"\nThe clock stands at {iso_or_none(found.clock)}. Next: skep run --once, or skep run")


def _tell(found: Backfilled, seconds: float) -> None:
    before = found.people_before
    table(
        ("", number("")),
        [
            ("events applied", found.applied),
            ("duplicates dropped", found.duplicate),
            ("in quarantine", found.quarantined),
            ("people", found.people),
            ("people before", before),
            ("merges", found.merges),
            ("changes told", found.changes),
        ],
    )
    if found.refused:
        out.print()
        table(("quarantine", number("records")), found.refused.items())
    if found.members:
        out.print()
        table(("segment", number("members more")), found.members.items())
    out.print()
    table(
        ("time", number("seconds"), number("share")),
        [(what, f"{spent:,.1f}", f"{spent / seconds:.0%}") for what, spent in found.seconds.items()],
    )
    if found.slices:
        shared = f"{found.islands:,} islands (the largest has {found.largest:,} records) among {found.parts} processes"
        out.print(f"\n{shared}, in {plural(found.slices, 'slice')}; {mb(found.bytes)} of rows; {found.cpu_seconds:,.1f} s of the processor")
