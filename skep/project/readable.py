"""Files that a command is given by name."""

from __future__ import annotations

from pathlib import Path

from skep.project.errors import CommandError


def readable(file: Path) -> str:
    """The text of a file. Raises `CommandError` if it is not there, or is no UTF-8."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: expected a readable file in UTF-8, found: {error}") from None
