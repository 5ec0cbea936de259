"""A row of the quarantine."""

from __future__ import annotations

import msgspec

from contracts.model.batches import Event, Refused

APPLIED, DROPPED = "applied", "dropped"
"""Reasons of rows that have left the quarantine but not the books: their old bytes lie in the archive and stand for no event."""


class Edit(msgspec.Struct, array_like=True, gc=False):
    """One edit of a record; ``entry`` is the message id of the control entry, which has the patch."""

    time_us: int
    who: str
    why: str
    entry: str


class QuarantineRow(msgspec.Struct, array_like=True, gc=False):
    """One refused record, as stored under its number.

    ``raw`` are the bytes that a replay feeds; ``original`` those received, if they have been edited. ``stored_at_us`` is
    the wall clock when it was read. ``settled_at`` is the position of the control entry that applied an edited one.
    """

    reason: str
    detail: str
    schema_path: str
    partition: str
    position: int
    received_at_us: int | None
    raw: bytes
    event: str = ""
    contract: str = ""
    stored_at_us: int | None = None
    original: bytes | None = None
    edits: list[Edit] = []
    settled_at: int | None = None

    @property
    def gone(self) -> bool:
        """Whether it has left the quarantine."""
        return self.reason in {APPLIED, DROPPED}

    def settle(self, reason: str, position: int | None = None) -> None:
        """Leave the quarantine, with nothing but the place behind."""
        self.reason, self.settled_at = reason, position
        self.detail, self.schema_path, self.raw, self.original, self.edits = "", "", b"", None, []


decode_row = msgspec.msgpack.Decoder(QuarantineRow).decode


def refused_event(event: Event, reason: str, detail: str) -> Refused:
    """An event that its contract accepts and the people step does not."""
    name = event.name or event.type
    return Refused(event.position, reason, detail, "", event.received_at_us, event.raw, name, event.contract)
