"""Dates in the values of traits and properties: a date alone is its day in a time zone, a date with a time one moment."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_MIDNIGHT = time()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def date_range(text: Any, zone: str) -> tuple[int, int] | None:
    """First and last µs of an ISO 8601 text: the whole day of a date alone, one instant otherwise (UTC without an offset); else None."""
    if type(text) is not str:
        return None
    try:
        if _DATE.fullmatch(text):
            return day_range(date.fromisoformat(text), zone)
        if _MOMENT.fullmatch(text):
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            instant = (at - _EPOCH) // _US
            return instant, instant
    except (ValueError, OverflowError):
        return None
    return None


def day_range(day: date, zone: str) -> tuple[int, int]:
    """First and last µs of a day in a time zone. Raises OverflowError for the last day that there is."""
    tz = ZoneInfo(zone)
    start = (datetime.combine(day, _MIDNIGHT, tz) - _EPOCH) // _US
    return start, (datetime.combine(day + timedelta(days=1), _MIDNIGHT, tz) - _EPOCH) // _US - 1


def local_time(text: Any, zone: str) -> datetime | None:
    """A date in a time zone; a date alone begins there. None of what is no date."""
    found = date_range(text, zone)
    if found is None:
        return None
    return datetime.fromisoformat(text) if is_day(text) else local_moment(found[0], zone)


def local_moment(time_us: int, zone: str) -> datetime | None:
    """A moment in a time zone; None outside of the years 1 to 9999."""
    try:
        return (_EPOCH + timedelta(microseconds=time_us)).astimezone(ZoneInfo(zone))
    except OverflowError:
        return None


def is_day(text: str) -> bool:
    """Whether a date has no time."""
    return len(text) == 10
