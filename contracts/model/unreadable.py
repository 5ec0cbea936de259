"""A row of a CSV or Parquet file that could not be read, as a record of its own: JSON that no sender sends by accident."""

from __future__ import annotations

from typing import Any

import orjson

KEY = "unreadable_row"


def unreadable(file: str, place: str, expected: str, found: str, text: str) -> bytes:
    """The record of such a row: ``place`` is ``line 3`` of a file, ``text`` what stands there; `why` says it again."""
    return orjson.dumps({KEY: {"file": file, "at": place, "expected": expected, "found": found, "text": text}})


def why(body: dict[str, Any]) -> str | None:
    """What is wrong with such a row, and where it stands; None if the record is none of them."""
    row = body.get(KEY)
    if len(body) != 1 or not isinstance(row, dict):
        return None
    # Behind `found`, so that rows of one fault are one cause in the quarantine, wherever they stand.
    return f"expected {row.get('expected')}, found {row.get('found')} ({row.get('file')}, {row.get('at')})"
