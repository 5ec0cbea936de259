"""The ledger's rows as activation reads and writes them: each with the entry that says when it is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from operators.activation.ledger_row import (
    ALIAS,
    ERASE,
    FEED,
    Attempt,
    LedgerRow,
    Place,
    Receipt,
    beginning,
    decode_row,
    due_place,
    due_until,
    encode_row,
    place_of,
)
from operators.activation.wanted import is_pending
from skep.runtime.delivery.fed_lines import FedLines
from skep.runtime.delivery.noted import KeptOfDestinations
from state.ledger import Ledger

ATTEMPTS_KEPT_US = 30 * 86_400_000_000
_encode = msgspec.msgpack.Encoder().encode


class Books:
    """Everything that activation keeps. What is put waits for `commit`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.noted = KeptOfDestinations(ledger.meta)
        self._numbered = 0
        self.once: set[tuple[str, bytes]] = set()
        """By destination whom it is yet to forget, or to know by another name, before anything else is said of them."""
        due = (due_place(key)[1] for key, _ in ledger.due.committed(b""))
        places = [place for place in due if place.audience[:1] == FEED or place.audience in {ERASE, ALIAS}]
        self.once.update((place.destination, place.profile) for place in places if place.audience[:1] != FEED)
        self.fed = FedLines(place for place in places if place.audience[:1] == FEED)

    def commit(self) -> None:
        """Write what was put."""
        self._ledger.commit()

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    # ---- rows

    def get(self, place: Place) -> LedgerRow | None:
        """A row, as it was put last."""
        found = self._ledger.rows.get(place.key)
        return None if found is None else decode_row(found)

    def put(self, place: Place, row: LedgerRow | None, before: LedgerRow | None) -> None:
        """A row in the place of the one ``before``; None takes it away."""
        if row is before:
            return
        ledger = self._ledger
        was = place.due(before) if before is not None and is_pending(before, place.audience) else None
        now = place.due(row) if row is not None and is_pending(row, place.audience) else None
        if was is not None and was != now:
            ledger.due.delete(was)
        if now is not None and was != now:
            ledger.due.put(now, b"")
        if row is None:
            ledger.rows.delete(place.key)
            ledger.letters.delete(place.key)
        else:
            ledger.rows.put(place.key, encode_row(row))
        if place.audience in {ERASE, ALIAS}:
            (self.once.discard if now is None else self.once.add)((place.destination, place.profile))
        elif place.audience[:1] == FEED and (was is None) is not (now is None):
            (self.fed.remove if now is None else self.fed.add)(place)

    def change(self, place: Place, how: Callable[[LedgerRow], LedgerRow | None]) -> None:
        """A row by what is done to it, if there is one."""
        row = self.get(place)
        if row is not None:
            self.put(place, how(row), row)

    def rows(self, destination: str, audience: str | None = None) -> Iterator[tuple[Place, LedgerRow]]:
        """The rows of a destination, or of one of its audiences, as they are now."""
        for key, _ in self._ledger.rows.rows(*beginning(destination, audience)):
            row = self.get(place := place_of(key))
            if row is not None:
                yield place, row

    def due(self, destination: str, until: int, after: bytes = b"") -> Iterator[tuple[bytes, Place]]:
        """What is due by a time, the oldest first, behind a key; with the keys."""
        start, end = due_until(destination, until)
        for key, _ in self._ledger.due.committed(max(start, after), end):
            if key != after:
                yield key, due_place(key)[1]

    def next_due(self, destination: str) -> int | None:
        """When the next row of a destination is due; None if none is."""
        start, end = beginning(destination)
        found = next(self._ledger.due.committed(start, end), None)
        return None if found is None else due_place(found[0])[0]

    # ---- who somebody is there, and when

    def remote_id(self, destination: str, profile: bytes) -> str | None:
        """The vendor's own id of somebody."""
        found = self._ledger.ids.get(destination.encode() + b"\0" + profile)
        return None if found is None else found.decode()

    def learn(self, destination: str, profile: bytes, remote_id: str | None) -> None:
        key = destination.encode() + b"\0" + profile
        if remote_id is None:
            self._ledger.ids.delete(key)
        else:
            self._ledger.ids.put(key, remote_id.encode())

    def contacts(self, profile: bytes, channel: str) -> list[int]:
        """The times at which somebody was written to by a channel, as far as they are kept."""
        found = self._ledger.contacts.get(profile + channel.encode())
        return [] if found is None else msgspec.msgpack.decode(found, type=list[int])

    def contacted(self, profile: bytes, channel: str, now: int) -> None:
        kept = [one for one in self.contacts(profile, channel) if one > now - ATTEMPTS_KEPT_US]
        self._ledger.contacts.put(profile + channel.encode(), _encode([*kept, now]))

    # ---- what became of calls

    def attempt(self, one: Attempt) -> None:
        """Note a call; kept for 30 days."""
        self._numbered += 1
        self._ledger.attempts.put(one.at.to_bytes(8, "big") + self._numbered.to_bytes(8, "big"), encode_row(one))

    def forget_attempts(self, now: int, most: int = 1_000) -> None:
        """Let go of what is older than is kept, so many at a time."""
        for count, (key, _) in enumerate(self._ledger.attempts.committed(b"", (now - ATTEMPTS_KEPT_US).to_bytes(8, "big"))):
            if count >= most:
                return
            self._ledger.attempts.delete(key)

    def receipt(self, one: Receipt) -> None:
        self._numbered += 1
        self._ledger.receipts.put(one.at.to_bytes(8, "big") + self._numbered.to_bytes(8, "big"), encode_row(one))

    def letter(self, place: Place, content: bytes | None) -> None:
        """Keep what was last asked and answered of somebody who was not taken; None lets go of it."""
        if content is None:
            if self._ledger.letters.committed_row(place.key) is not None:
                self._ledger.letters.delete(place.key)
        else:
            self._ledger.letters.put(place.key, content)

    # ---- what commands ask

    def heard(self) -> int:
        """How many bytes of the file of entries have been read."""
        found = self._ledger.meta.get(b"entries")
        return 0 if found is None else int(found)

    def hear(self, position: int) -> None:
        self._ledger.meta.put(b"entries", str(position).encode())

    def answer(self, entry: str, answer: bytes) -> None:
        self._ledger.answers.put(entry.encode(), answer)
