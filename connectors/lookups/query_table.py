"""What a query of DuckDB gives, as a table."""

from __future__ import annotations

from pathlib import Path

import duckdb

from connectors.lookups.data_table import DataTable, Unusable
from connectors.lookups.parquet_table import arrow_table


def query_table(query: str, database: Path | None, root: Path) -> DataTable:
    """The rows of a query over a database, if one is named; files are found below ``root``. Raises `Unusable` and `OSError`."""
    if database is not None:
        database.stat()
    try:
        with duckdb.connect(database or ":memory:", read_only=database is not None) as con:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET file_search_path = $root", {"root": str(root)})
            given = con.sql(query)
            if given is None:
                raise Unusable("query", "a query that gives rows", "a statement that gives none")
            return arrow_table(given.to_arrow_table(), "query")
    except duckdb.Error as error:
        raise Unusable("query", "a query that DuckDB answers", str(error).splitlines()[0]) from None
