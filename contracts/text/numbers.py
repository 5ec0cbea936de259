"""Exact numbers: everything that is summed or compared is an integer of 10⁻⁶ (a *micro*)."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

MICRO = 1_000_000
_LIMIT = 10**30
_EXACT = 2.0**50
_PLACES = Decimal("0.000001")
_TEXTS = Context(prec=2_500, Emax=100, traps=[])


def micros(value: object) -> int | None:
    """The value in units of 10⁻⁶, rounded half to even; None if it is no number (a boolean is none).

    A float stands for the decimal that it is written as (its shortest form).
    """
    if type(value) is int:
        return value * MICRO if -_LIMIT < value < _LIMIT else None
    if type(value) is not float:
        return None
    scaled = value * 1e6
    if -_EXACT < scaled < _EXACT:
        nearest = round(scaled)
        if -1e-3 < scaled - nearest < 1e-3 and abs(scaled) < 2.0**40:
            return nearest
    elif not abs(scaled) < _LIMIT:
        return None
    return int((Decimal(repr(value)) * MICRO).to_integral_value(ROUND_HALF_EVEN))


def text_micros(text: str) -> int | None:
    """The same of a number that a text of at most 2,000 characters writes, by all its digits; None from 10^95 on."""
    scaled = _TEXTS.multiply(_TEXTS.create_decimal(text), Decimal(MICRO)).to_integral_value(ROUND_HALF_EVEN)
    return int(scaled) if scaled.is_finite() else None


def number_text(value: int) -> str:
    """The shortest decimal text of ``value`` micros, valid as a JSON number: 12500000 → ``12.5``."""
    sign, value = ("-", -value) if value < 0 else ("", value)
    whole, part = divmod(value, MICRO)
    return f"{sign}{whole}.{part:06d}".rstrip("0") if part else f"{sign}{whole}"
