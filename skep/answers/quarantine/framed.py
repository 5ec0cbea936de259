"""Records that a schema registry's producers frame: what a person reads and edits is the JSON behind the frame."""

from __future__ import annotations

from operators.frames import MAGIC

HEAD = 5
"""Bytes of a frame: zero, and the schema's id."""


def parts(raw: bytes) -> tuple[bytes, bytes]:
    """The frame of a record, empty if it has none, and its JSON."""
    return (raw[:HEAD], raw[HEAD:]) if raw[:1] == MAGIC and len(raw) > HEAD else (b"", raw)
