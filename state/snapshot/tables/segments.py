"""Table ``segments``."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from state.snapshot.table import Table


class SegmentRow(NamedTuple):
    segment: Annotated[str, "VARCHAR", "Name of the segment"]
    version: Annotated[int, "INTEGER", "Version of its definition"]
    title: Annotated[str | None, "VARCHAR", "Its title, if it has one"]
    owner: Annotated[str | None, "VARCHAR", "Whose it is, if its file says so"]
    purpose: Annotated[str | None, "VARCHAR", "The purpose that its members have granted; NULL if it asks for none"]


SEGMENTS = Table("segments", "Every segment that is defined, also one that nobody is in", SegmentRow)
