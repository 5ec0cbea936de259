"""`skep identity simulate`: a simulation as tables for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from skep.answers.simulation.lines import Unread
from skep.answers.simulation.told import Happened, Told
from skep.cli.console import err, out, table
from skep.cli.layout import Column, ident, moment, number, prose

MOST = 50
"""Rows of one table."""


def show(told: Told) -> None:
    """Profiles with how many events each has, whose the events are if they are few, links that do not stand, merges and splits."""
    answer = told.answer
    owned = Counter(event.profile for event in answer.events)
    _table(
        "profiles",
        (ident("profile"), prose("identifiers"), number("confidence"), number("events")),
        [(one.profile, _pairs(one.identifiers), one.confidence, owned[one.profile]) for one in answer.profiles],
    )
    _table("events", (ident("message"), ident("profile")), [(event.message_id, event.profile) for event in answer.events])
    _table(
        "links",
        (prose("a"), prose("b"), "kind", "state", prose("reason")),
        [(_pair(one.a), _pair(one.b), one.kind, one.state, one.reason) for one in answer.links],
    )
    _table(
        "history",
        (moment("time"), "what", ident("profile"), ident("other"), "by", ident("cause"), prose("evidence")),
        [_happened(one) for one in answer.history],
    )


def warn(unread: Sequence[Unread]) -> None:
    """The lines that were not taken in, on stderr."""
    for one in unread[:MOST]:
        err.print(f"line {one.line}: {'not applied' if one.ruling else 'quarantined'}: {one.reason}: {one.detail}")
    if len(unread) > MOST:
        err.print(f"… and {len(unread) - MOST:,} more lines like these")


def _table(title: str, columns: Sequence[str | Column], rows: Sequence[Sequence[Any]]) -> None:
    out.print(f"{title}: {len(rows):,}", style="bold")
    if rows:
        table(columns, rows[:MOST])
    if len(rows) > MOST:
        out.print(f"… and {len(rows) - MOST:,} more; --json prints all")
    out.print()


def _happened(one: Happened) -> tuple[Any, ...]:
    evidence = one.evidence
    said = _pairs(evidence["identifiers"]) if "identifiers" in evidence else _manual(evidence)
    return one.time, one.type, one.profile, one.other, one.cause["type"], one.cause["id"], said


def _manual(evidence: dict[str, Any]) -> str:
    ends = " and ".join(f"{evidence[end]['namespace']}:{evidence[end]['value']}" for end in ("a", "b"))
    return f"{ends}: {evidence['why']}" if evidence["why"] else ends


def _pair(pair: Sequence[str]) -> str:
    return ":".join(pair)


def _pairs(pairs: Iterable[Sequence[str]]) -> str:
    return ", ".join(map(_pair, pairs))
