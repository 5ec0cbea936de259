"""Events as they are stored: the moments of an anchor, those of one commit that lie close together in one row; once sealed, in pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.model.batches import Event
from operators.meta import Meta
from operators.moment_row import moment_owner, pack_moment, with_contract
from operators.origins import Origins
from operators.people.heads import Heads, owner_key
from operators.people.reading import Reading
from operators.people.stored import committed_moments, committed_pages
from operators.records import SEEN_BESIDE, Stored, decode_moments, decode_page, encode, place
from operators.stitch.owners import Owner
from state.keys import NOBODY, PERIOD_US, moment_key, moment_parts, period_key, period_of, period_of_key, time_key
from state.shard import Shard

ROW_MOMENTS = 16
"""Moments in one row at most: a change of one of them writes the row anew."""
ROW_US = 15 * 60_000_000
"""How much time a row spans at most: so far before a moment the row may begin that holds it."""
SEALED_MAX = 500_000
"""Sealed messages that are held in memory to find repeats by, about 100 bytes each; all are let go of when there are more."""
NOBODY_ROWS = 100
"""Events without identifiers in one page."""


Rows = dict[bytes, bytes | list[Stored]]
Open = tuple[int, int, bytes, list[Stored]]
"""A row to which the next moments of its anchor are added: from when until before when, what it lies by, what is in it."""


def _moments(key: bytes, held: bytes | list[Stored]) -> list[Stored]:
    """What lies in a row, as it is stored or decoded."""
    return held if isinstance(held, list) else decode_moments(key, held)


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


class Moments:
    """Every accepted event, and where it is under its message id. What is changed is pending until the shard commits."""

    def __init__(self, shard: Shard, meta: Meta, heads: Heads, reading: Reading) -> None:
        self._heads = heads
        """What owners' events come to, which hears of what they get and lose."""
        self._reading = reading
        self._shard = shard
        self._origins = Origins(meta.contracts)
        self._changed: dict[bytes, Rows] = {}
        """Changed in this commit: anchor → key → what lies in the row, the newest row last; nothing if it goes. A moment that
        came by itself is what it is stored as, until another comes."""
        self._open: dict[bytes, Open] = {}
        """By anchor, where several came."""
        self._several: dict[bytes, list[Stored]] = {}
        """Key → a changed row of perhaps several moments, which is encoded once, when the commit is ready."""
        self._seals = next(shard.pages.committed(b""), None) is not None
        """Whether anything is sealed."""
        self._sealed: dict[bytes, frozenset[bytes]] = {}
        """By anchor: the messages in its pages, perhaps some that have been there."""
        self._sealed_size = 0

    def keep(self, anchor: bytes, event: Event, message: bytes, owner: Owner) -> None:
        """Remember an event under its anchor, and where that is under ``message``, the hash of its id."""
        message_id = event.message_id.encode("utf-8", "surrogatepass")
        row = pack_moment(owner[0], owner[1], self._origins.number(event.contract, event.sources), message_id, event.raw, event.lookup)
        self.put(anchor, event.time_us, message, row)
        self._heads.add(owner_key(anchor, owner), event, anchor)

    def rename(self, kept: Kept, contract: str, sources: tuple[str, ...]) -> None:
        """Store with a moment which contract has accepted it, and from which sources it came."""
        self.rewrite(kept, with_contract(kept.row, self._origins.number(contract, sources)))

    def put(self, anchor: bytes, time_us: int, message: bytes, row: bytes) -> None:
        """Store a moment, in one row with others of its anchor and of this commit if they lie close together."""
        rows = self._changed.get(anchor)
        if rows is None:
            rows = self._changed[anchor] = {}
        else:
            begin, end, first, moments = self._open.get(anchor) or self._opened(anchor, rows)
            if begin <= time_us < end and 0 < len(moments) < ROW_MOMENTS:
                moments.append(Stored(time_us, message, row))
                self._shard.seen.pending[message] = first
                return
            del self._open[anchor]
        key = moment_key(anchor, time_us, message)
        rows[key] = self._shard.moments.pending[key] = row
        self._shard.seen.pending[message] = time_key(time_us) + anchor

    def _opened(self, anchor: bytes, rows: Rows) -> Open:
        """Make the newest of these rows, those of an anchor, ready for more moments."""
        key = next(reversed(rows))
        _, begin, first = moment_parts(key)
        moments = rows[key] = self._several[key] = _moments(key, rows[key])
        end = min(begin + ROW_US, (period_of(begin) + 1) * PERIOD_US)
        opened = self._open[anchor] = begin, end, first, moments
        return opened

    def flush(self) -> None:
        """Encode the rows of several moments into the pending commit."""
        pending = self._shard.moments.pending
        for key, moments in self._several.items():
            if len(moments) > 1:
                pending[key] = encode(moments)
        self._changed, self._open, self._several = {}, {}, {}

    def _row(self, anchor: bytes, key: bytes) -> list[Stored]:
        """What lies in a row."""
        held = self._changed.get(anchor, {}).get(key)
        if held is None:
            held = self._shard.moments.get(key)
        return [] if held is None else _moments(key, held)

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
        key, moments = (kept.key, self._page(kept.key)) if kept.sealed else self._taken(kept)
        for stored in moments:
            if stored.message == kept.message:
                stored.row = row
        if kept.sealed:
            self._shard.pages.put(key, encode(moments))
        elif len(moments) > 1:
            self._several[key] = moments
        else:
            self._shard.moments.put(key, row)

    def drop(self, kept: Kept) -> None:
        """Remove a stored moment. Those beside it in its row get rows of their own, so that every row lies under a moment that is in it."""
        self._heads.drop(owner_key(kept.anchor, kept.owner))
        if kept.sealed:
            self._shard.pages.put(kept.key, encode([stored for stored in self._page(kept.key) if stored.message != kept.message]))
            return
        key, moments = self._taken(kept)
        others = [stored for stored in moments if stored.message != kept.message]
        moments.clear()
        self._open.pop(kept.anchor, None)
        self._shard.moments.delete(key)
        for each in others:
            key = moment_key(kept.anchor, each.time_us, each.message)
            self._changed[kept.anchor][key] = self._shard.moments.pending[key] = each.row
            self._shard.seen.put(each.message, time_key(each.time_us) + kept.anchor)

    def of(self, anchors: Iterable[bytes]) -> Iterator[Kept]:
        """Every moment of these anchors, sealed ones included, in no order."""
        ordered = sorted(anchors)
        for key, value in self._pages(ordered):
            page = decode_page(value)
            self._reading.count(len(page))
            for stored in page:
                yield Kept(key[:16], stored, key, sealed=True)
        changed = self._changed
        for key, row in committed_moments(self._shard, ordered):
            anchor = key[4:20]
            if anchor not in changed or key not in changed[anchor]:
                moments = decode_moments(key, row)
                self._reading.count(len(moments))
                for stored in moments:
                    yield Kept(anchor, stored, key)
        for anchor in ordered:
            for key, held in changed.get(anchor, {}).items():
                moments = _moments(key, held)
                self._reading.count(len(moments))
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
                    rows[key] = row
        found = [(key, _moments(key, row)) for key, row in rows.items()]
        self._reading.count(sum(len(moments) for _, moments in found))
        return [Kept(anchor, each, key) for key, moments in found for each in moments if first <= each.time_us <= last]

    def _pages(self, anchors: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """The pages of anchors."""
        pending = self._shard.pages.pending
        for key, row in committed_pages(self._shard, anchors):
            if key not in pending:
                yield key, row
        if pending:
            wanted = set(anchors)
            yield from [(key, row) for key, row in pending.items() if row is not None and key[:16] in wanted]

    def seal(self, before: int, limit: int) -> tuple[int, bool]:
        """Turn up to about ``limit`` moments of periods before ``before`` into pages; their message ids are forgotten, but for those of
        events without identifiers, which are found by nothing else.

        Returns how many ids are forgotten, and whether any moments are left. Call it with nothing pending, and commit.
        """
        end = period_key(before)
        groups: dict[tuple[bytes, int], list[Stored]] = {}
        count = kept = 0
        left = False
        for key, row in self._shard.moments.committed(self._shard.moments.least, end):
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
