"""What contracts say of properties and traits, in the snapshot: table ``fields``, and typed views with a comment on each column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import duckdb

from state.snapshot_personal import dump_json
from state.snapshot_tables import pointer, quote, quoted

SCHEMA = "typed"
_EVENT = (
    ("message_id", "e.message_id", "The event's message id, unique in its space"),
    ("event_time", "e.event_time", "When it happened (UTC)"),
    ("profile_id", "a.profile_id", "The profile that it belongs to; NULL if it is unidentified"),
    ("space", "e.space", "The space that the row belongs to"),
)
_PROFILE = (("profile_id", "e.profile_id", "The profile, as in table profiles"), ("space", "e.space", "The space that the row belongs to"))


@dataclass(frozen=True, slots=True)
class Field:
    """A property of an event (``kind`` event, ``name`` its name) or a trait (``trait``); ``type`` is DuckDB's.

    ``keys``: the steps of its path, None for the items of a list; ``used_by``: such as ``segment big_spenders``.
    """

    kind: str
    name: str
    path: str
    keys: tuple[str | int | None, ...]
    type: str
    description: str = ""
    unit: str = ""
    personal: str = "none"
    purposes: tuple[str, ...] | None = None
    retention: str = ""
    identifier: str = ""
    examples: tuple[object, ...] = ()
    contract: str = ""
    used_by: tuple[str, ...] = ()

    @property
    def comment(self) -> str:
        """Everything that is said of it, in sentences."""
        parts = [self.description.rstrip(".")]
        parts.append(f"Unit: {self.unit}" if self.unit else "")
        parts.append(f"Personal: {self.personal}" if self.personal != "none" else "")
        parts.append(f"Only for: {', '.join(self.purposes)}" if self.purposes is not None else "")
        parts.append(f"Kept: {self.retention}" if self.retention else "")
        parts.append(f"Identifier: {self.identifier}" if self.identifier else "")
        parts.append(f"Such as: {', '.join(map(dump_json, self.examples[:3]))}" if self.examples else "")
        parts.append(f"Used by: {', '.join(self.used_by)}" if self.used_by else "")
        return ". ".join(part for part in parts if part)


def load_fields(con: duckdb.DuckDBPyConnection, fields: Sequence[Field], *, clear: bool) -> None:
    """Fills table ``fields``, makes the views, and names the tags in the comments of the columns that hold the values.

    ``clear``: personal values stand there themselves, and have their own type.
    """
    rows = [_row(one) for one in fields]
    if rows:
        con.executemany(f"INSERT INTO fields VALUES ({', '.join('?' * len(rows[0]))})", rows)
    con.execute(f"CREATE SCHEMA {SCHEMA}")
    for (kind, name), group in groupby(fields, key=lambda one: (one.kind, one.name if one.kind == "event" else "traits")):
        for statement in _view(kind, name, [one for one in group if len(one.keys) == 1], clear=clear):
            con.execute(statement)
    for statement in _comments(con, fields):
        con.execute(statement)


def _row(one: Field) -> list[object]:
    return [
        one.kind, one.name, one.path, one.type, one.description or None, one.unit or None, one.personal,
        None if one.purposes is None else list(one.purposes), one.retention or None, one.identifier or None,
        dump_json(one.examples) if one.examples else None, one.contract or None, list(one.used_by),
    ]  # fmt: skip


def _view(kind: str, name: str, fields: Sequence[Field], *, clear: bool) -> Iterator[str]:
    """One view: of an event its properties as columns, of all profiles their traits."""
    # No event's name ends in `_`.
    view = f"{SCHEMA}.{quoted('traits_' if (kind, name) == ('event', 'traits') else name)}"
    fixed, source = (_EVENT, _source(name)) if kind == "event" else (_PROFILE, "profiles e")
    column = _column(kind, name)
    taken = {one for one, _, _ in fixed}
    columns = [(one, sql, comment) for one, sql, comment in fixed]
    for field in fields:
        key = str(field.keys[0])
        shown = key or "_"
        while shown.lower() in taken:
            shown = f"{column}_{shown}"
        taken.add(shown.lower())
        hidden = field.personal != "none" and not clear
        columns.append((shown, _value(f"e.{column}", key, "VARCHAR" if hidden else field.type), field.comment))
    yield f"CREATE VIEW {view} AS SELECT {', '.join(f'{sql} AS {quoted(one)}' for one, sql, _ in columns)} FROM {source}"
    what = f"Event {name} by its contract, one column a property" if kind == "event" else "Profiles, one column a trait"
    yield f"COMMENT ON VIEW {view} IS {quote(what)}"
    for one, _, comment in columns:
        if comment:
            yield f"COMMENT ON COLUMN {view}.{quoted(one)} IS {quote(comment)}"


def _column(kind: str, name: str) -> str:
    """The JSON column in which the values stand."""
    return "traits" if kind == "trait" or name in {"identify", "group"} else "properties"


def _source(event: str) -> str:
    """The events of a name; calls that have no name go by their type."""
    of = f"coalesce(e.event, e.type) = {quote(event)}"
    return f"events e LEFT JOIN attributions a ON a.message_id = e.message_id AND a.space = e.space WHERE {of}"


def _value(column: str, key: str, kind: str) -> str:
    if kind == "JSON":
        return f"{column} -> {pointer([key])}"
    text = f"({column} ->> {pointer([key])})"
    return text if kind == "VARCHAR" else f"TRY_CAST({text} AS {kind})"


def _comments(con: duckdb.DuckDBPyConnection, fields: Iterable[Field]) -> Iterator[str]:
    """The comments of the JSON columns, with the tagged values that they hold."""
    tagged: dict[tuple[str, str], list[str]] = {}
    for one in fields:
        words = [one.personal if one.personal != "none" else "", one.unit, one.retention, *(one.purposes or ())]
        if any(words):
            table, shown = ("profiles", one.path) if one.kind == "trait" else ("events", f"{one.name}.{one.path}")
            tagged.setdefault((table, _column(one.kind, one.name)), []).append(f"{shown} ({', '.join(word for word in words if word)})")
    for (table, column), found in tagged.items():
        known = con.execute(
            "SELECT comment FROM duckdb_columns() WHERE table_name = $table AND column_name = $column AND schema_name = 'main'",
            {"table": table, "column": column},
        ).fetchone()
        comment = f"{known[0] if known else ''}. Tagged: {'; '.join(found)}"
        yield f"COMMENT ON COLUMN {table}.{column} IS {quote(comment)}"
