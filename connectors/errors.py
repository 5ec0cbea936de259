"""What goes wrong outside: a source that cannot be read."""

from __future__ import annotations

from pathlib import Path


class SourceError(Exception):
    """A source cannot be read as it is; the text says which file, what was expected, what was found and what to do."""

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(f"{path}: {what}")
        self.path = path
