"""What the events of one owner come to by themselves: the parts that a person's record adds up from.

A person who loses an identifier is added up from the parts of those that stay, without looking at their moments. A part is made
of moments when it is first wanted, and from then on takes in the events that its owner gets; whatever takes one away drops it.
"""

from __future__ import annotations

from collections.abc import Iterable

from contracts.model.batches import Event
from operators.people.clock import Clock
from operators.profile import fold
from operators.records import NOBODY, OWNED, Person, decode_person, encode
from operators.segments.compile import Program
from operators.stitch.owners import Owner

SHARE = 8
"""Parts take up to this fraction of the memory for people."""
HEAD_BYTES, EVENT_BYTES = 400, 3_000
"""What a part takes in memory beside its row, and an event that waits beside its own bytes (measured)."""
WAITING_MAX = 8
"""Events of a part that wait until it is wanted; one more and they are folded in."""
_NOBODY = b"n"


def owner_key(anchor: bytes, owner: Owner) -> bytes:
    """Under which key the events of an owner add up: the identifier that has them, or its device and that they are nobody's."""
    return owner[1] if owner[0] == OWNED else nobodys(anchor) if owner[0] == NOBODY else anchor


def nobodys(device: bytes) -> bytes:
    """The key of the events of a device that belong to nobody."""
    return device + _NOBODY


class _Head:
    __slots__ = ("row", "waiting")

    def __init__(self, row: bytes) -> None:
        self.row = row
        self.waiting: list[tuple[Event, bytes]] = []
        """Events that are not in the row, each with the identifier that it hangs on."""

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return HEAD_BYTES + len(self.row) + sum(EVENT_BYTES + len(event.raw) for event, _ in self.waiting)


class Heads:
    """The parts that are in memory; ``cache_bytes`` is the memory for people."""

    def __init__(self, program: Program, clock: Clock, cache_bytes: int) -> None:
        self._program = program
        self._clock = clock
        self._most = cache_bytes // SHARE
        self._blank = encode(self.blank(b""))
        self._heads: dict[bytes, _Head] = {}
        self._bytes = 0

    def trim(self) -> None:
        """Between repairs: memory stays within its limit, those that were made first go."""
        if self._bytes > self._most:
            for key in list(self._heads):
                self.drop(key)
                if self._bytes <= self._most // 2:
                    break

    def blank(self, key: bytes) -> Person:
        """A part to which nothing has been added."""
        return Person(key, [], {})

    def __contains__(self, key: bytes) -> bool:
        return key in self._heads

    def keep(self, key: bytes, part: Person | None) -> None:
        """Hold what the events of an owner come to; None: there are no events."""
        self.drop(key)
        head = self._heads[key] = _Head(self._blank if part is None else encode(part))
        self._bytes += head.size

    def add(self, key: bytes, event: Event, anchor: bytes) -> None:
        """An owner has got an event."""
        head = self._heads.get(key)
        if head is not None:
            head.waiting.append((event, anchor))
            self._bytes += EVENT_BYTES + len(event.raw)
            if len(head.waiting) > WAITING_MAX:
                self._settle(head)

    def drop(self, key: bytes) -> None:
        """An owner has lost an event."""
        head = self._heads.pop(key, None)
        if head is not None:
            self._bytes -= head.size

    def part(self, key: bytes) -> Person:
        """A part that is held, for the caller to keep."""
        head = self._heads[key]
        return self._settle(head) if head.waiting else decode_person(head.row)

    def _settle(self, head: _Head) -> Person:
        found = decode_person(head.row)
        for event, anchor in head.waiting:
            fold(found, event, anchor, self._program, self._clock.now)
        self._bytes -= head.size
        head.row, head.waiting = encode(found), []
        self._bytes += head.size
        return found

    def make(self, wanted: Iterable[bytes], events: Iterable[tuple[bytes, Event, bytes]]) -> None:
        """Make the parts of these keys of their events, each with the key of its owner and the identifier that it hangs on."""
        parts = {key: self.blank(key) for key in wanted}
        for key, event, anchor in events:
            fold(parts[key], event, anchor, self._program, self._clock.now)
        for key, part in parts.items():
            self.keep(key, part)
