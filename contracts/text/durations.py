"""Durations as people write them, in microseconds."""

from __future__ import annotations

import re
from decimal import Decimal

from contracts.text.problems import Unexpected

UNITS_US = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_LIMIT_US = 36_525 * UNITS_US["d"]
_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_ISO = re.compile(r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?=\d)(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?")
_PARTS = re.compile(r"(?:last|past)?[\s_-]*P?(?P<parts>(?:T?\d+(?:[.,]\d+)?[\s_-]*[a-z]+[\s_,-]*(?:and\s+)?)+)", re.IGNORECASE)
_PART = re.compile(r"(T?)(\d+(?:[.,]\d+)?)[\s_-]*([a-z]+)", re.IGNORECASE)
_WORDS = {
    "s": "s sec secs second seconds", "m": "m min mins minute minutes", "h": "h hr hrs hour hours", "d": "d day days",
    "w": "w wk wks week weeks", "month": "mo mon mos mth month months", "quarter": "q quarter quarters", "year": "y yr yrs year years",
}  # fmt: skip
_UNITS = {word: unit for unit, words in _WORDS.items() for word in words.split()}
_DAYS = {"month": 30, "quarter": 90, "year": 365}
EXPECTED = "a duration such as 30m, 12h, 30d, 2w, P30D or PT90M"


def duration_us(value: object) -> int:
    """Microseconds of ``30d`` or ``PT90M``; `Unexpected` if it is none, negative, or longer than 100 years."""
    if not isinstance(value, str):
        raise Unexpected(EXPECTED, f"write {value}d for days, {value}h for hours" if type(value) is int and value > 0 else "")
    short = _SHORT.fullmatch(value.strip())
    iso = _ISO.fullmatch(value.strip())
    if short:
        total = Decimal(short[1]) * UNITS_US[short[2]]
    elif iso and any(iso.groupdict().values()):
        total = sum((Decimal(number) * UNITS_US[unit] for unit, number in iso.groupdict().items() if number), Decimal(0))
    else:
        raise Unexpected(f"{EXPECTED}; months and years have no fixed length", _rewritten(value.strip()))
    if total > _LIMIT_US:
        raise Unexpected("a duration of at most 100 years")
    return int(total)


def _rewritten(text: str) -> str:
    """How to write a duration that is written in another way: ``3 months`` and ``P3M`` as ``90d``; empty if it is none."""
    text = re.sub(r"^(an?|one|last|past)\b", "1", text, flags=re.IGNORECASE) if not re.search(r"\d", text) else text
    capital, whole = re.fullmatch(r"(\d+)\s*M", text), _PARTS.fullmatch(text)
    if capital:
        return f"write {int(capital[1]) * 30}d for months, {capital[1]}m for minutes"
    if whole is None:
        return ""
    clock, total_us = not re.match(r"P\d", text, re.IGNORECASE), Decimal(0)
    for time, number, word in _PART.findall(whole["parts"]):
        clock = clock or bool(time)
        unit = "month" if word.lower() == "m" and not clock else _UNITS.get(word.lower())
        if unit is None:
            return ""
        total_us += Decimal(number.replace(",", ".")) * UNITS_US["d" if unit in _DAYS else unit] * _DAYS.get(unit, 1)
    return f"write {duration_text(total_us)}" if total_us else ""


def duration_text(total_us: int | Decimal) -> str:
    """A duration as people write it, in the longest unit that it is a whole number of: ``90m``, ``30d``."""
    unit = next((unit for unit in ("d", "h", "m") if total_us % UNITS_US[unit] == 0), "s")
    return f"{(Decimal(total_us) / UNITS_US[unit]).normalize():f}{unit}"


def rough_text(seconds: float) -> str:
    """How long something has lasted, at a glance: ``21.3 d``, ``4.5 h``, ``12 s``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
