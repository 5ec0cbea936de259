"""What a shard and an archive take: rows, bytes, files and levels by RocksDB's own numbers, without reading a row."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from state.archive_files import archive_files
from state.family import Missing
from state.shard import SecondaryShard, Shard

_LEVELS = 7
"""RocksDB's default, which nothing here changes."""
_STALL = re.compile(r"total-(delays|stops): (\d+)")


class FamilySize(msgspec.Struct, frozen=True):
    """A column family. ``rows`` is RocksDB's estimate: what is deleted, or written again, counts until it is compacted.

    ``bytes`` are those of its files, compressed; ``memory`` those of what is not in files yet, with room to grow.
    """

    family: str
    rows: int
    bytes: int
    memory: int
    files: int


class LevelSize(msgspec.Struct, frozen=True):
    """All files of a level of RocksDB's tree. Level 0 holds what memory was written to; the last one nearly everything."""

    level: int
    files: int
    bytes: int


class ShardSize(msgspec.Struct, frozen=True):
    """``pending_compaction``: bytes that RocksDB estimates it has to write again to be in shape. ``log``: bytes of the write-ahead log."""

    bytes: int
    log: int
    pending_compaction: int
    levels: list[LevelSize]
    families: list[FamilySize]


class Stalls(msgspec.Struct, frozen=True):
    """How RocksDB keeps up with the process that writes: ``delays`` and ``stops`` are how often it has held writes since that began.

    ``stopped``: writes wait now; ``delayed``: to how many bytes a second they are slowed now, 0: they are not. ``compactions`` run,
    ``waiting`` parts of memory wait to be written to files.
    """

    stopped: bool
    delayed: int
    delays: int
    stops: int
    compactions: int
    waiting: int


class ArchiveSize(msgspec.Struct, frozen=True):
    """``files`` in ``days`` folders."""

    bytes: int
    files: int
    days: int


def shard_size(shard: SecondaryShard, path: Path) -> ShardSize:
    """The numbers of the shard at ``path`` as of the last refresh."""
    there = {name: column for name, column in shard.columns.items() if not isinstance(column, Missing)}
    families = [_family(name, column) for name, column in there.items()]
    levels: dict[int, list[int]] = defaultdict(list)
    for file in shard.db.live_files():
        levels[file["level"]].append(file["size"])
    return ShardSize(
        sum(one.bytes for one in families),
        sum(size for log in path.glob("*.log") if (size := _bytes(log))),
        sum(_number(column, "estimate-pending-compaction-bytes") for column in there.values()),
        [LevelSize(level, len(sizes), sum(sizes)) for level, sizes in sorted(levels.items())],
        families,
    )


def stalls(shard: Shard) -> Stalls:
    """How the writer itself keeps up; only the process that has the shard open knows it."""
    families = list(shard.families.values())
    held = {"delays": 0, "stops": 0}
    for family in families:
        for kind, count in _STALL.findall(family.words("rocksdb.cf-write-stall-stats")):
            held[kind] += int(count)
    return Stalls(
        any(family.number("rocksdb.is-write-stopped") for family in families),
        max(family.number("rocksdb.actual-delayed-write-rate") for family in families),
        held["delays"],
        held["stops"],
        max(family.number("rocksdb.num-running-compactions") for family in families),
        sum(family.number("rocksdb.num-immutable-mem-table") for family in families),
    )


def archive_size(folder: Path) -> ArchiveSize:
    """The archive of a space; a folder that is not there yet holds nothing."""
    sizes: dict[Path, list[int]] = defaultdict(list)
    for file in archive_files(folder):
        if size := _bytes(file):
            sizes[file.parent].append(size)
    return ArchiveSize(sum(map(sum, sizes.values())), sum(map(len, sizes.values())), len(sizes))


def _family(name: str, column: Any) -> FamilySize:
    files = sum(_number(column, f"num-files-at-level{level}") for level in range(_LEVELS))
    size, memory = _number(column, "total-sst-files-size"), _number(column, "cur-size-all-mem-tables")
    return FamilySize(name, _number(column, "estimate-num-keys"), size, memory, files)


def _number(column: Any, name: str) -> int:
    return int(column.property_value(f"rocksdb.{name}") or 0)


def _bytes(path: Path) -> int:
    """The size of a file; 0 of one that its writer has removed meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
