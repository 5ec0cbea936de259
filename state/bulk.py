"""Rows in bulk: sorted files that RocksDB takes in as they are, and the file that says that all of them are there.

What is prepared in a folder counts for nothing until `ready` has been called; from then on `take_in` makes all of it true, also when it
is killed and called again, and it is called before anything else is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
from rocksdict import SstFileWriter

from state.archive_files import save_positions
from state.files import needing_room, remove, replace
from state.shard import FAMILIES, Shard, table_options

_READY = "ready"
_LAST = ("people", "history", "changes")
"""Who reads meanwhile finds nobody of whom something is not there yet."""
_ORDER = (*(name for name in FAMILIES if name not in _LAST), *_LAST)


class Ready(msgspec.Struct, array_like=True):
    """What is written behind the files, in one batch: rows by family, key and value; and the archive's positions by then."""

    rows: list[tuple[str, bytes, bytes]]
    positions: dict[str, int]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Ready).decode


def write_rows(folder: Path, family: str, piece: str, rows: Mapping[bytes, bytes | None]) -> int:
    """Write rows of a family, None for a deletion, as the file of one piece, which has no key of another's; returns its bytes.
    Raises `DiskFull`."""
    path = folder / f"{family}-{piece}.sst"
    writer = SstFileWriter(table_options(family))
    with needing_room(folder, "nothing of it counts yet. Free some space and start again."):
        writer.open(str(path))
        for key in sorted(rows):
            value = rows[key]
            if value is None:
                del writer[key]
            else:
                writer[key] = value
        writer.finish()
    return path.stat().st_size


def ready(folder: Path, rows: list[tuple[str, bytes, bytes]], positions: dict[str, int]) -> None:
    """All files of the folder are written: from here on they are taken in, whatever happens."""
    with needing_room(folder, "nothing of it counts yet. Free some space and start again."):
        replace(folder / _READY, _encode(Ready(rows, positions)))


def take_in(shard: Shard, archive: Path, folder: Path) -> bool:
    """Make what is ready in a folder part of the shard and of the archive's positions; returns whether anything was.

    The folder is gone then, in any case."""
    path = folder / _READY
    if not path.exists():
        shutil.rmtree(folder, ignore_errors=True)
        return False
    what = _decode(path.read_bytes())
    save_positions(archive, what.positions)
    for name in _ORDER:
        # A file that was taken in is no longer there.
        files = sorted(folder.glob(f"{name}-*.sst"))
        if files:
            _take_files(shard, name, files)
    _write_behind(shard, what.rows)
    remove(path)
    shutil.rmtree(folder)
    return True


def _take_files(shard: Shard, family: str, files: list[Path]) -> None:
    shard.families[family].take_in(files)


def _write_behind(shard: Shard, rows: list[tuple[str, bytes, bytes]]) -> None:
    for name, key, value in rows:
        shard.families[name].put(key, value)
    shard.commit()
