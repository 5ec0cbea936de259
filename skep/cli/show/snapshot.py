"""`skep snapshot`: what was published, and which of the project's own views are missing."""

from __future__ import annotations

from collections.abc import Iterable

from skep.cli.console import err, out, table
from skep.cli.layout import number
from state.snapshot.own_views import ViewProblem
from state.snapshot.publish import SnapshotReport


def show(report: SnapshotReport) -> None:
    """Rows by table, and where they are."""
    table(("table", number("rows")), report.rows.items())
    out.print(f"\n{report.target} ({report.bytes / 1e6:,.1f} MB in {report.seconds:.1f} s)")


def tell_missing(problems: Iterable[ViewProblem]) -> None:
    """Say on stderr which views the snapshot does not have, and why."""
    for one in problems:
        err.print(f"{one} (this view is missing in the snapshot)", style="red")
