"""`skep state restore`: a checkpoint becomes the state, whole, or not at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from operators import meta as meta_row
from skep.answers.state_checkpoint import mark_of
from skep.project.errors import CommandError
from skep.project.migration import OURS
from skep.project.process import restoring, take_lock
from skep.project.settings import Settings
from skep.project.spaces import snapshot_path
from state.checkpoint import PARTS, Manifest, SpaceStand, fetch, read_manifest
from state.errors import FormatMismatch, StateError
from state.files import needing_room, remove, replace, sync
from state.shard import SecondaryShard


class Restored(msgspec.Struct, frozen=True):
    """What was restored, from where; ``replaced``: a state was there before. ``needs_migration``: an older version has made it."""

    folder: str
    made_at: str
    files: int
    bytes: int
    replaced: bool
    needs_migration: bool
    seconds: float
    spaces: dict[str, SpaceStand]


def restore(settings: Settings, folder: Path, *, overwrite: bool) -> Restored:
    """Put a checkpoint in the place of the state; the flow must not run.

    Every file is fetched and held against its digest before anything that is there is touched. Killed before that, the old state is
    there; behind it no flow starts until this has been run again. Raises `CommandError`, `NoState`, `StateError`.
    """
    begun, folder, data = time.monotonic(), folder.absolute(), settings.data
    found = read_manifest(folder)
    _must_fit(settings, folder, found)
    with take_lock(settings, unfinished=True):
        there = [part for part in PARTS if (data / part).exists() and any((data / part).iterdir())]
        if there and not overwrite and not restoring(settings).exists():
            words = "`skep state checkpoint` keeps it, `--overwrite` replaces it by the checkpoint"
            raise CommandError(f"{data} has state already ({', '.join(there)}) → {words}")
        with _room(data) as fetched:
            fetch(folder, found.files, fetched)
            for space, stand in found.spaces.items():
                _must_be(fetched / "shards" / space, stand)
            replace(restoring(settings), str(folder).encode())
            _exchange(settings, fetched)
        remove(restoring(settings))
    older = any(stand.format < OURS for stand in found.spaces.values())
    size, seconds = sum(size for size, _ in found.files.values()), round(time.monotonic() - begun, 1)
    return Restored(str(folder), found.made_at, len(found.files), size, bool(there), older, seconds, found.spaces)


def _must_fit(settings: Settings, folder: Path, found: Manifest) -> None:
    """Whether this project and this version can go on with it."""
    unknown = sorted(found.spaces.keys() - set(settings.spaces))
    if unknown:
        raise CommandError(f"{folder} has {', '.join(unknown)}, which `spaces:` of skep.yaml has not → restore it into its own project")
    newer = next((stand.format for stand in found.spaces.values() if stand.format > OURS), None)
    if newer is not None:
        words = f"state of format {newer}, this version of Skep reads format {OURS}"
        raise FormatMismatch(f"{folder} has {words} → restore it with a newer one")
    if found.secret != mark_of(settings, next(iter(found.spaces))):
        raise CommandError(f"{folder} was made with another SKEP_SECRET: its ids would not be those of new events → set that one")


@contextmanager
def _room(data: Path) -> Iterator[Path]:
    """A folder beside the state for what is fetched; nothing is left of it."""
    fetched = data / ".restoring"
    shutil.rmtree(fetched, ignore_errors=True)
    try:
        with needing_room(data, "the state is as it was. Free some space and restore it again."):
            yield fetched
    finally:
        shutil.rmtree(fetched, ignore_errors=True)


def _must_be(shard: Path, stand: SpaceStand) -> None:
    """Raises `StateError` if a shard that was fetched cannot be opened, or stands elsewhere than the checkpoint says."""
    with closing(SecondaryShard(shard, any_format=True)) as fetched:
        written, row = fetched.row("meta", b"format"), fetched.row("meta", meta_row.KEY)
        applied = meta_row.decode(row).applied if row is not None else {}
        if (int(written or 0), applied) != (stand.format, stand.applied):
            words = f"expected format {stand.format} and positions {stand.applied}, found {int(written or 0)} and {applied}"
            raise StateError(f"{shard}: {words} → take another checkpoint")


def _exchange(settings: Settings, fetched: Path) -> None:
    """What is fetched in place of what is there; the snapshot, which shows what is gone, is removed."""
    for part in PARTS:
        shutil.rmtree(settings.data / part, ignore_errors=True)
        if (fetched / part).exists():
            (fetched / part).rename(settings.data / part)
    for shown in (snapshot_path(settings), settings.data / "snapshot.json"):
        shown.unlink(missing_ok=True)
    sync(settings.data)
