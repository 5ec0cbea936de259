"""`skep snapshot`: what was published."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from skep.project.views import MissingView, missing
from state.snapshot.publish import SnapshotReport


class Published(msgspec.Struct, kw_only=True):
    """The snapshot that is there; if it is ``new``, rows by table, the seconds that it took, and the project's views that are missing."""

    path: str
    new: bool
    rows: dict[str, int] | UnsetType = UNSET
    bytes: int
    seconds: float | UnsetType = UNSET
    problems: list[MissingView] | UnsetType = UNSET

    @classmethod
    def of(cls, report: SnapshotReport) -> Published:
        """What was published just now."""
        path, problems = str(report.target), missing(report.problems)
        return cls(path=path, new=True, rows=report.rows, bytes=report.bytes, seconds=round(report.seconds, 3), problems=problems)
