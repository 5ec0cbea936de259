"""Records of CSV and Parquet files: one a row, turned into an event by a mapping. Such files are read once, to their end."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.errors import SourceError
from connectors.mapping import Row, RowMapper

FIELD_MAX_BYTES = 16 << 20
"""The longest field of a CSV file that is read."""


class Rows:
    """The records of one file behind the first ``skip``. Positions count data rows from 1; rows without any field do not count."""

    def __init__(self, path: Path, kind: str, spec: dict[str, Any], *, skip: int) -> None:
        self.path = path
        self._stream: IO[str] | None = None
        self._size = path.stat().st_size
        self._waiting: bytes | None = None
        self._ended = False
        try:
            columns, rows = self._open_csv() if kind == "csv" else _open_parquet(path)
            self._rows = self._guarded(rows)
            self._mapper = RowMapper(spec, columns, path)
            self._skip(skip)
        except SourceError:
            self.close()
            raise

    def take(self, count: int) -> list[bytes]:
        """The next records, at most ``count``; fewer only at the end."""
        record = self._mapper.record
        taken = [] if self._waiting is None else [self._waiting]
        self._waiting = None
        taken += [record(row) for row in islice(self._rows, count - len(taken))]
        return taken

    def peek(self) -> bytes | None:
        """The next record without taking it; None at the end."""
        if self._waiting is None:
            row = next(self._rows, None)
            if row is None:
                self._end()
            else:
                self._waiting = self._mapper.record(row)
        return self._waiting

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self.close()
        elif self.path.exists() and self.path.stat().st_size != self._size:
            raise SourceError(self.path, "expected the file as it was when it was read, found another size; give new content a new name")

    def _skip(self, count: int) -> None:
        done = 0
        for row in islice(self._rows, count):
            self._mapper.skip(row)
            done += 1
        if done < count:
            raise SourceError(self.path, f"expected at least the {count} rows read before, found {done}; give new content a new name")

    def _guarded(self, rows: Iterator[Row]) -> Iterator[Row]:
        try:
            yield from rows
        except (csv.Error, OSError, EOFError, pa.ArrowException) as error:
            raise SourceError(self.path, f"expected readable rows: {error}") from error

    def _open_csv(self) -> tuple[list[str], Iterator[Row]]:
        csv.field_size_limit(FIELD_MAX_BYTES)
        # Bytes that are not UTF-8 become U+FFFD: the row still comes, and its contract may refuse it.
        how: dict[str, Any] = {"encoding": "utf-8-sig", "errors": "replace", "newline": ""}
        opened = gzip.open(self.path, "rt", **how) if self.path.suffix == ".gz" else self.path.open(**how)  # noqa: SIM115 (closed at its end)
        self._stream = cast(IO[str], opened)
        rows = csv.reader(self._stream)
        try:
            columns = next(rows, [])
        except (csv.Error, OSError, EOFError) as error:
            raise SourceError(self.path, f"expected a line of column names: {error}") from error
        return columns, (row for row in rows if row)


def _open_parquet(path: Path) -> tuple[list[str], Iterator[Row]]:
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(path, f"expected a Parquet file: {error}") from error
    columns = list(file.schema_arrow.names)

    def rows() -> Iterator[Row]:
        for batch in file.iter_batches(batch_size=4096):
            yield from zip(*(_values(column) for column in batch.columns), strict=True)

    return columns, rows()


def _values(column: Any) -> list[Any]:
    # Nanoseconds would become pandas times; events have microseconds.
    if pa.types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    return cast(list[Any], column.to_pylist())
