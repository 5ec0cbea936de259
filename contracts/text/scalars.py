"""Unquoted texts of YAML 1.2, and texts that somebody means as numbers."""

from __future__ import annotations

import re
from typing import Any

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_AMOUNT = re.compile(r"(?P<sign>-?)\s*(?:[€$£¥]|[A-Z]{3})?\s*(?P<digits>\d[\d.,_'’ \u00a0\u202f]*)\s*(?P<unit>%|[€$£¥]|[A-Z]{3})?")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,_'’ \u00a0\u202f]\d{3})+")
_QUOTES = "“”„‟«»‘’‚‹›"
_UNSEEN = "\u00a0\u2007\u202f\u200b\u200c\u200d\u2060\ufeff"


def scalar(text: str) -> Any:
    """What an unquoted text is in YAML 1.2: a boolean, nothing, a number, or the text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 40:
        return int(text)
    if _FLOAT.fullmatch(text) and abs(float(text)) < float("inf"):
        return float(text)
    return text


def meant_number(text: str) -> int | float | None:
    """The number that is meant by ``"250"``, ``1,000``, ``12,90``, ``250 €`` or ``10%``; None if it is none."""
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        plain = scalar(text.strip())
        return plain if isinstance(plain, (int, float)) and not isinstance(plain, bool) else None
    digits = found["digits"].strip()
    whole, _, part = digits.rpartition("," if digits.rfind(",") > digits.rfind(".") else ".")
    grouped = _THOUSANDS.fullmatch(digits) and (scalar(digits) == digits or found["unit"])
    if grouped or not whole:
        whole, part = digits, ""
    number = scalar(f"{found['sign']}{re.sub(r'[^0-9]', '', whole)}{f'.{part}' if part else ''}")
    if not isinstance(number, (int, float)):
        return None
    return float(number) / 100 if found["unit"] == "%" else number


def unquoted(value: object) -> str:
    """The hint for a text that is meant as a number; empty for everything else."""
    number = meant_number(value) if isinstance(value, str) else None
    if number is None:
        return ""
    return f"write {value} without quotes" if scalar(str(value)) == number else f"write {number}"


def share_hint(value: object) -> str:
    """The hint for a share that is written in hundredths, as a text, or by itself; empty for what is none."""
    number = meant_number(value) if isinstance(value, str) else value
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number <= 100:
        return ""
    return f"write {number if number <= 1 else number / 100:g}"


def stray(text: str) -> str:
    """What to write for an unquoted text that has marks its author does not take to be part of it; else an empty text.

    These are quotation marks of typography around it, and blanks that nobody sees at its ends.
    """
    bare = text.strip(_UNSEEN)
    if bare != text:
        return f"there is a blank in it that cannot be seen; write {bare} anew"
    if len(text) > 2 and text[0] in _QUOTES and text[-1] in _QUOTES and not any(one in _QUOTES for one in text[1:-1]):
        return f'use straight quotation marks: "{text[1:-1]}"'
    return ""
