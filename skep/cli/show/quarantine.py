"""The quarantine for people: its causes, its records, and what a replay or a patch would make of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from skep.answers.quarantine.causes import Cause
from skep.answers.quarantine.records import QuarantinedRecord
from skep.cli.console import out, table
from skep.cli.layout import Column, moment, number, prose

if TYPE_CHECKING:
    # Whoever only looks at what was refused waits for no library of those who try something.
    from skep.answers.quarantine.repairs import Patched, Sample
    from skep.answers.quarantine.trial import Tried

CAUSES_MAX = 50
"""Causes that are shown of what would be refused again."""


def show_causes(causes: list[Cause], limit: int, spaces: Sequence[str], *, tried: bool = False) -> None:
    """A line for each cause, at most ``limit``, and what to do about the first; ``tried``: a replay would not mend it."""
    columns = (
        "space", number("records"), "reason", "event", "version", prose("detail"), moment("first"), moment("last"), "sample", "cause",
    )  # fmt: skip
    rows = [
        (
            one.space, one.records, one.reason, one.event, one.contract.partition("/")[2], one.detail, one.first, one.last,
            one.sample, one.id,
        )
        for one in causes
    ]  # fmt: skip
    _table(columns, rows, limit, spaces)
    if causes:
        repair = f"edit --cause {causes[0].id} --patch FILE --dry-run" if tried else f"replay --cause {causes[0].id} --dry-run"
        out.print(f"\nNext: skep quarantine show {causes[0].sample}   ·   skep quarantine {repair}")


def show_each(records: Iterable[QuarantinedRecord], limit: int, spaces: Sequence[str]) -> None:
    """A line for each record, at most ``limit``."""
    columns = ("space", "id", "reason", "event", prose("partition"), number("position"), prose("detail"))
    rows = [(one.space, one.id, one.reason, one.event, one.partition, one.position, one.detail) for one in records]
    _table(columns, rows, limit, spaces)


def show_tried(tried: Tried | Patched, spaces: Sequence[str]) -> None:
    """What a replay would do."""
    known = f" ({tried.duplicate:,} of them as duplicates)" if tried.duplicate else ""
    out.print(f"{tried.records:,} records: {tried.passing:,} would now pass{known}, {tried.failing:,} would be refused again")
    if tried.failing:
        out.print()
        show_causes(tried.causes, CAUSES_MAX, spaces, tried=True)


def show_patched(done: Patched, sample: Sample | None, spaces: Sequence[str], *, dry_run: bool) -> None:
    """What a patch does, with the differences in one record."""
    for one in done.left:
        out.print(f"{one.records:,} left as they are, {one.sample} for one: {one.because}")
    out.print(f"{done.edited:,} records {'would be edited' if dry_run else 'to edit'}")
    if sample is not None:
        from skep.cli.show.record import differences  # noqa: PLC0415 - see above

        out.print(f"\n{sample.id}:")
        for line in differences(sample.before, sample.after):
            out.print(line)
        out.print()
    if done.edited:
        show_tried(done, spaces)


def _table(columns: tuple[str | Column, ...], rows: list[tuple[Any, ...]], limit: int, spaces: Sequence[str]) -> None:
    """A table of at most ``limit`` rows; the first column, the space, only where there are several."""
    first = 0 if len(spaces) > 1 else 1
    table(columns[first:], [row[first:] for row in rows[:limit]])
    if len(rows) > limit:
        out.print(f"… and {len(rows) - limit:,} more: --limit {len(rows)}")
