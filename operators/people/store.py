"""People and moments over the shard: a write-back cache of decoded persons, and the moments of an anchor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from contracts.model.hashing import Hasher
from operators.people.pairs import Denied, Identified, Refusals
from operators.records import (
    SEEN_OPEN,
    Identifier,
    Person,
    Stored,
    decode_page,
    decode_person,
    encode,
)
from operators.stitch.rules import Rules
from state.keys import NOBODY, PERIOD_US, moment_key, moment_parts, period_key, period_of, period_of_key, time_key, time_of
from state.shard import Shard

PERSON_BYTES, ROW_BYTES = 1_000, 7
"""What a cached person takes in memory: so much, and for each byte of its row so much more (measured)."""
ROW_SIZE_WEIGHT = 0.05
"""How much a commit's rows count in the mean size of a row."""
HASHES_MAX = 400_000
"""Identifiers whose hash is remembered; all are forgotten when there are more."""
SEALED_MAX = 500_000
"""Sealed messages that are held in memory to find repeats by, about 100 bytes each; all are let go of when there are more."""
_BEHIND = b"\xff" * 21
"""Behind every key."""
NOBODY_ROWS = 100
"""Events without identifiers in one page."""

Pair = tuple[int, str]
Slot = tuple[Person, Identifier]


class Kept:
    """One stored moment and where it lies: ``page`` is the key of the page that holds it, None for a row of its own."""

    __slots__ = ("anchor", "message", "page", "row", "time_us")

    def __init__(self, anchor: bytes, time_us: int, message: bytes, row: bytes, page: bytes | None) -> None:
        self.anchor = anchor
        self.time_us = time_us
        self.message = message
        self.row = row
        self.page = page

    @property
    def forgotten(self) -> bool:
        """Whether its message id is no longer remembered: it is sealed, and hangs on an identifier under which it is found."""
        return self.page is not None and self.anchor != NOBODY


class PeopleStore:
    """What the stitch, profile and segment steps read and write; `flush` encodes what changed into the pending commit."""

    def __init__(self, shard: Shard, hasher: Hasher, rules: Rules, cache_bytes: int) -> None:
        self.shard = shard
        self.rules = rules
        self.refusals = Refusals(shard.refused)
        self.identified = Identified(shard.identified)
        self.denials = Denied(shard.denials)
        self._hasher = hasher
        self._cache_bytes = cache_bytes
        self._row_bytes = 500.0
        """How long a person's row is, a running mean of those written."""
        self._persons: dict[bytes, Person] = {}
        self.slots: dict[Pair, Slot] = {}
        self._hashes: dict[Pair, bytes] = {}
        self.dirty: dict[bytes, Person] = {}
        self._fresh: dict[bytes, dict[bytes, bytes | None]] = {}
        """Moments changed in this commit: anchor → key → row, None for a deletion."""
        self._seals = next(shard.pages.committed(b""), None) is not None
        """Whether anything is sealed."""
        self._sealed: dict[bytes, frozenset[bytes]] = {}
        """By anchor: the messages in its pages, perhaps some that have been there."""
        self._sealed_size = 0
        self.moves: dict[bytes, bytes] = {}
        """Identifiers that have changed hands since the history was written: hash → the key of who held it before, empty if nobody."""

    def hash(self, pair: Pair) -> bytes:
        """The 16 bytes of an identifier."""
        found = self._hashes.get(pair)
        if found is None:
            if len(self._hashes) >= HASHES_MAX:
                self._hashes.clear()
            found = self._hashes[pair] = self._hasher.identifier(self.rules.names[pair[0]], pair[1])
        return found

    def shared_key(self, identifier: Identifier) -> bytes:
        """The key of the profile for a device's events that belong to nobody."""
        return self._hasher.shared(self.rules.names[identifier.namespace], identifier.value)

    def slot(self, pair: Pair) -> Slot | None:
        """The person that holds an identifier, and the identifier in it."""
        found = self.slots.get(pair)
        if found is not None:
            return found
        key = self.hash(pair)
        # A person's identifier is mostly the lead, under which its person lies: one read in place of two.
        if self.rules.person[pair[0]] and self.person(key) is not None:
            return self.slots[pair]
        lead = self.shard.alias.get(key)
        if lead is None:
            return None
        self.person(lead)
        return self.slots[pair]

    def holder(self, identifier: bytes) -> Person | None:
        """The person that holds the identifier of this hash."""
        lead = self.shard.alias.get(identifier)
        return None if lead is None else self.person(lead)

    def person(self, key: bytes) -> Person | None:
        """The person of this key."""
        found = self._persons.get(key)
        if found is None:
            row = self.shard.people.get(key)
            if row is None:
                return None
            found = self.remember(decode_person(row))
        return found

    def remember(self, person: Person) -> Person:
        """Put a person into the cache, under all of its identifiers."""
        self._persons[person.key] = person
        slots = self.slots
        for each in person.identifiers:
            slots[(each.namespace, each.value)] = (person, each)
        return person

    def new(self, key: bytes, cells: int, identifiers: Sequence[Identifier] = ()) -> Person:
        """Somebody of whom nothing is known, with so many feature cells; the version goes on where the key had one before."""
        return Person(key, list(identifiers), {}, version=self.version(key), cells=[None] * cells)

    def add(self, person: Person) -> None:
        """A person that is new under its key."""
        self.remember(person)
        self.dirty[person.key] = person
        alias, key = self.shard.alias, person.key
        for each in person.identifiers:
            before = alias.get(each.hash) or b""
            if before != key:
                self.moves.setdefault(each.hash, before)
                alias.put(each.hash, key)

    def adopt(self, person: Person, identifier: Identifier, of: bytes = b"") -> None:
        """Add an identifier to a person. ``of``: the key of who had it, empty if nobody did."""
        self.moves.setdefault(identifier.hash, of)
        person.identifiers.append(identifier)
        self.slots[(identifier.namespace, identifier.value)] = (person, identifier)
        self.shard.alias.put(identifier.hash, person.key)

    def remove(self, person: Person) -> None:
        """Forget a person whose identifiers are somebody else's now; its version is kept for its return."""
        self._persons.pop(person.key, None)
        self.dirty.pop(person.key, None)
        self.shard.people.delete(person.key)
        self.shard.versions.put(person.key, person.version.to_bytes(8, "big"))

    def version(self, key: bytes) -> int:
        """The last version under which this key was known, 0 if it never was."""
        row = self.shard.versions.get(key)
        return int.from_bytes(row, "big") if row is not None else 0

    def release(self, identifier: Identifier) -> None:
        """An identifier that nothing names any more."""
        self.slots.pop((identifier.namespace, identifier.value), None)
        self.moves.setdefault(identifier.hash, self.shard.alias.get(identifier.hash) or b"")
        self.shard.alias.delete(identifier.hash)

    def put_moment(self, anchor: bytes, time_us: int, message: bytes, row: bytes) -> None:
        key = moment_key(anchor, time_us, message)
        self.shard.moments.pending[key] = row
        fresh = self._fresh.get(anchor)
        if fresh is None:
            self._fresh[anchor] = {key: row}
        else:
            fresh[key] = row

    def delete_moment(self, anchor: bytes, time_us: int, message: bytes) -> None:
        key = moment_key(anchor, time_us, message)
        self.shard.moments.delete(key)
        self._fresh.setdefault(anchor, {})[key] = None

    def rewrite(self, kept: Kept, row: bytes) -> None:
        """Replace the row of a stored moment."""
        if kept.page is None:
            self.put_moment(kept.anchor, kept.time_us, kept.message, row)
            return
        page = decode_page(self.shard.pages.get(kept.page) or b"\x90")
        for stored in page:
            if stored.message == kept.message:
                stored.row = row
        self.shard.pages.put(kept.page, encode(page))

    def moments(self, anchors: Iterable[bytes]) -> Iterator[Kept]:
        """Every moment of these anchors, sealed ones included, in no order."""
        ordered = sorted(anchors)
        for key, value in self._pages(ordered):
            for stored in decode_page(value):
                yield Kept(key[:16], stored.time_us, stored.message, stored.row, key)
        fresh = self._fresh
        for key, row in self._committed_moments(ordered):
            anchor, time_us, message = moment_parts(key)
            if anchor not in fresh or key not in fresh[anchor]:
                yield Kept(anchor, time_us, message, row, None)
        for anchor in ordered:
            for key, kept in fresh.get(anchor, {}).items():
                if kept is not None:
                    yield Kept(*moment_parts(key), kept, None)

    def between(self, anchor: bytes, first: int, last: int) -> list[Kept] | None:
        """What hangs on an anchor between two times, both included, in no order; None if some of it may be sealed."""
        fresh = self._fresh.get(anchor, {})
        found = [Kept(*moment_parts(key), row, None) for key, row in fresh.items() if row is not None]
        found = [kept for kept in found if first <= kept.time_us <= last]
        for period in range(period_of(first), period_of(last) + 1):
            if self.shard.pages.get(anchor + period_key(period)) is not None:
                return None
            start = max(first, period * PERIOD_US)
            end = moment_key(anchor, min(last, (period + 1) * PERIOD_US - 1), b"\xff" * 16)
            rows = self.shard.moments.committed(moment_key(anchor, start, b""), end)
            found += [Kept(*moment_parts(key), row, None) for key, row in rows if key not in fresh]
        return found

    def _pages(self, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The pages of anchors in order: a look only where the last one has not passed an anchor already."""
        pending = self.shard.pages.pending
        rows, here = self.shard.pages.cursor(), b""
        for anchor in anchors:
            if here[:16] < anchor:
                rows.seek(anchor)
                here = rows.key() if rows.valid() else _BEHIND
            while here.startswith(anchor):
                if here not in pending:
                    yield here, rows.value()
                rows.next()
                here = rows.key() if rows.valid() else _BEHIND
        if pending:
            wanted = set(anchors)
            yield from [(key, row) for key, row in pending.items() if row is not None and key[:16] in wanted]

    def _committed_moments(self, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Those of anchors in order, from period to period: a look only where the last one has not passed an anchor already."""
        rows, period = self.shard.moments.cursor(), b""
        rows.seek(period)
        while rows.valid():
            here = rows.key()
            if here[:4] == period:
                rows.seek(period_key(period_of_key(here) + 1))
                period = b""
                continue
            period = here[:4]
            for anchor in anchors:
                prefix = period + anchor
                if here < prefix:
                    rows.seek(prefix)
                    here = rows.key() if rows.valid() else _BEHIND
                while here.startswith(prefix):
                    yield here, rows.value()
                    rows.next()
                    here = rows.key() if rows.valid() else _BEHIND
                if not here.startswith(period):
                    break

    def seal(self, before: int, limit: int) -> tuple[int, bool]:
        """Turn up to about ``limit`` moments of periods before ``before`` into pages; their message ids are forgotten, but for those of
        events without identifiers, which are found by nothing else.

        Returns how many ids are forgotten, and whether any moments are left. Call it with nothing pending, and commit.
        """
        end = period_key(before)
        groups: dict[tuple[bytes, int], list[Stored]] = {}
        count = kept = 0
        left = False
        for key, row in self.shard.moments.committed(b"", end):
            anchor, time_us, message = moment_parts(key)
            group = (anchor, period_of(time_us))
            if group not in groups:
                if count >= limit:
                    left = True
                    break
                groups[group] = []
            groups[group].append(Stored(time_us, message, row))
            self.shard.moments.delete(key)
            self.shard.seen.delete(message)
            count += 1
        for (anchor, period), stored in groups.items():
            key = anchor + period_key(period)
            if anchor != NOBODY:
                self._to_page(key, stored)
                continue
            # Nobody's events are too many for one page, and the rules may know them one day.
            kept += len(stored)
            for at in range(0, len(stored), NOBODY_ROWS):
                part = stored[at : at + NOBODY_ROWS]
                self._to_page(key + part[0].message, part)
                self.find_nobodys(key + part[0].message, part)
        return count - kept, left

    def _to_page(self, key: bytes, stored: list[Stored]) -> None:
        self._seals = True
        self._sealed.pop(key[:16], None)
        known = self.shard.pages.get(key)
        self.shard.pages.put(key, encode((decode_page(known) if known else []) + stored))

    def find_nobodys(self, page: bytes, stored: Iterable[Stored]) -> None:
        """Remember in which page these events without identifiers lie."""
        for each in stored:
            self.shard.seen.put(each.message, time_key(each.time_us) + page)

    def remembered(self, message: bytes, seen: bytes) -> Kept | None:
        """The moment of a message id by the row under which it is remembered."""
        time_us, anchor = time_of(seen[:8]), seen[8:24]
        if len(seen) > SEEN_OPEN:
            page = seen[8:]
            stored = decode_page(self.shard.pages.get(page) or b"\x90")
            return next((Kept(anchor, each.time_us, message, each.row, page) for each in stored if each.message == message), None)
        row = self.shard.moments.get(moment_key(anchor, time_us, message))
        return None if row is None else Kept(anchor, time_us, message, row, None)

    def sealed(self, anchor: bytes, message: bytes) -> Kept | None:
        """A message in the pages of its anchor, whatever its time."""
        if not self._seals:
            return None
        known = self._sealed.get(anchor)
        if known is None:
            known = self._messages_in_pages(anchor)
        if message not in known:
            return None
        for key, value in self.shard.pages.rows(anchor, anchor + b"\xff" * 5):
            for stored in decode_page(value):
                if stored.message == message:
                    return Kept(anchor, stored.time_us, message, stored.row, key)
        return None

    def _messages_in_pages(self, anchor: bytes) -> frozenset[bytes]:
        """So that the many events of one anchor in a file of history do not read all of its pages each."""
        pages = self.shard.pages.rows(anchor, anchor + b"\xff" * 5)
        found = frozenset(stored.message for _, value in pages for stored in decode_page(value))
        self._sealed_size += len(found) + 1
        if self._sealed_size > SEALED_MAX:
            self._sealed, self._sealed_size = {}, len(found) + 1
        self._sealed[anchor] = found
        return found

    def drop(self, kept: Kept) -> None:
        """Remove a stored moment, also out of its page."""
        if kept.page is None:
            self.delete_moment(kept.anchor, kept.time_us, kept.message)
            return
        page = decode_page(self.shard.pages.get(kept.page) or b"\x90")
        self.shard.pages.put(kept.page, encode([stored for stored in page if stored.message != kept.message]))

    @property
    def cached(self) -> int:
        """How many persons are in memory."""
        return len(self._persons)

    def flush(self) -> None:
        """Encode the persons that changed into the pending commit."""
        pending = self.shard.people.pending
        size = 0
        for key, person in self.dirty.items():
            pending[key] = row = encode(person)
            size += len(row)
        if self.dirty:
            self._row_bytes += (size / len(self.dirty) - self._row_bytes) * ROW_SIZE_WEIGHT
        self.dirty = {}
        self._fresh = {}
        self.refusals.forget()
        self.identified.forget()
        self.denials.forget()

    def trim(self) -> bool:
        """After a commit: keep the cache within its limit, oldest first. Returns whether anybody had to go."""
        most = int(self._cache_bytes / (PERSON_BYTES + ROW_BYTES * self._row_bytes))
        excess = len(self._persons) - most
        if excess > 0:
            for key in list(self._persons)[: excess + most // 8]:
                for each in self._persons.pop(key).identifiers:
                    self.slots.pop((each.namespace, each.value), None)
        return excess > 0
