"""Lookups: reference data by a key, of which an event carries what was found when it was accepted."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from contracts.text.numbers import micros, number_text

LookupKind = Literal["csv", "parquet", "duckdb", "maxmind", "user_agent", "channel"]
LOOKUP_KINDS: tuple[LookupKind, ...] = get_args(LookupKind)
TABLES = frozenset({"csv", "parquet", "duckdb"})
"""The kinds that are rows with a key."""
SUFFIXES = {"maxmind": ".mmdb", "user_agent": ".json", "channel": ".json"}
"""How a version of another kind is kept."""
OnError = Literal["refuse", "mark", "quarantine"]
ON_ERROR: tuple[OnError, ...] = get_args(OnError)
Normalize = Literal["text", "lower", "digits"]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)

NAMES = {
    "user_agent": ("browser", "browser_version", "os", "os_version", "device", "brand", "model"),
    "channel": ("channel", "source", "medium", "campaign"),
}
"""What can be found by the kinds whose data Skep brings."""

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
    in ``column`` of the file at ``path`` (relative to the project folder), or of what ``query`` gives. ``values``: name → column, or
    path in a record; empty means all there are.

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
    query: str = ""
    lines: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def file(self) -> str:
        """Below the contracts folder."""
        return f"lookups/{self.name}.yaml"

    @property
    def names(self) -> tuple[str, ...]:
        """What can be found; none if only the data says so."""
        return tuple(name for name, _ in self.values) or NAMES.get(self.kind, ())

    @property
    def suffix(self) -> str:
        """How the name of a version's file ends."""
        return SUFFIXES.get(self.kind, ".parquet")


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
