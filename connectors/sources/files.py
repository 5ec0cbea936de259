"""Which files a source's path means, and what each is called within it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from connectors.errors import SourceError

_MAGIC = re.compile(r"[*?\[]")
_UNFINISHED = (".part", ".tmp")
"""How names end of files that somebody is still writing."""


def discover(path: Path, *, follow: bool) -> dict[str, Path]:
    """Relative name → file, sorted: a file, all files below a folder, or the matches of a glob.

    In a folder and by a glob never what begins with ``.`` or ``_`` or ends with ``.part`` or ``.tmp``.

    What does not exist is waited for when following, and a `SourceError` otherwise.
    """
    if path.is_file():
        return {_text(path.name): path}
    if path.is_dir():
        return _named(path, path.rglob("*"))
    fixed, pattern = _split(path)
    found = _named(fixed, fixed.glob(pattern)) if pattern and fixed.is_dir() else {}
    if not found and not follow:
        raise SourceError(
            path, "expected a file, a folder or a glob that matches files; found none. Check `path` of the source in skep.yaml"
        )
    return found


def _split(path: Path) -> tuple[Path, str]:
    """The part of a glob before its first wildcard, and the rest. Folders that are there are called what they are called."""
    for at, part in enumerate(path.parts):
        fixed = Path(*path.parts[:at])
        if _MAGIC.search(part) and not (fixed / part).is_dir():
            return fixed, "/".join(path.parts[at:])
    return path, ""


def _named(root: Path, files: Iterable[Path]) -> dict[str, Path]:
    named = {_text(file.relative_to(root).as_posix()): file for file in files if file.is_file()}
    return {name: named[name] for name in sorted(named) if not _passed_over(name)}


def _text(name: str) -> str:
    """A file name that is no UTF-8, as one that can be stored: its bytes written out."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _passed_over(name: str) -> bool:
    parts = name.split("/")
    return name.endswith(_UNFINISHED) or any(part.startswith((".", "_")) for part in parts)
