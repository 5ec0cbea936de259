"""What goes wrong outside: a source that cannot be read.

SourceError          one file cannot be read as it is
├── Changed          what was read of it is no longer there
└── Unfinished       it is still being written: while following it is waited for
"""

from __future__ import annotations

from pathlib import Path


class SourceError(Exception):
    """A source cannot be read as it is; the text says which file, what was expected, what was found and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path


class Changed(SourceError):
    """A file does not begin with what was read of it."""


class Unfinished(SourceError):
    """A file that only counts when it is complete is not."""
