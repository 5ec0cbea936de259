"""Rates, sizes and short durations as people write them: ``50/s``, ``5MB``, ``500ms``."""

from __future__ import annotations

import re

from contracts.text.durations import UNITS_US, duration_us
from contracts.text.problems import Unexpected

_RATE = re.compile(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h|d)")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]i?)?B")
_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*ms")
_TIMES = {None: 1, "K": 10**3, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_PER = {"sec": "s", "second": "s", "min": "m", "minute": "m", "hour": "h", "day": "d"}


def rate(value: object) -> float:
    """Times a second of ``50/s`` or ``600/m``."""
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise Unexpected("a rate such as 50/s, 600/m or 10000/d", _rate_hint(value))
    a_second = float(found[1]) * 1_000_000 / UNITS_US[found[2]]
    if not a_second:
        raise Unexpected("a rate above 0", "leave it out for as fast as the kind allows")
    return a_second


def _rate_hint(value: object) -> str:
    if type(value) in {int, float} and isinstance(value, int | float) and value > 0:
        return f"write {value}/s"
    number, _, unit = str(value).partition("/")
    return f"write {number.strip()}/{_PER[unit.strip()]}" if unit.strip() in _PER else ""


def size(value: object) -> int:
    """Bytes of ``5MB``, ``512KB`` or ``1MiB``."""
    found = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    total = int(float(found[1]) * _TIMES[found[2]]) if found is not None else 0
    if not total:
        raise Unexpected("a size such as 512KB, 5MB or 1MiB", f"write {value}B" if type(value) is int and value > 0 else "")
    return total


def short_us(value: object) -> int:
    """Microseconds of a duration longer than nothing, which may be of milliseconds: ``500ms``, ``10s``."""
    found = _SHORT.fullmatch(value.strip()) if isinstance(value, str) else None
    total = round(float(found[1]) * 1000) if found is not None else duration_us(value)
    if not total:
        raise Unexpected("a duration longer than nothing, such as 500ms or 10s")
    return total
