"""What the definitions say of what the snapshot holds: fields, segments, purposes, sessions, and the project's own views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import duckdb

from state.snapshot.decimals import DECIMAL, settle
from state.snapshot.fields import Field
from state.snapshot.filling import fill
from state.snapshot.literals import quote
from state.snapshot.own_views import OwnView
from state.snapshot.tables.fields import FIELDS, FieldRow
from state.snapshot.tables.segments import SEGMENTS, SegmentRow
from state.snapshot.typed import SCHEMA, TypedView, json_column

SESSION_GAP_US = 30 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Defined:
    """What a project's definitions and its own views give to a snapshot.

    ``purposes``: the default of each; ``session_gap_us``: the silence
    after which a person's next event begins a session.
    """

    fields: Sequence[Field] = ()
    segments: Sequence[SegmentRow] = ()
    purposes: Mapping[str, bool] = field(default_factory=dict)
    session_gap_us: int = SESSION_GAP_US
    views: Sequence[OwnView] = ()


def load_defined(con: duckdb.DuckDBPyConnection, defined: Defined, *, clear: bool) -> None:
    """Fills the tables that tell of definitions and makes the typed views; all other tables must be filled before.

    ``clear``: personal values stand there themselves, and have their own type.
    """
    fill(con, SEGMENTS, defined.segments)
    con.execute(
        "INSERT INTO purposes SELECT s.space, unnest($names::VARCHAR[]), unnest($defaults::BOOLEAN[]) FROM spaces s",
        {"names": list(defined.purposes), "defaults": list(defined.purposes.values())},
    )
    views = list(settle(con, defined.fields))
    fill(con, FIELDS, map(_row, _settled(defined.fields, views)))
    con.execute(f"CREATE SCHEMA {SCHEMA}")
    for view in views:
        for statement in view.statements(clear=clear):
            con.execute(statement)
    for statement in _comments(con, defined.fields):
        con.execute(statement)


def _settled(fields: Sequence[Field], views: Sequence[TypedView]) -> Iterator[Field]:
    """The fields in their order, each with the type of its column; amounts that have none, as items of a plain list, are doubles."""
    types = {(one.kind, one.name, one.path): one.type for view in views for one in view.fields}
    for one in fields:
        yield replace(one, type=types.get((one.kind, one.name, one.path), "DOUBLE" if one.type == DECIMAL else one.type))


def _row(one: Field) -> FieldRow:
    return FieldRow(
        one.kind, one.name, one.path, one.type, one.description or None, one.unit or None, one.personal,
        None if one.purposes is None else list(one.purposes), one.retention or None, one.identifier or None,
        list(one.examples) or None, one.contract or None, list(one.used_by),
    )  # fmt: skip


def _comments(con: duckdb.DuckDBPyConnection, fields: Iterable[Field]) -> Iterator[str]:
    """The comments of the JSON columns, with the tagged values that they hold."""
    tagged: dict[tuple[str, str], list[str]] = {}
    for one in fields:
        words = [one.personal if one.personal != "none" else "", one.unit, one.retention, *(one.purposes or ())]
        if any(words):
            table, shown = ("profiles", one.path) if one.kind == "trait" else ("events", f"{one.name}.{one.path}")
            of = (table, json_column(one.kind, one.name))
            tagged.setdefault(of, []).append(f"{shown} ({', '.join(word for word in words if word)})")
    for (table, column), found in tagged.items():
        comment = f"{_comment(con, table, column)}. Tagged: {'; '.join(found)}"
        yield f"COMMENT ON COLUMN {table}.{column} IS {quote(comment)}"


def _comment(con: duckdb.DuckDBPyConnection, table: str, column: str) -> Any:
    known = con.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = $table AND column_name = $column AND schema_name = 'main'",
        {"table": table, "column": column},
    ).fetchone()
    return known[0] if known else ""
