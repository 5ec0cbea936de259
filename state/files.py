"""Durable replacement and removal of a file: whoever reads sees the old content or the new one, whole, whenever the machine stops."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.errors import DiskFull


@contextmanager
def needing_room(folder: Path, words: str) -> Iterator[None]:
    """A disk that is full is a `DiskFull`, with words that say what has become of it and what to do."""
    try:
        yield
    except OSError as error:
        if "No space left" in str(error):
            raise DiskFull(f"the disk of {folder} is full; {words}") from error
        raise


@contextmanager
def held(folder: Path, how: int) -> Iterator[None]:
    """Under a lock of `fcntl` on a folder; of one that is not there, under none. Raises `BlockingIOError` with ``LOCK_NB``."""
    if not folder.exists():
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)


def replace(path: Path, content: bytes) -> None:
    """Puts ``content`` at ``path``, whose folder is there or is made. Raises `OSError`; then what was there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as fresh:
        fresh.write_bytes(content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write the new content to; it is put in place at the end, and removed after an error.

    Its name holds the process, so that two writers do not write into one file, and begins with a dot, so that nobody reads it.
    """
    for left in abandoned(path, "new"):
        left.unlink(missing_ok=True)
    fresh = scratch(path, "new")
    try:
        yield fresh
        put(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def scratch(path: Path, kind: str) -> Path:
    """What this process writes before it puts it at ``path``; ``kind`` is the end of the name."""
    return path.with_name(f".{path.name}.{os.getpid()}.{kind}")


def abandoned(path: Path, kind: str) -> list[Path]:
    """The scratch files that processes which are gone have left beside ``path``."""
    begins, ends = f".{path.name}.", f".{kind}"
    found = [one for one in path.parent.iterdir() if one.name.startswith(begins) and one.name.endswith(ends)]
    return [one for one in found if _is_gone(one.name[len(begins) : -len(ends)])]


def _is_gone(process: str) -> bool:
    return process.isdigit() and int(process) != os.getpid() and not Path(f"/proc/{process}").exists()


def put(fresh: Path, path: Path, *, sync_folder: bool = True) -> None:
    """Puts a file that has been written in place of another of the same folder.

    ``sync_folder`` is False where the caller syncs the folder itself before it relies on the file.
    """
    sync(fresh)  # 1. The content is on disk before the name leads to it.
    fresh.replace(path)  # 2. The name leads to the new content, for everybody at once.
    if sync_folder:
        sync(path.parent)  # 3. Whoever is told of the file finds it after a power cut as well.


def remove(path: Path) -> None:
    """Removes a file; whoever is told of it does not find the file again after a power cut."""
    path.unlink()
    sync(path.parent)


def sync(path: Path) -> None:
    """Waits until a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
