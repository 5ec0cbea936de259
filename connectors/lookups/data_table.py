"""What the files of lookups have in common: columns by name, rows of plain values, and where each row stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ROWS_MAX = 5_000_000
"""Rows of a lookup."""


@dataclass(frozen=True, slots=True)
class DataTable:
    """``rows`` hold a value of JSON, or None, for each of ``columns``; ``place(number)`` says in words where a row (from 0) stands."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    place: Callable[[int], str]


class Unusable(Exception):  # noqa: N818 - named for what the data is
    """Data that is no lookup's: which key of the YAML file is concerned, what was expected, found, and what to do."""

    def __init__(self, key: str, expected: str, found: str, hint: str = "") -> None:
        super().__init__(f"{key}: expected {expected}, found {found}")
        self.key, self.expected, self.found, self.hint = key, expected, found, hint


def check_columns(columns: list[str]) -> None:
    """Raises `Unusable` if a column has no name, or two have the same."""
    twice = next((name for at, name in enumerate(columns) if name in columns[:at]), None)
    if not columns or "" in columns or twice is not None:
        raise Unusable("path", "columns that have names of their own", f"{twice} twice" if twice else "one without a name")


def check_count(rows: int) -> None:
    """Raises `Unusable` if there are too many rows."""
    if rows > ROWS_MAX:
        raise Unusable("path", f"at most {ROWS_MAX:,} rows", f"{rows:,}")
