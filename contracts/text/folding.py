"""Texts without regard to case."""

from __future__ import annotations

from typing import Any


def folded(value: Any) -> Any:
    """Every text in a JSON value in small letters, sign by sign as Unicode maps them one to one (``İ`` is ``i``, ``ß`` stays).

    DuckDB's ``lower`` does the same; Python's own gives some signs two letters, and the last sigma of a word another.
    """
    if isinstance(value, str):
        return value.lower() if value.isascii() else "".join([sign.lower()[0] for sign in value])
    if isinstance(value, list):
        return [folded(item) for item in value]
    if isinstance(value, dict):
        return {name: folded(item) for name, item in value.items()}
    return value
