"""Times as files write them, by a format and a time zone, as ISO texts in UTC; what is none stays the text that it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connectors.sources.values import iso_text, text_of

KNOWN_MAX = 100_000
"""Distinct values whose reading is remembered."""
FIRST_YEAR = 1900
"""Digits without separators mean no year before: seconds since 1970 would be of the 17th century."""

_ISO = re.compile(r"\d{4}(?:-\d\d-\d\d|\d{4}(?!\d)|-?W\d\d(?:-?\d)?)(?:[T ].*)?", re.ASCII | re.IGNORECASE | re.DOTALL)
_UTC_BEHIND = re.compile(r"(.*\d)\s*(?:UTC|GMT|Z)", re.ASCII | re.IGNORECASE | re.DOTALL)
_UTC_WITHIN = re.compile(r"(?<![A-Za-z])(?:UTC|GMT)(?![A-Za-z])", re.ASCII | re.IGNORECASE)
_RUN_OF_DIGITS = re.compile(r"%[YymdHMSfj]%[YymdHMSfj]")


class RowTimes:
    """Reads the times of one column. ``form`` is Python's strptime, None is ISO 8601; times without an offset are of ``zone``.

    `ambiguous` counts the values that the zone has twice, because clocks were put back; they are the first of both.
    """

    def __init__(self, form: str | None, zone: str) -> None:
        # What %Z reads depends on the machine's own zone, so names are read as offsets: only those of UTC have one.
        self._named = form is not None and "%Z" in form.replace("%%", "")
        self._form = form.replace("%Z", "%z") if form is not None and self._named else form
        self._digits = form is not None and _RUN_OF_DIGITS.search(form) is not None
        self._zone = ZoneInfo(zone)
        self._known: dict[Any, str] = {}
        self._twice: set[Any] = set()
        self.ambiguous = 0

    def read(self, value: Any) -> str | None:
        """The ISO text of a text, a datetime or a date; None if there is none."""
        if not isinstance(value, str | datetime):
            value = text_of(value)
        if not value:
            return None
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= KNOWN_MAX:
                self._known.clear()
                self._twice.clear()
            found = self._known[value] = self._read(value)
        if self._twice and value in self._twice:
            self.ambiguous += 1
        return found

    def _read(self, value: str | datetime) -> str:
        text = value if isinstance(value, str) else value.isoformat(" ")
        try:
            moment = value if isinstance(value, datetime) else self._parsed(text.strip())
            return self._placed(value, text, moment)
        except (ValueError, OverflowError):
            return text

    def _parsed(self, text: str) -> datetime:
        if self._form is None:
            return _iso(text)
        moment = datetime.strptime(_UTC_WITHIN.sub("+0000", text) if self._named else text, self._form)  # noqa: DTZ007
        # strptime takes fewer digits than a directive has, so it finds a time in digits that are none.
        if self._digits and (_trimmed(moment.strftime(self._form)) != _trimmed(text) or (text.isdigit() and moment.year < FIRST_YEAR)):
            raise ValueError(text)
        return moment

    def _placed(self, value: str | datetime, text: str, moment: datetime) -> str:
        if moment.tzinfo is not None:
            return iso_text(moment)
        first, second = (moment.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        if first.utcoffset() != second.utcoffset():
            if first.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None, fold=0) != moment:
                return f"{text} (no time in {self._zone.key}: clocks are put forward then)"
            self._twice.add(value)
        return iso_text(first)


def _trimmed(text: str) -> str:
    """A time as it is compared: the zeros at the end of a fraction count for nothing."""
    return text.lower().rstrip("0") if "." in text else text.lower()


def _iso(text: str) -> datetime:
    behind = _UTC_BEHIND.fullmatch(text)
    if behind is not None:
        text = behind.group(1)
    if not _ISO.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if behind is not None and moment.tzinfo is None else moment
