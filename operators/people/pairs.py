"""Rows about two identifiers, found by the first: what would make a person's row long if it stood there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from operators.records import Link, Moment, encode
from state.family import Family

_decode_link = msgspec.msgpack.Decoder(Link).decode
_decode_moment = msgspec.msgpack.Decoder(Moment).decode


class Pairs:
    """A column family with keys ``h16 h16 …`` as it will be after this commit; changes are kept by the first identifier, too."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._fresh: dict[bytes, dict[bytes, bytes | None]] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._family.get(key)

    def put(self, key: bytes, row: bytes | None) -> None:
        """Write a row; None deletes it."""
        self._family.pending[key] = row
        self._fresh.setdefault(key[:16], {})[key] = row

    def of(self, identifier: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows of an identifier, in no order; they may be changed meanwhile."""
        fresh = dict(self._fresh.get(identifier, ()))
        for key, row in self._family.committed(identifier, identifier + b"\xff" * 17):
            if key not in fresh:
                yield key, row
        for key, kept in fresh.items():
            if kept is not None:
                yield key, kept

    def replace(self, identifiers: Iterable[bytes], wanted: dict[bytes, bytes]) -> None:
        """Put these rows in the place of all that these identifiers have; only differences are written."""
        for identifier in identifiers:
            for key, row in self.of(identifier):
                if wanted.get(key) == row:
                    del wanted[key]
                elif key not in wanted:
                    self.put(key, None)
        for key, row in wanted.items():
            self.put(key, row)

    def forget(self) -> None:
        """What is pending has been handed to the commit."""
        self._fresh = {}


class Refusals:
    """Links that do not stand, probabilistic ones aside: under both of their ends, ``h16 end, h16 other end, suffix of its kind``."""

    def __init__(self, family: Family) -> None:
        self._rows = Pairs(family)
        self.forget = self._rows.forget

    def get(self, a: bytes, b: bytes) -> Link | None:
        """The deterministic link of a pair, if it does not stand."""
        row = self._rows.get(a + b)
        return None if row is None else _decode_link(row)

    def put(self, link: Link) -> None:
        row = encode(link)
        for key in _keys(link):
            self._rows.put(key, row)

    def delete(self, link: Link) -> None:
        for key in _keys(link):
            self._rows.put(key, None)

    def of(self, identifier: bytes) -> Iterator[Link]:
        """Those with an end here."""
        return (_decode_link(row) for _, row in self._rows.of(identifier))

    def ends(self, identifier: bytes) -> list[bytes]:
        """The other ends of those with an end here; one twice if a manual link stands beside."""
        return [key[16:32] for key, _ in self._rows.of(identifier)]

    def replace(self, identifiers: Iterable[bytes], links: Iterable[Link]) -> None:
        """Put these links in the place of all that have an end at one of these identifiers."""
        self._rows.replace(identifiers, {key: row for link in links for row in (encode(link),) for key in _keys(link)})


def _keys(link: Link) -> tuple[bytes, bytes]:
    key = link.key
    return key, link.b + link.a + key[32:]


def link_of(row: bytes) -> Link:
    """The link of a row of the family ``refused``."""
    return _decode_link(row)


class Identified:
    """Who was identified on a device, beside those who stand in its own row: ``h16 device, h16 person`` → when last."""

    def __init__(self, family: Family) -> None:
        self._rows = Pairs(family)
        self.forget = self._rows.forget

    def get(self, device: bytes, person: bytes) -> Moment | None:
        row = self._rows.get(device + person)
        return None if row is None else _decode_moment(row)

    def put(self, device: bytes, person: bytes, at: Moment) -> None:
        self._rows.put(device + person, encode(at))

    def delete(self, device: bytes, person: bytes) -> None:
        self._rows.put(device + person, None)

    def of(self, device: bytes) -> Iterator[tuple[bytes, Moment]]:
        return ((key[16:32], _decode_moment(row)) for key, row in self._rows.of(device))

    def replace(self, device: bytes, persons: dict[bytes, Moment]) -> None:
        """Put these in the place of all that the device has."""
        self._rows.replace([device], {device + person: encode(at) for person, at in persons.items()})


class Denied:
    """Denials of refused records: under ``h16 identifier, message hash, purpose`` their moments; ``h16`` alone says that there are some."""

    def __init__(self, family: Family) -> None:
        self._rows = Pairs(family)
        self.forget = self._rows.forget
        self.some = any(True for _ in family.committed(b""))
        """Whether there are any, of whatever identifier: mostly there are none, and nobody looks."""

    def any(self, identifier: bytes) -> bool:
        """Whether there are any of an identifier."""
        return self.some and self._rows.get(identifier) is not None

    def get(self, identifier: bytes, message: bytes, purpose: str) -> Moment | None:
        row = self._rows.get(identifier + message + purpose.encode()) if self.some else None
        return None if row is None else _decode_moment(row)

    def put(self, identifier: bytes, message: bytes, purpose: str, at: Moment) -> None:
        self.some = True
        self._rows.put(identifier, b"")
        self._rows.put(identifier + message + purpose.encode(), encode(at))

    def of(self, identifier: bytes) -> Iterator[tuple[str, Moment]]:
        """The denials of an identifier, each as purpose and moment, in no order."""
        if self.any(identifier):
            yield from [(key[32:].decode(), _decode_moment(row)) for key, row in self._rows.of(identifier) if len(key) > 32]


def denied(row: bytes) -> Moment:
    """When, and by which message, the denial of a row was made."""
    found: Moment = _decode_moment(row)
    return found


def denied_at(row: bytes) -> int:
    """When (µs) the denial of a row was made; before everything for the row that says that there are some."""
    return _decode_moment(row)[0] if row else 0
