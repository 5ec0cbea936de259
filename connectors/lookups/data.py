"""The data of a lookup, loaded: every key once, with its values as JSON, or what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import orjson

from connectors.lookups.channel_rules import channel_rules
from connectors.lookups.csv_table import csv_table
from connectors.lookups.data_table import DataTable, Unusable
from connectors.lookups.parquet_table import parquet_table
from connectors.lookups.query_table import query_table
from contracts.model.lookup import KEY_MAX_BYTES, ROW_MAX_BYTES, Lookup, key_reader
from contracts.text.problems import ContractErrors, Problem, choices

_HALF = "if it is being written, write it beside and rename it when it is whole"


class Loaded(NamedTuple):
    """Keys in order, and beside each the JSON object of every other column that has a value."""

    keys: list[str]
    values: list[bytes]


class LoadedContent(NamedTuple):
    """Data that is no table, as it is kept: how many rules or networks it tells apart, and where it comes from."""

    content: bytes
    size: int
    source: str


def load_lookup(lookup: Lookup, root: Path) -> Loaded | LoadedContent:
    """What the data of a lookup says, whose files lie below the project folder ``root``.

    Raises `ContractErrors` with one problem, which names the lookup's YAML file and key, and the line or row of the data.
    """
    path = root / lookup.path if lookup.path else None
    try:
        before = _stamp(path)
        loaded = _read(lookup, path, root)
        if _stamp(path) != before:
            raise _problem(lookup, Unusable("path", "a file that stays as it is while it is read", "one that has changed", _HALF))
    except FileNotFoundError:
        raise _problem(lookup, Unusable("path", f"a file at {lookup.path}", "none")) from None
    except IsADirectoryError:
        raise _problem(lookup, Unusable("path", f"a file at {lookup.path}", "a folder")) from None
    except OSError as error:
        raise _problem(lookup, Unusable("path", f"{lookup.path} to be readable", str(error.strerror or error))) from error
    except Unusable as broken:
        raise _problem(lookup, broken) from None
    return loaded


def _stamp(path: Path | None) -> tuple[int, int] | None:
    """By which one sees that a file has been written."""
    if path is None:
        return None
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _read(lookup: Lookup, path: Path | None, root: Path) -> Loaded | LoadedContent:
    if lookup.kind == "user_agent":
        from connectors.lookups.agent_patterns import agent_patterns  # noqa: PLC0415 - a second, for those who have such a lookup

        return LoadedContent(*agent_patterns())
    if lookup.kind == "channel":
        return LoadedContent(*channel_rules(path), lookup.path or "the rules of Skep")
    if lookup.kind == "duckdb":
        return _rows(lookup, query_table(lookup.query, path, root))
    if path is None:
        raise Unusable("path", "a file", "none")
    if lookup.kind == "maxmind":
        from connectors.lookups.mmdb import read_mmdb  # noqa: PLC0415 - as above

        return LoadedContent(*read_mmdb(path), lookup.path)
    return _rows(lookup, csv_table(path, lookup.column) if lookup.kind == "csv" else parquet_table(path))


def _problem(lookup: Lookup, broken: Unusable) -> ContractErrors:
    line = lookup.lines.get(broken.key, 1)
    return ContractErrors([Problem(lookup.file, line, broken.key, broken.expected, broken.found, broken.hint)])


def _rows(lookup: Lookup, table: DataTable) -> Loaded:
    at = _column(table, "column", lookup.column)
    for _, column in lookup.values:
        _column(table, "values", column)
    as_text, as_key = key_reader("text"), key_reader(lookup.normalize)
    names = [name for place, name in enumerate(table.columns) if place != at]
    found: dict[str, bytes] = {}
    known: dict[str, tuple[bytes, str]] = {}
    """By what counts of a key: its values, and where it stands."""
    for number, row in enumerate(table.rows):
        where = table.place(number)
        text, key = as_text(row[at]), as_key(row[at])
        if text is None or key is None or len(key.encode()) > KEY_MAX_BYTES:
            raise Unusable("column", f"a key of at most {KEY_MAX_BYTES} bytes in {lookup.column}", f"{_shown(row[at])} in {where}")
        rest = zip(names, (value for place, value in enumerate(row) if place != at), strict=True)
        value = orjson.dumps({name: one for name, one in rest if one is not None}, option=orjson.OPT_SORT_KEYS)
        if len(value) > ROW_MAX_BYTES:
            raise Unusable("values", f"at most {ROW_MAX_BYTES} bytes of values for a key", f"{len(value)} for {text!r} in {where}")
        there = known.setdefault(key, (value, where))
        if there[0] != value:
            raise Unusable("column", "every key once", f"{text!r} in {where} and, with other values, in {there[1]}")
        found.setdefault(text, value)
    keys = sorted(found)
    return Loaded(keys, [found[key] for key in keys])


def _column(table: DataTable, key: str, name: str) -> int:
    if name not in table.columns:
        raise Unusable(key, "a column of the data", name, choices(name, table.columns))
    return table.columns.index(name)


def _shown(value: Any) -> str:
    return "none" if value is None or value == "" else f"{str(value)[:80]!r}"
