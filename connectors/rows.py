"""Records of CSV and Parquet files: one a row, turned into an event by a mapping. Such files are read once, to their end."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pyarrow as pa
import structlog

from connectors.csv_rows import CsvForm, CsvRows, Unreadable
from connectors.errors import SourceError
from connectors.mapping import RowMapper
from connectors.parquet_rows import ParquetRows


class RowReader(Protocol):
    """Hands over the rows of a file block by block, `Unreadable` for those that cannot be read, and nothing at the end."""

    columns: list[str]

    def block(self) -> list[Any]: ...


class Rows:
    """The records of one file behind the first ``skip``. Positions count data rows from 1; rows without any field do not count."""

    def __init__(self, path: Path, kind: str, spec: dict[str, Any], *, skip: int) -> None:
        self.path = path
        self._stream: BinaryIO | None = None
        self._size = path.stat().st_size
        self._rows: list[Any] = []
        self._next = 0
        self._waiting: bytes | None = None
        self._ended = False
        try:
            self._reader = self._open(kind, spec)
            # A file that holds nothing has no columns, and so lacks none.
            self._mapper = RowMapper(spec, self._reader.columns, path) if self._reader.columns else None
            self._skip(skip)
        except SourceError:
            self.close()
            raise

    def take(self, count: int) -> list[bytes]:
        """The next records, at most ``count``; fewer only at the end."""
        taken = [] if self._waiting is None else [self._waiting]
        self._waiting = None
        taken += map(self._record, self._take(count - len(taken)))
        return taken

    def peek(self) -> bytes | None:
        """The next record without taking it; None at the end."""
        if self._waiting is None:
            row = self._take(1)
            if row:
                self._waiting = self._record(row[0])
            else:
                self._end()
        return self._waiting

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _record(self, row: Any) -> bytes:
        if type(row) is Unreadable:
            return row.record
        assert self._mapper is not None
        return self._mapper.record(row)

    def _take(self, count: int) -> list[Any]:
        """The next rows, at most ``count``; fewer only at the end."""
        while len(self._rows) - self._next < count:
            rows = self._block()
            if not rows:
                break
            self._rows = self._rows[self._next :] + rows
            self._next = 0
        taken = self._rows[self._next : self._next + count]
        self._next += len(taken)
        return taken

    def _block(self) -> list[Any]:
        if self._ended:
            return []
        try:
            return self._reader.block()
        except (OSError, EOFError, zlib.error, pa.ArrowException) as error:
            raise SourceError(self.path, f"expected readable rows: {error}") from error

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self.close()
            if self._mapper is not None and self._mapper.ambiguous:
                structlog.get_logger().warning(
                    "local times that clocks put back say twice were taken as the first of both: give times with an offset",
                    file=str(self.path),
                    times=self._mapper.ambiguous,
                )
        elif self.path.exists() and self.path.stat().st_size != self._size:
            raise SourceError(self.path, "expected the file as it was when it was read, found another size; give new content a new name")

    def _skip(self, count: int) -> None:
        done = 0
        while done < count:
            rows = self._take(min(count - done, 10_000))
            if not rows:
                raise SourceError(self.path, f"expected at least the {count} rows read before, found {done}; give new content a new name")
            for row in rows:
                if self._mapper is not None and type(row) is not Unreadable:
                    self._mapper.skip(row)
            done += len(rows)

    def _open(self, kind: str, spec: dict[str, Any]) -> RowReader:
        if kind == "parquet":
            return ParquetRows(self.path, spec)
        try:
            self._stream = open_bytes(self.path)
            return CsvRows(self.path, self._stream, CsvForm.of(spec))
        except (OSError, EOFError, zlib.error) as error:
            raise SourceError(self.path, f"expected a line of column names: {error}") from error


def open_bytes(path: Path) -> BinaryIO:
    """The content of a file; gzip is known by its name."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
