"""What ``format`` lets through when it asserts: by the library that validates, and as languages between which that lies."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import jsonschema_rs

from schemalogic.patterns.budget import Budget
from schemalogic.patterns.language import Language

_NOT_IN_7 = frozenset({"duration", "uuid"})
_YEAR = "[0-9]{4}"
_LEAP = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DATE = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP}-02-29)"
)
_HOUR, _MINUTE, _FRACTION = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]", "(?:\\.[0-9]+)?"
_OFFSET = f"(?:[Zz]|[+-]{_HOUR}:{_MINUTE})"
_TIME = f"(?:{_HOUR}:{_MINUTE}:{_MINUTE}{_FRACTION}{_OFFSET}|23:59:60Z)"
_TIME_OR_LEAP = f"{_HOUR}:{_MINUTE}:(?:{_MINUTE}|60){_FRACTION}{_OFFSET}"
_CLOCK = "T(?:[0-9]+H(?:[0-9]+M(?:[0-9]+S)?)?|[0-9]+M(?:[0-9]+S)?|[0-9]+S)"
_DAYS = "(?:[0-9]+Y(?:[0-9]+M(?:[0-9]+D)?)?|[0-9]+M(?:[0-9]+D)?|[0-9]+D)"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = f"{_BYTE}(?:\\.{_BYTE}){{3}}"
_POINTER = "(?:/(?:[^~/]|~[01])*)*"
_HEX = "[0-9A-Fa-f]"
_NAME = "[a-z0-9]{1,20}"


def _ipv6() -> str:
    """Eight groups, of which the last two may be an IPv4 address, and one or more zeros in a row may be ``::``."""
    group = f"{_HEX}{{1,4}}"
    ways = [f"(?:{group}:){{7}}{group}", f"(?:{group}:){{6}}{_IPV4}"]
    for left in range(8):
        begin = f"{group}(?::{group}){{{left - 1}}}" if left else ""
        right = 7 - left
        ends = [f"(?:{group}(?::{group}){{0,{right - 1}}})?" if right else ""]
        if right >= 2:
            ends.append(f"(?:{group}:){{0,{right - 2}}}{_IPV4}")
        ways += [f"{begin}::{end}" for end in ends]
    return "|".join(ways)


_EXACT = {
    "date": _DATE,
    "duration": f"P(?:{_DAYS}(?:{_CLOCK})?|{_CLOCK}|[0-9]+W)",
    "ipv4": _IPV4,
    "ipv6": _ipv6(),
    "json-pointer": _POINTER,
    "relative-json-pointer": f"(?:0|[1-9][0-9]*)(?:#|{_POINTER})",
    "uuid": f"{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}}",
}
_BETWEEN = {
    "date-time": (f"{_DATE}[Tt]{_TIME}", f"^{_DATE}[Tt]{_TIME_OR_LEAP}$"),
    "time": (_TIME, f"^{_TIME_OR_LEAP}$"),
    "email": (f"{_NAME}@{_NAME}\\.[a-z]{{2,10}}", "@"),
    "idn-email": (f"{_NAME}@{_NAME}\\.[a-z]{{2,10}}", "@"),
    "hostname": (f"[a-z]{_NAME}(?:\\.[a-z]{_NAME}){{0,3}}", "^[^ @/]+$"),
    "idn-hostname": (f"[a-z]{_NAME}(?:\\.[a-z]{_NAME}){{0,3}}", "[^]"),
    "uri": (f"https?://{_NAME}(?:/[a-z0-9]*)*", "^[A-Za-z][A-Za-z0-9+.-]*:"),
    "iri": (f"https?://{_NAME}(?:/[a-z0-9]*)*", "^[A-Za-z][A-Za-z0-9+.-]*:"),
    "uri-reference": ("[a-z0-9]*(?:/[a-z0-9]+)*", "^[^ ]*$"),
    "iri-reference": ("[a-z0-9]*(?:/[a-z0-9]+)*", "^[^ ]*$"),
    "uri-template": ("[a-z0-9]*(?:/[a-z0-9]+)*", "^[^ ]*$"),
    "regex": ("[a-z0-9]*", ""),
}
FORMATS = (*sorted(_EXACT), *sorted(_BETWEEN))
"""The formats that the library knows; all others are annotations."""


@dataclass(frozen=True, slots=True)
class FormatLanguage:
    """Every text of ``lower`` has the format, every text outside ``upper`` has not; they are equal if ``exact``."""

    lower: Language
    upper: Language
    exact: bool


def format_language(name: str, budget: Budget | None = None, *, draft: int = 2020) -> FormatLanguage:
    """The languages of a format, in draft 7 or 2020; a format that is not known asserts nothing."""
    if name not in FORMATS or (draft == 7 and name in _NOT_IN_7):
        return FormatLanguage(Language.everything(budget), Language.everything(budget), exact=True)
    if name in _EXACT:
        exact = Language.of_pattern(f"^(?:{_EXACT[name]})$", budget)
        return FormatLanguage(exact, exact, exact=True)
    lower, upper = _BETWEEN[name]
    return FormatLanguage(Language.of_pattern(f"^(?:{lower})$", budget), Language.of_pattern(upper, budget), exact=False)


def accepts(name: str, text: str, *, draft: int = 2020) -> bool:
    """Whether a text has the format when formats assert."""
    return bool(_validator(name, draft).is_valid(text))


def samples(name: str) -> tuple[str, ...]:
    """A few texts that have the format; none of a format that is not known."""
    return _SAMPLES.get(name, ())


@cache
def _validator(name: str, draft: int) -> jsonschema_rs.Validator:
    kind = jsonschema_rs.Draft7Validator if draft == 7 else jsonschema_rs.Draft202012Validator
    return kind({"format": name}, formats=CHECKS, validate_formats=True)


def _is_date_time(text: str) -> bool:
    return _is_date(text[:10]) and text[10:11] in {"T", "t"} and _is_time(text[11:])


def _is_time(text: str) -> bool:
    """A leap second is the last one of a day in UTC."""
    found = _READ_TIME.fullmatch(text)
    if found is None or found[3] != "60":
        return found is not None
    ahead = 0 if found[4] is None else (int(found[4][1:3]) * 60 + int(found[4][4:])) * (-1 if found[4][0] == "+" else 1)
    return (int(found[1]) * 60 + int(found[2]) + ahead) % 1440 == 1439


def _is_date(text: str) -> bool:
    return _READ_DATE.fullmatch(text) is not None


_READ_DATE = re.compile(_DATE)
_READ_TIME = re.compile(f"({_HOUR}):({_MINUTE}):({_MINUTE}|60){_FRACTION}(?:[Zz]|([+-]{_HOUR}:{_MINUTE}))")
CHECKS: dict[str, Callable[[str], bool]] = {"date": _is_date, "date-time": _is_date_time, "time": _is_time}
"""Formats that the library reads too generously (it takes ``20-0-01-01`` for a date)."""
_SAMPLES = {
    "date": ("2024-05-17", "2000-02-29", "1970-01-01"),
    "date-time": ("2024-05-17T09:30:00Z", "2024-05-17T09:30:00.125+02:00", "1970-01-01T00:00:00Z"),
    "duration": ("P1D", "PT90M", "P1Y2M3DT4H5M6S"),
    "email": ("ada@example.com", "grace.hopper@example.org", "a@b.de"),
    "hostname": ("example.com", "localhost", "www.example.org"),
    "idn-email": ("ada@example.com", "jörg@example.de"),
    "idn-hostname": ("example.com", "bücher.example"),
    "ipv4": ("192.0.2.1", "10.0.0.1", "255.255.255.255"),
    "ipv6": ("2001:db8::1", "::1", "::ffff:192.0.2.1"),
    "iri": ("https://example.com/", "https://example.com/straße"),
    "iri-reference": ("/a/b", "https://example.com/"),
    "json-pointer": ("", "/a/0", "/a~1b"),
    "regex": ("^[a-z]+$", "a|b", "[0-9]{4}"),
    "relative-json-pointer": ("0", "1/a", "2#"),
    "time": ("09:30:00Z", "23:59:59.5+02:00"),
    "uri": ("https://example.com/", "urn:isbn:0451450523", "mailto:ada@example.com"),
    "uri-reference": ("/a/b", "https://example.com/", "#top"),
    "uri-template": ("/a/{id}", "https://example.com/{?q}"),
    "uuid": ("2eb8aa08-aa98-41ea-b4aa-73b441d16380", "00000000-0000-0000-0000-000000000000"),
}
