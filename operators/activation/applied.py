"""What `apply` names: functions of one value, each pure. A list has them applied to each of its items; None is absent."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from contracts.text.times import SECOND_US, iso, parse_time

Apply = Callable[[Any], Any]
REGION = "GB"
"""Where a telephone number without a country code is taken to be from, as in the default rules of identity."""
_GMAIL = frozenset({"gmail.com", "googlemail.com"})
_NOT_WORDS = re.compile(r"[\W_]+")
_NOT_DIGITS = re.compile(r"\D+", re.ASCII)
_BLANKS = re.compile(r"\s+")
_PUNCTUATION = re.compile(r"[^\w\s]+|_+")
_ZIP_PLUS_4 = re.compile(r"(\d{5})-?\d{4}", re.ASCII)


def text_of(value: Any) -> str:
    """A value as a path, a query, a header or a form has it: a text as it is, else its JSON text."""
    return value if type(value) is str else orjson.dumps(value).decode()


def gmail(text: str) -> str:
    """An address of Gmail without what Gmail ignores: dots, and what follows a plus."""
    name, at, domain = text.rpartition("@")
    if not at or domain.strip().lower() not in _GMAIL:
        return text
    return f"{name.partition('+')[0].replace('.', '')}@{domain}"


def e164(text: str) -> str | None:
    """``+447700900123`` of a telephone number, whatever it is written like; None if it is none."""
    import phonenumbers  # noqa: PLC0415 - it is large, and most destinations have no telephone numbers

    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def zip5(text: str) -> str:
    """A postal code; of an American one with four digits more the first five."""
    found = _ZIP_PLUS_4.fullmatch(text)
    return text if found is None else found[1]


def _hash(name: str) -> Apply:
    return lambda value: hashlib.new(name, text_of(value).encode(), usedforsecurity=False).hexdigest()


def _time(form: Callable[[int], Any]) -> Apply:
    def apply(value: Any) -> Any:
        time_us = parse_time(value)
        return None if time_us is None else form(time_us)

    return apply


def iso_short(time_us: int) -> str:
    """ISO 8601 in UTC with milliseconds; with microseconds where there are some."""
    text = iso(time_us)
    return text if time_us % 1000 else f"{text[:-4]}Z"


def _text(how: Callable[[str], str | None]) -> Apply:
    return lambda value: how(text_of(value))


FUNCTIONS: Mapping[str, Apply] = {
    "trim": _text(str.strip),
    "lower": _text(str.lower),
    "upper": _text(str.upper),
    "digits": _text(lambda text: _NOT_DIGITS.sub("", text)),
    "e164": _text(e164),
    "slug": _text(lambda text: _NOT_WORDS.sub("_", text)),
    "strip_spaces": _text(lambda text: _BLANKS.sub("", text)),
    "strip_punctuation": _text(lambda text: _PUNCTUATION.sub("", text)),
    "zip5": _text(zip5),
    "sha256": _hash("sha256"),
    "sha512": _hash("sha512"),
    "md5": _hash("md5"),
    "base64": lambda value: base64.b64encode(text_of(value).encode()).decode(),
    "iso": _time(iso_short),
    "epoch": _time(lambda time_us: time_us // SECOND_US),
    "epoch_ms": _time(lambda time_us: time_us // 1000),
    "json": lambda value: orjson.dumps(value).decode(),
    "gmail": _text(gmail),
    "text": text_of,
    "plain": lambda value: None if isinstance(value, list | Mapping) else value,
}
_OF_THE_WHOLE = frozenset({"json", "text", "plain"})
"""Those that take a list as one value."""


def applied(names: Iterable[str | Mapping[str, int]]) -> Apply:
    """The functions one after the other; what is no longer there by one of them stays so."""
    steps = [_cut(name["cut"]) if isinstance(name, Mapping) else _of(name) for name in names]

    def apply(value: Any) -> Any:
        for step in steps:
            if value is None:
                return None
            value = step(value)
        return value

    return apply


def _of(name: str) -> Apply:
    function = FUNCTIONS[name]
    return function if name in _OF_THE_WHOLE else _of_items(function)


def _of_items(function: Apply) -> Apply:
    def apply(value: Any) -> Any:
        if type(value) is list:
            return [found for item in value if item is not None and (found := function(item)) is not None]
        return function(value)

    return apply


def _cut(length: int) -> Apply:
    """Texts are cut; what is none stays as it is."""
    return _of_items(lambda value: value[:length] if type(value) is str else value)
