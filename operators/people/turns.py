"""What is told of a profile for good, as a row: what happened to it, by which cause, beside whom."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

CREATED, GREW, MERGED, SPLIT_FROM, GAINED, MERGED_INTO, SPLIT, LOST, ERASED, RELEASED = range(10)
TYPES = ("created", "grew", "merged", "split_from", "gained", "merged_into", "split", "lost", "erased", "released")
"""The names of the kinds, by number."""
COMES = range(CREATED, MERGED_INTO)
"""The kinds whose identifiers came to the profile; those of the others left it. `RELEASED` is told of an identifier, under its
own hash: what held it when the last evidence of it went."""


class Turn(msgspec.Struct, array_like=True, gc=False):
    """One thing that happened to a profile by one cause. ``clock``: the space's, None before it runs; ``time``: the cause's own.

    ``other`` is the profile on the other side, empty if there is none. ``by`` is the type of the cause, ``cause`` its message id
    or digest, ``rules`` the version of the identity rules. ``identifiers`` are hashes, 16 bytes each.
    """

    clock: int | None
    time: int | None
    kind: int
    other: bytes
    by: str
    cause: str
    rules: int
    identifiers: bytes

    def hashes(self) -> Iterator[bytes]:
        """The identifiers one by one."""
        return (self.identifiers[at : at + 16] for at in range(0, len(self.identifiers), 16))


encode_turn = msgspec.msgpack.Encoder().encode
decode_turn = msgspec.msgpack.Decoder(Turn).decode
