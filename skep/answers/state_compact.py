"""`skep state compact`: shards written again without what is deleted, and the small files of the archive merged, also beside a flow."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import msgspec

from skep.project.asking import ask
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import archive_path, shard_path
from skep.project.work import open_shard
from state.compaction import merge
from state.errors import NoState
from state.shard import SecondaryShard
from state.sizes import shard_size


class Compacted(msgspec.Struct, frozen=True):
    """A space: bytes of its shard's files before and now, files and bytes of its archive before and now.

    ``by_flow``: a running flow has compacted the shard; seconds of both.
    """

    space: str
    shard_bytes: int
    shard_bytes_now: int
    archive_files: int
    archive_files_now: int
    archive_bytes: int
    archive_bytes_now: int
    by_flow: bool
    seconds: float


def compact(settings: Settings, spaces: tuple[str, ...]) -> Iterator[Compacted]:
    """Those of the spaces that have run, one after the other. Raises `NoState` if there is none, `StateError`, `CommandError`."""
    there = [space for space in spaces if (shard_path(settings, space) / "CURRENT").exists()]
    if not there:
        raise NoState(f"nothing has run here yet: {shard_path(settings, spaces[0])} is empty. Run `skep run --once` first.")
    for space in there:
        begun, before = time.monotonic(), _shard_bytes(settings, space)
        by_flow = ask(settings, {"what": "compact", "spaces": [space]}) is not None
        if not by_flow:
            with take_lock(settings), closing(open_shard(settings, space)) as shard:
                shard.compact()
        merged = merge(archive_path(settings, space))
        seconds = round(time.monotonic() - begun, 1)
        now = _shard_bytes(settings, space)
        yield Compacted(space, before, now, merged.files, merged.files_now, merged.bytes, merged.bytes_now, by_flow, seconds)


def _shard_bytes(settings: Settings, space: str) -> int:
    path = shard_path(settings, space)
    with closing(SecondaryShard(path)) as shard:
        size = shard_size(shard, path)
        return size.bytes + size.log
