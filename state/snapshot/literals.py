"""Texts, names and paths as SQL writes them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import takewhile


def quote(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """A SQL name; it must not be empty."""
    return '"' + name.replace('"', '""') + '"'


def pointer(keys: Iterable[str | int | None]) -> str:
    """Where a value stands in a JSON document, up to the first None (every item of a list): a JSON pointer as a SQL text.

    DuckDB's own paths read the key ``*`` as every key, take no empty key, and do not find one that holds a control character.
    """
    named = takewhile(lambda key: key is not None, keys)
    return quote("".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in named))
