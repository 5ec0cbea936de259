"""Destinations: who is told the changes, and how far each has been told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import orjson

from state.files import replace

TEAR_BLOCK_BYTES = 1 << 16


class Destination(Protocol):
    """Is told changes in order; when `deliver` returns they have arrived. May be told the same change again after a crash."""

    def deliver(self, changes: list[tuple[int, bytes]]) -> None:
        """``(sequence, JSON)`` of each change."""


class FileDestination:
    """Appends each change as a JSON line, durably. A line that a crash has torn off is removed on opening."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("ab+")
        self._heal()

    def deliver(self, changes: list[tuple[int, bytes]]) -> None:
        """Appends the changes; they are on disk when this returns."""
        self._stream.write(b"".join(body + b"\n" for _, body in changes))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()

    def _heal(self) -> None:
        end = self._stream.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - TEAR_BLOCK_BYTES)
            self._stream.seek(start)
            newline = self._stream.read(end - start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        self._stream.truncate(end)
        self._stream.seek(0, os.SEEK_END)


class Cursor:
    """How far a destination has been told: the sequence of the last change that arrived, 0 for none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> int:
        """The stored sequence."""
        try:
            return int(orjson.loads(self._path.read_bytes())["sequence"])
        except FileNotFoundError:
            return 0
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{self._path}: expected {{"sequence": NUMBER}}: {error}; delete the file to tell the destination everything again'
            ) from error

    def store(self, sequence: int) -> None:
        """Stores the sequence durably."""
        replace(self._path, orjson.dumps({"sequence": sequence}))
