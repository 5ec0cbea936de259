"""Traits of a wide profile: beside its row, in chunks, of which a commit writes those that have changed.

A profile of more than `NARROW` traits has a row that begins with `WIDE` and the number of its chunks, and holds no traits. A trait lies in
the chunk that its name says. What lies under a chunk's key without such a row counts for nothing: whoever becomes wide writes all chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zlib import crc32

import msgspec

from operators.records import WIDE, Person, decode_person, encode
from state.family import Family

NARROW = 64
"""Traits that a row holds at most."""
CHUNK = 16
"""Traits of a chunk, in the mean at most; twice as many chunks begin half as full."""
_HEAD = len(WIDE) + 2
_decode = msgspec.msgpack.Decoder(dict[str, list[Any]]).decode

Said = list[Any]
"""Time, message id, value."""
Get = Callable[[bytes], bytes | None]
"""A row of the family ``traits``."""


class Chunked(dict[str, Said]):
    """The traits of a profile that lie in chunks: a dictionary that knows which of its chunks are not as they are stored."""

    __slots__ = ("changed", "key", "parts", "sizes")

    def __init__(self, key: bytes, chunks: int) -> None:
        super().__init__()
        self.key = key
        self.parts: list[dict[str, Said]] = [{} for _ in range(chunks)]
        self.changed: set[int] = set()
        self.sizes = [0] * chunks
        """Bytes of the chunks as they are stored."""

    def __setitem__(self, name: str, said: Said) -> None:
        at = chunk_of(name, len(self.parts))
        self.parts[at][name] = said
        self.changed.add(at)
        super().__setitem__(name, said)

    def take(self, at: int, row: bytes) -> None:
        """A chunk as it is stored."""
        self.parts[at] = found = _decode(row)
        self.sizes[at] = len(row)
        super().update(found)


def chunk_of(name: str, chunks: int) -> int:
    """In which of the chunks a trait lies; their number is a power of two."""
    return crc32(name.encode("utf-8", "surrogatepass")) & (chunks - 1)


def chunk_key(key: bytes, at: int) -> bytes:
    """Where a chunk of the profile of this key lies."""
    return key + at.to_bytes(2, "big")


def decode_whole(row: bytes, get: Get) -> Person:
    """A profile with all of its traits; ``get`` reads the generation that the row is of."""
    person = decode_person(row)
    if row[:1] == WIDE:
        chunks = int.from_bytes(row[1:_HEAD], "big")
        person.traits = apart = Chunked(person.key, chunks)
        for at in range(chunks):
            found = get(chunk_key(person.key, at))
            if found is not None:
                apart.take(at, found)
    return person


def encode_whole(person: Person, family: Family) -> tuple[bytes, int]:
    """The row of a wide profile, while those of its chunks that have changed go into the pending commit; and the bytes of all of it."""
    traits = person.traits
    if not isinstance(traits, Chunked) or traits.key != person.key or len(traits) > len(traits.parts) * CHUNK:
        person.traits = traits = _divided(person)
    for at in traits.changed:
        row = encode(traits.parts[at])
        traits.sizes[at] = len(row)
        family.pending[chunk_key(person.key, at)] = row
    traits.changed.clear()
    row = head(person)
    return row, len(row) + sum(traits.sizes)


def head(person: Person) -> bytes:
    """The row of a profile whose traits lie in chunks as they are."""
    traits = person.traits
    assert isinstance(traits, Chunked), "whoever is wide has been divided"
    person.traits = {}
    row = WIDE + len(traits.parts).to_bytes(2, "big") + encode(person)
    person.traits = traits
    return row


def forget(person: Person, family: Family) -> None:
    """Take the chunks away of somebody who goes, or has others; who comes back writes all of them."""
    traits = person.traits
    if isinstance(traits, Chunked):
        traits.changed = set(range(len(traits.parts)))
        for at in traits.changed:
            family.delete(chunk_key(traits.key, at))


def _divided(person: Person) -> Chunked:
    count = 2
    while count * CHUNK < len(person.traits):
        count *= 2
    found = Chunked(person.key, count)
    for name, said in person.traits.items():
        found[name] = said
    found.changed = set(range(count))
    return found
