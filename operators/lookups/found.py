"""A version of a lookup in memory: key → what every event with that key finds. Equal values are one object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import orjson

from contracts.model.lookup import ERROR, UNAVAILABLE, VERSION, Lookup, key_reader


class Found(NamedTuple):
    """What an event says of a key, and the same as JSON."""

    said: dict[str, Any]
    text: bytes


Look = Callable[[Any], Found | None]
"""What a value of an event finds in the data of a version; None if it is no key."""
CACHE_MAX = 50_000
"""Keys whose answer is remembered where it takes long to find; all are forgotten when there are more."""


def found(said: dict[str, Any]) -> Found:
    """The same with its JSON."""
    return Found(said, orjson.dumps(said, option=orjson.OPT_SORT_KEYS))


NO_DATA = found({ERROR: UNAVAILABLE})


class LookupTable:
    """The rows of a version, as a lookup reads them; a key that is in none finds the version alone."""

    def __init__(self, lookup: Lookup, version: str, keys: Sequence[str], values: Sequence[str]) -> None:
        """``keys`` and, as JSON objects, ``values`` as they are stored."""
        self._key = key_reader(lookup.normalize)
        self._missed = found({VERSION: version})
        self._found: dict[str, Found] = {}
        each: dict[str, Found] = {}
        for key, value in zip(keys, values, strict=True):
            one = each.get(value)
            if one is None:
                one = each[value] = found({**chosen(lookup, orjson.loads(value)), VERSION: version})
            normal = self._key(key)
            if normal is not None:
                self._found[normal] = one

    def look(self, value: Any) -> Found | None:
        """What a value of an event finds; None if it is no key."""
        key = self._key(value)
        return None if key is None else self._found.get(key, self._missed)


def chosen(lookup: Lookup, row: dict[str, Any]) -> dict[str, Any]:
    """The values of a row under the names that the lookup gives them."""
    return {name: row[column] for name, column in lookup.values if column in row} if lookup.values else row
