"""The rows of a Parquet file: only the columns that a mapping needs, and no value of which ends the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import Unfinished
from connectors.sources.csv_rows import Unreadable
from connectors.sources.mapping import named_columns
from connectors.sources.parquet_values import Bad, values
from connectors.sources.values import text_of
from contracts.model.unreadable import unreadable

BATCH_ROWS = 4096


class ParquetRows:
    """The rows of a file, batch by batch; ``columns`` are all of its columns, and what is not read of them is None.

    A row is refused if a column that the mapping names holds a value that cannot be read.
    """

    def __init__(self, path: Path, spec: dict[str, Any]) -> None:
        self._path = path
        self.columns: list[str] = []
        self.left = False
        self._done = 0
        self._batches: Iterator[Any] = iter(())
        if not path.stat().st_size:
            return
        try:
            # Times without end, 9999-12-31, are not within the nanoseconds of INT96.
            file = pq.ParquetFile(path, coerce_int96_timestamp_unit="us")
        except (pa.ArrowException, OSError) as error:
            raise Unfinished(path, f"expected a complete Parquet file: {error}") from error
        self.columns = list(file.schema_arrow.names)
        self._named, everything = named_columns(spec)
        wanted = None if everything or not self._named else sorted(self._named)
        self._batches = file.iter_batches(batch_size=BATCH_ROWS, columns=wanted)

    def block(self) -> list[Any]:
        """The next rows, at least one; none at the end."""
        batch = next((batch for batch in self._batches if batch.num_rows), None)
        if batch is None:
            return []
        read = deque(zip(batch.schema.names, batch.columns, strict=True))
        columns = [values(read.popleft()[1]) if read and read[0][0] == name else repeat(None, batch.num_rows) for name in self.columns]
        bad = {at for name, column in zip(self.columns, columns, strict=True) if name in self._named for at in _bad(column)}
        rows = list(zip(*columns, strict=True))
        done, self._done = self._done, self._done + len(rows)
        return [self._refuse(row, done + at + 1) if at in bad else row for at, row in enumerate(rows)] if bad else rows

    def _refuse(self, row: tuple[Any, ...], number: int) -> Unreadable:
        named = {name: value for name, value in zip(self.columns, row, strict=True) if name in self._named}
        name, bad = next((name, value) for name, value in named.items() if type(value) is Bad)
        text = orjson.dumps({name: text_of(value) for name, value in named.items()}).decode()
        return Unreadable(unreadable(self._path.name, f"row {number}", f"column {name} to be readable", str(bad), text))


def _bad(column: Any) -> Iterator[int]:
    return (at for at, value in enumerate(column) if type(value) is Bad) if type(column) is list else iter(())
