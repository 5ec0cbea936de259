"""One source of skep.yaml, and the seam behind which its files are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from connectors.errors import SourceError
from connectors.sources.lines import Lines
from connectors.sources.marks import Mark
from contracts.model.definitions import Mapping, SourceKind


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where events come from and which space they feed; ``path`` is absolute: a file, a folder or a glob. ``kafka`` has none.

    ``mapping``: how rows are read; None for JSON lines, and while it is not in force.
    """

    name: str
    kind: SourceKind
    path: Path
    mapping: Mapping | None
    space: str
    history: bool = False
    """What was written down before it is read, in no order: none of it is late. Every CSV and Parquet file is."""
    reread: bool = False
    """A file that no longer begins with what was read of it is read anew, without anybody being asked."""


class Records(Protocol):
    """The records of one partition, from a position on. ``take`` gives fewer than asked only at the end.

    ``mark`` is what was read so far of the file. One that ``follows`` notices by itself what is appended; another is opened again.
    """

    follows: bool

    def take(self, count: int) -> list[bytes]: ...

    def peek(self) -> bytes | None: ...

    def mark(self) -> Mark: ...

    def close(self) -> None: ...


def open_records(spec: SourceSpec, path: Path, *, skip: int, follow: bool, mark: Mark | None = None) -> Records:
    """The records of one file behind the first ``skip``; `SourceError` if it cannot be read, or not where it was left."""
    if spec.kind == "jsonl":
        return Lines(path, skip=skip, follow=follow, mark=mark)
    if spec.mapping is None:
        raise SourceError(path, f"the mapping of source {spec.name} is not in force; `skep apply` puts contracts/sources/ in force")
    from connectors.sources.rows import Rows  # noqa: PLC0415 - JSON lines are read without pyarrow

    return Rows(path, spec.kind, spec.mapping.spec, skip=skip, follow=follow, mark=mark)
