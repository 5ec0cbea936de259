"""The rows of a CSV file, read strictly: a line that is not as RFC 4180 has it is a row that cannot be read, never another one.

A field is in quotes or not; a quote within a field that does not begin with one is a character like any other (``5" pipe``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from connectors.errors import SourceError
from connectors.sources.csv_text import TextLines, first_undecoded, is_decoded, shown
from contracts.model.unreadable import unreadable

FIELD_MAX_CHARS = 16 << 20
"""The longest field that is read, and so how far a quote that is never closed is followed."""
_SEPARATOR = re.compile(r"\"?sep=([^\w\s\"']|\t)\"?[\r\n]*", re.IGNORECASE)
"""The line that Excel reads, and some write for it, in front of all others."""
_DIGITS = re.compile(r"[\d\s.,:/+TZ-]*\d[\d\s.,:/+TZ-]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that cannot be read; ``record`` is what is handed over for it."""

    record: bytes


@dataclass(frozen=True, slots=True)
class CsvForm:
    """How a CSV file is written. ``quote`` is ``""`` if nothing is quoted; ``header`` true for a line of names, false
    for none (columns are called 1, 2, 3 …), or the names."""

    delimiter: str = ","
    encoding: str = "utf-8"
    quote: str = '"'
    header: bool | tuple[str, ...] = True

    @classmethod
    def of(cls, spec: dict[str, Any]) -> CsvForm:
        """What a mapping says of it."""
        said = (spec.get("csv") or {}).items()
        form: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in said if key in cls.__slots__}
        return cls(**form)

    def reader(self, lines: Iterator[str] | list[str]) -> Any:
        """A strict reader of lines."""
        quoting: Any = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote or None, quoting=quoting, strict=True)


class CsvRows:
    """The rows of a stream, block by block; ``columns`` are none if the file holds nothing.

    Blank lines are no rows. Every other line belongs to a row, so that positions count the same whatever is read at once.
    ``torn`` is whether the stream has come to an end that is not behind a line break: a last row that cannot be read is then still
    being written, and left.
    """

    def __init__(
        self, path: Path, stream: BinaryIO, form: CsvForm, *, follow: bool = False, torn: Callable[[], bool] = lambda: False
    ) -> None:
        csv.field_size_limit(FIELD_MAX_CHARS)
        self._path, self._form, self._torn = path, form, torn
        self._lines = TextLines(stream, form.encoding, follow=follow)
        self._rest: list[str] = []
        self._line = 0
        """How many lines stand before the rest."""
        self._dry = False
        """Whether nothing more is there (while following: for now)."""
        self._reach = 0
        """The last line that a quote has swallowed which was not meant to: up to it, a line must look like a row."""
        self._like: list[str] = []
        """The last row that was read: what others look like."""
        self.columns = self._names()

    @property
    def left(self) -> bool:
        """Whether lines are left that are no whole row."""
        return bool(self._rest)

    def block(self) -> list[list[str] | Unreadable]:
        """The next rows, at least one; none at the end (while following: for now)."""
        while True:
            lines = self._lines.block(sum(map(len, self._rest)))
            if not lines and not self._rest:
                return []
            fresh, self._dry = not self._rest, not lines
            self._rest += lines
            rows = (fresh and self._quickly()) or self._slowly()
            if rows or self._dry:
                return rows

    def _quickly(self) -> list[list[str] | Unreadable]:
        """The rows of a block if each is one good line, else none."""
        if self._reach > self._line or not self._lines.clean:
            return []
        try:
            rows = list(self._form.reader(self._rest))
        except csv.Error:
            return []
        if len(rows) != len(self._rest) or {*map(len, rows)} != {len(self.columns)}:
            return []
        self._line += len(rows)
        self._rest = []
        self._like = rows[-1]
        return rows

    def _slowly(self) -> list[list[str] | Unreadable]:
        """The rows of the rest one by one; what may be the beginning of a row is left for the next time."""
        rows: list[list[str] | Unreadable] = []
        at = 0
        while at < len(self._rest):
            used, row = self._row(at)
            if not used or (type(row) is Unreadable and at + used == len(self._rest) and self._torn()):
                break
            if row is not None:
                rows.append(row)
            at += used
        self._line += at
        self._rest = self._rest[at:]
        return rows

    def _row(self, at: int) -> tuple[int, list[str] | Unreadable | None]:
        """How many lines of the rest the row takes that begins at one of them, and the row: None for a blank line.

        No lines: the row goes on behind the rest.
        """
        reader = self._form.reader(map(self._rest.__getitem__, range(at, len(self._rest))))
        try:
            row: list[str] = next(reader)
        except csv.Error as error:
            if "unexpected end" in str(error) and self._may_go_on(at):
                return 0, None
            found = _what(str(error)) + (f" in line {self._line + at + reader.line_num}" if reader.line_num > 1 else "")
            return self._swallowed(at, reader.line_num, found)
        used = reader.line_num
        if used > 1 and (len(row) != len(self.columns) or self._is_accident(self._rest[at], self._rest[at + used - 1])):
            return self._swallowed(at, used, f"one that swallows the lines up to {self._line + at + used}")
        return used, self._judged(at, used, row)

    def _may_go_on(self, at: int) -> bool:
        """Whether a row with an open quote at the end of the rest may still be closed. While following it is waited for."""
        return (not self._lines.ended or self._torn()) and not (
            self._dry and len(self._rest) > at + 1 and self._is_accident(self._rest[at], self._rest[-1])
        )

    def _swallowed(self, at: int, used: int, found: str) -> tuple[int, Unreadable]:
        """The line on which a row begins that is none: reading goes on with the line behind it."""
        self._reach = max(self._reach, self._line + at + used)
        return 1, self._refuse(at, 1, "a row whose quotes are closed, as RFC 4180 has it", found)

    def _judged(self, at: int, used: int, row: list[str]) -> list[str] | Unreadable | None:
        text = "".join(self._rest[at : at + used])
        if not is_decoded(text):
            return self._refuse(at, used, f"text in {self._lines.encoding}", f"the byte {first_undecoded(text)}")
        if len(row) != len(self.columns):
            if not text.strip():
                return None
            return self._refuse(at, used, f"{len(self.columns)} fields", str(len(row)))
        if self._line + at < self._reach and not (self._looks_like_row(row) and self._has_pairs(text)):
            return self._refuse(at, used, "a row like those before", "a line that may belong to a row before it that could not be read")
        self._like = row
        return row

    def _is_accident(self, first: str, last: str) -> bool:
        """Whether a quote was forgotten, and closes in a later row by chance.

        A text of several lines is like that too, so both its ends would have to be rows by themselves, with as many
        fields as there are columns and digits where other rows have digits.
        """
        if len(self.columns) < 2:
            return False
        delimiter = self._form.delimiter
        return all(self._looks_like_row(line.rstrip("\r\n").split(delimiter)) for line in (first, last))

    def _looks_like_row(self, fields: list[str]) -> bool:
        if len(fields) != len(self.columns):
            return False
        bare = (field.strip(f"{self._form.quote} ") for field in fields)
        return all(not field or _DIGITS.fullmatch(field) for field, like in zip(bare, self._like, strict=False) if _DIGITS.fullmatch(like))

    def _has_pairs(self, text: str) -> bool:
        return not self._form.quote or text.count(self._form.quote) % 2 == 0

    def _refuse(self, at: int, used: int, expected: str, found: str) -> Unreadable:
        first = self._line + at + 1
        place = f"line {first}" if used == 1 else f"lines {first} to {first + used - 1}"
        text = shown("".join(self._rest[at : at + used]).rstrip("\r\n"))
        return Unreadable(unreadable(self._path.name, place, expected, found, text))

    def _names(self) -> list[str]:
        """The names of the columns; of a header its line is taken, and before it one that says the delimiter."""
        header, lines = self._form.header, self._lines.block()
        if lines and (said := _SEPARATOR.fullmatch(lines[0])):
            self._form = replace(self._form, delimiter=said[1])
            self._line, lines = 1, lines[1:]
        if isinstance(header, tuple):
            self._rest = lines
            return list(header)
        while lines or (lines := self._lines.block()):
            blank = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
            self._line += blank
            self._rest = lines = lines[blank:]
            if lines:
                break
        if not self._rest:
            return []
        reader = self._form.reader(self._rest)
        try:
            names: list[str] = next(reader)
        except csv.Error as error:
            raise SourceError(self._path, f"line {self._line + 1}: expected a line of column names, found {_what(str(error))}") from error
        used = reader.line_num
        text = "".join(self._rest[:used])
        if not is_decoded(text):
            found = f"{shown(text).strip()!r} in {self._lines.encoding}; say `csv: {{encoding: …}}` in the mapping, cp1252 for one"
            raise SourceError(self._path, f"line {self._line + 1}: expected a line of column names, found {found}")
        if not header:
            return [str(number) for number in range(1, len(names) + 1)]
        self._line += used
        self._rest = self._rest[used:]
        return names


def _what(error: str) -> str:
    """The words of Python's CSV reader, for people."""
    if "unexpected end" in error:
        return "a quote that is never closed"
    if "expected after" in error:
        return "text behind the quote that closes a field"
    if "field larger" in error:
        return f"a field of more than {FIELD_MAX_CHARS} characters"
    return error
