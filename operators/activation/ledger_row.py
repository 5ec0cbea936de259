"""The rows of the ledger: what a destination is to hold of a person, what it has acknowledged, and under which keys both lie.

Times are µs; an audience is a segment's name, empty for the traits of a profile.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from contracts.model.hashing import profile_id

IN, OUT = "in", "out"
ERASED, ALIASED = "erased", "aliased"
TRAITS = ""
"""The audience of a profile's traits."""
FEED = "\x02"
"""Before the number of a line of the change log that is told as it is: an audience of its own for each."""
ERASE, ALIAS = "\x01erase", "\x01alias"
"""In place of an audience, of what is told once: that a person is to be forgotten, or has another name."""
NEVER = (1 << 63) - 1
"""When something is due that only new input makes so."""
_BIAS = 1 << 63


class LedgerRow(msgspec.Struct, array_like=True, gc=False):
    """``wanted`` and ``acknowledged`` are `IN`, `OUT` or a digest of traits; the latter is empty where nothing ever was.

    ``place``: the sequence of the change that it follows from, by which the oldest goes first. ``sent_as``: the names of `match` as they
    were sent last. ``called``: a call was made whose answer is not known, or was none. ``anew``: what was sent goes before what is
    wanted. ``barred``: why nobody may be told of the person, whatever is wanted. ``attempts``: answers `retry`. ``dead``: a dead
    letter. ``old``: of an alias, how the person was known before. ``since``: when it became wanted.
    ``line``: of the change log, where that is told as it is; ``wanted`` is its type then.
    """

    wanted: str
    wanted_version: int
    place: int
    acknowledged: str = ""
    acknowledged_version: int = 0
    acknowledged_at: int = 0
    sent_as: dict[str, str] = {}
    called: bool = False
    anew: bool = False
    barred: str = ""
    attempts: int = 0
    last_class: str = ""
    reason: str = ""
    status: int = 0
    next_at: int = 0
    tried_at: int = 0
    dead: bool = False
    old: dict[str, str] = {}
    since: int = 0
    line: bytes = b""


class Attempt(msgspec.Struct, array_like=True, gc=False):
    """One person in one request that was answered, or not: what the table `deliveries` has of it."""

    destination: str
    audience: str
    profile: bytes
    call: str
    batch: str
    at: int
    milliseconds: int
    status: int
    says: str
    reason: str
    key: str
    change: str


class Receipt(msgspec.Struct, array_like=True, gc=False):
    """That a destination has forgotten somebody: who is only a hash."""

    destination: str
    profile_hash: str
    at: int
    status: int
    reference: str


class Place(NamedTuple):
    """Where a row lies."""

    destination: str
    audience: str
    profile: bytes

    @property
    def key(self) -> bytes:
        """Of the family ``rows``."""
        return b"%b\0%b\0%b" % (self.destination.encode(), self.audience.encode(), self.profile)

    @property
    def profile_id(self) -> str:
        return profile_id(self.profile)

    def due(self, row: LedgerRow) -> bytes:
        """Of the family ``due``."""
        return b"%b\0%b%b%b\0%b" % (
            self.destination.encode(), row.next_at.to_bytes(8, "big"), row.place.to_bytes(8, "big"), self.audience.encode(), self.profile,
        )  # fmt: skip


_encode = msgspec.msgpack.Encoder().encode
decode_row = msgspec.msgpack.Decoder(LedgerRow).decode
decode_attempt = msgspec.msgpack.Decoder(Attempt).decode
decode_receipt = msgspec.msgpack.Decoder(Receipt).decode


def encode_row(row: LedgerRow | Attempt | Receipt) -> bytes:
    """The bytes of a row."""
    return _encode(row)


def place_of(key: bytes) -> Place:
    """Where the row of a key lies."""
    destination, _, rest = key.partition(b"\0")
    return Place(destination.decode(), rest[:-17].decode(), rest[-16:])


def due_place(key: bytes) -> tuple[int, Place]:
    """When the row of a key of ``due`` is due, and where it lies."""
    destination, _, rest = key.partition(b"\0")
    return int.from_bytes(rest[:8], "big"), Place(destination.decode(), rest[16:-17].decode(), rest[-16:])


def beginning(destination: str, audience: str | None = None) -> tuple[bytes, bytes]:
    """Between which keys the rows of a destination lie, or those of one of its audiences."""
    start = destination.encode() + b"\0" + (b"" if audience is None else audience.encode() + b"\0")
    return start, start[:-1] + b"\x01"


def feed_line(sequence: int, number: int) -> str:
    """In place of an audience, the so manieth line that a change is told as; in the order of the log."""
    return f"{FEED}{sequence:016x}.{number:04x}"


def due_until(destination: str, until: int) -> tuple[bytes, bytes]:
    """Between which keys of ``due`` that lies which a destination is to be told by then."""
    start = destination.encode() + b"\0"
    return start, start + (until + 1).to_bytes(8, "big")
