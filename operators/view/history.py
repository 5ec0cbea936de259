"""Reading the history of people: what happened to a profile, and who held what at a time, as the space believed it then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from contracts.model.hashing import profile_id
from operators.people.turns import COMES, ERASED, LOST, MERGED_INTO, RELEASED, TYPES, Turn, decode_turn
from operators.view.rows import SpaceRows
from state.keys import sequence_of
from state.snapshot.tables.identity_history import HistoryRow


class Was(NamedTuple):
    """A profile at a time: whether it was there, its identifiers, and where it had gone, if it had."""

    there: bool
    identifiers: set[bytes]
    into: bytes | None


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """The history of one space. A time is compared with the space's clock; what happened before that ran counts as known from the start."""

    committed: SpaceRows

    def everything(self) -> Iterator[tuple[bytes, int, Turn]]:
        """Profile, sequence number and what happened, by profile."""
        for key, row in self.committed.rows.rows("history"):
            turn = decode_turn(row)
            if turn.kind != RELEASED:
                yield key[:16], sequence_of(key[16:]), turn

    def rows(self) -> Iterator[HistoryRow]:
        """Everything, with identifiers as ``namespace:value``, those that nothing names any more as a hash."""
        names = self.committed.namespaces
        known = {each.hash: f"{names[each.namespace]}:{each.value}" for person in self.committed.people() for each in person.identifiers}
        for profile, number, turn in self.everything():
            identifiers = [known.get(each) or f"h_{each.hex()}" for each in turn.hashes()]
            other = profile_id(turn.other) if turn.other else None
            yield HistoryRow(
                profile_id(profile), number, turn.clock, turn.time, TYPES[turn.kind], other, identifiers, turn.by, turn.cause, turn.rules,
                self.committed.space,
            )  # fmt: skip

    def of(self, profile: bytes) -> list[tuple[int, Turn]]:
        """What happened to a profile, oldest first, with the sequence numbers."""
        return [(number, turn) for number, turn in self._under(profile) if turn.kind != RELEASED]

    def _under(self, key: bytes) -> list[tuple[int, Turn]]:
        return [(sequence_of(found[16:]), decode_turn(row)) for found, row in self.committed.rows.rows("history", key, key + b"\xff" * 9)]

    def was(self, profile: bytes, at: int) -> Was:
        """A profile at a time (µs)."""
        there, held, into = False, set[bytes](), None
        for _, turn in self.of(profile):
            if not _by(turn, at):
                break
            if turn.kind in COMES:
                there, into = True, None
                held.update(turn.hashes())
                continue
            held.difference_update(turn.hashes())
            if turn.kind in {MERGED_INTO, ERASED}:
                there, into = False, turn.other or None
        return Was(there, held, into)

    def became(self, profile: bytes, at: int) -> bytes | None:
        """The profile that a profile was, or was part of, at a time; None if it was not there yet, or erased."""
        seen = set()
        found: bytes | None = profile
        while found is not None and found not in seen:
            seen.add(found)
            was = self.was(found, at)
            if was.there:
                return found
            found = was.into
        return None

    def holder(self, identifier: bytes, at: int) -> bytes | None:
        """The profile that held an identifier at a time (µs): back from the one that holds it now, move by move."""
        profile, before = self.committed.rows.row("alias", identifier), 1 << 62
        while True:
            found = self._released(identifier, before) if profile is None else self._joined(identifier, profile, before)
            if found is None:
                return None
            before, turn = found
            if _by(turn, at):
                return profile
            profile = (turn.other or None) if turn.kind in COMES or turn.kind == RELEASED else identifier

    def _joined(self, identifier: bytes, profile: bytes, before: int) -> tuple[int, Turn] | None:
        """When an identifier came to a profile last."""
        for number, turn in reversed(self._under(profile)):
            if number < before and turn.kind in COMES and identifier in turn.hashes():
                return number, turn
        return None

    def _released(self, identifier: bytes, before: int) -> tuple[int, Turn] | None:
        """When nothing named an identifier any more. It may have led the profile that held it: then that says so itself."""
        for number, turn in reversed(self._under(identifier)):
            gone = turn.kind == RELEASED or (turn.kind in {LOST, ERASED} and not turn.other)
            if number < before and gone and identifier in turn.hashes():
                return number, turn
        return None


def _by(turn: Turn, at: int) -> bool:
    return turn.clock is None or turn.clock <= at
