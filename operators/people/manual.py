"""Manual evidence: which pairs a person in charge has linked or unlinked, and what rules each pair now."""

from __future__ import annotations

import msgspec

from state.family import Family


class Ruling(msgspec.Struct, array_like=True, gc=False):
    """The entry that rules a pair: the last by ``(time, message id)``. Ends are ``(namespace, value)``, normalised."""

    a: tuple[str, str]
    b: tuple[str, str]
    link: bool
    time_us: int
    message: str


_encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Ruling).decode


class Manual:
    """All rulings, in memory and in the column family ``manual``, by the two identifiers' hashes."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self.rulings: dict[bytes, Ruling] = {key: decode(row) for key, row in family.committed(b"")}
        self._of: dict[bytes, set[bytes]] = {}
        for key in self.rulings:
            self._index(key)

    def _index(self, key: bytes) -> None:
        self._of.setdefault(key[:16], set()).add(key)
        self._of.setdefault(key[16:], set()).add(key)

    def rule(self, key: bytes, ruling: Ruling) -> bool:
        """Take an entry in; False if a later one rules the pair already."""
        known = self.rulings.get(key)
        if known is not None and (known.time_us, known.message) >= (ruling.time_us, ruling.message):
            return False
        self.rulings[key] = ruling
        self._index(key)
        self._family.put(key, _encode(ruling))
        return True

    def clear(self) -> list[tuple[bytes, Ruling]]:
        """Forget all rulings, to be taken in anew; returns them with their keys."""
        listed = sorted(self.rulings.items())
        for key in self.rulings:
            self._family.delete(key)
        self.rulings.clear()
        self._of.clear()
        return listed

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
