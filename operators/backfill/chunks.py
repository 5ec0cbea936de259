"""What passes between the two halves of a bulk load: judged records as rows of a file, and what is said of a chunk of them."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.model.batches import Refused

NOBODY = 0
"""The group of records that are about nobody."""


class LaidDown(msgspec.Struct, array_like=True, gc=False):
    """An accepted event. ``properties`` and ``traits`` are None where the body says them as they are; ``places`` says so, as bits."""

    time_us: int
    message_id: str
    type: str
    name: str
    contract: str
    received_at_us: int | None
    raw: bytes
    places: int
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    consents: dict[str, bool] | None = None
    unread: tuple[str, ...] = ()
    lookup: bytes = b""
    group: tuple[str, dict[str, Any]] | None = None


PROPERTIES, TRAITS = 1, 2
"""Bits of ``places``: the properties, and the traits, are those of the body."""


class Chunk(msgspec.Struct, gc=False):
    """Records ``first..last`` of one partition, as one part judged them; their rows lie in the file ``number``, one a record.

    ``groups`` are the records that share their identifiers, by a number of the part's own: an array of unsigned 32 bits; ``lengths``
    of the same kind are the bytes of each row. ``messages`` are 8 bytes of the hash of each message id, 0 of a refused record.
    """

    number: int
    part: int
    source: str
    partition: str
    first: int
    last: int
    read_at_us: int
    messages: bytes
    groups: bytes
    lengths: bytes
    uncorrected: int
    contracts: list[str]
    looked: dict[str, list[int]]
    """What lookups have found (`operators.lookups.attached.count`)."""
    fresh: list[tuple[bytes, ...]]
    """Of the groups that turned up here first, in order: the hashes of identifiers, or of those who hold them."""
    also: list[tuple[int, bytes]]
    """Group, and the hash of what an event of it is a repeat of, of the account that it names, or of who belongs to that."""
    quality: dict[tuple[int, str], Any]
    """What is counted of its events, by hour and event (`operators.quality.scores.Scores`)."""


encode = msgspec.msgpack.Encoder().encode
decode_judged = msgspec.msgpack.Decoder(LaidDown).decode
decode_refused = msgspec.msgpack.Decoder(Refused).decode
EVENT, REFUSED = b"e", b"r"
"""How a row begins."""
