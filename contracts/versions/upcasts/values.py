"""What ``convert`` does with one value: units, types and times, in exact decimal arithmetic.

Every function takes a value of JSON and gives one; `Refused` says what it expected instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from math import gcd
from typing import Any
from zoneinfo import ZoneInfo

from contracts.text.numbers import micros
from contracts.text.times import MAX_US, MIN_US, SECOND_US, iso
from contracts.versions.upcasts.edits import Refused

Convert = Callable[[Any], Any]

_SCALES: tuple[dict[str, str], ...] = (
    {"cent": "1", "euro": "100"},
    {"cent": "1", "dollar": "100"},
    {"penny": "1", "pound sterling": "100"},
    {"minor": "1", "major": "100"},
    {"mg": "0.001", "g": "1", "kg": "1000", "t": "1000000", "oz": "28.349523125", "lb": "453.59237"},
    {"mm": "0.001", "cm": "0.01", "m": "1", "km": "1000", "inch": "0.0254", "foot": "0.3048", "mile": "1609.344"},
    {"ml": "0.001", "cl": "0.01", "l": "1"},
    {"us": "0.000001", "ms": "0.001", "s": "1", "min": "60", "h": "3600", "d": "86400"},
    {"percent": "0.01", "ratio": "1"},
    {"byte": "1", "kB": "1000", "MB": "1000000", "GB": "1000000000", "KiB": "1024", "MiB": "1048576", "GiB": "1073741824"},
)
"""Units that measure one thing, and how many of a common unit each is. No currency is converted into another."""

UNITS = tuple(dict.fromkeys(unit for scale in _SCALES for unit in scale))
TYPES = ("text", "number", "integer", "boolean")
EPOCHS = ("seconds", "milliseconds")

_NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_LONGEST = 400
_WHOLE_LIMIT = 2**63
_BOOLEANS = {**dict.fromkeys(("true", "yes", "1"), True), **dict.fromkeys(("false", "no", "0"), False)}
_CLOCK = re.compile(r"%[HIMSfpcXTRsz]")


def ratio_of_units(source: str, target: str) -> tuple[int, int] | None:
    """How many ``target`` one ``source`` is, as numerator and denominator; None if they do not measure the same thing."""
    for scale in _SCALES:
        if source in scale and target in scale:
            numerator, denominator = Decimal(scale[source]).as_integer_ratio()
            below, above = Decimal(scale[target]).as_integer_ratio()
            return numerator * above, denominator * below
    return None


def units_beside(unit: str) -> tuple[str, ...]:
    """The units that measure the same thing as this one."""
    return tuple(dict.fromkeys(other for scale in _SCALES if unit in scale for other in scale if other != unit))


def scaling(numerator: int, denominator: int, places: int | None) -> Convert:
    """Numbers times a ratio."""
    # Of a number of millionths, in lowest terms.
    common = gcd(numerator, 1_000_000 * denominator)
    times, per = numerator // common, 1_000_000 * denominator // common

    def scale(value: Any) -> Any:
        if type(value) is int:
            return _number(value * numerator, denominator, places, value)
        if type(value) is not float:
            raise Refused("a number", value)
        scaled = value * 1e6
        # At most 15 digits that stand for a float are its shortest decimal, so that no text is made for it.
        if -1e15 < scaled < 1e15 and (nearest := round(scaled)) / 1_000_000 == value:
            above = nearest * times
            if places is None and not above % per and -_WHOLE_LIMIT <= (whole := above // per) < _WHOLE_LIMIT:
                return whole
            return _number(above, per, places, value)
        above, below = _ratio(value, value)
        return _number(above * numerator, below * denominator, places, value)

    return scale


def _ratio(number: float | str, value: object) -> tuple[int, int]:
    """A float stands for the decimal that it is written as."""
    try:
        return Decimal(number if isinstance(number, str) else repr(number)).as_integer_ratio()
    except (ValueError, OverflowError):
        raise Refused("a number", value) from None


def _number(above: int, below: int, places: int | None, value: object) -> int | float:
    """The quotient: an integer where it is whole and fits into 64 bits, else the nearest float; a larger whole one must be that float."""
    if places is not None:
        whole, rest = divmod(above * 10**places, below)
        whole += 2 * rest > below or (2 * rest == below and whole % 2 == 1)
        above, below = whole, 10**places
    whole, rest = divmod(above, below)
    if not rest and -_WHOLE_LIMIT <= whole < _WHOLE_LIMIT:
        return whole
    try:
        nearest = above / below
    except OverflowError:
        raise Refused("a number that stays below 10³⁰⁸", value) from None
    if not rest and Decimal(repr(nearest)) != whole:
        # Several numbers would become one, and with them what they identify.
        raise Refused("a number that 64 bits can hold", value)
    return nearest


def to_type(kind: str, places: int | None) -> Convert:
    """Values of that type (one of TYPES)."""
    if kind == "text":
        return _to_text
    if kind == "boolean":
        return _to_boolean
    return lambda value: _to_number(value, kind, places)


def _to_number(value: Any, kind: str, places: int | None) -> int | float:
    expected = "a whole number" if kind == "integer" else "a number"
    if type(value) is str:
        text = value.strip()
        if len(text) > _LONGEST or _NUMBER.fullmatch(text) is None:
            raise Refused(expected, value)
        above, below = _ratio(text, value)
    elif type(value) is int or type(value) is float:
        above, below = _ratio(value, value)
    else:
        raise Refused(expected, value)
    number = _number(above, below, places, value)
    if kind == "integer" and type(number) is float and not number.is_integer():
        raise Refused(expected, value)
    return number


def _to_boolean(value: Any) -> bool:
    if type(value) is bool:
        return value
    word = value.strip().lower() if type(value) is str else str(value) if type(value) is int else ""
    if word not in _BOOLEANS:
        raise Refused("true, yes, 1, false, no or 0", value)
    return _BOOLEANS[word]


def _to_text(value: Any) -> str:
    text = text_of(value)
    if text is None:
        raise Refused("a text, a number or a boolean", value)
    return text


def text_of(value: Any) -> str | None:
    """The text itself, a number as its shortest decimal text, ``true`` or ``false``; None for all else."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is float:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return None


def from_epoch(unit: str) -> Convert:
    """Numbers of seconds or milliseconds since 1970 as ISO times, cut to µs."""
    divisor = 1 if unit == "seconds" else 1000

    def convert(value: Any) -> str:
        scaled = micros(value)
        time_us = None if scaled is None else scaled // divisor
        if time_us is None or not MIN_US <= time_us <= MAX_US:
            raise Refused(f"a number of {unit} since 1970, in the years 1 to 9999", value)
        return iso(time_us)

    return convert


def from_format(form: str, zone: str) -> Convert:
    """Texts of a time format as ISO times; as ISO dates if the format has no clock. A text without an offset is of ``zone``."""
    local = ZoneInfo(zone)
    dates = not has_clock(form)

    def convert(value: Any) -> str:
        try:
            found = datetime.strptime(value, form)  # noqa: DTZ007 - the zone is put in below
            if dates:
                return found.date().isoformat()
            aware = found if found.tzinfo else found.replace(tzinfo=local)
            return iso(_since_1970(aware))
        except (ValueError, TypeError, OverflowError):
            raise Refused(f"a time of the form {form}", value) from None

    return convert


def has_clock(form: str) -> bool:
    """Whether a time format says more than a date."""
    return _CLOCK.search(form) is not None


def _since_1970(time: datetime) -> int:
    passed = time.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (passed.days * 86_400 + passed.seconds) * SECOND_US + passed.microseconds


def factor(number: float) -> tuple[int, int]:
    """A number of a file as numerator and denominator."""
    return Decimal(repr(number)).as_integer_ratio()
