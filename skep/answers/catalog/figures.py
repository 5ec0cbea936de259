"""Numbers and times of the catalog: from the published snapshot, and from the definitions that have been in force."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb
import orjson

from contracts.reading import traits
from contracts.text.yaml_tree import Reader
from skep.project.definitions import declared
from skep.project.settings import Settings
from skep.project.spaces import control_path, definitions_path, snapshot_path
from state.snapshot.publish import NoSnapshot, sql

_EVENTS = """
SELECT coalesce(event, type) AS name, contract, count(*), min(event_time), max(event_time) FROM events GROUP BY ALL ORDER BY ALL
"""
_REFUSED = "SELECT event, count(*) FROM quarantine WHERE event IS NOT NULL GROUP BY 1"
_QUALITY = """
SELECT event, sum(events), sum(refused), sum(unknown_events),
  sum(completeness * events) FILTER (completeness IS NOT NULL) / nullif(sum(events) FILTER (completeness IS NOT NULL), 0)
FROM quality GROUP BY 1
"""
_PRESENT = """
SELECT event, one.key, sum(CAST(one.value ->> 0 AS BIGINT)) / nullif(sum(CAST(one.value ->> 1 AS BIGINT)), 0)
FROM quality, json_each(properties) one WHERE properties IS NOT NULL GROUP BY 1, 2
"""
_TRAITS = "SELECT name, count(*) FROM (SELECT unnest(json_keys(traits)) AS name FROM profiles) GROUP BY 1"
_SEGMENTS = "SELECT segment, count(*) FILTER (exited_at IS NULL), min(entered_at) FROM memberships GROUP BY 1"
_CLOCK = "SELECT max(clock) FROM spaces"


@dataclass(slots=True)
class Counted:
    """How many, and the first and the last of them (ISO texts)."""

    count: int = 0
    first: str | None = None
    last: str | None = None

    def add(self, count: int, first: Any, last: Any) -> None:
        self.count += count
        self.first = min(filter(None, (self.first, _iso(first))), default=None)
        self.last = max(filter(None, (self.last, _iso(last))), default=None)


@dataclass(frozen=True, slots=True)
class Scored:
    """What the quality of an event was over the last 35 days: records, and the completeness of its optional properties (0 to 1)."""

    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    completeness: float | None = None


@dataclass(slots=True)
class Figures:
    """Figures by name; ``has_snapshot`` tells a zero from what is not known."""

    has_snapshot: bool = False
    clock: str | None = None
    events: dict[str, Counted] = field(default_factory=dict)
    contracts: dict[str, Counted] = field(default_factory=dict)
    """By version, as ``order_completed/1-0-0``."""
    refused: dict[str, int] = field(default_factory=dict)
    """Records in quarantine by the event that they say they are."""
    scored: dict[str, Scored] = field(default_factory=dict)
    present: dict[tuple[str, str], float] = field(default_factory=dict)
    """The share of the objects that carry an optional property, by event and path."""
    traits: dict[str, int] = field(default_factory=dict)
    segments: dict[str, Counted] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    """By file below ``contracts/``, and by ``traits.yaml:<name>``: when definitions that have it were first put in force."""

    def quality(self, event: str) -> float | None:
        """The share of an event's records that was accepted; None if there were none. Older snapshots give that of all time."""
        scored = self.scored.get(event) or Scored(self.events.get(event, Counted()).count, self.refused.get(event, 0))
        total = scored.accepted + scored.refused
        return scored.accepted / total if total else None


def figures(settings: Settings) -> Figures:
    """What the snapshot and the definitions in force say; empty where there is none."""
    found = Figures(declared=_declared(settings))
    with suppress(NoSnapshot):
        _from_snapshot(found, settings)
    return found


def _from_snapshot(found: Figures, settings: Settings) -> None:
    def rows(query: str) -> list[tuple[Any, ...]]:
        return sql(snapshot_path(settings), query)[1]

    found.clock = _iso(rows(_CLOCK)[0][0])
    for name, contract, count, first, last in rows(_EVENTS):
        found.events.setdefault(name, Counted()).add(count, first, last)
        if contract:
            found.contracts.setdefault(contract, Counted()).add(count, first, last)
    with suppress(duckdb.BinderException, duckdb.CatalogException):
        # A snapshot of an older Skep does not say which event a refused record was, and has no scores.
        found.refused = dict(rows(_REFUSED))
        for event, accepted, refused, unknown, completeness in rows(_QUALITY):
            found.scored[event] = Scored(int(accepted), int(refused), int(unknown), completeness)
        found.present = {(event, path): share for event, path, share in rows(_PRESENT) if share is not None}
    found.traits = dict(rows(_TRAITS))
    for name, members, first in rows(_SEGMENTS):
        found.segments[name] = Counted(members, _iso(first))
    found.has_snapshot = True


def _declared(settings: Settings) -> dict[str, str]:
    first: dict[str, str] = {}
    for space in settings.spaces:
        for entry in declared(control_path(settings, space)):
            digest, moment = str(entry.get("digest")), entry.get("timestamp")
            if isinstance(moment, str) and moment < first.get(digest, "9"):
                first[digest] = moment
    found: dict[str, str] = {}
    for digest, moment in sorted(first.items(), key=lambda one: one[1]):
        for name in _named(settings, digest):
            found.setdefault(name, moment)
    return found


def _named(settings: Settings, digest: str) -> Iterable[str]:
    """The files of a bundle, and its traits."""
    try:
        files = orjson.loads(definitions_path(settings, digest).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return []
    tree = Reader([]).parse(traits.FILE, files.get(traits.FILE, ""))
    listed = tree.plain().get("traits") if tree is not None else None
    names = [one["name"] for one in listed or () if isinstance(one, dict) and isinstance(one.get("name"), str)]
    return [*files, *(f"{traits.FILE}:{name}" for name in names)]


def _iso(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value.isoformat(timespec="seconds")) + "Z"
