"""Records in which a key stands twice: DuckDB reads the first of them, the flow the last, as JSON readers do."""

from __future__ import annotations

import duckdb
import orjson
import pyarrow as pa

from state.snapshot.filling import BATCH_ROWS
from state.snapshot.personal import dump_json


def repeats_sql(raw: str) -> str:
    """Whether a key stands twice in any object of a JSON text."""
    # In a list of its own the record is among the objects that `..*` finds, so its text is read once.
    return f"len(list_filter(json_keys('[' || {raw} || ']', '$..*'), lambda keys: len(keys) > 1 AND len(keys) <> list_unique(keys))) > 0"


def load_once(con: duckdb.DuckDBPyConnection, source: str, raw: str) -> None:
    """Fills ``work.once`` with those of the rows of ``work.chosen`` that repeat a key, each key with its last value only."""
    con.execute("CREATE OR REPLACE TABLE work.once (filename VARCHAR, file_row_number BIGINT, said VARCHAR)")
    found = f"""SELECT a.filename, a.file_row_number, {raw} AS said
        FROM {source} a JOIN work.chosen c ON c.filename = a.filename AND c.file_row_number = a.file_row_number WHERE {repeats_sql(raw)}"""
    reader: pa.RecordBatchReader = con.cursor().sql(found).to_arrow_reader(BATCH_ROWS)
    for batch in reader:
        said = [dump_json(orjson.loads(one)) for one in batch.column("said").to_pylist()]
        con.register("batch", batch.set_column(2, "said", pa.array(said, pa.string())))
        con.execute("INSERT INTO work.once FROM batch")
        con.unregister("batch")
