"""The control partition: a file of JSON lines to which commands append, one entry a line."""

from __future__ import annotations

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from state.snapshot.personal import dump_json

PARTITION = "control"
"""What the partition is called, in every space."""


def append(path: Path, entry: dict[str, Any]) -> int:
    """Appends one entry durably and gives its position; ``messageId`` and ``timestamp`` are filled in if missing.

    A last line that a crash has torn off is ended first, so that it spoils nothing but itself.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    line = dump_json({"messageId": str(uuid4()), "timestamp": now, **entry}).encode() + b"\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.seek(0)
        there = stream.read()
        stream.write(b"\n" + line if there and not there.endswith(b"\n") else line)
        stream.flush()
        os.fsync(stream.fileno())
    return _lines(there) + 1


def count(path: Path) -> int:
    """How many entries there are."""
    return _lines(path.read_bytes()) if path.exists() else 0


def _lines(text: bytes) -> int:
    return sum(1 for known in text.split(b"\n") if known and not known.isspace())
