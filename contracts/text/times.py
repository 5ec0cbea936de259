"""Times as integer microseconds since 1970 (UTC), read from what events carry and written as ISO texts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from contracts.text.numbers import micros

SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = 24 * HOUR_US
MIN_US = -62_135_596_800 * SECOND_US
"""0001-01-01T00:00:00Z, the earliest time that can be said."""
MAX_US = 253_402_300_800 * SECOND_US - 1
"""The last microsecond of the year 9999."""

_MILLISECONDS_FROM = 10**11
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?"
    r"\s*(?:[Zz]|(?:[+-]00:?00\s)?(?i:UTC|GMT)|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.ASCII,
)

# The form that SDKs send, 2026-01-31T10:00:00.000Z, is three look-ups: hour, minute and second, millisecond.
_HOURS_MAX = 20_000
_hours: dict[str, int] = {}
_begins: dict[int, str] = {}
"""By hour since 1970 how the text of its times begins."""
_SECONDS = {f"{m:02d}:{s:02d}.": (m * 60 + s) * SECOND_US for m in range(60) for s in range(60)}
_MILLIS = {f"{ms:03d}Z": ms * 1000 for ms in range(1000)}
_OF_SECONDS = list(_SECONDS)
_THREE = [f"{number:03d}" for number in range(1000)]


def parse_time(value: object) -> int | None:
    """Microseconds of an ISO 8601 text or of a number (seconds, milliseconds from ±10¹¹ on); None if it is neither."""
    if type(value) is str:
        if len(value) == 24:
            try:
                return _hours[value[:14]] + _SECONDS[value[14:20]] + _MILLIS[value[20:]]
            except KeyError:
                pass
        return _parse_text(value)
    if type(value) is int or type(value) is float:
        return _parse_number(value)
    return None


def iso(time_us: int) -> str:
    """``2026-01-31T10:00:00.000000Z``: the text of a time, always 27 characters."""
    hour = time_us // HOUR_US
    begins = _begins.get(hour)
    if begins is None:
        if len(_begins) >= _HOURS_MAX:
            _begins.clear()
        begins = _begins[hour] = f"{date.fromordinal(hour // 24 + _EPOCH_DAY).isoformat()}T{hour % 24:02d}:"
    rest = time_us % HOUR_US
    fraction = rest % SECOND_US
    return f"{begins}{_OF_SECONDS[rest // SECOND_US]}{_THREE[fraction // 1000]}{_THREE[fraction % 1000]}Z"


def iso_or_none(time_us: int | None) -> str | None:
    """As `iso`; None stays None."""
    return None if time_us is None else iso(time_us)


def _parse_number(value: float) -> int | None:
    time_us = micros(value)
    if time_us is None:
        return None
    if abs(value) >= _MILLISECONDS_FROM:
        time_us //= 1000
    return time_us if MIN_US <= time_us <= MAX_US else None


def _parse_text(text: str) -> int | None:
    text = text.strip()
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, off_hour, off_minute = match.groups()
    try:
        midnight = (date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY) * DAY_US
    except ValueError:
        return None
    hours, minutes, seconds = int(hour or 0), int(minute or 0), int(second or 0)
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    time_us = midnight + ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + int(((fraction or "") + "000000")[:6])
    if sign:
        if int(off_hour) > 23 or int(off_minute or 0) > 59:
            return None
        offset_us = (int(off_hour) * 60 + int(off_minute or 0)) * 60 * SECOND_US
        time_us += offset_us if sign == "-" else -offset_us
    elif len(text) == 24 and text[10] == "T":
        if len(_hours) >= _HOURS_MAX:
            _hours.clear()
        _hours[text[:14]] = midnight + hours * HOUR_US
    return time_us if MIN_US <= time_us <= MAX_US else None


def time_zone(value: object) -> str:
    """The name of a time zone. Raises ValueError with what was expected."""
    try:
        if isinstance(value, str) and value:
            return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise ValueError("a time zone such as UTC or Europe/London")


def time_format(form: str, expected: str) -> str:
    """A format that strptime reads. Raises ValueError with what was expected."""
    try:
        datetime.strptime("", form)  # noqa: DTZ007 - only to see whether it can be read
    except ValueError as error:
        if "does not match" not in str(error):
            raise ValueError(f"{expected}; {error}") from None
    return form
