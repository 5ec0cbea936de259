"""What passes between the halves of a bulk load: judged records as rows of a file, what is said of a chunk of them, what parts come to."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.model.batches import Refused

NOBODY = 0
"""The group of records that are about nobody."""


class LaidDown(msgspec.Struct, array_like=True, gc=False):
    """An accepted event. ``properties`` and ``traits`` are None where the body says them as they are; ``places`` says so, as bits.
    ``message`` is the hash of its id."""

    time_us: int
    message_id: str
    message: bytes
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


PROPERTIES, TRAITS, STORED = 1, 2, 4
"""Bits of ``places``: the properties, and the traits, are those of the body; the message id is one of the shard's."""


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
    refused: int
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


class Folded(msgspec.Struct, gc=False):
    """What a part's islands come to beside the rows of its files.

    ``meta`` is what it was when the slice began, with what the part has added; ``rebuilds`` what it has cost. ``quarantine`` are rows
    without their numbers; ``quality`` rows of scores of refused records alone; ``conflicts`` positions of events that were not accepted,
    by chunk. ``largest``: the most identifiers of one person.
    """

    meta: bytes
    rebuilds: bytes
    quarantine: list[bytes]
    quality: list[tuple[bytes, bytes]]
    conflicts: dict[int, list[int]]
    largest: int
    records: int


encode = msgspec.msgpack.Encoder().encode
decode_judged = msgspec.msgpack.Decoder(LaidDown).decode
decode_refused = msgspec.msgpack.Decoder(Refused).decode
EVENT, REFUSED = b"e", b"r"
"""How a row begins."""
