"""What a table of the snapshot is: its rows, whose annotations are its columns, and how they get into DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Annotated, Any, NamedTuple, get_type_hints

import duckdb
import pyarrow as pa

from state.snapshot.literals import quote
from state.snapshot.personal import Hider, dump_json

BATCH_ROWS = 50_000

Space = Annotated[str, "VARCHAR", "The space (brand or region) that the row belongs to"]
Profile = Annotated[str, "VARCHAR", "The profile, as in table profiles"]
Session = Annotated[
    int | None,
    "INTEGER",
    "Session of the person, from 1 in its life; a silence longer than session_gap of identity.yaml begins one. NULL: no name, no session",
]

_ARROW = {
    "VARCHAR": pa.string(), "JSON": pa.string(), "VARCHAR[]": pa.list_(pa.string()), "TIMESTAMP": pa.timestamp("us"),
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "BLOB": pa.binary(),
}  # fmt: skip
"""DuckDB's types, and how Python values travel there: a TIMESTAMP is microseconds since 1970, JSON a text or what JSON can say."""


class Column(NamedTuple):
    """A column: its name, DuckDB's type, and its comment."""

    name: str
    type: str
    comment: str = ""


@cache
def columns(row: type) -> tuple[Column, ...]:
    """The columns that a row's fields are annotated with."""
    return tuple(Column(name, *hint.__metadata__) for name, hint in get_type_hints(row, include_extras=True).items())


@dataclass(frozen=True, slots=True)
class Table:
    """A table. ``given``: the rows that fill it, if those are not its own; ``insert``: the statement that puts their ``batch`` in.

    ``hide``: a row with its personal values hidden; None: nothing in it is personal.
    """

    name: str
    comment: str
    row: type
    hide: Callable[[Any, Hider], tuple[Any, ...]] | None = None
    given: type | None = None
    insert: str = ""

    @property
    def columns(self) -> tuple[Column, ...]:
        return columns(self.row)

    def ddl(self) -> Iterator[str]:
        """The statements that make it empty, with its comments."""
        yield f"CREATE TABLE {self.name} ({', '.join(f'{one.name} {one.type}' for one in self.columns)})"
        yield from comments("TABLE", self.name, self.comment, self.columns)

    def fill(self, con: duckdb.DuckDBPyConnection, rows: Iterable[tuple[Any, ...]], hider: Hider | None = None) -> None:
        """Puts rows in, as they may be seen."""
        hide = self.hide
        seen = rows if hide is None or hider is None else (hide(row, hider) for row in rows)
        con.execute("BEGIN")
        for batch in batches(columns(self.given or self.row), seen):
            con.register("batch", batch)
            con.execute(self.insert or f"INSERT INTO {self.name} FROM batch")
            con.unregister("batch")
        con.execute("COMMIT")


def comments(kind: str, name: str, comment: str, columns: Iterable[Column]) -> Iterator[str]:
    """The statements that comment a table or a view and its columns."""
    yield f"COMMENT ON {kind} {name} IS {quote(comment)}"
    yield from (f"COMMENT ON COLUMN {name}.{one.name} IS {quote(one.comment)}" for one in columns)


def batches(columns: Iterable[Column], rows: Iterable[tuple[Any, ...]], size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The rows as record batches, never row by row."""
    known = tuple(columns)
    schema = pa.schema([(one.name, _ARROW[one.type]) for one in known])
    source = iter(rows)
    while chunk := list(islice(source, size)):
        cells = zip(*chunk, strict=True)
        yield pa.RecordBatch.from_arrays([_array(one, values) for one, values in zip(known, cells, strict=True)], schema=schema)


def _array(column: Column, values: tuple[Any, ...]) -> pa.Array:
    if column.type == "JSON":
        values = tuple(map(_json, values))
    try:
        return pa.array(values, _ARROW[column.type])
    except UnicodeEncodeError:
        return pa.array([_encodable(value) for value in values], _ARROW[column.type])


def _json(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else dump_json(value)


def _encodable(value: Any) -> Any:
    """Half of a surrogate pair is no character; in its place is a question mark."""
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
