"""The history of a profile, and who it was at a time, for people."""

from __future__ import annotations

from typing import Any

from skep.answers.identity.history import Happening, Pair, ProfileHistory, Who
from skep.cli.console import headline, table
from skep.cli.layout import ident, moment, number, prose

SHOWN = 4
"""Identifiers in one line of the table."""


def show_history(told: ProfileHistory) -> None:
    """A line for each thing that happened."""
    headline(told.profile, f"  space {told.space}\n")
    columns = (
        moment("clock"), "what", prose("identifiers"), ident("other profile"), "by", ident("cause"), moment("at"), prose("why"),
        number("rules"),
    )  # fmt: skip
    table(columns, [_row(one) for one in told.history])


def _row(one: Happening) -> tuple[Any, ...]:
    cause = one.cause
    what = one.type.replace("_", " ")
    return one.clock, what, _few(one.identifiers), one.other, cause.type, cause.id, one.time, cause.why, one.rules


def show_who(told: Who) -> None:
    """A profile and its identifiers."""
    then = f"  as believed at {told.at}" if told.at else ""
    headline(told.profile, f"  space {told.space}{then}\n")
    table(("identifier", prose("value")), told.identifiers)


def _few(identifiers: list[Pair]) -> str:
    shown = ", ".join(":".join(filter(None, pair)) for pair in identifiers[:SHOWN])
    return f"{shown} and {len(identifiers) - SHOWN:,} more" if len(identifiers) > SHOWN else shown
