"""A database in MaxMind's format, in which addresses find what is known of their network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import maxminddb

from contracts.model.lookup import VERSION, Lookup, key_reader
from operators.lookups.found import CACHE_MAX, Found, found
from operators.segments.paths import getter


class Networks:
    """``path`` is the database, which the system keeps in memory as far as it is asked; a value that a record has not is left out."""

    def __init__(self, lookup: Lookup, version: str, path: Path) -> None:
        self._database = maxminddb.open_database(path)
        self._key = key_reader("text")
        self._values = [(name, getter(path)[0]) for name, path in lookup.values]
        self._missed = found({VERSION: version})
        self._version = version
        self._known: dict[str, Found] = {}

    def look(self, value: Any) -> Found | None:
        """What an address finds; None if it is no text."""
        key = self._key(value)
        if key is None:
            return None
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= CACHE_MAX:
                self._known.clear()
            known = self._known[key] = self._look(key)
        return known

    def _look(self, key: str) -> Found:
        try:
            record = self._database.get(key)
        except ValueError:
            # No address, or one of IPv6 in a database of IPv4.
            record = None
        if not isinstance(record, dict):
            return self._missed
        said = {name: one for name, read in self._values if (one := _plain(read(record))) is not None}
        return found({**said, VERSION: self._version})


def _plain(value: Any) -> Any:
    """A value of JSON; bytes, and numbers beyond 64 bits, which an event could not have, as texts."""
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, int) and not -(2**63) <= value < 2**64 else value
