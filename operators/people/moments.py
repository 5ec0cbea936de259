"""Events as they are stored: the moments of an anchor, in rows of their own or, once sealed, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.model.batches import Event
from operators.meta import Meta
from operators.records import SEEN_OPEN, Stored, decode_page, encode, pack_moment
from operators.stitch.owners import Owner
from state.keys import NOBODY, PERIOD_US, moment_key, moment_parts, period_key, period_of, period_of_key, time_key, time_of
from state.shard import Shard

SEALED_MAX = 500_000
"""Sealed messages that are held in memory to find repeats by, about 100 bytes each; all are let go of when there are more."""
_BEHIND = b"\xff" * 21
"""Behind every key."""
NOBODY_ROWS = 100
"""Events without identifiers in one page."""


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


class Moments:
    """Every accepted event, and where it is under its message id. What is changed is pending until the shard commits."""

    def __init__(self, shard: Shard, meta: Meta) -> None:
        self._shard = shard
        self._contracts = meta.contracts
        self._numbers = {contract: number for number, contract in enumerate(meta.contracts)}
        self._fresh: dict[bytes, dict[bytes, bytes | None]] = {}
        """Changed in this commit: anchor → key → row, None for a deletion."""
        self._seals = next(shard.pages.committed(b""), None) is not None
        """Whether anything is sealed."""
        self._sealed: dict[bytes, frozenset[bytes]] = {}
        """By anchor: the messages in its pages, perhaps some that have been there."""
        self._sealed_size = 0

    def keep(self, anchor: bytes, event: Event, message: bytes, owner: Owner) -> None:
        """Remember an event under its anchor, and where that is under ``message``, the hash of its id."""
        number = self._numbers.get(event.contract)
        if number is None:
            number = self._numbers[event.contract] = len(self._contracts)
            self._contracts.append(event.contract)
        row = pack_moment(owner[0], owner[1], number, event.message_id.encode("utf-8", "surrogatepass"), event.raw)
        self.put(anchor, event.time_us, message, row)
        self._shard.seen.pending[message] = time_key(event.time_us) + anchor

    def forget(self) -> None:
        """What is pending has been handed to the commit."""
        self._fresh = {}

    def put(self, anchor: bytes, time_us: int, message: bytes, row: bytes) -> None:
        """Write the row of a moment."""
        key = moment_key(anchor, time_us, message)
        self._shard.moments.pending[key] = row
        fresh = self._fresh.get(anchor)
        if fresh is None:
            self._fresh[anchor] = {key: row}
        else:
            fresh[key] = row

    def _delete(self, anchor: bytes, time_us: int, message: bytes) -> None:
        key = moment_key(anchor, time_us, message)
        self._shard.moments.delete(key)
        self._fresh.setdefault(anchor, {})[key] = None

    def rewrite(self, kept: Kept, row: bytes) -> None:
        """Replace the row of a stored moment."""
        if kept.page is None:
            self.put(kept.anchor, kept.time_us, kept.message, row)
            return
        page = decode_page(self._shard.pages.get(kept.page) or b"\x90")
        for stored in page:
            if stored.message == kept.message:
                stored.row = row
        self._shard.pages.put(kept.page, encode(page))

    def of(self, anchors: Iterable[bytes]) -> Iterator[Kept]:
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
            if self._shard.pages.get(anchor + period_key(period)) is not None:
                return None
            start = max(first, period * PERIOD_US)
            end = moment_key(anchor, min(last, (period + 1) * PERIOD_US - 1), b"\xff" * 16)
            rows = self._shard.moments.committed(moment_key(anchor, start, b""), end)
            found += [Kept(*moment_parts(key), row, None) for key, row in rows if key not in fresh]
        return found

    def _pages(self, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The pages of anchors in order: a look only where the last one has not passed an anchor already."""
        pending = self._shard.pages.pending
        rows, here = self._shard.pages.cursor(), b""
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
        rows, period = self._shard.moments.cursor(), b""
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
        for key, row in self._shard.moments.committed(b"", end):
            anchor, time_us, message = moment_parts(key)
            group = (anchor, period_of(time_us))
            if group not in groups:
                if count >= limit:
                    left = True
                    break
                groups[group] = []
            groups[group].append(Stored(time_us, message, row))
            self._shard.moments.delete(key)
            self._shard.seen.delete(message)
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
        known = self._shard.pages.get(key)
        self._shard.pages.put(key, encode((decode_page(known) if known else []) + stored))

    def find_nobodys(self, page: bytes, stored: Iterable[Stored]) -> None:
        """Remember in which page these events without identifiers lie."""
        for each in stored:
            self._shard.seen.put(each.message, time_key(each.time_us) + page)

    def remembered(self, message: bytes, seen: bytes) -> Kept | None:
        """The moment of a message id by the row under which it is remembered."""
        time_us, anchor = time_of(seen[:8]), seen[8:24]
        if len(seen) > SEEN_OPEN:
            page = seen[8:]
            stored = decode_page(self._shard.pages.get(page) or b"\x90")
            return next((Kept(anchor, each.time_us, message, each.row, page) for each in stored if each.message == message), None)
        row = self._shard.moments.get(moment_key(anchor, time_us, message))
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
        for key, value in self._shard.pages.rows(anchor, anchor + b"\xff" * 5):
            for stored in decode_page(value):
                if stored.message == message:
                    return Kept(anchor, stored.time_us, message, stored.row, key)
        return None

    def _messages_in_pages(self, anchor: bytes) -> frozenset[bytes]:
        """So that the many events of one anchor in a file of history do not read all of its pages each."""
        pages = self._shard.pages.rows(anchor, anchor + b"\xff" * 5)
        found = frozenset(stored.message for _, value in pages for stored in decode_page(value))
        self._sealed_size += len(found) + 1
        if self._sealed_size > SEALED_MAX:
            self._sealed, self._sealed_size = {}, len(found) + 1
        self._sealed[anchor] = found
        return found

    def drop(self, kept: Kept) -> None:
        """Remove a stored moment, also out of its page."""
        if kept.page is None:
            self._delete(kept.anchor, kept.time_us, kept.message)
            return
        page = decode_page(self._shard.pages.get(kept.page) or b"\x90")
        self._shard.pages.put(kept.page, encode([stored for stored in page if stored.message != kept.message]))
