"""Manual evidence: what was linked and unlinked by hand, as it was said, and what rules each pair by the identity rules in force."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from contracts.model.hashing import Hasher
from operators.extract import Identifiers
from state.family import Family


class Ruling(msgspec.Struct, array_like=True, gc=False):
    """An entry about a pair: ends are ``(namespace, text)``, as they were said or normalised."""

    a: tuple[str, str]
    b: tuple[str, str]
    link: bool
    time_us: int
    message: str

    @property
    def rank(self) -> tuple[int, str, bool]:
        """Of the entries about one pair the largest rules it."""
        return self.time_us, self.message, not self.link


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Ruling).decode


class Rulings:
    """Entries as they were said, of those that name the same two texts the last; and, by the rules of `use`, the one that rules each pair.

    ``rows`` are those of the column family ``manual``. ``rulings`` are by the two identifiers' hashes, their ends normalised. Who names
    a namespace that the rules do not have, a blocked value, or two spellings of one identifier rules nothing by these rules.
    """

    def __init__(self, rows: Iterable[tuple[bytes, bytes]], hasher: Hasher) -> None:
        self._hasher = hasher
        self.said: dict[bytes, Ruling] = {key: _decode(row) for key, row in rows}
        self.rulings: dict[bytes, Ruling] = {}
        self._of: dict[bytes, set[bytes]] = {}
        self._identifiers: Identifiers | None = None
        self.heard = 0
        """How many entries have been kept since this was made."""

    def use(self, identifiers: Identifiers) -> None:
        """Read everything that was said by these rules of identity."""
        self._identifiers = identifiers
        self.rulings.clear()
        self._of.clear()
        for ruling in self.said.values():
            self.hear(ruling)

    def hear(self, said: Ruling) -> Ruling | None:
        """Let an entry count by the rules in use, if it rules its pair; the ruling, None if it does not."""
        ruling = self.read(said)
        if ruling is None:
            return None
        key = self.key(ruling)
        known = self.rulings.get(key)
        if known is not None and known.rank >= ruling.rank:
            return None
        self.rulings[key] = ruling
        for end in (key[:16], key[16:]):
            self._of.setdefault(end, set()).add(key)
        return ruling

    def read(self, said: Ruling) -> Ruling | None:
        """An entry as the rules in use write its ends; None if these are not two identifiers by them."""
        assert self._identifiers is not None, "rules are in use"
        ends = [(space, self._identifiers.normalize(space, text)) for space, text in (said.a, said.b)]
        found = [(space, pair[1]) for space, pair in ends if pair is not None]
        if len(found) != len(ends) or found[0] == found[1]:
            return None
        return Ruling(found[0], found[1], said.link, said.time_us, said.message)

    def key(self, ruling: Ruling) -> bytes:
        """Both ends' hashes, the smaller first."""
        a, b = (self._hasher.identifier(*end) for end in (ruling.a, ruling.b))
        return min(a, b) + max(a, b)

    @property
    def named(self) -> set[bytes]:
        """Every identifier that some ruling names."""
        return set(self._of)

    def void(self, a: bytes, b: bytes) -> bool:
        """Whether the pair is unlinked, in either order of its ends."""
        if not self.rulings:
            return False
        ruling = self.ruling(a, b)
        return ruling is not None and not ruling.link

    def ruling(self, a: bytes, b: bytes) -> Ruling | None:
        """What rules the pair, in either order of its ends."""
        return self.rulings.get(a + b) or self.rulings.get(b + a)

    def of(self, identifier: bytes) -> list[tuple[bytes, Ruling]]:
        """The rulings that name an identifier."""
        return [(key, self.rulings[key]) for key in sorted(self._of.get(identifier, ()))]


class Manual(Rulings):
    """What a flow keeps of all that was said by hand, for any rules to come: its rows are written with the next commit."""

    def __init__(self, family: Family, hasher: Hasher, said: dict[bytes, Ruling] | None = None) -> None:
        """``said``: what another keeps, to be read by other rules."""
        super().__init__(family.committed(b"") if said is None else (), hasher)
        self._family = family
        if said is not None:
            self.said = said

    def say(self, said: Ruling) -> Ruling | None:
        """Take an entry in; as `hear`."""
        key = self.key(said)
        known = self.said.get(key)
        if known is None or known.rank < said.rank:
            self.said[key] = said
            self._family.put(key, _encode(said))
            self.heard += 1
        return self.hear(said)
