"""The files of an archive by what their names say: the partition and the positions that each covers."""

from __future__ import annotations

import fcntl
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from state.files import held, replace

_FILE = re.compile(r"(?P<partition>.+)~(?P<first>\d+)-(?P<last>\d+)\.parquet")


POSITIONS = "positions.json"


def save_positions(folder: Path, positions: dict[str, int]) -> None:
    """Say what is durable in the archive of this folder, by partition."""
    replace(folder / POSITIONS, orjson.dumps(positions, option=orjson.OPT_SORT_KEYS))


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of a day: all rows of that day at positions ``first`` to ``last`` of a partition, named as files begin with it."""

    path: Path
    partition: str
    first: int
    last: int

    @classmethod
    def of(cls, path: Path) -> ArchiveFile | None:
        """What a name says; None of one that is no finished file of an archive."""
        found = _FILE.fullmatch(path.name)
        if found is None or path.name.startswith("."):
            return None
        return cls(path, found["partition"], int(found["first"]), int(found["last"]))


def whole(folder: Path) -> tuple[list[ArchiveFile], list[ArchiveFile]]:
    """The files of a space's archive that hold every row once, by path; and those whose rows another one of them has, too.

    The latter are what a merged file stands for, until they are removed.
    """
    return _whole(_listed(folder))


def _listed(folder: Path) -> list[Path]:
    return list(folder.glob("day=*/*.parquet"))


def _whole(paths: Iterable[Path]) -> tuple[list[ArchiveFile], list[ArchiveFile]]:
    groups: dict[tuple[Path, str], list[ArchiveFile]] = defaultdict(list)
    for path in paths:
        found = ArchiveFile.of(path)
        if found is not None:
            groups[path.parent, found.partition].append(found)
    kept: list[ArchiveFile] = []
    covered: list[ArchiveFile] = []
    for files in groups.values():
        reached = -1
        for one in sorted(files, key=lambda one: (one.first, -one.last)):
            # Positions of two files of a day and a partition lie apart, or one within the other.
            (covered if one.last <= reached else kept).append(one)
            reached = max(reached, one.last)
    return sorted(kept, key=lambda one: one.path), covered


def archive_files(folder: Path) -> list[Path]:
    """The finished Parquet files of one space's archive, in which every row stands once; what else has such an ending is among them.

    Whoever lists them while an archive is compacted, and reads them, is `reading` meanwhile.
    """
    # Listed once: a merged file that is put in place meanwhile would stand beside those that it stands for.
    paths = _listed(folder)
    covered = {one.path for one in _whole(paths)[1]}
    return sorted(path for path in paths if path not in covered and not path.name.startswith("."))


def remove(files: Iterable[ArchiveFile]) -> None:
    """Remove files; what somebody else has removed is gone as well."""
    for one in files:
        one.path.unlink(missing_ok=True)


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """No file that stands for nothing any more is removed meanwhile; the archive may be a folder that is not there yet."""
    with held(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def removing(folder: Path) -> Iterator[None]:
    """Waits for those who are `reading`, and lets nobody begin."""
    with held(folder, fcntl.LOCK_EX):
        yield


def tidy(folder: Path) -> None:
    """Remove what a compaction that was killed has left, unless somebody is `reading`: then the next one does."""
    with suppress(BlockingIOError), held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        remove(whole(folder)[1])
