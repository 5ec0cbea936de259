"""The operators of predicates, one row each: what reads, judges, words and completes a predicate goes by this table.

The stream, its SQL twin and the tests' model have a table of their own under the same names. What all operators of a
family share is in `contracts.language.families`; what may stand behind them in `contracts.language.operands`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from contracts.language.dates import Anniversary, Dated, DayOfMonth, DayOfWeek, Hour, Month, Relative
from contracts.language.families import Between, Equality, Exists, Is, OneOf, Operator, Order
from contracts.language.lists import EachItem, Includes, Several, Size
from contracts.language.places import Near
from contracts.language.semver import SemVer
from contracts.language.texts import Pattern, SomePart, Text

_LEAST = Order("gte", "is at least this", "at least", "≥", operator.ge, above=True, strict=False)
_MOST = Order("lte", "is at most this", "at most", "≤", operator.le, above=False, strict=False)


def _version(name: str, means: str, says: str, sign: str, compare: Callable[[Any, Any], bool]) -> SemVer:
    return SemVer(f"semver_{name}", f"a version that is {means}, as SemVer 2.0 orders them", f"version {says}", sign, compare)


def _text(name: str, test: Callable[[str, str], bool], pattern: str) -> Text:
    words = name.replace("_", " ")
    return Text(name, f"a text that it {words}", words, words, test, pattern, name.startswith("not_"))


_ROWS: tuple[Operator, ...] = (
    Equality("eq", 'is equal; kinds differ: "5" is not 5', "is", "="),
    Equality("ne", "is there and not equal", "is not", "≠", negative=True),
    OneOf("in", "is one of these", "is one of", "in"),
    OneOf("not_in", "is there and none of these", "is none of", "not in", negative=True),
    Order("gt", "is greater, or later than a date such as 2026-01-31", "more than", ">", operator.gt, above=True, strict=True),
    _LEAST,
    Order("lt", "is less, or earlier than a date", "less than", "<", operator.lt, above=False, strict=True),
    _MOST,
    Between("between", "is at least the first and at most the second", "from", "between", _LEAST, _MOST),
    Exists("exists", "is there (true) or missing (false); null is missing", "", ""),
    Is("is", 'is of this kind, or empty: missing, "", [] or {}', "is", "is"),
    _text("contains", str.__contains__, "{}"),
    _text("not_contains", str.__contains__, "{}"),
    SomePart("contains_any", "a text that contains one of these", "contains one of", "contains one of"),
    _text("starts_with", str.startswith, "^{}"),
    _text("not_starts_with", str.startswith, "^{}"),
    _text("ends_with", str.endswith, "{}$"),
    _text("not_ends_with", str.endswith, "{}$"),
    Pattern("matches", "a text in which this pattern (RE2) is found; ^ and $ anchor it", "matches", "~"),
    Dated("before", "a date that ends before this one starts: before: 2026-01-31", "before", "before", below=False, above=True),
    Dated("after", "a date that starts after this one has ended", "after", "after", below=True, above=False),
    Dated("on", "a date that lies in this one", "on", "on", below=True, above=True),
    Relative("within", "a date of the last 30d: within: 30d", "within the last", "within"),
    Relative("older_than", "a date at least so long ago", "at least so long ago:", "older than"),
    Relative("in_next", "a date that comes within so long", "within the next", "in the next"),
    Anniversary(
        "anniversary_in_next", "a date whose day of the year is today or starts within so long", "its day within the next", "its day in"
    ),
    Month("month", "a date of such a month, 1 to 12: {eq: 12}", "month", "month"),
    DayOfMonth("day_of_month", "a date of such a day of its month", "day of the month", "day of the month"),
    DayOfWeek("day_of_week", "a date of such a day of the week, 1 Monday to 7 Sunday", "day of the week", "day of the week"),
    Hour("hour", "a date with a time of such an hour, 0 to 23", "hour", "hour"),
    _version("eq", "this one", "is", "=", operator.eq),
    _version("gt", "above this one", "above", ">", operator.gt),
    _version("gte", "this one or above it", "at least", "≥", operator.ge),
    _version("lt", "below this one", "below", "<", operator.lt),
    _version("lte", "this one or below it", "at most", "≤", operator.le),
    Near("near", "a place {lat, lon} no further away than so: {lat: 52.5, lon: 13.4, km: 10}", "within", "near"),
    Includes("includes", "a list with this among its items", "includes", "includes"),
    Several("includes_any", "a list with one of these among its items", "includes one of", "includes one of"),
    Several("includes_all", "a list with all of these among its items", "includes all of", "includes all of", every=True),
    Several("excludes_all", "a list with none of these among its items", "includes none of", "includes none of", negative=True),
    Size("size", "a list with so many items: {gte: 2}", "has a number of items", "size"),
    EachItem("any_item", "a list with an item of which this holds: {starts_with: A}, or where: {sku: A}", "has an item", "has an item"),
    EachItem("every_item", "a list that has items, and of every one this holds", "has only items", "has only items", every=True),
)
OPERATORS = {row.name: row for row in _ROWS}
IGNORE_CASE = "ignore_case"
"""Beside operators of texts, and beside equality: capitals and small letters are the same."""
NUMERIC = tuple(row.name for row in _ROWS if row.numeric)
"""Those of numbers, which may stand beside a measure."""
