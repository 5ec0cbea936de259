"""What a destination is told next: rows that are due, the oldest first, in batches of one call and one audience."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from operators.activation.ledger_row import FEED, Place
from operators.activation.told import Asked
from operators.activation.wanted import call_of
from skep.runtime.delivery.books import Books

READY_MAX = 20_000
"""Rows that are held in memory for a destination beside those under way."""
RESCAN_US = 1_000_000
"""How often it is looked for rows that are due before those seen last: a clock may go back."""

Group = tuple[Asked, str]
"""A call and an audience."""


def _group(call: Asked, place: Place) -> Group:
    """Lines of the change log are one audience here."""
    return call, FEED if place.audience[:1] == FEED else place.audience


class Waiting(NamedTuple):
    """A row that is due; ``number`` tells who came before whom, ``since`` when it was seen."""

    place: Place
    number: int
    since: int


class Picked(NamedTuple):
    """The rows of a request to be; ``whole``: exactly these, since they are a part of a batch that was refused."""

    call: Asked
    audience: str
    places: list[Place]
    whole: bool


class DueRows:
    """Of one destination. ``busy`` are the profiles of which a call is under way; whoever is among them waits for the answer."""

    def __init__(self, destination: str, books: Books) -> None:
        self._name, self._books = destination, books
        self.busy: set[bytes] = set()
        self.parts: deque[Picked] = deque()
        self._groups: dict[Group, deque[Waiting]] = {}
        self._known: set[Place] = set()
        self._number = 0
        self._after = b""
        self._scanned = 0

    def refill(self, now: int) -> None:
        """Take up rows that have become due."""
        if now - self._scanned >= RESCAN_US:
            self._after, self._scanned = b"", now
        for key, place in self._books.due(self._name, now, self._after):
            if len(self._known) >= READY_MAX:
                return
            self._after = key
            if place not in self._known and place.profile not in self.busy:
                self.add(place, now)

    def add(self, place: Place, now: int) -> None:
        """Take up a row."""
        row = self._books.get(place)
        call = None if row is None or row.next_at > now else call_of(row, place.audience)
        if call is None:
            self._known.discard(place)
            return
        self._known.add(place)
        self._number += 1
        self._groups.setdefault(_group(call, place), deque()).append(Waiting(place, self._number, now))

    def back(self, call: Asked, places: list[Place], now: int) -> None:
        """Those who were picked and not sent come first the next time."""
        for place in reversed(places):
            self._known.add(place)
            self._groups.setdefault(_group(call, place), deque()).appendleft(Waiting(place, 0, now))

    def pick(self, now: int, most: dict[str, int], wait: int) -> Picked | None:
        """The next batch: one that is full, or of which the first has waited for ``wait``; None if there is none.

        ``most``: by call, how many people a request holds.
        """
        while self.parts:
            part = self.parts.popleft()
            places = [place for place in part.places if self._is_still(place, part.call, now)]
            if places:
                return part._replace(places=places)
        ready = [
            (rows[0].number, group)
            for group, rows in self._groups.items()
            if rows and (len(rows) >= most.get(group[0], 1) or now - rows[0].since >= wait)
        ]
        for _, (call, audience) in sorted(ready):
            places = self._take(call, audience, most.get(call, 1), now)
            if places:
                return Picked(call, audience, places, whole=False)
        return None

    def _take(self, call: Asked, audience: str, most: int, now: int) -> list[Place]:
        rows = self._groups[call, audience]
        found: list[Place] = []
        taken: set[bytes] = set()
        aside: list[Waiting] = []
        for _ in range(len(rows)):
            if len(found) >= most:
                break
            one = rows.popleft()
            if one.place.profile in taken or one.place.profile in self.busy or self._waits_for_more(one.place):
                aside.append(one)
                continue
            self._known.discard(one.place)
            if self._is_still(one.place, call, now):
                found.append(one.place)
                taken.add(one.place.profile)
            else:
                self.add(one.place, now)
        rows.extendleft(reversed(aside))
        if not rows:
            del self._groups[call, audience]
        return found

    def _is_still(self, place: Place, call: Asked, now: int) -> bool:
        row = self._books.get(place)
        return row is not None and row.next_at <= now and call_of(row, place.audience) == call and place.profile not in self.busy

    def _waits_for_more(self, place: Place) -> bool:
        """Whether something has to be said of the person first."""
        of = place.destination, place.profile
        if place.audience[:1] == FEED:
            return not self._books.fed.is_first(place)
        return of in self._books.once and place.audience[:1] != "\x01"
