"""Events as they are stored: the moments of an anchor, those of one commit that lie close together in one row; once sealed, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.model.batches import Event
from operators.meta import Meta
from operators.moment_row import moment_owner, pack_moment
from operators.people.heads import Heads, owner_key
from operators.records import SEEN_BESIDE, Stored, decode_moments, decode_page, encode, encode_moments, place
from operators.stitch.owners import Owner
from state.keys import NOBODY, PERIOD_US, moment_key, period_key, period_of, period_of_key, time_key
from state.shard import Shard

ROW_MOMENTS = 16
"""Moments in one row at most: a change of one of them writes the row anew."""
ROW_US = 15 * 60_000_000
"""How much time a row spans at most: so far before a moment the row may begin that holds it."""
SEALED_MAX = 500_000
"""Sealed messages that are held in memory to find repeats by, about 100 bytes each; all are let go of when there are more."""
_BEHIND = b"\xff" * 21
"""Behind every key."""
NOBODY_ROWS = 100
"""Events without identifiers in one page."""


class Kept:
    """One stored moment and where it lies: ``key`` is that of its row or, once it is ``sealed``, of its page."""

    __slots__ = ("anchor", "key", "message", "row", "sealed", "time_us")

    def __init__(self, anchor: bytes, stored: Stored, key: bytes, *, sealed: bool = False) -> None:
        self.anchor = anchor
        self.time_us = stored.time_us
        self.message = stored.message
        self.row = stored.row
        self.key = key
        self.sealed = sealed

    @property
    def owner(self) -> Owner:
        """Who owns it."""
        return moment_owner(self.row)

    @property
    def forgotten(self) -> bool:
        """Whether its message id is no longer remembered: it is sealed, and hangs on an identifier under which it is found."""
        return self.sealed and self.anchor != NOBODY


class _Open:
    """A row of this commit to which the next moments of its anchor are added: those from ``begin`` to before ``end``."""

    __slots__ = ("begin", "end", "first", "moments")

    def __init__(self, first: Stored, moments: list[Stored]) -> None:
        self.begin = first.time_us
        self.end = min(first.time_us + ROW_US, (period_of(first.time_us) + 1) * PERIOD_US)
        self.moments = moments
        self.first = first.message


class Moments:
    """Every accepted event, and where it is under its message id. What is changed is pending until the shard commits."""

    def __init__(self, shard: Shard, meta: Meta, heads: Heads | None = None) -> None:
        self._heads = heads
        """What owners' events come to, which hears of what they get and lose."""
        self.read = 0
        """How many moments have been read."""
        self._shard = shard
        self._contracts = meta.contracts
        self._numbers = {contract: number for number, contract in enumerate(meta.contracts)}
        self._changed: dict[bytes, dict[bytes, list[Stored]]] = {}
        """Changed in this commit: anchor → key → what lies in the row, nothing if it goes."""
        self._open: dict[bytes, _Open] = {}
        """By anchor."""
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
        self.put(anchor, Stored(event.time_us, message, row))
        if self._heads is not None:
            self._heads.add(owner_key(anchor, owner), event, anchor)

    def put(self, anchor: bytes, stored: Stored) -> None:
        """Store a moment, in one row with others of its anchor and of this commit if they lie close together."""
        row = self._open.get(anchor)
        if row is not None and row.begin <= stored.time_us < row.end and len(row.moments) < ROW_MOMENTS:
            row.moments.append(stored)
            self._shard.seen.pending[stored.message] = row.first
            return
        moments = self._alone(anchor, stored)
        self._open[anchor] = _Open(stored, moments)

    def _alone(self, anchor: bytes, stored: Stored) -> list[Stored]:
        """Begin a row with a moment."""
        moments = [stored]
        self._changed.setdefault(anchor, {})[moment_key(anchor, stored.time_us, stored.message)] = moments
        self._shard.seen.pending[stored.message] = time_key(stored.time_us) + anchor
        return moments

    def flush(self) -> None:
        """Encode the rows that changed into the pending commit."""
        pending = self._shard.moments.pending
        for rows in self._changed.values():
            for key, moments in rows.items():
                pending[key] = encode_moments(moments) if moments else None
        self._changed, self._open = {}, {}

    def _row(self, anchor: bytes, key: bytes) -> list[Stored]:
        """What lies in a row."""
        changed = self._changed.get(anchor, {}).get(key)
        if changed is not None:
            return changed
        row = self._shard.moments.get(key)
        return [] if row is None else decode_moments(key, row)

    def _page(self, key: bytes) -> list[Stored]:
        """What lies in a page."""
        page = self._shard.pages.get(key)
        return [] if page is None else decode_page(page)

    def _taken(self, kept: Kept) -> tuple[bytes, list[Stored]]:
        """The row in which a moment lies, to be changed, and its key. It is one of its own if the row in which it was found
        has been dissolved since."""
        key = kept.key
        moments = self._row(kept.anchor, key)
        if not any(stored.message == kept.message for stored in moments):
            key = moment_key(kept.anchor, kept.time_us, kept.message)
            moments = self._row(kept.anchor, key)
        self._changed.setdefault(kept.anchor, {})[key] = moments
        return key, moments

    def rewrite(self, kept: Kept, row: bytes) -> None:
        """Replace the row of a stored moment."""
        if kept.sealed:
            page = self._page(kept.key)
        else:
            _, page = self._taken(kept)
        for stored in page:
            if stored.message == kept.message:
                stored.row = row
        if kept.sealed:
            self._shard.pages.put(kept.key, encode(page))

    def drop(self, kept: Kept) -> None:
        """Remove a stored moment. Those beside it in its row get rows of their own, so that every row lies under a moment that is in it."""
        if self._heads is not None:
            self._heads.drop(owner_key(kept.anchor, kept.owner))
        if kept.sealed:
            page = self._page(kept.key)
            self._shard.pages.put(kept.key, encode([stored for stored in page if stored.message != kept.message]))
            return
        key, moments = self._taken(kept)
        self._open.pop(kept.anchor, None)
        self._changed[kept.anchor][key] = []
        for stored in moments:
            if stored.message != kept.message:
                self._alone(kept.anchor, stored)

    def of(self, anchors: Iterable[bytes]) -> Iterator[Kept]:
        """Every moment of these anchors, sealed ones included, in no order."""
        ordered = sorted(anchors)
        for key, value in self._pages(ordered):
            page = decode_page(value)
            self.read += len(page)
            for stored in page:
                yield Kept(key[:16], stored, key, sealed=True)
        changed = self._changed
        for key, row in self._committed_moments(ordered):
            anchor = key[4:20]
            if anchor not in changed or key not in changed[anchor]:
                moments = decode_moments(key, row)
                self.read += len(moments)
                for stored in moments:
                    yield Kept(anchor, stored, key)
        for anchor in ordered:
            for key, moments in changed.get(anchor, {}).items():
                self.read += len(moments)
                for stored in moments:
                    yield Kept(anchor, stored, key)

    def between(self, anchor: bytes, first: int, last: int) -> list[Kept] | None:
        """What hangs on an anchor between two times, both included, in no order; None if some of it may be sealed."""
        rows = dict(self._changed.get(anchor, {}))
        for period in range(period_of(first), period_of(last) + 1):
            if self._shard.pages.get(anchor + period_key(period)) is not None:
                return None
            # A row may begin before what it is read for.
            start = moment_key(anchor, max(first - ROW_US + 1, period * PERIOD_US), b"")
            end = moment_key(anchor, min(last, (period + 1) * PERIOD_US - 1), b"\xff" * 16)
            for key, row in self._shard.moments.committed(start, end):
                if key not in rows:
                    rows[key] = decode_moments(key, row)
        self.read += sum(map(len, rows.values()))
        return [Kept(anchor, stored, key) for key, moments in rows.items() for stored in moments if first <= stored.time_us <= last]

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
            group = (key[4:20], period_of_key(key))
            if group not in groups:
                if count >= limit:
                    left = True
                    break
                groups[group] = []
            moments = decode_moments(key, row)
            groups[group] += moments
            self._shard.moments.delete(key)
            for stored in moments:
                self._shard.seen.delete(stored.message)
            count += len(moments)
        for (anchor, period), page in groups.items():
            key = anchor + period_key(period)
            if anchor != NOBODY:
                self._to_page(key, page)
                continue
            # Nobody's events are too many for one page, and the rules may know them one day.
            kept += len(page)
            for at in range(0, len(page), NOBODY_ROWS):
                part = page[at : at + NOBODY_ROWS]
                self._to_page(key + part[0].message, part)
                self.find_nobodys(key + part[0].message, part)
        return count - kept, left

    def _to_page(self, key: bytes, stored: list[Stored]) -> None:
        self._seals = True
        self._sealed.pop(key[:16], None)
        self._shard.pages.put(key, encode(self._page(key) + stored))

    def find_nobodys(self, page: bytes, stored: Iterable[Stored]) -> None:
        """Remember in which page these events without identifiers lie."""
        for each in stored:
            self._shard.seen.put(each.message, time_key(each.time_us) + page)

    def remembered(self, message: bytes, seen: bytes) -> Kept | None:
        """The moment of a message id by the row under which it is remembered."""
        first = message
        if len(seen) == SEEN_BESIDE:
            first, found = seen, self._shard.seen.get(seen)
            assert found is not None, "a row lies under a moment that is in it"
            seen = found
        family, key = place(first, seen)
        anchor = seen[8:24]
        moments = self._page(key) if family == "pages" else self._row(anchor, key)
        return next((Kept(anchor, each, key, sealed=family == "pages") for each in moments if each.message == message), None)

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
                    return Kept(anchor, stored, key, sealed=True)
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
