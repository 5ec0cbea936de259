"""Lookups: reference data by a key, of which an event carries what was found when it was accepted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from contracts.text.numbers import micros, number_text

LookupKind = Literal["csv", "parquet"]
LOOKUP_KINDS: tuple[LookupKind, ...] = get_args(LookupKind)
OnError = Literal["refuse", "mark", "quarantine"]
ON_ERROR: tuple[OnError, ...] = get_args(OnError)
Normalize = Literal["text", "lower", "digits"]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)

VERSION, ERROR = "version", "error"
"""What Skep writes beside the values, so that no value is called so."""
UNAVAILABLE = "unavailable"
"""The error of a lookup that has no version."""
RESERVED = (VERSION, ERROR)
ROW_MAX_BYTES = 2_000
"""What the values of a key may take as JSON: they are stored with every event that finds them."""
ITEMS_MAX = 1_000
"""Items of a list that are looked up; those behind them find nothing."""
KEY_MAX_BYTES = 1_000
"""A longer text is no key."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """``contracts/lookups/<name>.yaml``: ``keys`` are the paths in the event of which the first that leads to something is looked up
    in ``column`` of the file at ``path`` (relative to the project folder). ``values``: name → column; empty means every other column.

    ``lines`` says where a key of the YAML file stands, for problems with the data.
    """

    name: str
    kind: LookupKind
    path: str
    column: str
    keys: tuple[str, ...]
    values: tuple[tuple[str, str], ...] = ()
    normalize: Normalize = "text"
    on_error: OnError = "refuse"
    lines: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def file(self) -> str:
        """Below the contracts folder."""
        return f"lookups/{self.name}.yaml"


def key_reader(how: Normalize) -> Callable[[Any], str | None]:
    """What makes a key of a value, of an event or of the data alike: its text, or its number's; None of what can be none."""
    return {"text": _text, "lower": _lower, "digits": _digits}[how]


def _text(value: Any) -> str | None:
    if type(value) is str:
        if len(value) > KEY_MAX_BYTES:
            return None
        text = unicodedata.normalize("NFC", value).strip()
        return text or None
    exact = None if type(value) is bool else micros(value)
    return None if exact is None else number_text(exact)


def _lower(value: Any) -> str | None:
    text = _text(value)
    return None if text is None else text.casefold()


def _digits(value: Any) -> str | None:
    text = _text(value)
    return None if text is None else "".join(sign for sign in text if "0" <= sign <= "9") or None
