"""The snapshot: one DuckDB file for analysts, built beside the target and put in its place in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from state.archive_files import archive_files, reading
from state.errors import NoSnapshot, StateError
from state.files import abandoned, put, scratch
from state.snapshot.defined import Defined, load_defined
from state.snapshot.events import load_events
from state.snapshot.filling import fill
from state.snapshot.literals import quote
from state.snapshot.own_views import ViewProblem, load_views
from state.snapshot.personal import Hider, Personal
from state.snapshot.rows import Rows
from state.snapshot.schema import TABLES, ddl
from state.snapshot.tables.attributions import ATTRIBUTED, SESSIONS
from state.snapshot.tables.memberships import STAYS
from state.snapshot.tables.spaces import SPACES, SpaceRow

__all__ = ["NoSnapshot", "Personal", "Rows", "SnapshotReport", "publish", "sql"]

ATTEMPTS = 3
"""The archive removes files when a flow opens it; a build that meets this begins again."""

NOTHING_DEFINED = Defined()

Built = tuple[dict[str, int], list[ViewProblem]]
"""Rows by table, and which of the project's own views are missing."""


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """What was published: rows by table, the file's size and how long it took, and which of the project's own views are missing."""

    target: Path
    rows: dict[str, int]
    bytes: int
    seconds: float
    problems: list[ViewProblem]


def publish(
    target: Path,
    *,
    archives: Mapping[str, Path],
    rows: Mapping[str, Rows],
    personal: Mapping[str, Personal] | None,
    defined: Defined = NOTHING_DEFINED,
    storage: str = "v1.2.0",
) -> SnapshotReport:
    """Builds a snapshot of all spaces and replaces ``target`` by it; readers of the old file keep what they have.

    ``archives``: space → folder of its archive; ``rows``: space → its shard's rows; ``personal``: space → what is personal in it, None:
    values in the clear; ``defined``: what the definitions say of it; ``storage``: the oldest DuckDB that is to open it, or ``latest``.
    """
    begun = time.monotonic()
    if "?" in str(target):
        raise StateError(f"snapshot: expected a path without `?`, which DuckDB cannot write, found {target}; set `data:` to another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in abandoned(target, "building"):
        _remove(left)
    building = scratch(target, "building")
    try:
        build = partial(_build, archives=archives, rows=rows, personal=personal, defined=defined, storage=storage)
        counts, problems = _build_again(building, build)
        put(building, target)
    finally:
        _remove(building)
    return SnapshotReport(target, counts, target.stat().st_size, time.monotonic() - begun, problems)


def rehearse(defined: Defined, *, clear: bool) -> list[ViewProblem]:
    """Which of the own views a snapshot would miss, asked of one that has every table, view and column, and no rows."""
    with duckdb.connect() as con:
        for statement in ddl():
            con.execute(statement)
        load_defined(con, defined, clear=clear)
        return load_views(con, defined.views)


def sql(target: Path, query: str, parameters: Mapping[str, Any] | None = None) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns and the rows of a query (with ``$name`` parameters) on the published snapshot, which is only read."""
    _must_exist(target)
    with duckdb.connect(str(target), read_only=True) as con:
        result = con.execute(query, dict(parameters) if parameters else None)
        return [column[0] for column in result.description or ()], result.fetchall()


def open_snapshot(target: Path) -> duckdb.DuckDBPyConnection:
    """A connection of its own on the snapshot as it is now, which it can only read.

    The file is attached: a process that opens one path twice gets the database that it has open, however new the file is.
    """
    _must_exist(target)
    con = duckdb.connect()
    con.execute(f"ATTACH {quote(str(target))} AS skep (READ_ONLY)")
    con.execute("USE skep")
    return con


def _must_exist(target: Path) -> None:
    if not target.exists():
        raise NoSnapshot.at(target)


def _build_again(building: Path, build: Callable[[Path], Built]) -> Built:
    for attempt in range(1, ATTEMPTS + 1):
        _remove(building)
        try:
            return build(building)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            if attempt == ATTEMPTS:
                raise StateError(
                    f"snapshot: the shard or the archive cannot be read, or {building.parent} not written; the last snapshot stays: {error}"
                ) from error
    raise AssertionError


def _build(
    building: Path,
    *,
    archives: Mapping[str, Path],
    rows: Mapping[str, Rows],
    personal: Mapping[str, Personal] | None,
    defined: Defined,
    storage: str,
) -> Built:
    with duckdb.connect(str(building), config={"storage_compatibility_version": storage}) as con:
        con.execute("ATTACH ':memory:' AS work")
        con.execute("SET preserve_insertion_order = true")
        for statement in ddl():
            con.execute(statement)
        con.execute(ATTRIBUTED)
        for space, found in rows.items():
            hider = Hider(personal[space], space) if personal is not None else None
            _load_space(con, space, found, archives.get(space), hider)
        con.execute(STAYS)
        con.execute(SESSIONS, {"gap_us": defined.session_gap_us})
        load_defined(con, defined, clear=personal is None)
        counts = {table.name: _count(con, table.name) for table in TABLES}
        con.execute("DETACH work")
        problems = load_views(con, defined.views)
        con.execute("CHECKPOINT")
    return counts, problems


def _load_space(con: duckdb.DuckDBPyConnection, space: str, rows: Rows, archive: Path | None, hider: Hider | None) -> None:
    applied, found = rows.applied(), rows.tables()
    fill(con, SPACES, [SpaceRow(space, rows.clock_us, applied)])
    for table in TABLES:
        fill(con, table, found.get(table.name, ()), hider)
    if archive is not None:
        with reading(archive):
            load_events(con, space, archive_files(archive), applied, hider, settled=rows.settled(), readings=rows.readings())


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


def _remove(building: Path) -> None:
    for path in (building, building.with_name(building.name + ".wal")):
        path.unlink(missing_ok=True)
    with suppress(OSError):
        building.with_name(building.name + ".tmp").rmdir()
