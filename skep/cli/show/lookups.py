"""`skep lookups`: a table of what is in force, and a line for each that was refreshed."""

from __future__ import annotations

from skep.answers.lookups import LookupRow, Refreshed
from skep.cli.console import out, table
from skep.cli.layout import number, prose


def show(rows: list[LookupRow]) -> None:
    """A line for each lookup."""
    if not rows:
        out.print("no lookups are in force: contracts/lookups/<name>.yaml declares one, `skep apply` puts it in force")
        return
    columns = (
        "space", "lookup", "kind", prose("source"), "version", number("rows"), "since", number("hits"), number("misses"), number("no data"),
    )  # fmt: skip
    table(
        columns,
        [
            (row.space, row.lookup, row.kind, row.source, row.version, row.rows, row.since, row.hits, row.misses, row.unavailable)
            for row in rows
        ],
    )


def show_refreshed(row: Refreshed) -> None:
    """What came of one."""
    named = f"{row.space}: {row.lookup}"
    standing = "it has no data" if row.version is None else f"version {row.version} ({row.rows:,} rows) stays in force"
    if row.problem is not None:
        out.print(f"{named}: not taken: {row.problem}; {standing}", style="red")
    elif row.version == row.before:
        out.print(f"{named}: nothing new, version {row.version} ({row.rows:,} rows) is in force")
    else:
        out.print(f"{named}: version {row.version} ({row.rows:,} rows): {row.answer}")
