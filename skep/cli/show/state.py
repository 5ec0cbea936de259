"""`skep state info`: how each space is stored, and what it needs."""

from __future__ import annotations

from operators.people.meaning import MEANING
from skep.cli.console import out, table
from skep.cli.layout import number, prose
from skep.tools.migration import OURS, Standing, needed, needs


def show(found: list[Standing]) -> None:
    """The standing of each space for people."""
    rows = [(one.space, one.format, one.meaning if one.format == OURS else None, one.events, needs(one)) for one in found]
    table(("space", number("format"), number("meaning"), number("events"), prose("needs")), rows)
    out.print(f"\nThis version of Skep writes format {OURS}, meaning {MEANING}.")
    if any(needed(one) for one in found):
        out.print("Next: stop the flow, `skep state migrate`; a flow that starts does the same first")
