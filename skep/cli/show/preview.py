"""What a segment would be, for people: in words and figures, drawn, and as a picture."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from skep.answers.segments.preview import Overlap, Preview
from skep.cli.console import WIDE, cell, err, headline, out, screen_width, styled, table
from skep.cli.layout import ident, number, prose, wrapped
from skep.cli.sql.charts import HEIGHT, Chart, Series, bars, lines
from skep.cli.sql.plot import WIDEST
from skep.cli.sql.png import painter, write_png

OVERLAPS = 10
"""Live segments of a drawing: those that are most alike."""
_STANDS = {"new": "not in force yet", "changed": "in force with another definition", "same": "in force as it is"}


def show(found: Preview) -> None:
    """Figures first, then drawings, then tables."""
    headline(f"{found.segment} (version {found.version})", f"  space {found.space}  clock {cell(found.clock)}")
    out.print(styled(_STANDS[found.differs], "dim"))
    if found.title:
        out.print(styled(found.title, "dim"))
    for line in wrapped(found.says, screen_width() or WIDE):
        out.print(styled(line, "dim"))
    if found.hashed:
        words = f"the snapshot has only hashes of {', '.join(found.hashed)}, with which the conditions compare"
        err.print(f"{words} → `snapshot: {{personal: clear}}` in skep.yaml, or `skep plan`, which reads what is stored", style="yellow")
    out.print(f"\n{found.members:,} of {found.people:,} people would be members{_percent(found.members, found.people)}{_left_out(found)}")
    _draw(found)
    _tables(found)


def _percent(part: int, whole: int) -> str:
    return f", {part / whole:.1%}" if whole else ""


def _left_out(found: Preview) -> str:
    """Who meets the conditions and is not one of them."""
    out_of_it = found.matching - found.members
    if not out_of_it:
        return ""
    asked = next((one.purpose for one in found.consents if one.asked), None)
    why = f"do not consent to {asked}" if asked else "are less sure to be who they are"
    return f"; {out_of_it:,} more meet the conditions, but {why}"


def _draw(found: Preview) -> None:
    width = out.width if sys.stdout.isatty() else min(WIDEST, shutil.get_terminal_size((WIDEST, HEIGHT)).columns)
    if found.history is None:
        out.print("\nno sizes of the past: the snapshot does not have that of accounts")
    elif len(found.history) > 1:
        out.print(f"\nmembers at the end of each day, the last {len(found.history)} days", style="bold")
        for line in lines(_history(found), width):
            out.print(line)
    alike = _alike(found)
    if alike:
        out.print("\nmembers that are in live segments, too", style="bold")
        for line in bars(_overlap(alike), width):
            out.print(line)


def _history(found: Preview) -> Chart:
    days = found.history or []
    places = [datetime.fromisoformat(f"{one.day}T00:00:00+00:00").timestamp() for one in days]
    sizes = Series("members", [float(one.members) for one in days], [f"{one.members:,}" for one in days])
    return Chart("line", "day", places, [one.day for one in days], True, [sizes])


def _alike(found: Preview) -> list[Overlap]:
    return [one for one in found.overlap if one.both][:OVERLAPS]


def _overlap(alike: Sequence[Overlap]) -> Chart:
    both = Series("members of both", [float(one.both) for one in alike], [f"{one.both:,}" for one in alike])
    return Chart("bar", "segment", [float(at) for at in range(len(alike))], [one.segment for one in alike], False, [both])


def _tables(found: Preview) -> None:
    if found.overlap:
        out.print()
        columns = ("live segment", number("members"), number("in both"), number("of this"), number("of that"), number("of either"))
        table(columns, [(o.segment, o.members, o.both, *map(_share, (o.of_this, o.of_other, o.jaccard))) for o in found.overlap])
    if found.consents:
        out.print()
        table(
            ("purpose", number("members who consent"), ""), [(o.purpose, o.members, "asked for" if o.asked else "") for o in found.consents]
        )
    if found.destinations:
        out.print()
        named = ("destination", "told of it", number("floor"), number("members above it"))
        table(named, [(o.destination, o.told, "" if o.floor is None else f"{o.floor:g}", o.members) for o in found.destinations])
    if found.sample:
        out.print(f"\n{len(found.sample)} of the members", style="bold")
        rows = [(one.profile, _identifiers(one.identifiers, one.more)) for one in found.sample]
        table((ident("profile"), prose("identifiers")), rows)


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _identifiers(held: list[list[str]], more: int) -> str:
    named = ", ".join(f"{namespace}:{value}" for namespace, value in held) or "none"
    return named + (f" and {more:,} more" if more else "")


def write_picture(found: Preview, path: Path) -> None:
    """The same as a PNG: members by day, and beside it those that live segments have, too."""
    alike = _alike(found)

    def paint(axes: Any) -> None:
        grid = axes.figure.add_gridspec(1, 2 if alike and found.history else 1)
        axes.set_subplotspec(grid[0])
        if found.history:
            painter(_history(found))(axes)
            axes.set_ylim(bottom=0)
            axes.tick_params(axis="x", labelrotation=45)
        if alike:
            beside = axes.figure.add_subplot(grid[1]) if found.history else axes
            painter(_overlap(alike))(beside)
            beside.margins(x=0.15)

    write_png(paint, path, f"{found.segment}: {found.members:,} of {found.people:,} people")
