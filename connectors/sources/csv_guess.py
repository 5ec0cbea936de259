"""How a CSV file seems to be written, by its first rows."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from connectors.errors import SourceError
from connectors.sources.csv_rows import CsvForm, CsvRows, Unreadable
from connectors.sources.csv_text import BOMS
from connectors.sources.numerals import Numerals

SAMPLE_BYTES = 4 << 20
"""How much of a file is looked at."""
ROWS_MAX = 10_000
"""How many of its rows."""

_DELIMITERS = (",", ";", "\t", "|")
_SIGNS = ((".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'"))
"""Decimal sign and the sign between thousands, the likelier first."""
_THOUSANDS_ONLY = re.compile(r"[+-]?\d{1,3}(?:[.,]\d{3})+", re.ASCII)
_NO_WORD = re.compile(r"[\d\W]*\d[\d\W]*", re.ASCII)
_CYRILLIC = re.compile(rb"[\xc0-\xff]{4}")


def guess_form(path: Path, sample: bytes) -> CsvForm:
    """Delimiter, encoding, quote and header of a file that begins so."""
    encoding = _encoding(sample)
    forms = [CsvForm(delimiter, encoding, quote) for quote in ('"', "'") for delimiter in _DELIMITERS]
    form = max(forms, key=lambda one: _fit(path, sample, one))
    columns, rows = read_sample(path, sample, form)
    if columns and any(_in_quotes(column) for column in zip(*rows, strict=True)):
        form = replace(form, quote="'")
        columns, rows = read_sample(path, sample, form)
    return replace(form, header=_is_header(columns, rows))


def read_sample(path: Path, sample: bytes, form: CsvForm) -> tuple[list[str], list[list[str]]]:
    """The columns and the rows that can be read."""
    columns, rows = _read(path, sample, form)
    return columns, [row for row in rows if not isinstance(row, Unreadable)]


def _read(path: Path, sample: bytes, form: CsvForm) -> tuple[list[str], list[list[str] | Unreadable]]:
    try:
        reader = CsvRows(path, io.BytesIO(sample), form)
    except SourceError:
        return [], []
    rows: list[list[str] | Unreadable] = []
    while len(rows) < ROWS_MAX and (block := reader.block()):
        rows += block
    return reader.columns, rows


def guess_signs(columns: Sequence[Sequence[str]]) -> tuple[str, str]:
    """The decimal sign and the sign between thousands by which most of the columns are numbers."""
    found = [[text for text in column if text.strip()] for column in columns]
    return max(_SIGNS, key=lambda signs: sum(_are_numbers(column, *signs) for column in found if column))


def _are_numbers(texts: Sequence[str], decimal: str, thousands: str) -> bool:
    read = Numerals(decimal, thousands).decimal
    if any(read(text) is None for text in texts):
        return False
    # 1,234 beside 12,345 and nothing else are thousands.
    signed = [text for text in texts if "." in text or "," in text]
    return not signed or thousands != "" or len(signed) < 3 or not all(map(_THOUSANDS_ONLY.fullmatch, signed))


def _encoding(sample: bytes) -> str:
    if any(sample.startswith(mark) for mark, _ in BOMS):
        return "utf-8"
    head = sample[:1000]
    if head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if head[::2].count(0) > len(head) // 4:
        return "utf-16-be"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return "cp1251" if len(_CYRILLIC.findall(sample)) > 2 else "cp1252" if _decodes(sample, "cp1252") else "latin-1"
    return "utf-8"


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _fit(path: Path, sample: bytes, form: CsvForm) -> tuple[float, int]:
    """How well a form reads a sample: the share of lines that become rows, if there are columns; then how many of these."""
    columns, rows = _read(path, sample, form)
    good = sum(not isinstance(row, Unreadable) for row in rows)
    return ((good + 1) / (len(rows) + 1), len(columns)) if len(columns) > 1 else (0.0, 0)


def _in_quotes(column: Sequence[str]) -> bool:
    texts = [text for text in column if text]
    return len(texts) > 1 and all(len(text) > 1 and text[0] == text[-1] == "'" for text in texts)


def _is_header(names: list[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether a first line names columns: none is a number or an address, and no two are the same or some column holds numbers only."""
    said = [name for name in names if name.strip()]
    if not said or any(_NO_WORD.fullmatch(name) or "@" in name for name in said):
        return False
    return len({*said}) == len(said) or any(map(_are_figures, zip(*rows, strict=True)))


def _are_figures(column: Sequence[str]) -> bool:
    texts = [text for text in column if text.strip()]
    return bool(texts) and all(map(_NO_WORD.fullmatch, texts))
