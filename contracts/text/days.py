"""Dates in the values of traits and properties: a date alone is its day in a time zone, a date with a time one moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


def date_range(text: Any, zone: str) -> tuple[int, int] | None:
    """First and last µs of an ISO 8601 text: the whole day of a date alone, one instant otherwise (UTC without an offset); else None."""
    if type(text) is not str:
        return None
    try:
        if _DATE.fullmatch(text):
            day = datetime.fromisoformat(text)
            start = (day.replace(tzinfo=ZoneInfo(zone)) - _EPOCH) // _US
            end = ((day + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)) - _EPOCH) // _US
            return start, end - 1
        if _MOMENT.fullmatch(text):
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=UTC)
            instant = (at - _EPOCH) // _US
            return instant, instant
    except (ValueError, OverflowError):
        return None
    return None
