"""A CSV file as a table: whole or not at all. A column is numbers if every cell in it is one, truths likewise, else texts."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from connectors.lookups.data_table import DataTable, Unusable, check_columns, check_count

_SEPARATORS = ",;\t|"
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,6})?", re.ASCII)
"""What every reader of JSON takes for the same number. A code such as 01067 is none."""
_TRUTHS = {"true": True, "false": False}
_HALF = "the file may be half written: write it beside and rename it when it is whole"


def csv_table(path: Path, key: str) -> DataTable:
    """Its first line names the columns; separated by comma, semicolon, tab or ``|``, whichever the first line has most of.

    A cell without a sign in it has no value; the column ``key`` is texts. Raises `Unusable` and `OSError`.
    """
    text = _text(path.read_bytes())
    first = text.split("\n", 1)[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(_SEPARATORS, key=first.count), strict=True)
    lines: list[int] = []
    rows: list[list[str]] = []
    columns: list[str] = []
    line = 1
    try:
        for row in reader:
            if row and not columns:
                columns = [name.strip() for name in row]
                check_columns(columns)
            elif row and len(row) != len(columns):
                raise Unusable("path", f"{len(columns)} cells in every row, as in the first", f"{len(row)} in line {line}", _HALF)
            elif row:
                rows.append(row)
                lines.append(line)
            line = reader.line_num + 1
    except csv.Error as error:
        raise Unusable("path", "a readable CSV file", f"{error} in line {line}", _HALF) from None
    if not columns:
        raise Unusable("path", "a first line that names the columns", "an empty file", _HALF)
    if not text.endswith(("\n", "\r")):
        raise Unusable("path", "a line break behind the last row", f"none in line {line - 1}", _HALF)
    check_count(len(rows))
    cells = [[row[at].strip() for row in rows] for at in range(len(columns))]
    typed = [column if name == key else _typed(column) for name, column in zip(columns, cells, strict=True)]
    return DataTable(columns, list(zip(*typed, strict=True)), lambda number: f"line {lines[number]}")


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unusable("path", "a text in UTF-8", f"other bytes in line {line}", "save it anew, with the encoding UTF-8") from None


def _typed(cells: list[str]) -> list[Any]:
    kinds = set(cells) - {""}
    if kinds and all(map(_NUMBER.fullmatch, kinds)):
        return [None if cell == "" else float(cell) if "." in cell else int(cell) for cell in cells]
    if kinds and kinds <= _TRUTHS.keys():
        return [_TRUTHS.get(cell) for cell in cells]
    return [cell or None for cell in cells]
