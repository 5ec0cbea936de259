"""What each member has done for an account: the shares that an account's own cells are joined from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from operators.records import Person, decode_person, encode
from state.family import Family

CACHED_MAX: Final = 10_000
"""MemberShares that are kept decoded between two commits; all are forgotten when there are more."""
BEHIND = b"\xff" * 17
"""Behind every key that begins with an account's."""


class MemberShares:
    """Over the family ``shares``: by account and profile, cells in the form of a person who has nothing else."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._cached: dict[bytes, Person] = {}
        self._dirty: dict[bytes, Person] = {}

    def take(self, key: bytes) -> Person:
        """The share under a key, to be added to."""
        found = self._cached.get(key)
        if found is None:
            row = self._family.get(key)
            found = self._cached[key] = Person(b"", [], {}) if row is None else decode_person(row)
        self._dirty[key] = found
        return found

    def of(self, key: bytes) -> Person | None:
        """The share under a key as it is; None if there is none."""
        found = self._dirty.get(key)
        if found is not None:
            return found
        row = self._family.get(key)
        return None if row is None else decode_person(row)

    def put(self, key: bytes, share: Person | None) -> None:
        """Keep a share instead of what was there; one of nothing takes it away."""
        self._cached.pop(key, None)
        self._dirty.pop(key, None)
        if share is None or not share.cells:
            self._family.delete(key)
        else:
            self._family.put(key, encode(share))

    def at(self, account: bytes) -> Iterator[Person]:
        """Every share of an account, each the caller's own."""
        self._encode()
        return (decode_person(row) for _, row in self._family.rows(account, account + BEHIND))

    def clear(self) -> None:
        """Forget all of them."""
        self._cached, self._dirty = {}, {}
        self._family.pending = dict.fromkeys((*self._family.pending, *(key for key, _ in self._family.committed(b""))))

    def flush(self) -> None:
        """Encode what changed into the pending commit."""
        self._encode()
        if len(self._cached) > CACHED_MAX:
            self._cached = {}

    def _encode(self) -> None:
        for key, share in self._dirty.items():
            if share.cells:
                self._family.put(key, encode(share))
        self._dirty = {}
