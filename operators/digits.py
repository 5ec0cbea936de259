"""Numbers with more digits than can be kept: JSON's readers make one double of several, which would be one identifier of several."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from schemalogic.paths import Step, path_text

_ALIKE = bytes(ord("0") if 48 <= byte <= 57 else byte for byte in range(256))
_LONG = b"0" * 19
"""The fewest digits of a whole number beyond 64 bits: -9223372036854775809."""
_TOGETHER = 32
"""Records that are searched at once: few, so that they stay in the processor's cache."""
_BEGINS = re.compile(rb"(?:^|[\s:,\[])-?(?:\d{17}|\d\.\d{16,}[eE])")
"""How a number begins that has as many digits; in a text it is rare."""
_WHOLE = 2.0**53
"""From here on a double stands for more than one whole number."""


class _Lost:
    """Stands for a number that would lose digits; ``kind`` says in words what it is."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def with_long_digits(records: Sequence[bytes]) -> Iterator[bytes]:
    """The records that may hold such a number: those with so many digits in a row, also in texts."""
    for at in range(0, len(records), _TOGETHER):
        some = records[at : at + _TOGETHER]
        if _LONG in b"\n".join(some).translate(_ALIKE):
            yield from (raw for raw in some if _LONG in raw.translate(_ALIKE))


def lost_digits(raw: bytes) -> str | None:
    """Where in a record a number would lose digits, and what is expected there; None if there is no such, or it is no JSON."""
    if _BEGINS.search(raw) is None:
        return None
    seen: list[_Lost] = []
    try:
        body = json.loads(raw, parse_int=lambda text: _whole(text, seen), parse_float=lambda text: _decimal(text, seen))
        # Of a key that stands twice the last one counts, so that what was seen need not be there.
        found = next(_places(body, ()), None) if seen else None
    except (ValueError, RecursionError):
        return None
    if found is None:
        return None
    path, kind = found
    return f"{path_text(path)}: expected a number that 64 bits can hold, found {kind}; send it as a text"


def _whole(text: str, seen: list[_Lost]) -> int | _Lost:
    if len(text) <= 20 and -(1 << 63) <= int(text) < 1 << 64:
        return int(text)
    seen.append(_Lost(f"one of {len(text.removeprefix('-'))} digits"))
    return seen[-1]


def _decimal(text: str, seen: list[_Lost]) -> float | _Lost:
    number = float(text)
    if abs(number) < _WHOLE or Decimal(text) == Decimal(repr(number)):
        return number
    seen.append(_Lost("a decimal of more than 17 digits"))
    return seen[-1]


def _places(value: Any, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(value, _Lost):
        yield path, value.kind
    items: Iterable[tuple[Step, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for step, item in items:
        yield from _places(item, (*path, step))
