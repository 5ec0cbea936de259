"""How values are written, as SQL over an answer, so that DuckDB does it: for people, in CSV, in JSON. All of it is exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from state.snapshot.literals import quote

NUMBERS = frozenset({
    "tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint", "bignum",
    "decimal", "float", "double",
})  # fmt: skip
TIMES = frozenset({"date", "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"})
_FLOATS = frozenset({"float", "double"})
_NESTED = frozenset({"list", "array", "struct", "map"})
_EXACT = (NUMBERS - _FLOATS) | {"boolean"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an answer: ``key`` names it in SQL, ``name`` for people (several may have the same), ``kind`` is DuckDB's type."""

    key: str
    name: str
    kind: Any

    @property
    def is_number(self) -> bool:
        return self.kind.id in NUMBERS

    @property
    def is_time(self) -> bool:
        return self.kind.id in TIMES

    def text(self) -> str:
        """Its value as a text; NULL stays."""
        return _json(self.kind, self.key) if self.kind.id in _NESTED else _text(self.kind, self.key)


def texts_sql(columns: Sequence[Column]) -> str:
    """The values as texts, and last whether some of them need a look before people see them."""
    texts = ", ".join(f"coalesce({column.text()}, '–') AS {column.key}" for column in columns)
    said = ", ".join(column.key for column in columns if not (column.is_number or column.is_time)) or "''"
    return f"SELECT *, regexp_matches(concat({said}), '[^ -~–]') FROM (SELECT {texts} FROM {{answer}})"


def csv_sql(columns: Sequence[Column]) -> str:
    """Rows as lines of CSV: NULL is nothing, a text of no characters is ``""``."""
    texts = ", ".join(f"{column.text()} AS {column.key}" for column in columns)
    # A line without anything would be no row.
    absent = "" if len(columns) > 1 else '""'
    fields = " || ',' || ".join(_field(column, absent) for column in columns)
    return f"SELECT {fields} FROM (SELECT {texts} FROM {{answer}})"


def csv_header(columns: Sequence[Column]) -> str:
    """The first line of CSV."""
    return ",".join(_quoted(column.name) for column in columns)


def json_sql(columns: Sequence[Column]) -> str:
    """Rows as JSON objects on a line each."""
    return (
        f"SELECT {_object((name, column.kind, column.key) for name, column in zip(unique(columns), columns, strict=True))} FROM {{answer}}"
    )


def unique(columns: Sequence[Column]) -> list[str]:
    """The names with a number behind those that are there already: an object has each key once."""
    names: list[str] = []
    for column in columns:
        name, number = column.name, 0
        while name in names:
            number += 1
            name = f"{column.name}_{number}"
        names.append(name)
    return names


def _field(column: Column, absent: str) -> str:
    key = column.key
    if column.kind.id in _EXACT:
        return f"coalesce({key}, '{absent}')"
    quoted = f"""'"' || replace({key}, '"', '""') || '"'"""
    return (
        f"""CASE WHEN {key} IS NULL THEN '{absent}' WHEN {key} = '' OR regexp_matches({key}, '[",\\r\\n]') THEN {quoted} ELSE {key} END"""
    )


def _quoted(text: str) -> str:
    if text and not set(text) & set('",\r\n'):
        return text
    return '"' + text.replace('"', '""') + '"'


def _text(kind: Any, value: str) -> str:
    if kind.id == "blob":
        return f"coalesce(TRY(decode({value})), CAST({value} AS VARCHAR))"
    return f"CAST({value} AS VARCHAR)"


def _json(kind: Any, value: str, depth: int = 0) -> str:
    """A value as JSON, NULL as NULL."""
    text = _text(kind, value)
    if str(kind) == "JSON":
        # As it stands there, to the digit; a line break in JSON is a blank.
        broken = f"contains({text}, chr(10)) OR contains({text}, chr(13))"
        return f"CASE WHEN {broken} THEN translate({text}, chr(10) || chr(13), '  ') ELSE {text} END"
    if kind.id in _EXACT:
        return text
    if kind.id in _FLOATS:
        return f"CASE WHEN isfinite({value}) THEN {text} END"
    if kind.id in TIMES:
        # `2026-01-05 09:00:00+02`: a T between the two, and a zone of hours and minutes.
        iso = f"regexp_replace({text}, ' (\\d)', 'T\\1')"
        iso = f"regexp_replace({iso}, '([+-]\\d\\d)$', '\\1:00')" if kind.id == "timestamp with time zone" else iso
        return f"""'"' || {iso} || '"'"""
    return _BUILT.get(kind.id, _string)(kind, value, depth)


def _string(kind: Any, value: str, _: int) -> str:
    return f"CAST(to_json({_text(kind, value)}) AS VARCHAR)"


def _list(kind: Any, value: str, depth: int) -> str:
    return _items(value, f"coalesce({_json(kind.children[0][1], f'x{depth}', depth + 1)}, 'null')", depth, "[]")


def _map(kind: Any, value: str, depth: int) -> str:
    (_, keys), (_, values) = kind.children
    key = f"CAST(to_json({_text(keys, f'x{depth}.key')}) AS VARCHAR)"
    return _items(f"map_entries({value})", f"{key} || ':' || coalesce({_json(values, f'x{depth}.value', depth + 1)}, 'null')", depth, "{}")


def _items(items: str, written: str, depth: int, ends: str) -> str:
    return f"'{ends[0]}' || array_to_string(list_transform({items}, lambda x{depth}: {written}), ',') || '{ends[1]}'"


def _struct(kind: Any, value: str, depth: int) -> str:
    if not all(name for name, _ in kind.children):
        return _string(kind, value, depth)
    inside = _object(((name, of, f"struct_extract({value}, {quote(name)})") for name, of in kind.children), depth)
    return f"CASE WHEN {value} IS NOT NULL THEN {inside} END"


def _object(fields: Iterable[tuple[str, Any, str]], depth: int = 0) -> str:
    """A JSON object of ``(name, kind, value)``."""
    parts = [f"{quote(_key(name))} || coalesce({_json(kind, value, depth)}, 'null')" for name, kind, value in fields]
    return "'{' || " + " || ',' || ".join(parts) + " || '}'"


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"


_BUILT: dict[str, Callable[[Any, str, int], str]] = {"list": _list, "array": _list, "struct": _struct, "map": _map}
