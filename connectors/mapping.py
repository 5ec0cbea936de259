"""Rows of CSV and Parquet files as events, by a mapping file (``contracts/sources/<name>.yaml``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from hashlib import blake2b
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from connectors.errors import SourceError
from contracts.paths import parse_path

Row = Sequence[Any]
Make = Callable[[Row], Any]
"""Makes an event's value of a row; None is absent."""

TIMES_MAX = 100_000
"""Distinct time texts whose reading is remembered."""

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_EXACT = Context(prec=200)


class RowMapper:
    """Makes the bytes of one event of each row, in the order of the file.

    Without a message id of its own an event gets one of its columns' values and of how many rows with the same values
    came before it in the file. That number is counted from the file's start, so rows that are skipped must be passed to
    `skip`; it takes about 150 bytes of memory for each different row.
    """

    def __init__(self, spec: dict[str, Any], columns: list[str], path: Path) -> None:
        self._at = {column: index for index, column in enumerate(columns)}
        self._path = path
        self._constants = [(_keys(key), value) for key, value in spec.get("constants", {}).items()]
        self._makers = [(_keys(key), self._maker(how)) for key, how in spec.get("columns", {}).items()]
        message_id = spec.get("message_id") or {}
        self._id_columns = [self._column(name) for name in message_id.get("columns") or columns]
        self._occurrence = bool(message_id.get("occurrence", True))
        self._makes_ids = not any(path == ("messageId",) for path, _ in self._makers)
        self._seen: dict[bytes, int] = {}

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
        content = orjson.dumps([_text(_cell(row, at)) for at in self._id_columns])
        digest = blake2b(content, digest_size=16)
        if self._occurrence:
            key = digest.digest()
            number = self._seen[key] = self._seen.get(key, 0) + 1
            digest.update(b"#%d" % number)
        return "r_" + digest.hexdigest()

    def _column(self, name: str) -> int:
        at = self._at.get(name)
        if at is None:
            raise SourceError(self._path, f"expected a column {name!r} (the mapping names it), found {', '.join(self._at)}")
        return at

    def _maker(self, how: Any) -> Make:
        if isinstance(how, str):
            return _natural(self._column(how))
        if "constant" in how:
            constant = how["constant"]
            return lambda _row: constant
        if "product" in how:
            return _product([self._column(name) for name in how["product"]])
        at = self._column(how["column"])
        if "cases" in how:
            return _cases(at, how["cases"], how.get("otherwise"))
        if "format" in how or "zone" in how:
            return _time(at, how.get("format"), how.get("zone", "UTC"))
        kind = how.get("type")
        return _natural(at) if kind is None else _typed(at, _TYPES[kind])


def _keys(field: str) -> tuple[str, ...]:
    return tuple(str(step) for step in parse_path(field))


def _put(event: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        event = event.setdefault(key, {})
    event[path[-1]] = value


def _cell(row: Row, at: int) -> Any:
    return row[at] if at < len(row) else None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return _iso(value, UTC)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def _json(value: Any) -> Any:
    """A value of a file's own types as JSON: numbers stay exact, times become ISO texts."""
    if isinstance(value, Decimal):
        return _number_fragment(value) if value.is_finite() else str(value)
    if isinstance(value, list):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    return value if isinstance(value, bool | int | float) else _text(value)


def _natural(at: int) -> Make:
    def make(row: Row) -> Any:
        value = row[at] if at < len(row) else None
        if type(value) is str:
            return value or None
        return _json(value)

    return make


def _typed(at: int, read: Callable[[str], Any]) -> Make:
    def make(row: Row) -> Any:
        text = _text(_cell(row, at))
        return read(text) if text else None

    return make


def _number_fragment(value: Decimal) -> orjson.Fragment:
    return orjson.Fragment(format(value, "f"))


def _decimal(text: str) -> Decimal | None:
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _number(text: str) -> Any:
    if _JSON_NUMBER.fullmatch(text):
        return orjson.Fragment(text)
    value = _decimal(text)
    return text if value is None else _number_fragment(value)


def _integer(text: str) -> Any:
    value = _decimal(text)
    if value is None or value != value.to_integral_value():
        return text
    return orjson.Fragment(format(value.quantize(Decimal(1), context=_EXACT), "f")) if abs(value) < 10**100 else text


def _boolean(text: str) -> Any:
    return _BOOLEANS.get(text.strip().lower(), text)


_TYPES: dict[str, Callable[[str], Any]] = {"text": str, "number": _number, "integer": _integer, "boolean": _boolean}


def _product(ats: list[int]) -> Make:
    def make(row: Row) -> Any:
        result = Decimal(1)
        for at in ats:
            factor = _decimal(_text(_cell(row, at)) or "")
            if factor is None:
                return None
            try:
                result = _EXACT.multiply(result, factor)
            except InvalidOperation:
                return None
        return _number_fragment(result)

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
        text = _text(_cell(row, at)) or ""
        return next((value for test, operand, value in tests if test(text, operand)), otherwise)

    return make


def _time(at: int, form: str | None, zone_name: str) -> Make:
    zone = ZoneInfo(zone_name)
    known: dict[str, str] = {}

    def read(text: str) -> str:
        try:
            return _iso(datetime.strptime(text.strip(), form) if form else datetime.fromisoformat(text.strip()), zone)  # noqa: DTZ007
        except (ValueError, OverflowError):
            return text

    def make(row: Row) -> Any:
        value = _cell(row, at)
        if isinstance(value, datetime):
            return _iso(value, zone)
        text = _text(value)
        if not text:
            return None
        if text not in known:
            if len(known) >= TIMES_MAX:
                known.clear()
            known[text] = read(text)
        return known[text]

    return make


def _iso(moment: datetime, zone: Any) -> str:
    """ISO text in UTC; a time without a zone is one of ``zone``."""
    utc = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds" if utc.microsecond % 1000 else "milliseconds") + "Z"
