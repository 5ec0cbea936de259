"""A checkpoint: a folder that holds what is stored at one moment, and a list of its files that says whether it is whole.

``checkpoint.json`` is written last. What never changes (RocksDB's tables, the archive's files) is the same file as in the data folder
where the file system can do that (hard links), so it costs no space until one of the two goes.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

import msgspec

from state.errors import NoState, StateError
from state.files import replace, sync

MANIFEST = "checkpoint.json"
LAYOUT = 1
"""Raised when the folder is laid out in another way."""
PARTS = ("shards", "archive", "control", "definitions", "lookups", "cursors")
"""The folders of a data folder that are its state; the others are made of them."""
_UNCHANGING = (".sst", ".parquet")
_NO_LINK = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})
_CHUNK = 1 << 20


class SpaceStand(msgspec.Struct, frozen=True):
    """Where a space stood: its format and meaning, counts, and positions of shard and archive by partition."""

    format: int
    meaning: int
    events: int
    profiles: int
    changes: int
    clock: str | None
    applied: dict[str, int]
    archived: dict[str, int]


class Manifest(msgspec.Struct, frozen=True):
    """``secret`` stands for the secret by which ids are made; ``files``: size and digest by path."""

    layout: int
    skep: str
    made_at: str
    secret: str
    spaces: dict[str, SpaceStand]
    files: dict[str, tuple[int, str]]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """From here on the checkpoint is whole."""
    replace(folder / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def read_manifest(folder: Path) -> Manifest:
    """Raises `NoState` of a folder that is no whole checkpoint, `StateError` of one of another layout or that cannot be read."""
    path = folder / MANIFEST
    try:
        text = path.read_bytes()
        layout = msgspec.json.decode(text, type=_Layout).layout
        if layout != LAYOUT:
            raise StateError(f"{path}: expected a checkpoint of layout {LAYOUT}, found {layout} → restore it with the version that made it")
        return msgspec.json.decode(text, type=Manifest)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoState(
            f"{folder} is no checkpoint, or was not finished: it has no {MANIFEST}. Name a folder of `skep state checkpoint`."
        ) from error
    except msgspec.DecodeError as error:
        raise StateError(f"{path}: expected what `skep state checkpoint` has written, found: {error} → take another checkpoint") from error


class _Layout(msgspec.Struct):
    layout: int


def place(source: Path, target: Path) -> None:
    """The file ``source`` at ``target`` too, durably once its folder is: the same file if it never changes, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix in _UNCHANGING:
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
        else:
            return
    shutil.copyfile(source, target)
    sync(target)


def listed(folder: Path) -> dict[str, tuple[int, str]]:
    """Size and digest of every file of a checkpoint, by path, once all of it is on disk."""
    paths = [path for part in PARTS for path in sorted((folder / part).rglob("*"))]
    files = [path for path in paths if path.is_file()]
    for path in files:
        if path.stat().st_nlink == 1:
            sync(path)
    found = {str(path.relative_to(folder)): _digest(path) for path in files}
    for path in [*(path for path in paths if path.is_dir()), *(folder / part for part in PARTS if (folder / part).exists()), folder]:
        sync(path)
    return found


def fetch(folder: Path, files: dict[str, tuple[int, str]], target: Path) -> None:
    """The files of a checkpoint below ``target``, each held against its digest. Raises `StateError` of the first that is not as it was."""
    for name, expected in files.items():
        source = folder / name
        if not source.is_file():
            raise StateError(f"{source} is missing: the checkpoint is not whole → take another one")
        place(source, target / name)
        size, digest = _digest(target / name)
        if (size, digest) != tuple(expected):
            said = f"expected {expected[0]:,} bytes of digest {expected[1]}, found {size:,} of {digest}"
            raise StateError(f"{source} is not as the checkpoint has it: {said} → take another one")
    for path in [target, *target.rglob("*")]:
        if path.is_dir():
            sync(path)


def shared_bytes(folder: Path, files: Iterable[str]) -> int:
    """Bytes of files that are the same as others somewhere else."""
    return sum(found.st_size for name in files if (found := (folder / name).stat()).st_nlink > 1)


def _digest(path: Path) -> tuple[int, str]:
    """Size and digest of a file."""
    digest, size = blake2b(digest_size=16), 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
