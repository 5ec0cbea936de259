"""A mark: what was read of a file or a topic, as it is stored beside the position, so that another of the same name is recognised."""

from __future__ import annotations

import msgspec


class Mark(msgspec.Struct, array_like=True, frozen=True):
    """All records that were read lie within the first ``size`` bytes of the content (of ``.gz``: unpacked), which have ``digest``.

    ``head`` is the digest of their first `connectors.sources.stream.HEAD_BYTES`, which tells a file that was cut from another one.
    """

    size: int = 0
    digest: bytes = b""
    head: bytes = b""
    behind: int = 0
    """Records of the file that lie before position 1: those that somebody has decided to skip."""
    torn: bool = False
    """No line break stands behind the last record; if the file goes on, it must go on with one."""
    waiting: int = 0
    """Bytes at the end of the file that are no whole record yet."""
    unmarked: int = 0
    """Records that were read before there were marks."""
    stopped: str = ""
    """Why nothing more is read of the file; empty while it is read."""
    changed: bool = False
    """Whether that is because what was read is no longer there, so that somebody has to decide."""
    cluster: str = ""
    """Of a topic's partition, where nothing is known but this: the id of its cluster."""
    topic: str = ""
    """The id of its topic: one that was made anew has another."""
    begins: int = -1
    """The offset at which reading it began; -1 if that is not decided."""


encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Mark).decode


def decode(stored: bytes | None) -> Mark | None:
    """The mark of these bytes; None if there is none."""
    return _decode(stored) if stored else None
