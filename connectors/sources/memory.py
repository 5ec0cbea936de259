"""What the stores know of files beside their positions."""

from __future__ import annotations

import sys

from connectors.sources.source import SourceSpec
from contracts.model.definitions import Mapping

ALWAYS = sys.maxsize
"""Where nothing ends."""


class Memory:
    """This one knows nothing: every file is new to it."""

    def mark(self, space: str, partition: str) -> bytes:  # noqa: ARG002
        """What was read of the partition's file; empty if that is not known."""
        return b""

    def generation(self, space: str, file: str) -> int:  # noqa: ARG002
        """How often the file has been begun, counted from 1."""
        return 1

    def applied(self, space: str) -> int:  # noqa: ARG002
        """The last control entry that has been applied."""
        return 0

    def mapping(self, spec: SourceSpec, partition: str, position: int) -> tuple[Mapping | None, int]:  # noqa: ARG002
        """The mapping by which the record at a position is read, and the position from which it is another one."""
        return spec.mapping, ALWAYS

    def stopped(self, space: str, partition: str, why: str) -> None:
        """Nothing more is read of a partition for now."""

    def waiting(self, space: str, source: str, why: str) -> None:
        """A source is out of reach for now, and waited for."""

    def heard(self, space: str, source: str) -> None:
        """It is there again."""

    def reread(self, spec: SourceSpec, file: str, why: str) -> None:
        """A file of a source that says so no longer begins with what was read: it is to be begun anew."""
