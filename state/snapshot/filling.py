"""Rows on their way into DuckDB: Arrow record batches of a fixed size, never row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import duckdb
import pyarrow as pa

from state.snapshot.personal import Hider, dump_json
from state.snapshot.table import Column, Table, columns

BATCH_ROWS = 50_000

_ARROW = {
    "VARCHAR": pa.string(), "JSON": pa.string(), "VARCHAR[]": pa.list_(pa.string()), "TIMESTAMP": pa.timestamp("us"),
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "BLOB": pa.binary(),
}  # fmt: skip
"""DuckDB's types, and how Python values travel there: a TIMESTAMP is microseconds since 1970, JSON a text or what JSON can say."""


def fill(con: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[tuple[Any, ...]], hider: Hider | None = None) -> None:
    """Puts rows into a table, as they may be seen."""
    hide = table.hide
    seen = rows if hide is None or hider is None else (hide(row, hider) for row in rows)
    con.execute("BEGIN")
    for batch in batches(columns(table.given or table.row), seen):
        con.register("batch", batch)
        con.execute(table.insert or f"INSERT INTO {table.name} FROM batch")
        con.unregister("batch")
    con.execute("COMMIT")


def batches(of: Iterable[Column], rows: Iterable[tuple[Any, ...]], size: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """The rows as record batches, never row by row."""
    known = tuple(of)
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
