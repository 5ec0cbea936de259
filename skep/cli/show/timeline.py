"""A timeline for people: a line for each thing."""

from __future__ import annotations

from typing import Any

from skep.answers.timeline import ProfileTimeline, TimelineEntry
from skep.cli.console import headline, json_bytes, out, table
from skep.cli.layout import ident, moment, prose
from skep.cli.show.profile import trait_text

SAID_MAX = 120
"""Characters of what an event says that are shown; ``--json`` has all of it."""


def show(told: ProfileTimeline) -> None:
    """The newest entries, oldest first, and how many are left out."""
    headline(told.profile, f"  space {told.space}\n")
    if told.earlier:
        out.print(f"{told.earlier:,} earlier ones are left out: --limit {told.earlier + len(told.entries)}\n")
    if not told.entries:
        out.print("nothing in that time")
        return
    table((moment("time"), "what", prose("about"), prose("value"), ident("by")), [_row(one) for one in told.entries])


def _row(one: TimelineEntry) -> tuple[Any, ...]:
    if one.kind == "event":
        return one.time, one.what, one.about, _short(one.value), _by(one)
    return one.time, one.what, one.about, "" if one.value is None else trait_text(one.value), _by(one)


def _by(one: TimelineEntry) -> str:
    """What made a change, in a word and an id; of an event its own message id."""
    cause = one.cause
    if cause is None:
        return one.id
    return str(cause.get("id") or cause.get("due") or cause["type"])


def _short(value: Any) -> str:
    if value is None:
        return ""
    text = json_bytes(value).decode()
    return text if len(text) <= SAID_MAX else f"{text[: SAID_MAX - 1]}…"
