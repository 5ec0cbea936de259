"""From changes to rows: what each destination is to hold of whom, by what the change log says and by what the shard has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import islice
from typing import Any

import orjson
from msgspec.structs import replace

from contracts.model.definitions import MEMBERSHIPS
from operators.activation.known_as import chosen_traits
from operators.activation.ledger_row import ALIAS, ALIASED, IN, OUT, TRAITS, LedgerRow, Place, feed_line
from operators.activation.told import Told
from operators.activation.wanted import barred, is_there, renamed, traits_digest, wish
from operators.view.space import View
from skep.runtime.delivery.addressed import Addressed
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.noted import Syncing
from skep.runtime.delivery.people import Everybody, Somebody
from state.keys import sequence_key

Change = dict[str, Any]
CHANGES_MAX = 2_000
"""Changes that are taken in at once for a destination, and people that are looked up."""
_COMMIT_ROWS = 10_000
_NOBODY = bytes(16)
LOOKED_AT = frozenset({
    "profile.created", "profile.updated", "consent.changed", "identity.confidence", "identity.identifiers", "identity.split",
    "identity.merged", "segment.entered",
})  # fmt: skip
"""Changes behind which it is looked whether, and as whom, somebody may be told of, and of which traits."""


def key_of(profile: str) -> bytes:
    """The sixteen bytes of a profile's id."""
    return bytes.fromhex(profile.removeprefix("p_"))


class Intake:
    """Writes rows for the changes of one space."""

    def __init__(self, view: View, books: Books) -> None:
        self._view, self._books = view, books

    def take(self, to: Addressed, changes: list[tuple[int, bytes]], people: Everybody, now: int) -> None:
        """The next changes of the log, for one destination; its cursor moves behind them."""
        if to.feed is not None:
            self._feed(to, changes, now)
            return
        looked: dict[bytes, int] = {}
        for sequence, row in changes:
            change = orjson.loads(row)
            profile = change.get("profile")
            if profile is None:
                continue
            kind, key = change["type"], key_of(profile)
            if kind in MEMBERSHIPS and change["segment"] in to.purposes:
                wanted = IN if kind == "segment.entered" else OUT
                self._wish(Place(to.name, change["segment"], key), wanted, change["version"], sequence, now)
            elif kind == "identity.merged":
                self._merged(to, change, sequence, now)
            elif kind == "profile.erased":
                self._vanished(to, key, change["version"], sequence, now)
            elif kind == "identity.split":
                self._sent_anew(to, key, now)
            if kind in LOOKED_AT:
                looked[key] = sequence
        for key, sequence in looked.items():
            self.look(to, key, people.find(key), sequence, now)
        self._move(to, changes[-1][0])

    def _feed(self, to: Addressed, changes: list[tuple[int, bytes]], now: int) -> None:
        """Lines of the log that are told as they are: each waits by itself, in their order for each profile."""
        assert to.feed is not None, "it is told of changes"
        for sequence, row in changes:
            for number, (_, line) in enumerate(to.feed.told([(sequence, row)])):
                change = orjson.loads(line)
                key = key_of(change["profile"]) if change["profile"] is not None else _NOBODY
                place = Place(to.name, feed_line(sequence, number), key)
                if self._books.get(place) is None:
                    fresh = LedgerRow(change["type"], change["version"] or 0, sequence, next_at=now, since=now, line=line)
                    self._books.put(place, fresh, None)
        self._move(to, changes[-1][0])

    def look(self, to: Addressed, key: bytes, found: Somebody | None, sequence: int, now: int) -> None:
        """Bring the rows of somebody to what may be told of them now."""
        if found is None:
            return
        books = self._books
        known_as: dict[str, str] | None = None
        for audience in to.known:
            place = Place(to.name, audience, key)
            before = books.get(place)
            if before is None:
                continue
            row = before if before.barred == "" and not is_there(before) else barred(before, bars(to, audience, found), now)
            if is_there(row) or row.dead or row.reason:
                if known_as is None:
                    known_as = to.renderer.known_as.match(Told("enter", found.told, ""))
                row = renamed(row, known_as, now)
            books.put(place, row, before)
        if to.tells_traits:
            self._traits(to, key, found, sequence, now)

    def _traits(self, to: Addressed, key: bytes, found: Somebody, sequence: int, now: int) -> None:
        place = Place(to.name, TRAITS, key)
        before = self._books.get(place)
        told_of = to.to.people == "all" or not found.segments.isdisjoint(to.purposes)
        if told_of:
            digest = traits_digest(chosen_traits(found.traits, to.to.traits))
            row = wish(before, digest, found.record.version, sequence, now)
            if row is not None:
                row = barred(row, bars(to, TRAITS, found), now)
        else:
            row = None if before is None or not before.acknowledged else replace(before, wanted=before.acknowledged)
        self._books.put(place, row, before)

    def _wish(self, place: Place, wanted: str, version: int, sequence: int, now: int) -> None:
        before = self._books.get(place)
        self._books.put(place, wish(before, wanted, version, sequence, now), before)

    def _sent_anew(self, to: Addressed, key: bytes, now: int) -> None:
        """Of whom another was split: what was told of the two together is told again of the one."""
        for audience in to.known:
            self._books.change(
                Place(to.name, audience, key),
                lambda row: replace(row, acknowledged="", called=True, next_at=now) if row.acknowledged == IN else row,
            )

    def _merged(self, to: Addressed, change: Change, sequence: int, now: int) -> None:
        """Rows of the one who goes become out; where the other side can be told that the two are one, it is, in place of that."""
        books, gone, stays = self._books, key_of(change["merged"]), key_of(change["profile"])
        aliases = to.to.vendor.identity == "alias" and "alias" in to.renderer.calls
        old: dict[str, str] = {}
        for audience in to.known:
            place = Place(to.name, audience, gone)
            row = books.get(place)
            if row is None:
                continue
            if not (aliases and is_there(row) and row.sent_as):
                version = max(row.wanted_version, change["evidence"]["version"] or 0)
                books.put(place, wish(row, OUT, version, sequence, now), row)
                continue
            old = {**old, **row.sent_as}
            books.put(place, None, row)
            heir = Place(to.name, audience, stays)
            mine = books.get(heir)
            if mine is None:
                mine = LedgerRow(OUT, change["version"], sequence, acknowledged=IN, next_at=now)
                books.put(heir, mine, None)
            elif not is_there(mine):
                books.put(heir, replace(mine, called=True), mine)
        if old:
            row = LedgerRow(ALIASED, change["version"], sequence, old=old, next_at=now)
            place = Place(to.name, ALIAS, stays)
            books.put(place, row, books.get(place))
        books.change(Place(to.name, TRAITS, gone), lambda _: None)

    def _vanished(self, to: Addressed, key: bytes, version: int, sequence: int, now: int) -> None:
        """Somebody is gone, or has fallen below a floor: out, or nothing, as the file says."""
        for audience in to.known:
            place = Place(to.name, audience, key)
            row = self._books.get(place)
            if row is not None:
                self._books.put(place, wish(row, OUT, version, sequence, now) if to.to.on_delete == "exit" else None, row)
        self._books.change(Place(to.name, TRAITS, key), lambda _: None)

    # ---- members who are there already

    def begin(self, to: Addressed) -> None:
        """A destination, or some of its audiences, of which it has not been told: whoever is a member is looked up."""
        books, name = self._books, to.name
        new = to.purposes.keys() - set(books.noted.active(name))
        cursor = books.noted.cursor(name)
        if cursor is None:
            # Who is told of changes is told of all there ever were.
            self._move(to, 0 if to.feed is not None else self._view.meta.changes)
        elif to.feed is not None:
            return
        elif books.noted.mark(name) != self._mark(cursor):
            self._all_again(to)
        if new:
            under_way = books.noted.syncing(name)
            books.noted.sync(name, Syncing(sorted({*new, *(under_way.audiences if under_way is not None else ())})))
        books.noted.know(name, to.known)
        books.noted.activate(name, sorted(to.purposes))

    def _mark(self, sequence: int) -> bytes:
        row = self._view.rows.row("changes", sequence_key(sequence))
        return blake2b(row or b"", digest_size=8).digest()

    def _move(self, to: Addressed, sequence: int) -> None:
        self._books.noted.move(to.name, sequence, self._mark(sequence))

    def _all_again(self, to: Addressed) -> None:
        """Hold everything that is wanted against the segments once more: the log is not the one that it follows from, since the state
        was begun anew, or an older one was restored."""
        for count, (place, row) in enumerate(self._books.rows(to.name), 1):
            self._books.put(place, replace(row, wanted_version=0), row)
            if count % _COMMIT_ROWS == 0:
                self._books.commit()
        self._move(to, self._view.meta.changes)
        self._books.noted.sync(to.name, Syncing(sorted(to.purposes)))

    def sync(self, to: Addressed, people: Everybody, now: int) -> None:
        """Look up the next members, if there are more."""
        how = self._books.noted.syncing(to.name)
        if how is None:
            return
        after = bytes.fromhex(how.after)
        some = list(islice(self._people(after), CHANGES_MAX))
        for key, found in some:
            self._member(to, how.audiences, key, people.of(found), now)
        self._books.noted.sync(to.name, Syncing(how.audiences, some[-1][0].hex()) if len(some) == CHANGES_MAX else None)
        if len(some) < CHANGES_MAX:
            self._left(to, how.audiences, now)

    def _member(self, to: Addressed, audiences: list[str], key: bytes, found: Somebody, now: int) -> None:
        sequence, version = self._view.meta.changes, found.record.version
        for audience in audiences:
            if audience in to.purposes:
                self._wish(Place(to.name, audience, key), IN if audience in found.segments else OUT, version, sequence, now)
        if to.tells_traits:
            self._traits(to, key, found, sequence, now)

    def _left(self, to: Addressed, audiences: list[str], now: int) -> None:
        """Those are out who are no longer there at all."""
        for audience in audiences:
            for place, row in self._books.rows(to.name, audience):
                if row.wanted == IN and self._view.person(place.profile) is None:
                    self._books.put(place, wish(row, OUT, row.wanted_version + 1, row.place, now), row)

    def _people(self, after: bytes) -> Iterator[tuple[bytes, Any]]:
        meta = self._view.meta
        for key, row in self._view.rows.rows("people", after + b"\0" if after else b""):
            yield key, self._view.numbered(row, meta)

    # ---- audiences that are too small

    def sizes(self, to: Addressed, sizes: Mapping[str, int], now: int) -> None:
        """Of an audience that has become too small everybody leaves; of one that is large enough again everybody comes back."""
        least = to.to.min_size
        if least is None and not to.small:
            return
        small = {one for one in to.purposes if least is not None and sizes.get(one, 0) < least}
        for audience in small ^ to.small:
            for place, row in self._books.rows(to.name, audience):
                if audience in small and not row.barred:
                    self._books.put(place, barred(row, "min_size", now), row)
                elif audience not in small and row.barred == "min_size":
                    self._books.put(place, barred(row, "", now), row)
        if small != to.small:
            to.small = small
            self._books.noted.keep_small(to.name, sorted(small))


def bars(to: Addressed, audience: str, found: Somebody) -> str:
    """Why nobody may be told of somebody: the first reason of the last moment that holds until something else is known; "" if none."""
    purpose = to.purpose(audience)
    if purpose is not None and not found.granted(purpose):
        return "consent"
    if to.to.confidence is not None and found.record.certainty < to.to.confidence:
        return "confidence"
    return "min_size" if audience in to.small else ""
