"""`skep state verify`: what was looked at, and what differs."""

from __future__ import annotations

from skep.answers.state_verify import Verified
from skep.cli.console import mark, out, styled, table
from skep.cli.layout import number, prose


def show(found: Verified) -> None:
    """The checks, then every difference."""
    rows = [(mark(not one.differences), one.space, one.check, one.looked, one.what, one.differences) for one in found.checks]
    table(("", "space", "check", number("looked at"), prose("what"), number("differences")), rows)
    for each in found.differences:
        out.print(styled(f"\n{each.space}, {each.check}: {each.about}", "bold"))
        out.print(f"  expected {each.expected}\n  found    {each.found}")
    for space in found.changing:
        out.print(f"\n{space}: other definitions are on their way to people, who are held against nothing yet → once more, later")
    out.print("\nWhat is stored is sound" if found.sound else "\nNot sound: `skep state restore` puts a checkpoint back")
