"""Numbers and truth values as files write them; what is none stays the text that it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation
from typing import Any

import orjson

from connectors.sources.values import number

_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_JSON_INTEGER = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
_EXACT = Context(prec=200, traps=[InvalidOperation, Inexact])
_MAX = Decimal("1e300")
"""No number of an event reaches it: it could not be read as JSON."""
_ALIKE = (" \u00a0\u202f", "'\u2019")
"""Signs between thousands that are one: an ordinary blank and both that do not break, a straight apostrophe and a curved one."""


class Numerals:
    """Reads numbers with a decimal sign and, if there is one, a sign between thousands (``1.234.567,89``, ``12,34,567.8``)."""

    def __init__(self, decimal: str = ".", thousands: str = "") -> None:
        self._decimal = decimal
        self._between = next((signs for signs in _ALIKE if thousands and thousands in signs), thousands)
        grouped = rf"\d{{1,3}}(?:[{re.escape(self._between)}]\d{{2,3}})*[{re.escape(self._between)}]\d{{3}}|" if thousands else ""
        self._form = re.compile(rf"[+-]?(?:{grouped}\d+)(?:{re.escape(decimal)}\d*)?(?:[eE][+-]?\d{{1,3}})?", re.ASCII)
        self._plain = decimal == "." and not thousands

    @property
    def types(self) -> dict[str, Callable[[str], Any]]:
        """What a mapping's ``type`` makes of a text."""
        return {"text": str, "number": self.number, "integer": self.integer, "boolean": boolean}

    def decimal(self, text: str) -> Decimal | None:
        """The number that a text writes, exactly; None if it writes none."""
        text = text.strip()
        if not self._form.fullmatch(text):
            return None
        if not self._plain:
            for sign in self._between:
                text = text.replace(sign, "")
            text = text.replace(self._decimal, ".")
        return Decimal(text)

    def number(self, text: str) -> Any:
        """A number, or the text."""
        if self._plain and len(text) < 300 and _JSON_NUMBER.fullmatch(text):
            return orjson.Fragment(text)
        value = self.decimal(text)
        return text if value is None or abs(value) >= _MAX else number(value)

    def integer(self, text: str) -> Any:
        """A whole number below 10¹⁰⁰, or the text."""
        if len(text) < 100 and _JSON_INTEGER.fullmatch(text):
            return orjson.Fragment(text)
        value = self.decimal(text)
        if value is None or value != value.to_integral_value() or abs(value) >= 10**100:
            return text
        return number(value.quantize(Decimal(1), context=_EXACT))

    def product(self, texts: list[str]) -> Any:
        """The exact product; if a factor is no number, or the product has more than 200 digits, the factors as one text, ``3 × 12,90``."""
        result = Decimal(1)
        try:
            for text in texts:
                factor = self.decimal(text)
                if factor is None:
                    return " × ".join(texts)
                result = _EXACT.multiply(result, factor)
        except DecimalException:
            return " × ".join(texts)
        return number(result) if abs(result) < _MAX else " × ".join(texts)


def boolean(text: str) -> Any:
    """true, false, 1, 0, yes and no in any case, or the text."""
    return _BOOLEANS.get(text.strip().lower(), text)
