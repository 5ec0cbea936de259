"""Which records of the quarantine a command is about; the same words for list, replay, edit and drop."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contracts.model.event_patterns import event_pattern, matches
from contracts.text.durations import EXPECTED, duration_us
from contracts.text.times import parse_time
from operators.view.quarantine import Quarantined
from operators.view.space import View
from skep.answers.quarantine.causes import cause_id, moment_us
from skep.answers.quarantine.where import Test, read_where
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import open_views


@dataclass(frozen=True, slots=True)
class Selection:
    """What a record must be; an empty one is of every record. ``since_us`` is a time, ``event`` a normalised name or prefix."""

    ids: tuple[str, ...] = ()
    reason: str | None = None
    event: str | None = None
    since_us: int | None = None
    source: str | None = None
    cause: str | None = None
    where: Test | None = None

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for, so that every record is meant."""
        return self == Selection()

    def has(self, row: Quarantined) -> bool:
        """Whether a record is meant; its id is not looked at."""
        at = moment_us(row)
        return (
            (self.reason is None or row.reason == self.reason)
            and (self.event is None or matches(self.event, row.event))
            and (self.since_us is None or (at is not None and at >= self.since_us))
            and (self.source is None or row.partition == self.source or row.partition.startswith(self.source + "/"))
            and (self.cause is None or cause_id(row) == self.cause)
            and (self.where is None or self.where(row.raw))
        )


def selection(
    *,
    ids: Iterable[str] | None = None,
    reason: str | None = None,
    event: str | None = None,
    since: str | None = None,
    source: str | None = None,
    cause: str | None = None,
    where: Iterable[str] | None = None,
) -> Selection:
    """The selection of a command's options; CommandError says what is wrong with one."""
    pattern = None if event is None else event_pattern(event)
    if pattern == "":
        raise CommandError(f"--event: expected the name of an event or a prefix such as order_*, found {event!r}")
    since_us = None if since is None else _since(since, time.time_ns() // 1000)
    return Selection(tuple(dict.fromkeys(ids or ())), reason, pattern, since_us, source, cause, read_where(where) if where else None)


def _since(text: str, now_us: int) -> int:
    try:
        return now_us - duration_us(text)
    except ValueError:
        at_us = parse_time(text)
    if at_us is None:
        raise CommandError(f"--since: expected {EXPECTED}, or a time such as 2026-01-31T10:00:00Z, found {text}")
    return at_us


def found(views: dict[str, View], chosen: Selection) -> Iterator[tuple[str, Quarantined]]:
    """The records that are meant, each with its space, oldest first. CommandError for an id that no space has."""
    if not chosen.ids:
        for name, view in views.items():
            for row in view.quarantine.entries():
                if chosen.has(row):
                    yield name, row
        return
    missing = []
    for wanted in chosen.ids:
        known = [(name, one) for name, view in views.items() if (one := view.quarantine.entry(wanted)) is not None]
        if not known:
            missing.append(wanted)
        yield from ((name, one) for name, one in known if chosen.has(one))
    if missing:
        raise CommandError(f"expected ids of quarantined records, found {', '.join(missing)} → `skep quarantine list --each` shows them")


def records(settings: Settings, space: str | None, chosen: Selection) -> Iterator[tuple[str, Quarantined]]:
    """The same, of a project's spaces or of the one named."""
    with open_views(settings, space) as views:
        yield from found(views, chosen)
