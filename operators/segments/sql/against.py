"""SQL for predicates that hold a value against another one, each of which may be anything."""

from __future__ import annotations

from dataclasses import replace

from operators.segments.sql.values import Value, dates, precedence, span

_ORDER = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_TEXTS = ("contains", "starts_with", "ends_with")
_DATES = {"before": "lt", "after": "gt", "on": "in"}
_VERSIONS = {"semver_eq": "=", "semver_gt": ">", "semver_gte": ">=", "semver_lt": "<", "semver_lte": "<="}


def against(value: Value, op: str, other: Value, timezone: str) -> str:
    """Whether the operator holds between two values; of a missing one it never does."""
    other = replace(other, small=value.small)
    there = f"coalesce({value.present}, false) AND coalesce({other.present}, false)"
    texts = f"{value.has_kind('text')} AND {other.has_kind('text')}"
    if op in _ORDER:
        return f"({there} AND ({_ordered(value, op, other, timezone)}))"
    if op in _DATES:
        return f"({texts} AND {dates(_DATES[op], span(value.text, timezone), span(other.text, timezone))})"
    if op in _VERSIONS:
        return f"({texts} AND {precedence(value.text)} {_VERSIONS[op]} {precedence(other.text)})"
    function = op.removeprefix("not_")
    if function in _TEXTS:
        return f"({texts} AND {'NOT ' if op != function else ''}{function}({value.text}, {other.text}))"
    return f"({there} AND {_EQUAL[op](value, other)})"


def _ordered(value: Value, op: str, other: Value, timezone: str) -> str:
    """Numbers, or texts; dates, if the other one is a date."""
    number = f"{value.has_kind('number')} AND {other.has_kind('number')}"
    text = f"{value.has_kind('text')} AND {other.has_kind('text')}"
    given, date = span(value.text, timezone), span(other.text, timezone)
    return f"""CASE WHEN {number} THEN {value.number} {_ORDER[op]} {other.number}
        WHEN {text} THEN CASE WHEN {date.start} IS NULL THEN {value.text} {_ORDER[op]} {other.text} ELSE {dates(op, given, date)} END END"""


def _among(items: Value, value: Value) -> str:
    """Whether a value is one of the items of a list; each item is a row, since a lambda cannot hold the keys of lists."""
    item = Value("item")
    found = f"SELECT unnest(json_extract({items.json}, '$[*]')) AS item"
    return f"EXISTS (SELECT 1 FROM ({found}) WHERE json_type(item) <> 'NULL' AND {item.key} = {value.key})"


_EQUAL = {
    "eq": lambda value, other: f"{value.key} = {other.key}",
    "ne": lambda value, other: f"{value.key} <> {other.key}",
    "in": lambda value, other: f"{other.has_kind('list')} AND {_among(other, value)}",
    "not_in": lambda value, other: f"{other.has_kind('list')} AND NOT {_among(other, value)}",
    "includes": lambda value, other: f"{value.has_kind('list')} AND {_among(value, other)}",
}
