"""Durations as people write them, in microseconds."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS_US = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_LIMIT_US = 36_525 * UNITS_US["d"]
_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_ISO = re.compile(r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?")
EXPECTED = "a duration such as 30m, 12h, 30d, 2w, P30D or PT90M"


def duration_us(value: object) -> int:
    """Microseconds of ``30d`` or ``PT90M``; ValueError if it is none, negative, or longer than 100 years."""
    if not isinstance(value, str):
        raise ValueError(EXPECTED)  # noqa: TRY004 - the callers tell it as a bad value of a file
    short = _SHORT.fullmatch(value.strip())
    iso = _ISO.fullmatch(value.strip())
    if short:
        total = Decimal(short[1]) * UNITS_US[short[2]]
    elif iso and any(iso.groupdict().values()):
        total = sum((Decimal(number) * UNITS_US[unit] for unit, number in iso.groupdict().items() if number), Decimal(0))
    else:
        raise ValueError(f"{EXPECTED}; months and years have no fixed length")
    if total > _LIMIT_US:
        raise ValueError("a duration of at most 100 years")
    return int(total)


def duration_text(us: int) -> str:
    """The shortest way to write microseconds as a duration: ``30d``, ``1.5s``."""
    unit = next((unit for unit in "dhm" if us % UNITS_US[unit] == 0), "s")
    return f"{Decimal(us) / UNITS_US[unit]:f}{unit}"
