"""Which files a source's path means, and what each is called within it."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.errors import SourceError

_MAGIC = re.compile(r"[*?\[]")
_TRUTH = "truth.jsonl"
"""What `skep demo` writes beside its events: who is who, no events."""


def discover(path: Path, *, follow: bool) -> dict[str, Path]:
    """Relative name → file, sorted: a file, all files below a folder, or the matches of a glob.

    In a folder and by a glob never hidden files, nor the ``truth.jsonl`` that the demo writes beside its events.

    What does not exist is waited for when following, and a `SourceError` otherwise.
    """
    if path.is_file():
        return {path.name: path}
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
    """The part of a glob before its first wildcard, and the rest."""
    for at, part in enumerate(path.parts):
        if _MAGIC.search(part):
            return Path(*path.parts[:at]), "/".join(path.parts[at:])
    return path, ""


def _named(root: Path, files: object) -> dict[str, Path]:
    named = {file.relative_to(root).as_posix(): file for file in files if file.is_file()}  # type: ignore[attr-defined]
    return {name: named[name] for name in sorted(named) if not _hidden(name)}


def _hidden(name: str) -> bool:
    parts = name.split("/")
    return parts[-1] == _TRUTH or any(part.startswith(".") for part in parts)
