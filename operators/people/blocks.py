"""The blocking index of a space: which records are in which block, and how many, in the column family ``blocks``."""

from __future__ import annotations

from operators.match.evidence import BLOCK_BYTES
from operators.meta import Meta
from state.family import Family

MEMBERS_MAX = 2_000_000
"""Members of blocks that are kept in memory between two commits; all are forgotten when there are more."""


class BlockIndex:
    """Blocks by their names, records by their leads: a row ``block + lead`` for each member, and one ``block`` with their number.

    A block of more than ``limit`` records is too large: its members are not compared, and `Meta.large_blocks` counts it.
    """

    def __init__(self, family: Family, limit: int, meta: Meta) -> None:
        self._family = family
        self._meta = meta
        self._limit = limit
        self._sizes: dict[bytes, int] = {}
        self._members: dict[bytes, set[bytes]] = {}
        self._changed: dict[bytes, dict[bytes, bool]] = {}
        """Pending rows by block: lead → whether it is a member now."""
        self._cleared = False
        self._held = 0
        """Entries in memory."""

    def size(self, block: bytes) -> int:
        """How many records are in a block."""
        found = self._sizes.get(block)
        if found is None:
            row = None if self._cleared else self._family.get(block)
            found = self._sizes[block] = int.from_bytes(row, "big") if row is not None else 0
            self._held += 1
        return found

    def members(self, block: bytes) -> set[bytes] | None:
        """The records in a block; None if it is too large."""
        return self.everybody(block) if self.size(block) <= self._limit else None

    def everybody(self, block: bytes) -> set[bytes]:
        """The records in a block, however large; not to be changed."""
        found = self._members.get(block)
        if found is None:
            found = self._members[block] = set() if not self.size(block) else self._read(block)
            self._held += len(found)
        return found

    def _read(self, block: bytes) -> set[bytes]:
        rows = () if self._cleared else self._family.committed(block + b"\0", block + b"\xff" * 17)
        found = {key[BLOCK_BYTES:] for key, _ in rows}
        for lead, there in self._changed.get(block, {}).items():
            (found.add if there else found.discard)(lead)
        return found

    def add(self, block: bytes, lead: bytes) -> bool:
        """Put a record into a block where it is not; returns whether that makes the block too large."""
        crossed = self._put(block, lead, by=1) == self._limit + 1
        self._meta.large_blocks += crossed
        return crossed

    def remove(self, block: bytes, lead: bytes) -> bool:
        """Take a record out of a block where it is; returns whether the block has been too large until now."""
        crossed = self._put(block, lead, by=-1) == self._limit
        self._meta.large_blocks -= crossed
        return crossed

    def _put(self, block: bytes, lead: bytes, *, by: int) -> int:
        size = self._sizes[block] = self.size(block) + by
        members = self._members.get(block)
        if members is not None:
            (members.add if by > 0 else members.discard)(lead)
            self._held += by
        elif size == 1 and by > 0:
            self._members[block] = {lead}
        self._changed.setdefault(block, {})[lead] = by > 0
        if by > 0:
            self._family.put(block + lead, b"")
        else:
            self._family.delete(block + lead)
        if size:
            self._family.put(block, size.to_bytes(4, "big"))
        else:
            self._family.delete(block)
        return size

    def clear(self) -> None:
        """Take everything out, of any rules."""
        for key in [*self._family.pending, *(key for key, _ in self._family.committed(b""))]:
            self._family.delete(key)
        self._sizes, self._members, self._changed, self._held = {}, {}, {}, 0
        self._cleared = True
        self._meta.large_blocks = 0

    def committed(self) -> None:
        """After a commit: what was pending is in the store, and memory stays within its limit."""
        if self._family.pending:
            return
        self._cleared = False
        self._changed = {}
        if self._held > MEMBERS_MAX:
            self._sizes, self._members, self._held = {}, {}, 0
