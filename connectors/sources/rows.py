"""Records of CSV and Parquet files: one a row, turned into an event by a mapping. Who follows a file that has grown opens it again."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import pyarrow as pa
import structlog

from connectors.errors import Changed, SourceError
from connectors.sources.content import Content, Whole
from connectors.sources.csv_rows import CsvForm, CsvRows, Unreadable
from connectors.sources.mapping import RowMapper
from connectors.sources.marks import Mark
from connectors.sources.parquet_rows import ParquetRows
from connectors.sources.stream import BLOCK_BYTES, Read
from connectors.sources.verify import verified


class RowReader(Protocol):
    """Hands over the rows of a file block by block, `Unreadable` for those that cannot be read, and nothing at the end."""

    columns: list[str]

    @property
    def left(self) -> bool:
        """Whether something is left that is no whole row."""

    def block(self) -> list[Any]: ...


class Rows:
    """The records of one file behind the first ``skip``, which must begin with what ``mark`` says was read of it.

    Positions count data rows from 1; rows without any field do not count. A last row without its line break waits while following;
    else it is a row if it can be read, and left for a later run if not.
    """

    follows = False

    def __init__(self, path: Path, kind: str, spec: dict[str, Any], *, skip: int, follow: bool = False, mark: Mark | None = None) -> None:
        self.path = path
        self._content = Content(path, mark if kind == "csv" else None, follow=follow)
        self._all = whole_file(path, mark) if kind == "parquet" else None
        self._rows: list[Any] = []
        self._next = 0
        self._waiting: bytes | None = None
        self._fault: SourceError | None = None
        self._ended = False
        self._reader = self._open(kind, spec, follow=follow)
        # A file that holds nothing has no columns, and so lacks none.
        self._mapper = RowMapper(spec, self._reader.columns, path) if self._reader.columns else None
        self._skip(skip)

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
            elif self._fault is not None:
                raise self._fault
            else:
                self._end()
        return self._waiting

    def mark(self) -> Mark:
        """What was read so far: all that was taken, and more."""
        return self._all or self._content.mark()

    def close(self) -> None:
        """Nothing is kept open."""

    def _record(self, row: Any) -> bytes:
        if type(row) is Unreadable:
            return row.record
        assert self._mapper is not None
        return self._mapper.record(row)

    def _take(self, count: int) -> list[Any]:
        """The next rows, at most ``count``; fewer only at the end, or before a fault."""
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
        if self._ended or self._fault is not None:
            return []
        try:
            rows = self._reader.block()
        except SourceError as fault:
            self._fault = fault
            return []
        except (OSError, pa.ArrowException) as error:
            self._fault = SourceError(self.path, f"expected readable rows: {error}")
            return []
        if rows and self._is_torn() and not self._reader.left:
            self._content.end()
        return rows

    def _is_torn(self) -> bool:
        """Whether the end was reached, nothing can come behind it, and it is not behind a line break."""
        return self._content.torn and not self._content.waits

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            if self._mapper is not None and self._mapper.ambiguous:
                structlog.get_logger().warning(
                    "local times that clocks put back say twice were taken as the first of both: give times with an offset",
                    file=str(self.path),
                    times=self._mapper.ambiguous,
                )

    def _skip(self, count: int) -> None:
        done = 0
        while done < count:
            rows = self._take(min(count - done, 10_000))
            if not rows:
                raise self._fault or Changed(
                    self.path, f"expected at least the {count} rows read before, found {done}: it was cut or replaced"
                )
            for row in rows:
                if self._mapper is not None and type(row) is not Unreadable:
                    self._mapper.skip(row)
            done += len(rows)

    def _open(self, kind: str, spec: dict[str, Any], *, follow: bool) -> RowReader:
        if kind == "parquet":
            return ParquetRows(self.path, spec)
        return CsvRows(self.path, cast(BinaryIO, Whole(self._content)), CsvForm.of(spec), follow=follow, torn=self._is_torn)


def whole_file(path: Path, mark: Mark | None) -> Mark:
    """What a file is to which nothing is ever appended; `Changed` if that is not what was read of it."""
    if mark is not None and mark.digest:
        return verified(path, mark, exact=True).mark()
    read = Read()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            read.add(block)
    return read.mark()


def open_bytes(path: Path) -> BinaryIO:
    """The content of a file; gzip is known by its name."""
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
