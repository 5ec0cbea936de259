"""What is wrong with identities, for people."""

from __future__ import annotations

from typing import Any

import msgspec

from skep.answers.identity.doctor import MOST, Diagnosis, Suspect
from skep.answers.identity.evidence import text_of
from skep.cli.console import out, table
from skep.cli.layout import Column, ident, number, prose


def show(told: Diagnosis) -> None:
    """A table for each kind of findings."""
    out.print(f"space {told.space}: {told.profiles:,} profiles", style="bold")
    limits = [(one.limit, one.profile, one.identifiers, one.refused) for one in told.limits]
    _table("limits that were hit", ("limit", ident("profile"), number("identifiers"), number("links refused")), limits)
    columns = (prose("identifier"), number("links accepted"), number("refused"), number("people"))
    _table("hubs", columns, [_row(one) for one in told.hubs])
    _table("suspicious values", (*columns, prose("why")), [(*_row(one), one.why) for one in told.suspicious])
    _table("shared devices", (*columns, number("persons")), [(*_row(one), one.persons) for one in told.shared_devices])
    cost = told.rebuilds
    behind = [(text_of(one.identifier), one.rebuilds, one.identifiers, one.events_read, one.over) for one in cost.behind]
    title = f"identifiers behind {cost.rebuilds:,} rebuilds, which took {cost.seconds:,.1f} s"
    _table(title, (prose("identifier"), number("rebuilds"), number("identifiers"), number("events read"), number("over budget")), behind)
    cures = [(text_of(one.identifier), one.write) for one in cost.behind if one.write is not msgspec.UNSET]
    if cures:
        _table("what would end rebuilds beyond `repair_moments`", (prose("for"), prose("in contracts/identity.yaml")), cures)
    _table(
        "proposals (their effect is an estimate)",
        (prose("for"), prose("in contracts/identity.yaml"), number("links"), number("people")),
        [(one.why, one.write, one.effect.links, one.effect.people) for one in told.proposals],
    )


def _row(one: Suspect) -> tuple[Any, ...]:
    return text_of(one.identifier), one.accepted, one.refused, one.people


def _table(title: str, columns: tuple[str | Column, ...], rows: list[tuple[Any, ...]]) -> None:
    out.print(f"\n{title}: {len(rows):,}", style="bold")
    if rows:
        table(columns, rows[: MOST * 2])
    if len(rows) > MOST * 2:
        out.print(f"… and {len(rows) - MOST * 2:,} more; --json prints all")
