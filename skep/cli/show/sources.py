"""`skep sources`: how far each file is read, and what `skep sources infer` makes of one."""

from __future__ import annotations

from skep.answers.sources import FileRow
from skep.cli.console import out, table
from skep.cli.layout import number, prose
from skep.tools.mapping_inference import Tried


def show(rows: list[FileRow]) -> None:
    """A line for each file."""
    topics = any(row.lag is not None for row in rows)
    columns = ("space", "source", prose("partition"), number("records"), number("skipped"), "state", prose("reason"))
    shown = [(row.space, row.source, row.partition, row.records, row.skipped, row.state, row.reason) for row in rows]
    if topics:
        columns = (*columns[:5], number("lag"), *columns[5:])  # type: ignore[assignment]
        shown = [(*one[:5], row.lag, *one[5:]) for one, row in zip(shown, rows, strict=True)]  # type: ignore[misc]
    table(columns, shown)


def show_tried(rows: list[Tried]) -> None:
    """The first rows as events, and what would be wrong with them."""
    out.print(f"the first {len(rows)} rows as events:")
    for row in rows:
        out.print(row.text)
        if row.refused:
            out.print(f"    would be refused: {row.refused}", style="red")
    for name in sorted({row.unknown for row in rows} - {""}):
        out.print(f"\n{name} has no contract: until contracts/events/{name}/1-0-0.json is there, its rows go into quarantine.")
