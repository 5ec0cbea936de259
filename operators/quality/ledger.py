"""The rows of `Scores` of one space over its shard, and the event names that its sources have used."""

from __future__ import annotations

from operators.quality.scorer import BatchQuality
from operators.quality.scores import (
    HOUR_US,
    NAMES_FROM,
    NAMES_TO,
    OTHER,
    UNNAMED,
    Name,
    Scores,
    decode_name,
    decode_scores,
    encode,
    hour_key,
    name_key,
    name_of,
    scores_key,
    scores_of,
)
from state.family import Family

HOURS_KEPT = 35 * 24
"""Older rows are dropped: four weeks to compare with, and the longest window."""
NAMES_MAX = 1_000
"""Event names that a space remembers; what comes under more is counted as `OTHER`."""
ROWS_CACHED = 10_000
"""Rows held decoded, about 2 kB each; those of the hours that were asked for longest ago go."""

Rows = dict[tuple[str, str], Scores]
"""``(source, event)`` → the row of one hour."""


class Ledger:
    """Adds to rows in memory; `flush` encodes those that changed into the pending commit."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self.names: dict[tuple[str, str], Name] = {name_of(key): decode_name(row) for key, row in family.committed(NAMES_FROM, NAMES_TO)}
        self._events = {event for _, event in self.names}
        self._hours: dict[int, Rows] = {}
        """The hour asked for last comes last."""
        self._cached = 0
        self._changed: dict[int, set[tuple[str, str]]] = {}
        self._named: set[tuple[str, str]] = set()
        self._oldest: int | None = None
        self._scored: dict[tuple[str, str], tuple[int, int]] = {}

    def hour(self, hour: int) -> Rows:
        """The rows of an hour, this commit's counts included."""
        rows = self._hours.pop(hour, None)
        if rows is None:
            stored = self._family.committed(hour_key(hour), hour_key(hour + 1))
            rows = {scores_of(key)[1:]: decode_scores(row) for key, row in stored}
            self._cached += len(rows)
        self._hours[hour] = rows
        return rows

    def counted(self, source: str, hour: int, event: str) -> int:
        """How many accepted events a row counts."""
        scores = self.hour(hour).get((source, event))
        return scores.events if scores is not None else 0

    def add(self, source: str, found: BatchQuality) -> None:
        """Add what a batch of a source says; hours that were dropped stay so."""
        for (hour, name), scores in found.items():
            event = self._known(name)
            self._name(source, event, hour, scores)
            counted = self._scored.get((source, event), (0, 0))
            self._scored[source, event] = counted[0] + scores.events, counted[1] + scores.records - scores.events
            if self._oldest is not None and hour < self._oldest:
                continue
            rows = self.hour(hour)
            row = rows.get((source, event))
            if row is None:
                row = rows[source, event] = Scores()
                self._cached += 1
            row.add(scores)
            self._changed.setdefault(hour, set()).add((source, event))

    def newly_scored(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Accepted events and refused records by source and event, counted since this was asked last."""
        scored, self._scored = self._scored, {}
        return scored

    def drop(self, oldest: int) -> None:
        """Forget the hours before this one."""
        if self._oldest is not None and oldest <= self._oldest:
            return
        start = hour_key(self._oldest) if self._oldest is not None else b"h"
        for key, _ in self._family.committed(start, hour_key(oldest)):
            self._family.delete(key)
        for hour in [hour for hour in self._hours if hour < oldest]:
            self._cached -= len(self._hours.pop(hour))
            self._changed.pop(hour, None)
        self._oldest = oldest

    def flush(self) -> None:
        """Put what changed into the pending commit."""
        for hour, changed in self._changed.items():
            rows = self._hours[hour]
            for source, event in changed:
                self._family.put(scores_key(hour, source, event), encode(rows[source, event]))
        for source, event in self._named:
            self._family.put(name_key(source, event), encode(self.names[source, event]))
        self._changed, self._named = {}, set()

    def trim(self) -> None:
        """Between commits: let go of decoded rows when there are too many."""
        while self._cached > ROWS_CACHED and len(self._hours) > 1:
            oldest = next(iter(self._hours))
            self._cached -= len(self._hours.pop(oldest))

    def _known(self, event: str) -> str:
        if event in self._events or event == UNNAMED:
            return event
        if len(self._events) >= NAMES_MAX:
            return OTHER
        self._events.add(event)
        return event

    def _name(self, source: str, event: str, hour: int, scores: Scores) -> None:
        first_us, last_us = hour * HOUR_US, (hour + 1) * HOUR_US - 1
        name = self.names.get((source, event))
        if name is None:
            name = self.names[source, event] = Name(first_us, last_us, None)
            self._named.add((source, event))
        if first_us < name.first_us or last_us > name.last_us:
            name.first_us, name.last_us = min(first_us, name.first_us), max(last_us, name.last_us)
            self._named.add((source, event))
        if scores.newest_us is not None and (name.newest_us is None or scores.newest_us > name.newest_us):
            name.newest_us = scores.newest_us
            self._named.add((source, event))
