"""Windows of time, beside a ``did`` and in computed traits: ``within: 30d``, ``ago: [60d, 30d]``, ``between: [2026-01-01, 2026-03-31]``,
``session: current``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.model.definitions import DAY_US, Feature
from contracts.text.days import date_range, is_day
from contracts.text.durations import duration_text, duration_us
from contracts.text.keys import Duration, Schema, described
from contracts.text.problems import Unexpected, listed
from contracts.text.times import MIN_US, iso, parse_time
from contracts.text.yaml_tree import Reader, Tree

WINDOWS = ("within", "ago", "between", "session")
SESSION_GAPS = 48
"""A session is looked at no further back than a day, or so many `session_gap`, whichever is longer."""
_DATES = "two dates or times, the earlier first, such as [2026-01-01, 2026-03-31]"
_AGO = "two durations, the longer first, such as [60d, 30d]"


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """See `Feature`, which has the same four."""

    within_us: int | None = None
    until_us: int = 0
    between: tuple[int, int] | None = None
    session_us: int | None = None


EVER = TimeSpan()


def read_window(reader: Reader, parts: Mapping[str, Tree], timezone: str = "UTC", *, gap_us: int) -> TimeSpan:
    """The window among the parts; without one, or with one that is wrong, all events. Dates alone are days of the time zone; a silence
    longer than the gap (µs) ends a session."""
    named = [name for name in WINDOWS if name in parts]
    if len(named) > 1:
        reader.refuse(parts[named[1]], f"only one of {listed(WINDOWS)}", " and ".join(named))
    if not named:
        return EVER
    at = parts[named[0]]
    if named[0] == "session":
        if at.value != "current":
            reader.refuse(at, "current: the session that goes on now", None, "what lies in earlier sessions, `within` and `ago` say")
        return TimeSpan(max(DAY_US, SESSION_GAPS * gap_us), session_us=gap_us)
    if named[0] == "within":
        within_us = reader.duration(at, 1)
        if within_us == 0:
            reader.refuse(at, "a window longer than nothing")
        return TimeSpan(within_us)
    ends = _ends(reader, at, _AGO if named[0] == "ago" else _DATES)
    if ends is None:
        return EVER
    return _ago(reader, at, ends) if named[0] == "ago" else _between(reader, at, ends, timezone)


def _ends(reader: Reader, at: Tree, expected: str) -> list[Tree] | None:
    if isinstance(at.value, list) and len(at.value) == 2:
        return at.value
    reader.refuse(at, expected, f"{len(at.value)}" if isinstance(at.value, list) else None)
    return None


def _ago(reader: Reader, at: Tree, ends: list[Tree]) -> TimeSpan:
    start, end = (reader.read(one, None, duration_us) for one in ends)
    if start is None or end is None:
        return EVER
    if start <= end:
        reader.refuse(at, _AGO, f"{duration_text(start)} before {duration_text(end)}")
    return TimeSpan(start, end)


def _between(reader: Reader, at: Tree, ends: list[Tree], timezone: str) -> TimeSpan:
    first, last = (reader.read(one, None, lambda value: _span(value, timezone)) for one in ends)
    if first is None or last is None:
        return EVER
    if first[0] > last[1]:
        reader.refuse(at, _DATES, f"{ends[0].value} before {ends[1].value}")
    return TimeSpan(between=(first[0], last[1]))


def _span(value: object, timezone: str) -> tuple[int, int]:
    """First and last microsecond of a day, or of an instant."""
    found = None
    if isinstance(value, str) and is_day(value):
        found = date_range(value, timezone)
    elif isinstance(value, str) and (instant := parse_time(value)) is not None:
        found = instant, instant
    if found is None:
        hint = "a measure's own `between` stands under `value:`" if type(value) in {int, float} else ""
        raise Unexpected("a date such as 2026-01-31, or a time such as 2026-01-31T10:00:00Z", hint)
    return max(found[0], MIN_US), found[1]


def is_inside(part: Feature, whole: Feature) -> bool:
    """Whether one window lies in the other at any time."""
    if whole.session_us is not None and part.session_us != whole.session_us:
        return False
    if whole.within_us is None and whole.between is None:
        return True
    if part.between is not None and whole.between is not None:
        return whole.between[0] <= part.between[0] and part.between[1] <= whole.between[1]
    if part.within_us is None or whole.within_us is None:
        return False
    return part.within_us <= whole.within_us and part.until_us >= whole.until_us


def window_text(feature: Feature) -> str:
    """`` within 30d``, as messages and explanations say it; empty without a window."""
    if feature.session_us is not None:
        return " in the current session"
    if feature.between is not None:
        return f" between {iso(feature.between[0])} and {iso(feature.between[1])}"
    if feature.within_us is None:
        return ""
    within = duration_text(feature.within_us)
    return f" {within} to {duration_text(feature.until_us)} ago" if feature.until_us else f" within {within}"


def window_schemas() -> dict[str, Schema]:
    """What editors know of them."""
    span = {"type": "string", "pattern": r"^\s*\d{4}-\d\d-\d\d"}
    ends: dict[str, Any] = {"type": "array", "minItems": 2, "maxItems": 2}
    return {
        "within": Duration().schema({}, "later than so long ago"),
        "ago": described({**ends, "items": Duration().schema({}, "how long ago")}, f"from so long ago to so long ago: {_AGO}"),
        "session": described({"enum": ["current"]}, "since the person's last silence longer than session_gap; nothing while one lasts"),
        "between": described({**ends, "items": span}, f"from one date to another, both belong: {_DATES}"),
    }
