"""Rows of CSV and Parquet files as events, by a mapping file (``contracts/sources/<name>.yaml``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connectors.errors import SourceError
from connectors.sources.numerals import Numerals
from connectors.sources.row_times import RowTimes
from connectors.sources.values import json_of, text_of
from schemalogic.paths import parse_path

Row = Sequence[Any]
Make = Callable[[Row], Any]
"""Makes an event's value of a row; None is absent."""


class RowMapper:
    """Makes the bytes of one event of each row, in the order of the file.

    Without a message id of its own an event gets one of its columns and their values, in whichever order the columns
    stand, and of how many rows with the same values came before it in the file. That number is counted from the file's
    start, so rows that are skipped must be passed to `skip`; it takes about 150 bytes of memory for each different row.
    """

    def __init__(self, spec: dict[str, Any], columns: list[str], path: Path) -> None:
        self._columns = columns
        self._path = path
        form = spec.get("csv") or {}
        decimal = form.get("decimal")
        # Whoever says which sign is the decimal one has said which one is not.
        between = {None: "", ".": ",", ",": "."}[decimal]
        self._numerals = Numerals(decimal or ".", form.get("thousands", between))
        self._times: list[RowTimes] = []
        self._constants = [(_keys(key), value) for key, value in spec.get("constants", {}).items()]
        self._makers = [(_keys(key), self._maker(how)) for key, how in spec.get("columns", {}).items()]
        message_id = spec.get("message_id") or {}
        named = message_id.get("columns")
        self._id_columns = [self._column(name) for name in named] if named else sorted(range(len(columns)), key=columns.__getitem__)
        # The names salt the digest; columns that the mapping lists have the order of the list, and need none.
        self._id_salt = b"" if named else blake2b(orjson.dumps(sorted(columns)), digest_size=16).digest()
        self._occurrence = bool(message_id.get("occurrence", True))
        self._makes_ids = "messageId" not in spec.get("columns", {})
        self._seen: dict[bytes, int] = {}

    @property
    def ambiguous(self) -> int:
        """How many times of the rows so far their zone has twice; each was taken as the first of both."""
        return sum(times.ambiguous for times in self._times)

    def skip(self, row: Row) -> None:
        """Counts a row that was read before."""
        if self._makes_ids:
            self._message_id(row)

    def record(self, row: Row) -> bytes:
        """The event of a row, as JSON."""
        event: dict[str, Any] = {}
        for path, value in self._constants:
            _put(event, path, value)
        for path, make in self._makers:
            value = make(row)
            if value is not None:
                _put(event, path, value)
        if self._makes_ids:
            event["messageId"] = self._message_id(row)
        return orjson.dumps(event)

    def _message_id(self, row: Row) -> str:
        # Rows of CSV files are lists of nothing but texts.
        texts = [row[at] for at in self._id_columns] if type(row) is list else [text_of(row[at]) for at in self._id_columns]
        digest = blake2b(orjson.dumps(texts), digest_size=16, salt=self._id_salt)
        if self._occurrence:
            key = digest.digest()
            number = self._seen[key] = self._seen.get(key, 0) + 1
            digest.update(b"#%d" % number)
        return "r_" + digest.hexdigest()

    def _column(self, name: str) -> int:
        places = [at for at, column in enumerate(self._columns) if column == name]
        if len(places) == 1:
            return places[0]
        if places:
            where = " and ".join(str(at + 1) for at in places)
            raise SourceError(
                self._path, f"expected one column {name!r} (the mapping names it), found it as the columns {where}; rename one"
            )
        found = ", ".join(self._columns)
        raise SourceError(self._path, f"expected a column {name!r} (the mapping names it), found {found}{self._hint(name)}")

    def _hint(self, name: str) -> str:
        if len(self._columns) == 1:
            return "; is that one column? `csv: {delimiter: …}` in the mapping says what stands between them"
        if any("\0" in column for column in self._columns):
            return "; is that UTF-16? `csv: {encoding: utf-16-le}` in the mapping says so"
        near = get_close_matches(name.strip().lower(), [column.strip().lower() for column in self._columns], n=1, cutoff=0.8)
        like = next((column for column in self._columns if near and column.strip().lower() == near[0]), None)
        return "" if like is None else f"; do you mean {like!r}?"

    def _maker(self, how: Any) -> Make:
        if isinstance(how, str):
            return _natural(self._column(how))
        if "constant" in how:
            constant = how["constant"]
            return lambda _row: constant
        if "product" in how:
            return self._product([self._column(name) for name in how["product"]])
        at = self._column(how["column"])
        if "cases" in how:
            return _cases(at, how["cases"], how.get("otherwise"))
        if "format" in how or "zone" in how:
            return self._time(at, how.get("format"), how.get("zone", "UTC"))
        kind = how.get("type")
        return _natural(at) if kind is None else _typed(at, self._numerals.types[kind])

    def _product(self, ats: list[int]) -> Make:
        product = self._numerals.product

        def make(row: Row) -> Any:
            texts = [text_of(row[at]) or "" for at in ats]
            return product(texts) if all(texts) else None

        return make

    def _time(self, at: int, form: str | None, zone: str) -> Make:
        times = RowTimes(form, zone)
        self._times.append(times)
        read = times.read
        return lambda row: read(row[at])


def named_columns(spec: dict[str, Any]) -> tuple[set[str], bool]:
    """The columns that a mapping names, and whether message ids are made of all columns, whatever their names."""
    names: set[str] = set()
    for how in spec.get("columns", {}).values():
        if isinstance(how, str):
            names.add(how)
        else:
            names.update(how.get("product", ()))
            names.update([how["column"]] if "column" in how else ())
    listed = (spec.get("message_id") or {}).get("columns")
    return names | set(listed or ()), not listed and "messageId" not in spec.get("columns", {})


def _keys(field: str) -> tuple[str, ...]:
    return tuple(str(step) for step in parse_path(field))


def _put(event: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        event = event.setdefault(key, {})
    event[path[-1]] = value


def _natural(at: int) -> Make:
    def make(row: Row) -> Any:
        value = row[at]
        if type(value) is str:
            return value or None
        return json_of(value)

    return make


def _typed(at: int, read: Callable[[str], Any]) -> Make:
    def make(row: Row) -> Any:
        text = text_of(row[at])
        return read(text) if text else None

    return make


_CASES: dict[str, Callable[[str, Any], bool]] = {
    "eq": str.__eq__,
    "equals": str.__eq__,
    "in": lambda text, operand: text in operand,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": str.__contains__,
}


def _cases(at: int, cases: list[dict[str, Any]], otherwise: Any) -> Make:
    tests = [(_CASES[test], operand, case["value"]) for case in cases for test, operand in case.items() if test in _CASES]

    def make(row: Row) -> Any:
        text = text_of(row[at]) or ""
        return next((value for test, operand, value in tests if test(text, operand)), otherwise)

    return make
