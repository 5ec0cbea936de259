"""A Parquet file as a table: values as those of Parquet sources, with the numbers that JSON has."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.lookups.data_table import DataTable, Unusable, check_columns, check_count
from connectors.sources.parquet_values import Bad, values
from connectors.sources.values import json_of


def parquet_table(path: Path) -> DataTable:
    """Raises `Unusable` of a file that is not whole, and `OSError`."""
    path.stat()
    try:
        return arrow_table(pq.read_table(path, coerce_int96_timestamp_unit="us"), "path")
    except pa.ArrowException as error:
        hint = "the file may be half written: write it beside and rename it when it is whole"
        raise Unusable("path", "a complete Parquet file", str(error).splitlines()[0], hint) from None


def arrow_table(table: Any, key: str) -> DataTable:
    """The same of a table of Arrow; ``key`` of the YAML file is where it comes from."""
    columns = list(table.column_names)
    check_columns(columns)
    check_count(table.num_rows)
    whole = [[one for chunk in column.chunks for one in values(chunk)] if column.num_chunks else [] for column in table.columns]
    for name, column in zip(columns, whole, strict=True):
        bad = next(((at, value) for at, value in enumerate(column) if type(value) is Bad), None)
        if bad is not None:
            raise Unusable(key, f"values that can be read in the column {name}", f"{bad[1]} in row {bad[0] + 1}")
    typed = [[_plain(value) for value in column] for column in whole]
    return DataTable(columns, list(zip(*typed, strict=True)), lambda number: f"row {number + 1}")


def _plain(value: Any) -> Any:
    """A value of JSON; one with decimals as the number that readers of JSON make of it."""
    if value is None or type(value) in {str, int, float, bool}:
        return value
    return orjson.loads(orjson.dumps(json_of(value))) if isinstance(value, list | dict | Decimal) else json_of(value)
