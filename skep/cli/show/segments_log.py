"""Who changed a segment, and what is between two of its definitions, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skep.answers.segments.diff import SegmentDiff
from skep.answers.segments.log import SegmentEntry
from skep.answers.segments.meaning import MeaningChange
from skep.cli.console import WIDE, cell, headline, out, screen_width, styled
from skep.cli.layout import wrapped

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show(entries: Sequence[SegmentEntry]) -> None:
    """An entry after the other, the oldest first, each with what it changed."""
    for at, one in enumerate(entries):
        if at:
            out.print()
        version = "" if one.version is None else f" (version {one.version})"
        headline(cell(one.time), f"  space {one.space}  by {one.by or 'nobody knows'}  definitions {one.definitions}")
        out.print(f"{one.how}{version}{', by a rollback' if one.rollback else ''}{_work(one)}")
        if one.why:
            out.print(f"why: {one.why}")
        for line in change_lines(one.changes):
            out.print(line)


def _work(one: SegmentEntry) -> str:
    if one.people is None:
        return ""
    return f": {one.people:,} people evaluated, {one.events or 0:,} events read"


def change_lines(changes: Sequence[MeaningChange]) -> Iterator[str]:
    """What each said before, behind a minus, and what it says now, behind a plus."""
    for one in changes:
        yield f"  {one.of}"
        for sign, said in (("-", one.before), ("+", one.after)):
            for number, line in enumerate([] if said is None else wrapped(said, (screen_width() or WIDE) - 6)):
                yield f"    {' ' if number else sign} {line}"


def show_diff(found: SegmentDiff) -> None:
    """What changes in words, then in the file."""
    headline(found.segment, f"  space {found.space}  from {found.before} to {found.after}")
    if not found.changes and not found.lines:
        out.print("nothing differs")
        return
    for line in change_lines(found.changes):
        out.print(line)
    if found.lines:
        out.print()
    for line in found.lines:
        out.print(styled(line, _STYLES.get(line[:1], "")))
