"""What destinations hold, what they are yet to be told, and what they would not take: read from the ledger, beside whoever writes it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from hashlib import blake2b
from typing import Any
from urllib.parse import quote

import msgspec
import orjson

from contracts.model.destinations import Destination
from contracts.text.times import iso
from operators.activation.by_request import through_ledger, told_segments
from operators.activation.ledger_row import (
    ERASE,
    FEED,
    IN,
    NEVER,
    TRAITS,
    LedgerRow,
    Place,
    beginning,
    decode_attempt,
    decode_row,
    place_of,
)
from operators.activation.pace import Pace
from operators.activation.wanted import call_of, is_pending
from operators.view.space import View
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import chosen, ledger_path, open_views
from state.errors import NoState
from state.ledger import LedgerReader

_MINUTE_US = 60_000_000
_decode_pace = msgspec.msgpack.Decoder(Pace).decode


class DestinationStatus(msgspec.Struct, frozen=True):
    """One audience of a destination. ``audience``: None of its traits. ``members``: of the segment. ``failing``: tried in vain, and tried
    again. ``not_sent``: by reason of whom it is not told. ``rate``: requests a second over the last minute."""

    destination: str
    audience: str | None
    members: int | None
    acknowledged: int
    pending: int
    failing: int
    dead: int
    not_sent: dict[str, int]
    oldest_pending: str | None
    breaker: str
    rate: float
    last_ok: str | None


class DeliveryRow(msgspec.Struct, frozen=True):
    """What is not acknowledged yet of one person at one destination. ``status``: of the last answer, 0 if there was none."""

    id: str
    destination: str
    audience: str | None
    profile: str
    call: str | None
    wanted: str
    attempts: int
    class_: str | None = msgspec.field(name="class")
    status: int
    reason: str | None
    at: str | None
    next_at: str | None


class ShownDelivery(msgspec.Struct, frozen=True):
    """The same with what was asked last, and the beginning of the answer; None if nothing was refused yet."""

    delivery: DeliveryRow
    request: dict[str, Any] | None
    reply: str | None


class FoundDelivery(msgspec.Struct, frozen=True):
    """A delivery, and where its row lies."""

    row: DeliveryRow
    space: str
    place: Place
    dead: bool


def destination_status(settings: Settings, name: str | None = None) -> list[DestinationStatus]:
    """Every destination that is told by requests, or the one of this name, by audience. Raises `CommandError` if there is none such."""
    found: list[DestinationStatus] = []
    with open_views(settings) as views:
        for space, view in views.items():
            told = [one for one in view.program.definitions.destinations if through_ledger(one) and name in {None, one.name}]
            for destination in told:
                found += _of_destination(settings, space, view, destination)
        known = [one.name for view in views.values() for one in view.program.definitions.destinations if through_ledger(one)]
    if name is not None and name not in known:
        raise CommandError(f"expected a destination in force that is told by requests, found {name} → {' or '.join(known) or 'none is'}")
    return found


class _Tally:
    """What the rows of an audience come to."""

    def __init__(self, audience: str, *, told: bool) -> None:
        self.audience, self.told = audience, told
        self.acknowledged = self.pending = self.failing = self.dead = self.oldest = 0
        self.not_sent: Counter[str] = Counter()

    def take(self, row: LedgerRow) -> None:
        """One row."""
        there = row.acknowledged == IN or (self.audience == TRAITS and row.acknowledged != "")
        self.acknowledged += there
        self.dead += row.dead
        if self.told and is_pending(row, self.audience):
            self.failing += row.attempts > 0
            self.pending += row.attempts == 0
            self.oldest = min(self.oldest or row.since, row.since)
        elif row.wanted == IN and not there and not row.dead:
            self.not_sent[(row.barred or row.reason) if self.told else "not_activated"] += 1


def _of_destination(settings: Settings, space: str, view: View, destination: Destination) -> Iterator[DestinationStatus]:
    sizes = {one.name: view.meta.sizes.get(one.name, 0) for one in told_segments(destination, view.program.definitions)}
    try:
        reader = LedgerReader(ledger_path(settings, space))
    except NoState:
        for segment, size in sizes.items():
            yield DestinationStatus(destination.name, segment, size, 0, size, 0, 0, {}, None, "closed", 0.0, None)
        return
    with closing(reader):
        stored = reader.row("meta", b"pace/" + destination.name.encode())
        pace, rate = Pace() if stored is None else _decode_pace(stored), _rate(reader, destination.name)
        tallies = {segment: _Tally(segment, told=True) for segment in sizes}
        for key, row in reader.scan("rows", *beginning(destination.name)):
            audience = place_of(key).audience
            audience = FEED if audience[:1] == FEED else audience
            if audience not in tallies:
                tallies[audience] = _Tally(audience, told=audience == TRAITS or audience[:1] in {"\x01", FEED})
            tallies[audience].take(decode_row(row))
    for audience, one in tallies.items():
        shown = "changes" if audience == FEED else audience.removeprefix("\x01") or None
        yield DestinationStatus(
            destination.name, shown, sizes.get(audience), one.acknowledged, one.pending, one.failing, one.dead,
            dict(sorted(one.not_sent.items())), iso(one.oldest) if one.oldest else None, pace.breaker, rate,
            iso(pace.last_ok) if pace.last_ok else None,
        )  # fmt: skip


def _rate(reader: LedgerReader, destination: str) -> float:
    since = time.time_ns() // 1000 - _MINUTE_US
    attempts = (decode_attempt(row) for _, row in reader.scan("attempts", since.to_bytes(8, "big")))
    return round(len({one.batch for one in attempts if one.destination == destination}) / 60, 2)


# ---- deliveries


def identity_of(space: str, place: Place) -> str:
    """The id of a delivery: the same as long as it is about the same person, audience and destination."""
    return f"d_{blake2b(space.encode() + b'/' + place.key, digest_size=8).hexdigest()}"


def deliveries(
    settings: Settings, *, destination: str | None = None, dead: bool = False, profile: str | None = None, reason: str | None = None
) -> list[FoundDelivery]:
    """What is not acknowledged: pending, failing, dead, or not sent. ``reason``: a beginning of it."""
    found: list[FoundDelivery] = []
    for space in chosen(settings, None):
        try:
            reader = LedgerReader(ledger_path(settings, space))
        except NoState:
            continue
        with closing(reader):
            start, end = beginning(destination) if destination is not None else (b"", None)
            for key, stored in reader.scan("rows", start, end):
                place, row = place_of(key), decode_row(stored)
                call = call_of(msgspec.structs.replace(row, dead=False), place.audience)
                if not (row.dead or (call is not None) or (row.barred and row.wanted == IN)):
                    continue
                one = _row(space, place, row, call)
                if (not dead or row.dead) and profile in {None, one.profile} and (reason is None or (one.reason or "").startswith(reason)):
                    found.append(FoundDelivery(one, space, place, row.dead))
    return found


def _row(space: str, place: Place, row: LedgerRow, call: str | None) -> DeliveryRow:
    waits = is_pending(row, place.audience) and row.next_at != NEVER
    return DeliveryRow(
        id=identity_of(space, place),
        destination=place.destination,
        audience=place.audience if place.audience and place.audience[:1] not in {"\x01", FEED} else None,
        profile=place.profile_id,
        call=call,
        wanted=row.wanted if place.audience != ERASE else "erased",
        attempts=row.attempts,
        class_="dead" if row.dead else row.last_class or None,
        status=row.status,
        reason=row.barred or row.reason or None,
        at=iso(row.tried_at) if row.tried_at else None,
        next_at=iso(row.next_at) if waits else None,
    )


def one_delivery(settings: Settings, identity: str) -> FoundDelivery:
    """The delivery of an id. Raises `CommandError` if there is none."""
    for found in deliveries(settings):
        if found.row.id == identity:
            return found
    raise CommandError(f"expected the id of a delivery that is not acknowledged, found {identity} → skep deliveries list")


def shown_delivery(settings: Settings, identity: str, *, clear: bool) -> ShownDelivery:
    """A delivery with its last request and the answer's beginning; without ``clear`` what is personal in them is ``***``."""
    found = one_delivery(settings, identity)
    with closing(LedgerReader(ledger_path(settings, found.space))) as reader:
        letter = reader.row("letters", found.place.key)
    if letter is None:
        return ShownDelivery(found.row, None, None)
    kept = orjson.loads(letter)
    request, reply, personal = kept["request"], kept["reply"], kept["personal"]
    if not clear:
        request = {**request, "url": _hidden(request["url"], personal), "body": _hidden_body(request["body"], personal)}
        reply = _hidden(reply, personal)
    return ShownDelivery(found.row, request, kept["failure"] or reply)


def _hidden(text: str, personal: list[str]) -> str:
    for value in sorted(personal, key=len, reverse=True):
        for form in (value, quote(value, safe="")):
            if len(form) > 1:
                text = text.replace(form, "***")
    return text


def _hidden_body(body: str, personal: list[str]) -> Any:
    """A body in which every text is hidden; one that is no JSON is hidden as far as it is known what is personal in it."""
    try:
        return _without_texts(orjson.loads(body))
    except orjson.JSONDecodeError:
        return _hidden(body, personal)


def _without_texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_texts(part) for part in value]
    return "***" if isinstance(value, str | int | float) and not isinstance(value, bool) else value
