"""The bytes of the shard's keys: big-endian, so that RocksDB's order is the order of time."""

from __future__ import annotations

import struct

PERIOD_US = 8 * 86_400_000_000
"""Moments lie together by period: one look for each period finds all of an anchor, and a period is sealed at once."""
_OFFSET = 1 << 63
_NO_ONE = bytes(16)

_time = struct.Struct(">Q")
_period = struct.Struct(">I")
_moment = struct.Struct(">I16sQ16s")
_PERIOD_OFFSET = 1 << 31

MARKS = b"mark/"
MARKS_END = b"mark0"
"""Keys of marks begin with the one and lie before the other."""
NOBODY = _NO_ONE
"""The anchor of an event without any identifier."""


def time_key(time_us: int) -> bytes:
    """8 bytes that sort as the time does."""
    return _time.pack(time_us + _OFFSET)


def time_of(key: bytes) -> int:
    """The time of 8 bytes made by `time_key`."""
    return int(_time.unpack(key)[0]) - _OFFSET


def period_of(time_us: int) -> int:
    """The period of a time, counted from 1970; negative before."""
    return time_us // PERIOD_US


def period_key(period: int) -> bytes:
    """4 bytes that sort as the period does."""
    return _period.pack(period + _PERIOD_OFFSET)


def period_of_key(key: bytes) -> int:
    """The period of a key that begins with `period_key`."""
    return int(_period.unpack_from(key)[0]) - _PERIOD_OFFSET


def moment_key(anchor: bytes, time_us: int, message: bytes) -> bytes:
    """Period, anchor, time, message hash: 44 bytes."""
    return _moment.pack(time_us // PERIOD_US + _PERIOD_OFFSET, anchor, time_us + _OFFSET, message)


def moment_parts(key: bytes) -> tuple[bytes, int, bytes]:
    """Anchor, time, message hash of a `moment_key`."""
    _, anchor, time, message = _moment.unpack(key)
    return anchor, time - _OFFSET, message


def sequence_key(number: int) -> bytes:
    """8 bytes of a number from 0."""
    return _time.pack(number)


def sequence_of(key: bytes) -> int:
    """The number of a `sequence_key`."""
    return int(_time.unpack(key)[0])


def mark_key(partition: str) -> bytes:
    """The key of what was read of a partition's file, in the family `meta`."""
    return MARKS + partition.encode()
