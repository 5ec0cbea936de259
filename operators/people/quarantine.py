"""A row of the quarantine."""

from __future__ import annotations

import msgspec


class QuarantineRow(msgspec.Struct, array_like=True, gc=False):
    """One refused record, as stored under its number; ``raw`` are the bytes as received."""

    reason: str
    detail: str
    schema_path: str
    partition: str
    position: int
    received_at_us: int | None
    raw: bytes
