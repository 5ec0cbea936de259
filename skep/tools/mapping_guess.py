"""Which column of a table seems to be which field of an event."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from connectors.sources.numerals import Numerals
from connectors.sources.row_times import RowTimes
from contracts.drafting.guesses import guess_by_name, guess_by_value
from contracts.envelope import lost_digits
from contracts.text.times import parse_time
from schemalogic.paths import path_text

_DATES = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d.%m.%y", "%m/%d/%y", "%d-%b-%Y", "%d %b %Y",
          "%b %d, %Y", "%d %B %Y", "%B %d, %Y")  # fmt: skip
_MOMENTS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_WHOLE = ("%Y%m%d%H%M%S", "%a, %d %b %Y %H:%M:%S %Z", "%d/%b/%Y:%H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S.%f %Z")
FORMATS = (None, *(day + moment for day in _DATES for moment in _MOMENTS), *_WHOLE)
"""The formats of times that are tried, None is ISO 8601; of two that read all rows the first is taken."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARS = ("1970", "2100")
_TRUTHS = frozenset({"true", "false", "yes", "no"})
_SEEN_MAX = 1000
"""Different values of a column that are looked at."""

_USER = re.compile(
    r"(user|customer|client|member|account|person|contact|subscriber|kunden?|shopper|buyer)_?(id|no|nr|number|key|ref)?", re.ASCII
)
_DEVICE = re.compile(r"(anonymous|device|visitor|cookie|browser|installation|client)_?(id|uuid)", re.ASCII)
_MESSAGE = re.compile(r"(message|event|row|record)_?(id|uuid|guid)|uuid|guid", re.ASCII)
_EVENT = re.compile(r"event(_?(name|type))?|action|activity|verb", re.ASCII)
_TIME = re.compile(
    r"(event_?)?(timestamp|time|datetime|ts|at|date)|(occurred|happened|created|ordered|purchased|placed|invoice|order|event)_?(at|on|date|time|ts)"
)
_OTHER_TIME = re.compile(r".*(birth|dob|updated|deleted|expire|valid|due).*")
_PEOPLE = re.compile(r"(customers?|users?|members?|contacts?|people|persons?|profiles?|accounts?|leads?|subscribers?|clients?|kunden)")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the event, how a mapping says it (a column's name, or more), and why."""

    field: str
    how: str | dict[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it was seen: its name, its different values that are there, and whether none of them comes twice."""

    name: str
    values: list[Any]
    unique: bool

    @property
    def word(self) -> str:
        """The name as one is compared."""
        humps = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"\W+", "_", humps).strip("_").lower()

    @property
    def texts(self) -> list[str]:
        """The values, if all are texts."""
        return [value for value in self.values if isinstance(value, str)] if all(isinstance(value, str) for value in self.values) else []


def columns_of(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[Column]:
    """The columns that a mapping can name: those with a name of their own."""
    found = []
    for at, name in enumerate(names):
        if not name.strip() or names.count(name) > 1:
            continue
        there = [row[at] for row in rows if row[at] is not None and row[at] != ""]
        different = {str(value): value for value in there}
        found.append(Column(name, list(different.values())[:_SEEN_MAX], len(different) == len(there) > 1))
    return found


def guess_fields(path: Path, columns: Sequence[Column], numerals: Numerals) -> tuple[list[Field], dict[str, Any]]:
    """The fields of the event with the columns that they are made of, and the fields that are the same in every row."""
    times = {column.name: form for column in columns if (form := _time_form(column)) is not False}
    when = _when(columns, times)
    event = next((one for one in columns if _EVENT.fullmatch(one.word) and one.texts and not one.unique), None)
    people = event is None and _PEOPLE.fullmatch(table_name(path)) is not None
    place = "traits" if people else "properties"
    found = list(_who(columns))
    if when is not None:
        found.append(_timed("timestamp", when, times[when.name]) if when.name in times else _epoch(when))
    if event is not None:
        found.append(Field("event", event.name, "its name says so"))
    used = {_column_of(one) for one in found}
    rest = (column for column in columns if column.name not in used)
    found += [_property(path_text((place, column.name)), column, times, numerals) for column in rest]
    if people:
        return found, {"type": "identify"}
    return found, {"type": "track"} if event is not None else {"type": "track", "event": table_name(path).replace("_", " ").title()}


def table_name(path: Path) -> str:
    """The name of the file without what is only of this one, endings, dates and numbers: ``orders`` of ``Orders-2026-05.csv.gz``."""
    return re.sub(r"[^a-z]+", "_", path.name.split(".")[0].lower()).strip("_") or "rows"


def _column_of(one: Field) -> str:
    return one.how if isinstance(one.how, str) else str(one.how["column"])


def _who(columns: Sequence[Column]) -> Iterator[Field]:
    """Who the event is of: at most one column for each field."""
    for field, pattern in (("anonymousId", _DEVICE), ("userId", _USER), ("messageId", _MESSAGE)):
        fitting = [column for column in columns if pattern.fullmatch(column.word) and column.values]
        if field == "messageId":
            # A short number would be the id of a row of another table too.
            fitting = [column for column in fitting if column.unique and all(len(str(value)) >= 16 for value in column.values)]
        if field == "userId":
            fitting = [column for column in fitting if not _DEVICE.fullmatch(column.word)]
            fitting.sort(key=lambda column: not re.search(r"(id|no|nr|number|key|ref)$", column.word))
            fitting += [column for column in columns if column.word == "id" and column.values and not fitting]
        if fitting:
            yield Field(field, fitting[0].name, "its name says so")
    for trait, what in (("email", "e-mail address"), ("phone", "phone number")):
        column = next((column for column in columns if _is(column, what)), None)
        if column is not None:
            yield Field(
                f"traits.{trait}", column.name, f"its values look like an {what}" if trait == "email" else f"it looks like a {what}"
            )


def _is(column: Column, what: str) -> bool:
    """Whether most of the values are that, or some and the name says so."""
    if not column.values:
        return False
    alike = sum(guess.what == what for value in column.values if (guess := guess_by_value(str(value))) is not None)
    named = guess_by_name(column.word)
    return alike * 10 >= len(column.values) * 8 or (named is not None and named.what == what and (alike > 0 or what == "phone number"))


def _time_form(column: Column) -> str | bool | None:
    """The format of a column of times, None for ISO 8601 and for a file's own times; False if it holds others."""
    if column.values and all(isinstance(value, date | datetime) for value in column.values):
        return None
    texts = column.texts
    if not texts:
        return False
    return next((form for form in FORMATS if _reads(form, texts)), False)


def _reads(form: str | None, texts: Sequence[str]) -> bool:
    times = RowTimes(form, "UTC")
    return all((read := times.read(text)) is not None and read.endswith("Z") and _YEARS[0] <= read[:4] < _YEARS[1] and
               (form is not None or not text.strip().isdigit()) and parse_time(read) is not None for text in texts)  # fmt: skip


def _when(columns: Sequence[Column], times: Mapping[str, str | bool | None]) -> Column | None:
    """The column that says when: by its name, else the first that is no other time."""
    fitting = [column for column in columns if column.name in times and not _OTHER_TIME.fullmatch(column.word)]
    fitting += [column for column in columns if _TIME.fullmatch(column.word) and _is_epoch(column)]
    return next((column for column in fitting if _TIME.fullmatch(column.word)), fitting[0] if fitting else None)


def _is_epoch(column: Column) -> bool:
    """Whether all values are seconds or milliseconds since 1970, of 2001 or later."""
    return bool(column.values) and all(re.fullmatch(r"1\d{9}(\d{3})?", str(value)) for value in column.values)


def _epoch(column: Column) -> Field:
    return Field("timestamp", {"column": column.name, "type": "integer"}, "seconds or milliseconds since 1970")


def _timed(field: str, column: Column, form: str | bool | None) -> Field:
    both = isinstance(form, str) and "%d/%m/%Y" in form and _reads(form.replace("%d/%m/%Y", "%m/%d/%Y"), column.texts)
    why = "day before month; month before day reads every row, too" if both else "times without an offset are taken as UTC"
    return Field(field, {"column": column.name, **({"format": form} if isinstance(form, str) else {}), "zone": "UTC"}, why)


def _property(field: str, column: Column, times: dict[str, Any], numerals: Numerals) -> Field:
    texts = [text.strip() for text in column.texts]
    if column.name in times and not all(map(_DAY.fullmatch, texts)):
        return _timed(field, column, times[column.name])
    if not texts or column.name in times or _is_code(column, texts):
        return Field(field, column.name, "")
    if {text.lower() for text in texts} <= _TRUTHS:
        return Field(field, {"column": column.name, "type": "boolean"}, "")
    numbers = [numerals.decimal(text) for text in texts]
    if any(number is None or lost_digits(format(number, "f").encode()) for number in numbers):
        return Field(field, column.name, "")
    whole = all(number is not None and number == number.to_integral_value() for number in numbers) and not any(
        "," in text or "." in text for text in texts
    )
    return Field(field, {"column": column.name, "type": "integer" if whole else "number"}, "")


def _is_code(column: Column, texts: Sequence[str]) -> bool:
    """Whether digits are no number: an id, a code, or with a zero in front."""
    named = guess_by_name(column.word)
    code = re.search(r"(^|_)(id|no|nr|code|sku|zip|key|ref|phone|ean|isbn)$", column.word)
    return code is not None or named is not None or any(re.fullmatch(r"0\d+|\+\d+", text) for text in texts)
