"""A database in MaxMind's format: network → record. Its end says what it is, so half of one is none."""

from __future__ import annotations

from pathlib import Path

import maxminddb

from connectors.lookups.data_table import Unusable

_HALF = "the file may be half written: write it beside and rename it when it is whole"


def read_mmdb(path: Path) -> tuple[bytes, int]:
    """The content of a database that is whole, and how many nodes its tree of networks has. Raises `Unusable` and `OSError`."""
    content = path.read_bytes()
    try:
        with maxminddb.open_database(path) as database:
            for first in range(1, 224):
                database.get(f"{first}.0.0.1")
            return content, database.metadata().node_count
    except (maxminddb.InvalidDatabaseError, ValueError) as error:
        raise Unusable("path", "a complete database in MaxMind's format", str(error).splitlines()[0], _HALF) from None
