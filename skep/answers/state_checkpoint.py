"""`skep state checkpoint`: everything that is stored, at one moment, in a folder of its own, also while a flow runs."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec

from contracts.model.hashing import Hasher
from contracts.text.times import iso, iso_or_none
from operators import meta as meta_row
from skep.project.asking import ask
from skep.project.errors import CommandError
from skep.project.migration import OURS
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import archive_path, control_path, shard_path
from skep.project.work import open_shard
from state.archive import load_positions
from state.archive_files import POSITIONS, archive_files, reading
from state.checkpoint import LAYOUT, MANIFEST, PARTS, Manifest, SpaceStand, listed, place, shared_bytes, write_manifest
from state.errors import NoState
from state.files import needing_room
from state.shard import SecondaryShard


class MadeCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint that was made. ``shared`` of its ``bytes`` are the same files as in the data folder; ``by_flow``: a flow was running."""

    folder: str
    files: int
    bytes: int
    shared: int
    by_flow: bool
    seconds: float
    spaces: dict[str, SpaceStand]


def checkpoint(settings: Settings, folder: Path) -> MadeCheckpoint:
    """Make one at ``folder``, which is not there yet or empty.

    Each part is taken behind those that may run ahead of it: cursors, shards, archive, control entries, definitions, lookups. So it is
    what a flow that is killed at the moment of the shards would leave. Raises `CommandError`, `NoState`, `StateError`; then nothing is
    left there.
    """
    folder, begun = folder.absolute(), time.monotonic()
    spaces = [space for space in settings.spaces if (shard_path(settings, space) / "CURRENT").exists()]
    if not spaces:
        raise NoState(f"nothing has run here yet: {settings.data / 'shards'} is empty. Run `skep run --once` first.")
    with _made(settings, folder):
        _copy(settings.data / "cursors", folder / "cursors")
        by_flow = _shards(settings, folder, spaces)
        for space in spaces:
            _archive(archive_path(settings, space), folder / "archive" / space)
            _control(control_path(settings, space), folder / "control")
        _copy(settings.data / "definitions", folder / "definitions")
        _copy(settings.data / "lookups", folder / "lookups", "*/*.*")
        stands = {space: _stand(folder, space) for space in spaces}
        files = listed(folder)
        now = iso(time.time_ns() // 1000)
        write_manifest(folder, Manifest(LAYOUT, version("skep"), now, mark_of(settings, spaces[0]), stands, files))
    size, seconds = sum(size for size, _ in files.values()), round(time.monotonic() - begun, 1)
    return MadeCheckpoint(str(folder), len(files), size, shared_bytes(folder, files), by_flow, seconds, stands)


def mark_of(settings: Settings, space: str) -> str:
    """What stands for the secret of a project."""
    return Hasher(settings.secret, space).personal("skep", MANIFEST)


@contextmanager
def _made(settings: Settings, folder: Path) -> Iterator[None]:
    """A folder to make a checkpoint in, of which nothing is left if that fails."""
    data = settings.data.resolve()
    if folder.resolve().is_relative_to(data):
        raise CommandError(f"{folder}: expected a folder outside of {settings.data}, found one in it → name another, best on another disk")
    was_there = folder.exists()
    if was_there and (not folder.is_dir() or any(folder.iterdir())):
        left = (folder / "shards").exists() and not (folder / MANIFEST).exists()
        cure = "it holds what an interrupted checkpoint has left: remove it, or name another" if left else "name another"
        raise CommandError(f"{folder}: expected an empty folder, or none, found one with something in it → {cure}")
    folder.mkdir(parents=True, exist_ok=True)
    words = "nothing is left there, and nothing of the state is touched. Name a folder on another disk, or free some space."
    try:
        with needing_room(folder, words):
            yield
    except BaseException:
        for part in PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
        if not was_there:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _shards(settings: Settings, folder: Path, spaces: list[str]) -> bool:
    """The shards, by the flow that has them open or, if none runs, by this process; whether a flow has done it."""
    target = folder / "shards"
    target.mkdir()
    if ask(settings, {"what": "checkpoint", "spaces": spaces, "folder": str(target)}) is not None:
        return True
    with take_lock(settings), ExitStack() as stack:
        for space in spaces:
            shard = stack.enter_context(closing(open_shard(settings, space)))
            shard.checkpoint(target / space)
    return False


def _archive(folder: Path, target: Path) -> None:
    """The archive up to its positions as they are now; files beyond them are no part of it."""
    with reading(folder):
        target.mkdir(parents=True)
        if (folder / POSITIONS).exists():
            place(folder / POSITIONS, target / POSITIONS)
        for path in archive_files(folder):
            place(path, target / path.relative_to(folder))


def _control(path: Path, target: Path) -> None:
    """The entries until now, none of them half."""
    if path.exists():
        with path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            place(path, target / path.name)


def _copy(folder: Path, target: Path, files: str = "*.json") -> None:
    for path in sorted(folder.glob(files)):
        if not path.name.startswith("."):
            place(path, target / path.relative_to(folder))


def _stand(folder: Path, space: str) -> SpaceStand:
    """What the shard of the checkpoint itself says."""
    with closing(SecondaryShard(folder / "shards" / space)) as shard:
        row = shard.row("meta", meta_row.KEY)
        meta = meta_row.Meta() if row is None else meta_row.decode(row)
    archived = load_positions(folder / "archive" / space / POSITIONS)
    return SpaceStand(OURS, meta.meaning, meta.events, meta.people, meta.changes, iso_or_none(meta.clock), meta.applied, archived)
