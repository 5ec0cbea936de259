"""From replies to rows: who was taken, who is tried again and when, who is a dead letter, and what the destination as a whole asks for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

import orjson
from msgspec.structs import replace

from connectors.destinations.wire import Incoming
from contracts.model.hashing import Hasher
from operators.activation.classify import classify
from operators.activation.ledger_row import FEED, Attempt, LedgerRow, Place, Receipt
from operators.activation.pace import BREAKS_AT, heard
from operators.activation.settle import failed, halves, of_each, unknown
from operators.activation.told import Reply, Verdict
from operators.activation.wanted import acknowledged
from skep.runtime.delivery.books import Books
from skep.runtime.delivery.queue import Picked
from skep.runtime.delivery.sending import Flight

REPLY_KEPT = 1_000
"""Characters of an answer that are kept of what was not taken."""
REQUEST_KEPT = 20_000
_PRIVATE = "its address is private, of this machine or of its link: `allow_private: true` allows that"


class Answers:
    """Settles the flights of one space."""

    def __init__(self, books: Books, hasher: Hasher, random: Random) -> None:
        self._books, self._hasher, self._random = books, hasher, random

    def settle(self, flight: Flight, came: Incoming, now: int) -> None:
        """What became of a request; the ledger has it before anything else is said of those in it."""
        to = flight.to
        to.under_way -= 1
        to.queue.busy.difference_update(place.profile for place in flight.places)
        verdict, reply = self._verdict(flight, came, now)
        broken = to.pace.failures >= BREAKS_AT
        if not broken and verdict.says == "split" and len(flight.places) < 2:
            verdict = replace(verdict, says="refused")
        to.pace = heard(to.pace, verdict, to.to.limits, now, to.mark)
        self._books.noted.keep_pace(to.name, to.pace)
        if verdict.says == "split":
            one, other = halves(flight.places)
            to.queue.parts.extend(Picked(flight.call, flight.audience, part, whole=True) for part in (one, other) if part)
        each = of_each(verdict, len(flight.places))
        ids = verdict.remote_ids or (None,) * len(each)
        for at, (place, says, remote_id) in enumerate(zip(flight.places, each, ids, strict=True)):
            row = self._books.get(place)
            if remote_id is not None:
                self._books.learn(to.name, place.profile, remote_id)
            if row is not None:
                counts = not broken and (reply.status > 0 or to.pace.failures < BREAKS_AT)
                after = self._after(flight, at, row, _Result(says, verdict, reply, remote_id, counts), now)
                self._books.put(place, after, row)
                self._letter(flight, at, after, says, came)
            self._noted(flight, at, says, verdict.reason, came)

    def _verdict(self, flight: Flight, came: Incoming, now: int) -> tuple[Verdict, Reply]:
        if came.failure == "private":
            return Verdict("auth", reason=_PRIVATE), Reply(0)
        reply = Reply(came.status, came.headers, came.body, came.failure)  # type: ignore[arg-type] # of these failures all but `private` are its own
        return classify(flight.to.to, flight.request, reply, datetime.fromtimestamp(now / 1e6, UTC)), reply

    def _after(self, flight: Flight, at: int, row: LedgerRow, result: _Result, now: int) -> LedgerRow | None:
        to, says = flight.to, result.says
        if flight.request.learns:
            known = result.remote_id is not None or self._books.remote_id(to.name, flight.places[at].profile) is not None
            if says == "delivered" and known:
                return row
            nobody = unknown(says, result.reply.status, flight.call)
            if nobody is not None:
                says = nobody
                result.verdict = replace(result.verdict, reason="the vendor does not know the person by any of what was sent")
        if says == "delivered" and flight.places[at].audience[:1] == FEED:
            return None
        if says == "delivered":
            if flight.call in {"enter", "event"} and to.to.caps is not None:
                self._books.contacted(flight.places[at].profile, to.to.caps.channel, now)
            if flight.call == "erase":
                self._forgotten(flight, at, result.reply, now)
            return acknowledged(row, flight.call, flight.said[at], flight.versions[at], now)
        after = failed(
            row, says, result.verdict, status=result.reply.status, limits=to.to.limits, now=now, random=self._random, counts=result.counts
        )
        if after.dead and row.wanted_version != flight.versions[at]:
            # It was refused as it was then, and is wanted otherwise by now.
            return replace(after, dead=False, attempts=0, next_at=now)
        return after

    def _forgotten(self, flight: Flight, at: int, reply: Reply, now: int) -> None:
        """The other side has erased somebody: so does the ledger, but for the receipt."""
        to, place = flight.to, flight.places[at]
        for audience in (*to.known, ""):
            self._books.change(Place(to.name, audience, place.profile), lambda _: None)
        self._books.learn(to.name, place.profile, None)
        reference = next((value for name, value in reply.headers.items() if name.lower() in {"x-request-id", "request-id"}), "")
        hashed = self._hasher.personal("profile", place.profile_id)
        self._books.receipt(Receipt(to.name, hashed, now, reply.status, reference or flight.keys[at]))

    def _letter(self, flight: Flight, at: int, after: LedgerRow | None, says: str, came: Incoming) -> None:
        place = flight.places[at]
        if says in {"delivered", "throttle", "auth"} or after is None:
            self._books.letter(place, None)
            return
        request = flight.request.shown()
        body = (request.body or b"")[:REQUEST_KEPT].decode("utf-8", "replace")
        reply = came.body[: 4 * REPLY_KEPT].decode("utf-8", "replace")[:REPLY_KEPT]
        for secret in flight.request.hidden:
            reply = reply.replace(secret, "***")
        self._books.letter(place, orjson.dumps({
            "request": {"method": request.method, "url": request.url, "headers": request.headers, "body": body},
            "reply": reply, "failure": came.failure, "personal": sorted({*flight.request.sent[at].values()}),
        }))  # fmt: skip

    def _noted(self, flight: Flight, at: int, says: str, reason: str, came: Incoming) -> None:
        place = flight.places[at]
        self._books.attempt(
            Attempt(
                destination=flight.to.name,
                audience="" if place.audience[:1] in {"\x01", FEED} else place.audience,
                profile=place.profile,
                call=flight.request.call,
                batch=f"{flight.at:x}.{flight.number}",
                at=flight.at,
                milliseconds=came.milliseconds,
                status=came.status,
                says=says,
                reason=reason,
                key=flight.keys[at],
                change=flight.changes[at],
            )
        )


@dataclass(slots=True)
class _Result:
    """What became of one person in a request."""

    says: str
    verdict: Verdict
    reply: Reply
    remote_id: str | None
    counts: bool
