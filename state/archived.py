"""The archive held against the events that a shard has: the same ids, with the same bytes. DuckDB compares, and spills what is too much."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from state.snapshot.events import accepted_sql, prepared, raw_text, source_of
from state.snapshot.filling import BATCH_ROWS
from state.snapshot.rows import Settled

_SAID = 1_000


class ArchiveCompared(NamedTuple):
    """How many ids the archive has, how many differ, and which (id, what is wrong)."""

    ids: int
    differences: int
    said: list[tuple[str, str]]


def compare(
    files: Sequence[Path],
    positions: tuple[Mapping[str, int], Mapping[str, int]],
    stored: Iterable[tuple[str, str]],
    refused: Iterable[tuple[str, str, int]],
    settled: Iterable[Settled],
) -> ArchiveCompared:
    """The rows of ``files`` up to what shard and archive both have, against ``stored``: id and bytes of every accepted event,
    with those of what was looked up for it behind them.

    ``positions`` by partition: those of the shard and of the archive. ``refused``: id, partition and position of what is in quarantine,
    ``settled`` as in `load_events`. While the archive has not reached what the shard has, the shard's events may wait for it: then it is
    only looked whether it has one that the shard has not.
    """
    applied, archived = positions
    sure = {partition: min(last, archived.get(partition, 0)) for partition, last in applied.items()}
    behind = any(archived.get(partition, 0) < last for partition, last in applied.items())
    with duckdb.connect() as con:
        con.execute("ATTACH ':memory:' AS work")
        con.execute("CREATE TABLE stored (message_id VARCHAR, content UBIGINT)")
        _fill(con, "INSERT INTO stored SELECT message_id, hash(raw) FROM batch", {"message_id": pa.string(), "raw": pa.string()}, stored)
        con.execute("CREATE TABLE quarantine (id VARCHAR, source VARCHAR, position BIGINT, space VARCHAR DEFAULT '')")
        kinds = {"id": pa.string(), "source": pa.string(), "position": pa.int64()}
        _fill(con, "INSERT INTO quarantine BY NAME SELECT * FROM batch", kinds, refused)
        prepared(con, sure, settled)
        if files:
            source = source_of(files)
            raw = raw_text(con, source)
            content = f"message_id, hash({raw} || coalesce(a.lookup, '')) AS content"
            con.execute(f"CREATE TABLE archived AS {accepted_sql(source, content)}", {"space": ""})
        else:
            con.execute("CREATE TABLE archived (message_id VARCHAR, content UBIGINT)")
        con.execute("CREATE TABLE known AS SELECT DISTINCT message_id FROM archived")
        lost = "SELECT DISTINCT message_id FROM stored WHERE message_id NOT IN (FROM known)"
        other = """SELECT DISTINCT message_id FROM stored s WHERE message_id IN (FROM known)
            AND NOT EXISTS (FROM archived a WHERE a.message_id = s.message_id AND a.content = s.content)"""
        alone = "SELECT message_id FROM known WHERE message_id NOT IN (SELECT message_id FROM stored)"
        found = [(alone, "in the archive, not in the shard")]
        if not behind:
            found += [(other, "other bytes in the archive than in the shard"), (lost, "in the shard, not in the archive")]
        counts = [_count(con, query) for query, _ in found]
        said = [(str(row[0]), words) for query, words in found for row in con.execute(f"{query} ORDER BY 1 LIMIT {_SAID}").fetchall()]
        return ArchiveCompared(_count(con, "FROM known"), sum(counts), said)


def _fill(con: duckdb.DuckDBPyConnection, statement: str, kinds: Mapping[str, pa.DataType], rows: Iterable[tuple[object, ...]]) -> None:
    """Do a statement with ``batch``, which is a part of the rows, until all of them have been in it."""
    rows = iter(rows)
    while chunk := list(islice(rows, BATCH_ROWS)):
        columns = [pa.array(values, kind) for values, kind in zip(zip(*chunk, strict=True), kinds.values(), strict=True)]
        con.register("batch", pa.RecordBatch.from_arrays(columns, names=list(kinds)))
        con.execute(statement)
        con.unregister("batch")


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = con.execute(f"SELECT count(*) FROM ({query})").fetchone()
    return int(row[0]) if row else 0
