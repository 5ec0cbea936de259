"""A file that is told changes, one a line."""

from __future__ import annotations

import os
from pathlib import Path

from connectors.destinations.destination import Change

TEAR_BLOCK_BYTES = 1 << 16


class FileDestination:
    """Appends each change as a JSON line, durably. A line that a crash has torn off is removed on opening."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = path.open("ab+")
        self._heal()

    def deliver(self, changes: list[Change]) -> None:
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
