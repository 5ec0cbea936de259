"""What a text seems to be: a format of JSON Schema, or personal data, by its value or by the name of its property."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import jsonschema_rs

_CHECKED = ("date-time", "date", "time", "uuid", "email", "ipv4", "ipv6", "uri", "duration")
_WORTH = {"time": ":", "uri": "://", "duration": "P"}
"""What a text must hold beside, since short texts would pass for these by accident."""


def _format(name: str) -> Callable[[str], bool]:
    judge = jsonschema_rs.Draft202012Validator({"format": name}, validate_formats=True).is_valid
    needed = _WORTH.get(name, "")
    return lambda text: needed in text and judge(text)


FORMATS: dict[str, Callable[[str], bool]] = {name: _format(name) for name in _CHECKED}
"""By name of the format, the one that says most first."""

_CLASSES: dict[str, tuple[str, str]] = {
    "e-mail address": ("direct", "email"),
    "phone number": ("direct", "phone"),
    "card number": ("sensitive", ""),
    "IBAN": ("sensitive", ""),
    "IP address": ("pseudonymous", ""),
    "name of a person": ("direct", ""),
    "postal address": ("direct", ""),
    "date of birth": ("direct", ""),
    "place on earth": ("direct", ""),
    "identity document": ("sensitive", ""),
    "health": ("sensitive", ""),
    "gender": ("sensitive", ""),
    "id of a person or device": ("pseudonymous", ""),
}
"""What it is → ``x-personal`` and, where it identifies, ``x-identifier``."""
_NAMES = (
    ("e-mail address", r"e_?mail(_address)?"),
    ("phone number", r"(mobile|cell|tele|tel_|phone|fax)(_?(phone|number|no))?|msisdn"),
    ("card number", r"(card|cc|pan)_?(number|no)"),
    ("IBAN", r"iban|bank_?account"),
    ("IP address", r"ip(_?addr(ess)?)?|remote_addr"),
    ("name of a person", r"(first|last|full|middle|given|family|maiden|sur)_?name|surname"),
    ("postal address", r"street.*|address(_?line)?_?\d?|zip(_?code)?|post(al)?_?code"),
    ("date of birth", r"(date_of_)?birth(_?(day|date))?|dob"),
    ("place on earth", r"lat(itude)?|lon(gitude)?|lng|geo(location)?"),
    ("identity document", r"ssn|social_security.*|passport.*|national_id|tax_id|id_card.*"),
    ("health", r"health.*|diagnos.*|allerg.*|medication.*|blood_?type"),
    ("gender", r"gender|sex"),
    ("id of a person or device", r"(user|customer|client|visitor|device|anonymous|member|account|person)_?id|idfa|gaid|cookie"),
)
_BY_NAME = tuple((what, re.compile(pattern)) for what, pattern in _NAMES)
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,}")
_PHONE = re.compile(r"\+[\d ()./-]{7,20}")
_CARD = re.compile(r"\d(?:[ -]?\d){12,18}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Guess:
    """``what`` it seems to be, ``personal`` class and ``identifier`` as tags say them, ``by``: value or name."""

    what: str
    personal: str
    identifier: str
    by: str

    @classmethod
    def of(cls, what: str, by: str) -> Guess:
        return cls(what, *_CLASSES[what], by)

    def tags(self) -> dict[str, Any]:
        """The tags of a contract."""
        return {"x-personal": self.personal, **({"x-identifier": self.identifier} if self.identifier else {})}

    def why(self, alike: int, texts: int) -> str:
        """What speaks for it."""
        if self.by == "value":
            return f"{alike:,} of {texts:,} texts look like {_article(self.what)}"
        return f"its name sounds like {_article(self.what)}"


def _article(what: str) -> str:
    return what if what in {"health", "gender"} else f"{'an' if what[0] in 'aeioAEIO' else 'a'} {what}"


def guess_by_name(name: str) -> Guess | None:
    """What a property of this name seems to hold."""
    word = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(" ", "_")
    what = next((what for what, pattern in _BY_NAME if pattern.fullmatch(word)), None)
    return None if what is None else Guess.of(what, by="name")


def guess_by_value(text: str) -> Guess | None:
    """What a text seems to be."""
    what = _what(text.strip())
    return None if what is None else Guess.of(what, by="value")


def _can_be_called(text: str) -> bool:
    import phonenumbers  # noqa: PLC0415 - it is large, and seldom needed

    return bool(phonenumbers.is_possible_number_string(text, "ZZ"))


def _what(text: str) -> str | None:
    if not 7 <= len(text) <= 320:
        return None
    if "@" in text:
        return "e-mail address" if _EMAIL.fullmatch(text) else None
    if _PHONE.fullmatch(text) and _can_be_called(text):
        return "phone number"
    if _CARD.fullmatch(text) and _luhn(text):
        return "card number"
    if _IBAN.fullmatch(text) and _mod_97(text):
        return "IBAN"
    if text.count(".") == 3 or text.count(":") >= 2:
        return "IP address" if _is_ip(text) else None
    return None


def _luhn(text: str) -> bool:
    """The check digit of card numbers (ISO/IEC 7812)."""
    digits = [int(one) for one in reversed(text) if one.isdigit()]
    return sum(digits[::2]) % 10 == -sum(sum(divmod(2 * one, 10)) for one in digits[1::2]) % 10


def _mod_97(text: str) -> bool:
    """The check digits of ISO 13616."""
    plain = text.replace(" ", "")
    return int("".join(str(int(one, 36)) for one in plain[4:] + plain[:4])) % 97 == 1


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
