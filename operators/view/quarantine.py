"""Quarantine: what was refused, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from operators.people.quarantine import QuarantineRow, decode_row
from operators.view.rows import SpaceRows
from state.keys import sequence_key, sequence_of


class Quarantined(QuarantineRow, array_like=True, gc=False):
    """One entry of the quarantine: its row, and its ``id``, which is ``q-`` and its number."""

    id: str = ""


_decode = msgspec.msgpack.Decoder(Quarantined).decode


@dataclass(frozen=True, slots=True)
class QuarantineReader:
    """The quarantine of a space."""

    committed: SpaceRows

    def entries(self) -> Iterator[Quarantined]:
        """Every entry, oldest first."""
        for key, row in self.committed.rows.rows("quarantine"):
            found = _quarantined(key, row)
            if found is not None:
                yield found

    def entry(self, name: str) -> Quarantined | None:
        """One entry by its id."""
        number = name.removeprefix("q-")
        if not number.isdecimal() or len(number) > 18:
            return None
        row = self.committed.rows.row("quarantine", sequence_key(int(number)))
        return None if row is None else _quarantined(sequence_key(int(number)), row)

    def settled(self) -> Iterator[tuple[str, str, int, int | None]]:
        """Records that were dropped, or applied after an edit: id, partition, position, and where control applied it.

        What the archive has of them from elsewhere is no event.
        """
        for key, stored in self.committed.rows.rows("quarantine"):
            row = decode_row(stored)
            if row.gone:
                yield _quarantine_id(key), row.partition, row.position, row.settled_at


def _quarantined(key: bytes, row: bytes) -> Quarantined | None:
    found = _decode(row)
    if found.gone:
        return None
    found.id = _quarantine_id(key)
    return found


def _quarantine_id(key: bytes) -> str:
    return f"q-{sequence_of(key)}"
