"""`skep sources`, and what `skep sources infer` makes of a file."""

from __future__ import annotations

from skep.answers.sources import FileRow
from skep.cli.console import table
from skep.cli.layout import number, prose


def show(rows: list[FileRow]) -> None:
    """A line for each file."""
    columns = ("space", "source", prose("partition"), number("records"), number("skipped"), "state", prose("reason"))
    table(columns, [(row.space, row.source, row.partition, row.records, row.skipped, row.state, row.reason) for row in rows])
