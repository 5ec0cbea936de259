"""A snapshot that is asked about segments: a connection, whom a query finds, and which conditions a hash stands in the way of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from contracts.model.definitions import MEMBERSHIPS, Definitions, Segment
from contracts.model.destinations import Destination
from contracts.model.event_patterns import matches
from contracts.model.uses import Use
from contracts.reading.lineage import touches
from schemalogic.paths import Step, parse_path
from skep.project.errors import CommandError
from skep.project.personal import hidden
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from state.snapshot.literals import quote
from state.snapshot.publish import open_snapshot

SNAPSHOT = "skep.main"
"""The tables of the snapshot in a connection of `snapshot`, whatever relations of a query bear their names."""


@contextmanager
def snapshot(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the published snapshot and can make tables of its own. Raises `NoSnapshot` before the first."""
    con = open_snapshot(snapshot_path(settings))
    try:
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        yield con
    finally:
        con.close()


def clock_of(con: duckdb.DuckDBPyConnection, space: str) -> int:
    """The clock of a space in the snapshot (µs). Raises CommandError where it has none yet."""
    found = con.execute(f"SELECT epoch_us(clock) FROM {SNAPSHOT}.spaces WHERE space = {quote(space)}").fetchone()
    if found is None or found[0] is None:
        raise CommandError(
            f"space {space}: expected a snapshot behind its first events, found none → `skep run --once`, then `skep snapshot`"
        )
    return int(found[0])


def rows(con: duckdb.DuckDBPyConnection, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """All rows of a query with `?` for values."""
    return con.execute(query, list(values)).fetchall()


def hashed_reads(settings: Settings, definitions: Definitions) -> Callable[[str], list[str]]:
    """By the name of a segment the paths that its conditions, and those of segments that it names, read and of which the snapshot has only
    hashes."""
    if settings.snapshot_personal == "clear":
        return lambda _name: []
    personal = hidden(settings, definitions)
    ways = [path for paths in personal.paths.values() for path in paths]
    tagged = {event: [path for _, path in paths] for event, paths in personal.tagged.items()}
    uses: dict[tuple[str, str], list[Use]] = {}
    for use in definitions.uses:
        uses.setdefault((use.kind, use.name), []).append(use)
    computed = {trait.name for trait in definitions.traits if trait.kind != "plain"}

    def of(name: str) -> list[str]:
        found: dict[str, None] = {}
        seen = {("segment", name)}
        waiting = [("segment", name)]
        while waiting:
            for use in uses.get(waiting.pop(), ()):
                if not use.path:
                    continue
                if use.of == "property" or (use.of == "trait" and str(parse_path(use.path)[0]) not in computed):
                    if any(touches(_place(use), path) for path in _near(use.event or "identify", ways, tagged)):
                        found[use.path] = None
                elif use.of == "trait" and use.path in personal.traits:
                    found[use.path] = None
                elif (use.of, use.path) not in seen:
                    seen.add((use.of, use.path))
                    waiting.append((use.of, use.path))
        return list(found)

    return of


def _place(use: Use) -> tuple[Step, ...]:
    """Where in a record it stands what is used."""
    path = parse_path(use.path)
    if path[:1] == ("context",):
        return path
    return ("traits" if use.event in {"", "identify", "group"} else "properties", *path)


def _near(event: str, ways: list[tuple[Step, ...]], tagged: dict[str, list[tuple[Step, ...]]]) -> Iterator[tuple[Step, ...]]:
    """The personal paths of an event, or of all that a prefix means."""
    yield from ways
    for name, paths in tagged.items():
        if name == event or (event and matches(event, name)):
            yield from paths


def hears(destination: Destination, segments: Iterable[Segment]) -> Callable[[Segment], bool]:
    """Whether a destination is told who enters and leaves a segment: one that some segment names, of those that name it; a feed, of all.

    One that is sent requests has no types of changes: it is told of what names it.
    """
    named = {one.name for one in segments if destination.name in one.activate}
    if destination.changes and not MEMBERSHIPS & {*destination.changes}:
        return lambda _segment: False
    feed = bool(destination.changes) and not named
    return lambda segment: feed or segment.name in named
