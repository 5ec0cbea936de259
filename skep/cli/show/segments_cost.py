"""What segments cost, for people."""

from __future__ import annotations

from skep.answers.segments.cost import SegmentCosts
from skep.cli.console import mark, out, table
from skep.cli.layout import figure, number


def show(found: SegmentCosts) -> None:
    """Each segment, then what each owner is charged, then the limits."""
    out.print(f"space {found.space}", style="bold")
    columns = (
        "segment", "tier", "owner", number("features"), number("bytes a profile"), number("shared"), number("members"),
        number("events a second"), number("µs to evaluate"), number("calls a day"),
    )  # fmt: skip
    rows = [
        (one.segment, one.tier, one.owner or "–", one.features, f"{one.state:,.1f}", f"{one.shared:,.1f}", one.members,
         _rate(one.evaluations), f"{one.evaluate_us:,.2f}", one.calls)
        for one in found.segments
    ]  # fmt: skip
    table(columns, rows)
    out.print("\nby owner; what several ask for is shared out", style="bold")
    charged = (
        "owner",
        number("segments"),
        number("features"),
        number("bytes a profile"),
        number("members"),
        number("events a second"),
        number("calls a day"),
    )
    table(
        charged,
        [
            (o.owner or "–", o.segments, f"{o.features:g}", f"{o.state:,.1f}", o.members, _rate(o.evaluations), o.calls)
            for o in found.owners
        ],
    )
    if found.limits:
        out.print("\nbudget", style="bold")
        limits = [
            (mark(not one.over), one.of, one.name, one.measure, "–" if one.used is None else f"{one.used:,.6g}", one.most)
            for one in found.limits
        ]
        table(("", "of", "", "", figure("used"), number("at most")), limits)


def _rate(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
