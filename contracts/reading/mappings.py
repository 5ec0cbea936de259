"""``sources/<name>.yaml``: which column of a CSV or Parquet file is which field of an event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.model.definitions import Mapping
from contracts.reading.csv_form import read_csv_form
from contracts.text.problems import closest
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path

TYPES = ("text", "number", "integer", "boolean")
CASES = ("eq", "in", "starts_with", "ends_with", "contains")
FIELDS = ("type", "event", "name", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "originalTimestamp",
          "sentAt", "receivedAt", "channel", "properties", "traits", "context", "integrations")  # fmt: skip
_ANY = "a column, or one of {column: …}, {product: [..]}, {constant: …}"


def read_mapping(reader: Reader, at: Tree, name: str) -> Mapping:
    """A checked mapping; ``spec`` is the file's content, in which a bare column is still a text."""
    parts = reader.fields(at, ("format", "csv", "columns", "constants", "message_id"))
    kind = reader.choice(parts.get("format"), ("csv", "parquet"), "csv")
    if "csv" in parts:
        if kind != "csv":
            reader.refuse(parts["csv"], "no csv: the format is parquet", "csv")
        read_csv_form(reader, parts["csv"])
    columns = reader.required(at, parts, "columns", "a mapping of fields to columns")
    taken: set[str] = set()
    if columns is not None:
        for field, how in reader.mapping(columns, "a mapping of fields to columns").items():
            _field(reader, how, field)
            taken.add(field)
            _value(reader, how)
    if "constants" in parts:
        for field, constant in reader.mapping(parts["constants"], "a mapping of fields to values").items():
            _field(reader, constant, field)
            _constant(reader, constant)
            if field in taken:
                reader.refuse(constant, "a field that is not among the columns", field)
            taken.add(field)
    if columns is not None:
        _inside(reader, columns, taken)
    if "message_id" in parts:
        _message_id(reader, parts["message_id"])
    return Mapping(name, at.plain(), at.file)


def _inside(reader: Reader, at: Tree, fields: set[str]) -> None:
    """A field cannot be both a value and a mapping of others."""
    for field in sorted(fields):
        for other in sorted(fields):
            if other.startswith(field + "."):
                reader.refuse(at, f"{field} or {other}, not both", "both")


def _field(reader: Reader, at: Tree, field: str) -> None:
    try:
        steps = parse_path(field)
    except ValueError as error:
        reader.refuse(at, "a field of the event such as userId or properties.price", str(error))
        return
    if any(not isinstance(step, str) for step in steps):
        reader.refuse(at, "a field of the event without indexes", field)
    elif steps[0] not in FIELDS:
        hint = closest(str(steps[0]), FIELDS) or f"properties.{field}?"
        reader.refuse(at, "a field of the event such as userId or properties.price", field, hint)


def _value(reader: Reader, at: Tree) -> None:
    if isinstance(at.value, str) and at.value:
        return
    if not isinstance(at.value, dict):
        reader.refuse(at, _ANY)
        return
    if "product" in at.value:
        _columns(reader, reader.fields(at, ("product",))["product"], least=2)
    elif "constant" in at.value:
        _constant(reader, reader.fields(at, ("constant",))["constant"])
    elif "cases" in at.value:
        _cases(reader, at)
    elif "format" in at.value or "zone" in at.value:
        parts = reader.fields(at, ("column", "format", "zone"))
        _column(reader, at, parts)
        reader.read(parts.get("format"), None, _time_format)
        reader.read(parts.get("zone"), "UTC", _zone)
    elif "column" in at.value:
        parts = reader.fields(at, ("column", "type"))
        _column(reader, at, parts)
        reader.choice(parts.get("type"), TYPES, "text")
    else:
        reader.fields(at, ("column", "type", "format", "zone", "cases", "otherwise", "product", "constant"))
        reader.refuse(at, _ANY)


def _constant(reader: Reader, at: Tree) -> None:
    """No event that has a number of more digits is ever accepted."""
    if isinstance(at.value, int) and not -(1 << 63) <= at.value < 1 << 64:
        reader.refuse(at, "a number that 64 bits can hold", hint="write it in quotes")
    for part in at:
        _constant(reader, part)


def _time_format(value: object) -> str:
    expected = "a time format such as %Y-%m-%d %H:%M:%S"
    if not isinstance(value, str) or "%" not in value:
        raise ValueError(expected)
    try:
        datetime.strptime("", value)  # noqa: DTZ007 - only to see whether it can be read
    except ValueError as error:
        if "does not match" not in str(error):
            raise ValueError(f"{expected}; {error}") from None
    return value


def _zone(value: object) -> str:
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError("a time zone such as UTC or Europe/London")


def _column(reader: Reader, at: Tree, parts: dict[str, Tree]) -> None:
    reader.text(reader.required(at, parts, "column", "the name of a column"), expected="the name of a column")


def _cases(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("column", "cases", "otherwise"))
    _column(reader, at, parts)
    if "otherwise" in parts:
        _constant(reader, parts["otherwise"])
    for case in reader.items(parts["cases"], "a list of cases"):
        fields = reader.fields(case, (*CASES, "value"))
        value = reader.required(case, fields, "value", "the value in this case")
        if value is not None:
            _constant(reader, value)
        tests = [name for name in fields if name in CASES]
        if len(tests) != 1:
            reader.refuse(case, f"one test of {', '.join(CASES)}", " and ".join(tests) or "none")
        for name in tests:
            _test(reader, fields[name], name)


def _test(reader: Reader, at: Tree, name: str) -> None:
    read: Callable[..., object] = reader.texts if name == "in" else reader.text
    if name == "in" and not isinstance(at.value, list):
        reader.refuse(at, "a list of texts")
        return
    read(at, expected="a text" if name != "in" else "a list of texts")


def _columns(reader: Reader, at: Tree, least: int) -> None:
    items = reader.items(at, "a list of columns")
    if isinstance(at.value, list) and len(items) < least:
        reader.refuse(at, f"at least {least} columns", str(len(items)))
    for item in items:
        reader.text(item, expected="the name of a column")


def _message_id(reader: Reader, at: Tree) -> None:
    parts = reader.fields(at, ("columns", "occurrence"))
    if "columns" in parts:
        _columns(reader, parts["columns"], least=1)
    reader.boolean(parts.get("occurrence"), default=True)
