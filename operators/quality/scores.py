"""What is counted of the events of one name from one source in one hour, and the keys under which it is stored."""

from __future__ import annotations

import struct

import msgspec

from schemalogic.paths import parse_path

HOUR_US = 3_600_000_000
UNKNOWN_MAX = 50
"""Unknown properties that a row names; the most frequent stay, the rest is one number."""
TEXT_MAX = 100
"""Characters of a name that are kept."""
OTHER = "(other)"
"""The events of all names beyond those that a space remembers."""
UNNAMED = "(unnamed)"
"""Records that do not say what happened. Neither is a normalised name."""

Pair = list[int]
"""``[how many, of how many]``"""


class Scores(msgspec.Struct, array_like=True, gc=False):
    """One row; rows add up.

    ``events`` were accepted, ``refused`` by reason. ``present``: of each optional property, how many of the objects that
    could carry it do. ``unknown``: records that carry a property that the contract does not declare, by name;
    ``unknown_events`` carry at least one. ``looked`` events had their values looked at: ``outside`` has, by property, how
    many values lay outside of the examples or the range, of how many. ``newest_us`` is the time of the newest accepted event.
    """

    events: int = 0
    newest_us: int | None = None
    refused: dict[str, int] = {}
    present: dict[str, Pair] = {}
    unknown: dict[str, int] = {}
    unknown_more: int = 0
    unknown_events: int = 0
    looked: int = 0
    outside: dict[str, Pair] = {}

    def add(self, other: Scores) -> None:
        """Add another row's counts."""
        self.events += other.events
        if other.newest_us is not None and (self.newest_us is None or other.newest_us > self.newest_us):
            self.newest_us = other.newest_us
        for reason, count in other.refused.items():
            self.refused[reason] = self.refused.get(reason, 0) + count
        _add_pairs(self.present, other.present)
        _add_pairs(self.outside, other.outside)
        self.unknown_events += other.unknown_events
        self.looked += other.looked
        if other.unknown:
            self._add_unknown(other.unknown)
        self.unknown_more += other.unknown_more

    def _add_unknown(self, counts: dict[str, int]) -> None:
        unknown = self.unknown
        for name, count in counts.items():
            unknown[name] = unknown.get(name, 0) + count
        if len(unknown) > UNKNOWN_MAX:
            kept = sorted(unknown.items(), key=lambda one: (-one[1], one[0]))
            self.unknown_more += sum(count for _, count in kept[UNKNOWN_MAX:])
            self.unknown = dict(kept[:UNKNOWN_MAX])

    @property
    def records(self) -> int:
        """Accepted and refused ones."""
        return self.events + sum(self.refused.values())

    def carried(self, path: str = "") -> Pair:
        """How many of the objects carry an optional property; "" is all top-level ones together."""
        if path:
            return self.present.get(path, [0, 0])
        top = [pair for name, pair in self.present.items() if len(parse_path(name)) == 1]
        return [sum(pair[0] for pair in top), sum(pair[1] for pair in top)]

    def quarantined(self) -> Pair:
        """How many of the records were refused."""
        return [self.records - self.events, self.records]

    def undeclared(self) -> Pair:
        """How many of the records carry a property that their contract does not declare."""
        return [self.unknown_events, self.records]

    def strayed(self, path: str = "") -> Pair:
        """How many of the values that were looked at lay outside; "" is of all properties together."""
        if path:
            return self.outside.get(path, [0, 0])
        return [sum(pair[0] for pair in self.outside.values()), sum(pair[1] for pair in self.outside.values())]


def share(pair: Pair) -> float | None:
    """From 0 to 1; None of nothing."""
    return pair[0] / pair[1] if pair[1] else None


class Name(msgspec.Struct, array_like=True, gc=False):
    """An event name that a source has used: the times of its earliest and latest record, and of its latest accepted event."""

    first_us: int
    last_us: int
    newest_us: int | None


def _add_pairs(pairs: dict[str, Pair], more: dict[str, Pair]) -> None:
    for name, (count, of) in more.items():
        known = pairs.get(name)
        if known is None:
            pairs[name] = [count, of]
        else:
            known[0] += count
            known[1] += of


encode = msgspec.msgpack.Encoder().encode
decode_scores = msgspec.msgpack.Decoder(Scores).decode
decode_name = msgspec.msgpack.Decoder(Name).decode

_HOUR, _OFFSET = struct.Struct(">cI"), 1 << 31
_SCORES, _NAMES = b"h", b"n"
NAMES_FROM, NAMES_TO = _NAMES, b"o"
HOUR_MIN, HOUR_MAX = -_OFFSET, _OFFSET - 1


def hour_key(hour: int) -> bytes:
    """Where the rows of an hour (counted from 1970) begin."""
    return _HOUR.pack(_SCORES, hour + _OFFSET)


def scores_key(hour: int, source: str, event: str) -> bytes:
    """``h``, the hour, source and event: rows lie in order of time."""
    return hour_key(hour) + _texts(source, event)


def name_key(source: str, event: str) -> bytes:
    """``n``, source and event."""
    return _NAMES + _texts(source, event)


def scores_of(key: bytes) -> tuple[int, str, str]:
    """Hour, source and event of a `scores_key`."""
    source, event = key[5:].decode("utf-8", "surrogatepass").split("\0")
    return int(_HOUR.unpack_from(key)[1]) - _OFFSET, source, event


def name_of(key: bytes) -> tuple[str, str]:
    """Source and event of a `name_key`."""
    source, event = key[1:].decode("utf-8", "surrogatepass").split("\0")
    return source, event


def source_of(partition: str) -> str:
    """The source of a partition, which is called ``<source>/<file>``."""
    return partition.partition("/")[0]


def _texts(source: str, event: str) -> bytes:
    return f"{source}\0{event}".encode("utf-8", "surrogatepass")
