"""`skep quality`: the scores of each source's events."""

from __future__ import annotations

from contracts.text.durations import rough_text
from skep.answers.quality import Quality, Row
from skep.cli.console import out, table
from skep.cli.layout import figure, moment, number, prose
from skep.cli.show.status import tell_stopped

SHOWN_MAX = 3
"""Names of properties that one cell shows."""
COLUMNS = (
    "source", "event", number("events"), figure("quarantined"), figure("complete"), prose("unknown"), prose("out of range"),
    number("newest"), number("volume"), prose("broken"),
)  # fmt: skip


def show(found: Quality) -> None:
    """The report for people."""
    several = len({row.space for row in found.rows}) > 1
    table(COLUMNS, [(f"{row.space}/{row.source}" if several else row.source, *_cells(row)) for row in found.rows])
    if found.new:
        out.print("\nevent names used for the first time:")
        shown = [(one.event, one.source, one.first, "" if one.contract else "no contract") for one in found.new]
        table((prose("event"), "source", moment("since"), ""), shown)
    tell_stopped(found.broken)


def _cells(row: Row) -> tuple[object, ...]:
    return (
        row.event,
        row.events,
        _share(row.quarantined, next(iter(row.reasons), "")),
        _share(row.completeness, _least(row.properties)),
        _names(row.unknown_properties, row.unknown_more),
        ", ".join(f"{path} {_percent(share)}" for path, share in row.out_of_range.items() if share) or None,
        None if row.freshness_s is None else f"{rough_text(row.freshness_s)} ago",
        None if row.volume is None else f"{row.volume:.2f} ×",
        ", ".join([*row.broken, *(f"sla.{one}" for one in row.missed)]) or None,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _share(share: float | None, word: str) -> str | None:
    if share is None:
        return None
    return _percent(share) + (f" {word}" if word and share > 0 else "")


def _least(properties: dict[str, float | None]) -> str:
    """The property that is carried least, if one is missing at all."""
    known = {path: share for path, share in properties.items() if share is not None and share < 1}
    return min(known, key=lambda path: (known[path], path)) if known else ""


def _names(counts: dict[str, int], more: int) -> str | None:
    shown = [f"{name} {count:,}" for name, count in list(counts.items())[:SHOWN_MAX]]
    rest = len(counts) - len(shown)
    if rest or more:
        shown.append("…")
    return ", ".join(shown) or None
