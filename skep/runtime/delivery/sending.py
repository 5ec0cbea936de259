"""From rows that are due to requests on the wire: the last moment, then rendering, then the note in the ledger that it was said."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
from msgspec.structs import replace

from contracts.model.destinations import Quiet
from operators.activation.known_as import chosen_traits
from operators.activation.ledger_row import ALIASED, ERASED, FEED, IN, NEVER, OUT, LedgerRow, Place
from operators.activation.pace import opens_at, took
from operators.activation.told import Asked, Request, Told
from operators.activation.wanted import acknowledged, barred, called_now, held_back, is_there, traits_digest
from operators.view.space import View
from skep.runtime.delivery.addressed import Addressed
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.intake import bars
from skep.runtime.delivery.people import Everybody, Somebody, beside, gone
from skep.runtime.delivery.queue import Picked
from state.keys import sequence_key

_DISTURBING = frozenset({"enter", "update", "event"})
_MINUTE_US = 60_000_000


@dataclass(slots=True)
class Flight:
    """A request that is under way; ``said``: what was wanted of each of those in it, ``versions``: as of which version."""

    to: Addressed
    call: Asked
    audience: str
    places: list[Place]
    said: list[str]
    versions: list[int]
    keys: list[str]
    changes: list[str]
    request: Request
    number: int
    at: int


class Sending:
    """Sends for one space. Nothing is on the wire before the ledger knows that it will be."""

    def __init__(self, view: View, books: Books) -> None:
        self._view, self._books = view, books
        self._number = 0

    def flights(self, to: Addressed, people: Everybody, now: int, *, drained: bool) -> list[Flight]:
        """The requests that may go now, as far as rate, concurrency and what is due allow. ``drained``: no batch waits to be filled."""
        limits, found = to.to.limits, list[Flight]()
        while (when := opens_at(to.pace, limits, now, to.under_way)) is not None and when <= now:
            picked = to.queue.pick(now, to.most(), 0 if drained else limits.wait_us or 0)
            if picked is None:
                break
            made = self._flight(to, picked, people, now)
            if made is None:
                continue
            to.pace = took(to.pace, limits, now)
            to.under_way += 1
            to.queue.busy.update(place.profile for place in made.places)
            found.append(made)
        if found:
            self._books.noted.keep_pace(to.name, to.pace)
        return found

    def _flight(self, to: Addressed, picked: Picked, people: Everybody, now: int) -> Flight | None:
        told: list[Told] = []
        places: list[tuple[Place, LedgerRow]] = []
        for place in picked.places:
            row = self._books.get(place)
            if row is None:
                continue
            one = self._last_moment(to, (place, row), picked.call, people.find(place.profile), now)
            if isinstance(one, Told):
                told.append(one)
                places.append((place, row))
            else:
                self._books.put(place, one, row)
        rendered = to.renderer.render(told)
        for at, reason in rendered.refused:
            self._books.put(places[at][0], held_back(places[at][1], reason), places[at][1])
        refused = {at for at, _ in rendered.refused}
        asked = refused.union(*(request.told for request in rendered.requests))
        for at in set(range(len(told))) - asked:
            # What the destination has no call for is never said, and so it is done with.
            place, row = places[at]
            self._books.put(place, acknowledged(row, picked.call, _said(picked.call, row, told[at]), row.wanted_version, now), row)
        ready = [request for request in rendered.requests if not request.waits]
        if not ready:
            return None
        request = ready[0]
        refused |= set(range(len(told))) - asked
        left = [place for at, (place, _) in enumerate(places) if at not in refused and at not in request.told]
        if left and not picked.whole:
            to.queue.back(picked.call, left, now)
        elif left:
            to.queue.parts.appendleft(picked._replace(places=left))
        self._fit(to, picked.call, len(request.told), len(rendered.requests))
        return self._noted(to, picked, request, [(*places[at], told[at]) for at in request.told], now)

    def _noted(self, to: Addressed, picked: Picked, request: Request, some: list[tuple[Place, LedgerRow, Told]], now: int) -> Flight:
        said: list[str] = []
        for (place, row, one), sent in zip(some, request.sent, strict=True):
            if not request.learns:
                self._books.put(place, called_now(row, picked.call, sent, now), row)
            said.append(_said(picked.call, row, one))
        self._number += 1
        return Flight(
            to, picked.call, picked.audience, [place for place, _, _ in some], said, [row.wanted_version for _, row, _ in some],
            [one.key for _, _, one in some], [str((one.change or {}).get("id") or "") for _, _, one in some], request, self._number, now,
        )  # fmt: skip

    @staticmethod
    def _fit(to: Addressed, call: str, taken: int, requests: int) -> None:
        """Where more people were tried than go into a request, fewer are the next time; and a little more where all did."""
        if requests > 1:
            to.fits[call] = max(1, taken)
        elif call in to.fits:
            to.fits[call] = to.fits[call] * 2

    # ---- the last moment

    def _last_moment(
        self, to: Addressed, said: tuple[Place, LedgerRow], call: Asked, found: Somebody | None, now: int
    ) -> Told | LedgerRow | None:
        """What is told of somebody; or the row of somebody who is not told of, with the reason; None if it is done with."""
        place, row = said
        if place.audience[:1] == FEED:
            return self._line(to, place, row, call, found)
        if call in _DISTURBING:
            if found is None:
                return held_back(row, "erased")
            if call == "enter" and place.audience not in found.segments:
                return held_back(row, "stale")
            if call == "update" and to.to.people != "all" and found.segments.isdisjoint(to.purposes):
                return held_back(row, "stale")
            reason = bars(to, place.audience, found)
            if reason:
                return barred(row, reason, now)
            until = self._quiet(to, found, now) or self._capped(to, place, now)
            if until is not None:
                return held_back(row, *until)
        told = self._told(to, place, row, call, found)
        if call == "enter" and is_there(row) and row.sent_as and to.renderer.known_as.match(told) != row.sent_as:
            # A call by another name may have arrived although nobody said so.
            return replace(row, anew=True, next_at=now)
        return told

    def _line(self, to: Addressed, place: Place, row: LedgerRow, call: Asked, found: Somebody | None) -> Told | None:
        """A line of the change log as it is; None, and it is done with, where nobody may be told of the person."""
        if call in _DISTURBING and found is not None and bars(to, place.audience, found):
            return None
        change = orjson.loads(row.line)
        person = gone(place.profile, row.wanted_version) if found is None else found.told
        return Told(call, person if change["profile"] is not None else {}, f"{to.name}:{change['id']}", change=change)

    def _told(self, to: Addressed, place: Place, row: LedgerRow, call: Asked, found: Somebody | None) -> Told:
        audience = place.audience if call in {"enter", "exit"} else None
        person = gone(place.profile, row.wanted_version) if found is None else found.told
        known: dict[str, Any] = {"remote_id": self._books.remote_id(to.name, place.profile)}
        if call == "exit":
            known["sent_as"] = {place.audience: row.sent_as}
        elif call in {"erase", "alias"}:
            known["sent_as"] = self._sent_as(to, place.profile)
        if call == "alias":
            known["old"] = row.old
        person = beside(person, call, {name: value for name, value in known.items() if value is not None})
        if call == "update":
            person = {**person, "traits": chosen_traits(person["traits"], to.to.traits)}
        key = f"{to.name}:{place.audience.removeprefix(chr(1))}:{place.profile_id}:{row.wanted_version}"
        return Told(call, person, f"{key}:before" if row.anew and call == "exit" else key, audience, self._change(to, place, row, call))

    def _sent_as(self, to: Addressed, profile: bytes) -> dict[str, dict[str, str]]:
        rows = ((audience, self._books.get(Place(to.name, audience, profile))) for audience in to.known)
        return {audience: row.sent_as for audience, row in rows if row is not None and row.sent_as}

    def _change(self, to: Addressed, place: Place, row: LedgerRow, call: Asked) -> dict[str, Any]:
        """The change that the row follows from; of a member who was there before it was told of, what would have been told."""
        stored = self._view.rows.row("changes", sequence_key(row.place))
        change: dict[str, Any] = {} if stored is None else orjson.loads(stored)
        kind = {"enter": "segment.entered", "exit": "segment.exited"}.get(call)
        if change.get("profile") == place.profile_id and (
            kind is None or (change["type"], change.get("segment")) == (kind, place.audience)
        ):
            return change
        if kind is None:
            return {"type": "profile.updated", "space": self._view.space, "profile": place.profile_id, "version": row.wanted_version}
        return {
            "type": kind, "space": self._view.space, "profile": place.profile_id, "version": row.wanted_version, "segment": place.audience,
            "purpose": to.purposes.get(place.audience),
        }  # fmt: skip

    @staticmethod
    def _quiet(to: Addressed, found: Somebody, now: int) -> tuple[str, int] | None:
        quiet = to.to.quiet
        if quiet is None:
            return None
        until = quiet_until(quiet, found.traits, now)
        return None if until is None else ("quiet", until)

    def _capped(self, to: Addressed, place: Place, now: int) -> tuple[str, int] | None:
        caps = to.to.caps
        if caps is None:
            return None
        lately = [one for one in self._books.contacts(place.profile, caps.channel) if one > now - caps.within_us]
        return None if len(lately) < caps.max else ("cap", sorted(lately)[-caps.max] + caps.within_us)


def _said(call: Asked, row: LedgerRow, told: Told) -> str:
    """What a call says is so, as a row has it."""
    if call == "update":
        return traits_digest(told.person["traits"])
    return {"enter": IN, "exit": OUT, "erase": ERASED, "alias": ALIASED}.get(call, row.wanted)


def quiet_until(quiet: Quiet, traits: dict[str, Any], now: int) -> int | None:
    """When the quiet hours of somebody end that last now, by the wall clock of the zone; None if there are none."""
    zone = ZoneInfo(quiet.otherwise)
    said = quiet.zone if not quiet.zone.startswith("trait:") else traits.get(quiet.zone.removeprefix("trait:"))
    if isinstance(said, str) and said:
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            zone = ZoneInfo(said)
    here = datetime.fromtimestamp(now / 1e6, UTC).astimezone(zone)
    minute = here.hour * 60 + here.minute
    first, last = quiet.from_minute, quiet.to_minute
    inside = first <= minute < last if first < last else minute >= first or minute < last
    if not inside or first == last:
        return None
    end = here.replace(hour=last // 60, minute=last % 60, second=0, microsecond=0)
    if end <= here:
        end = (here + timedelta(days=1)).replace(hour=last // 60, minute=last % 60, second=0, microsecond=0)
    return min(NEVER, max(now + _MINUTE_US // 60, round(end.timestamp() * 1e6)))
