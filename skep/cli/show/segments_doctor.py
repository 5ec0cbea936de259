"""What is wrong with segments, for people."""

from __future__ import annotations

from skep.answers.segments.doctor import SegmentHealth
from skep.cli.console import cell, err, out, table
from skep.cli.layout import prose


def show(found: SegmentHealth) -> None:
    """A row for each finding."""
    segments = f"{found.segments:,} segment{'' if found.segments == 1 else 's'}"
    out.print(f"space {found.space}: {segments}, {found.people:,} people, clock {cell(found.clock)}", style="bold")
    for segment, paths in found.hashed.items():
        words = f"{segment}: the snapshot has only hashes of {', '.join(paths)}; what its conditions hold of is not counted"
        err.print(words, style="yellow")
    if not found.findings:
        out.print("nothing is found")
        return
    columns = ("segment", "found", prose("what"), prose("what to do"))
    table(columns, [(one.segment, one.kind.replace("_", " "), one.says, one.cure) for one in found.findings])
