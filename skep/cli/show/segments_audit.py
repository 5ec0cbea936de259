"""Whether memberships are what the archive says, for people."""

from __future__ import annotations

from skep.answers.segments.audit import NAMED, Audit, MemberDiffers, SpaceAudit
from skep.cli.console import cell, mark, out, table
from skep.cli.layout import number
from skep.cli.show.membership import reason_lines


def show(found: SpaceAudit) -> None:
    """A line a segment, and below the table each difference with what it comes from."""
    clock = "before its clock runs" if found.clock is None else f"clock {cell(found.clock)}"
    out.print(f"space {found.space}: {found.people:,} people compared, {clock}", style="bold")
    if found.waiting:
        out.print(f"{found.waiting:,} people are left out: some event of theirs is not in the archive yet")
    columns = ("", "segment", number("by the archive"), number("as stored"), number("people who differ"))
    table(columns, [(mark(not one.differ), one.segment, one.archive, one.stored, one.differ) for one in found.segments])
    for one in found.segments:
        _differences(one)
    differ = sum(one.differ for one in found.segments)
    out.print(f"\n{differ:,} differences" if differ else "\nevery membership is what the archive says")


def _differences(one: Audit) -> None:
    for each in one.differences:
        out.print(f"\n{one.segment}: {each.profile} {_sides(each)}")
        out.print(f"  {each.because} → {each.cure}")
        if each.first is not None:
            out.print(f"  the first condition that would have to be otherwise: {each.first}")
        for reason in each.why.of if each.why else ():
            for line in reason_lines(reason, 1):
                out.print(line)
    if one.differ > NAMED:
        out.print(f"\n{one.segment}: … and {one.differ - NAMED:,} more")


def _sides(one: MemberDiffers) -> str:
    said = {"by the archive": one.archive, "as stored": one.stored, "as told": one.told}
    return "is " + ", ".join(f"{'in' if inside else 'not in'} {name}" for name, inside in said.items())
