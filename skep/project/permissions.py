"""Whether this user may write what a flow must write: said before anything is opened, with what to do."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from state.errors import StateError


def must_write(data: Path) -> None:
    """Raises StateError if the data folder, or what is in it already, cannot be written by this user; the folder need not exist yet."""
    for path in _places(data):
        if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
            user = os.geteuid()
            give = f"chown -R {user} {data}" if data.exists() else f"mkdir -p {data} && chown {user} {data}"
            raise StateError(refused(path, give))


def refused(path: Path, give: str = "") -> str:
    """That this user may not use a path, or one that would be made in that place; whose it is, and the command that gives it."""
    user = os.geteuid()
    there = path if path.exists() else next(parent for parent in path.absolute().parents if parent.exists())
    if os.statvfs(there).f_flag & os.ST_RDONLY:
        return f"{there}: expected a folder that can be written, found a file system that is mounted read-only → mount it otherwise"
    state = there.stat()
    found = f"expected what user {user} can write and read, found one of user {state.st_uid} ({stat.filemode(state.st_mode)})"
    give = give or f"chown -R {user} {there}"
    return f"{there}: {found} → {give} (in a container: on the host, of the folder that is mounted there)"


def _places(data: Path) -> Iterator[Path]:
    """The folder and what lies in it and in its folders; before it is made, the folder in which it will be."""
    if not data.exists():
        yield next(parent for parent in data.parents if parent.exists())
        return
    yield data
    # Below that everything has the owner of what is above it, and days of the archive are many.
    for pattern in ("*", "shards/*", "archive/*", "control/*", "cursors/*"):
        yield from sorted(data.glob(pattern))
