"""`skep destinations test`: a sample person, marked as one, is told of and taken away again. And `erase`: somebody is forgotten there."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import msgspec

from connectors.destinations.wire import HttpWire
from contracts.model.hashing import Hasher
from contracts.text.times import iso
from operators.activation.classify import classify
from operators.activation.ledger_row import ERASE, Place, decode_receipt, decode_row
from operators.activation.renderer import Renderer
from operators.activation.told import Asked, Person, Reply, Request, Told
from skep.project.errors import CommandError
from skep.project.orders import PATIENCE_S, order
from skep.project.settings import Settings
from skep.project.spaces import ledger_path
from skep.runtime.delivery.reconciling import named_destination
from skep.runtime.delivery.requesting import renderer_of, reply_to
from skep.runtime.delivery.standing_in import working
from state.ledger import LedgerReader

SAMPLE = "skep-test@example.invalid"
"""The address of the sample person, which nobody can have."""
_PROFILE = "p_" + "0" * 32


class TriedCall(msgspec.Struct, frozen=True):
    """One call with the sample person: what was asked, with its secrets hidden, what came back, and what that is."""

    call: str
    request: dict[str, Any]
    reply: dict[str, Any]
    class_: str = msgspec.field(name="class")
    reason: str


class TriedDestination(msgspec.Struct, frozen=True):
    """The calls that were made; ``removed``: whether the sample person is away again."""

    destination: str
    calls: list[TriedCall]
    removed: bool


class ErasureReceipt(msgspec.Struct, frozen=True):
    """That a destination has answered to being told to forget somebody."""

    destination: str
    at: str
    status: int
    reference: str


class Erasure(msgspec.Struct, frozen=True):
    receipts: list[ErasureReceipt]


def try_out(settings: Settings, name: str, segment: str | None) -> TriedDestination:
    """Send the sample person, then take it away. Raises `CommandError` if a secret is absent or nothing can be said of it."""
    space, destination = named_destination(settings, name)[0]
    renderer = renderer_of(settings, destination)
    audience = segment or next(iter(destination.audiences), None) or "test"
    if destination.called(audience) is None:
        raise CommandError(f"--segment: expected an audience of {name}, found {audience} → {' or '.join(destination.audiences)}")
    there: Asked = "enter" if "enter" in renderer.calls else "update" if "update" in renderer.calls else "event"
    wire = HttpWire()
    try:
        calls, remote_id = _said(wire, renderer, _told(there, audience, space))
        person = {} if remote_id is None else {"remote_id": remote_id}
        if calls and calls[-1].call in {"lookup", "create"} and person:
            calls += _said(wire, renderer, _told(there, audience, space, person))[0]
        gone = next((call for call in ("exit", "erase") if call in renderer.calls), None)
        back = [] if gone is None else _said(wire, renderer, _told(gone, audience, space, person))[0]
    finally:
        wire.close()
    return TriedDestination(name, [*calls, *back], bool(back) and back[-1].class_ == "delivered")


def _told(call: Asked, audience: str, space: str, more: Person | None = None) -> Told:
    identifiers = {"email": SAMPLE, "user_id": "skep-test", "phone": "+447700900000", "anonymous_id": "skep-test"}
    traits = {"first_name": "Skep", "last_name": "Test", **identifiers}
    person: Person = {
        "profile": _PROFILE, "version": 1, "identifiers": identifiers,
        "all_identifiers": {name: [one] for name, one in identifiers.items()},
        "traits": traits, "segments": [audience], "consents": {}, **(more or {}),
    }  # fmt: skip
    now = iso(time.time_ns() // 1000)
    event = {"type": "track", "event": "Skep Test", "userId": "skep-test", "messageId": "skep-test", "timestamp": now, "properties": {}}
    change = {"id": f"{space}-0-0", "type": "segment.entered" if call == "enter" else "segment.exited", "space": space, "profile": _PROFILE,
              "version": 1, "segment": audience, "clock": now}  # fmt: skip
    if call == "event":
        return Told(call, person, "skep-test", event=event)
    return Told(call, person, f"skep-test:{call}", None if call in {"update", "erase"} else audience, change)


def _said(wire: HttpWire, renderer: Renderer, told: Told) -> tuple[list[TriedCall], str | None]:
    """The calls by which it is said, and the vendor's own id of the sample person, if one of the answers says it."""
    rendered = renderer.render([told])
    if rendered.refused:
        why = rendered.refused[0][1]
        raise CommandError(f"{renderer.destination.name}: of the sample person nothing can be said, found {why} → look at `match`")
    tried = [_tried(wire, renderer, request) for request in rendered.requests if not request.waits]
    return [call for call, _ in tried], next((one for _, ids in tried for one in ids if one is not None), None)


def _tried(wire: HttpWire, renderer: Renderer, request: Request) -> tuple[TriedCall, tuple[str | None, ...]]:
    destination, came = renderer.destination, reply_to(wire, renderer, request)
    if came.failure == "private":
        raise CommandError(f"{destination.name}: its address is private → `allow_private: true` in its file allows that")
    verdict = classify(destination, request, Reply(came.status, came.headers, came.body, came.failure))  # type: ignore[arg-type] # the others are
    shown = request.shown()
    asked = {"method": shown.method, "url": shown.url, "headers": shown.headers, "body": _text(shown.body)}
    body = _text(came.body)[:1000]
    call = TriedCall(request.call, asked, {"status": came.status, "headers": came.headers, "body": body}, verdict.says, verdict.reason)
    return call, verdict.remote_ids


def _text(body: bytes | None) -> str:
    return (body or b"").decode("utf-8", "replace")


def erase(settings: Settings, name: str, profile: str) -> Erasure:
    """Have a destination forget somebody, in every space in which it is in force. Raises `CommandError` if it does not."""
    found = []
    for space, _ in named_destination(settings, name):
        begun = time.time_ns() // 1000
        with working(settings, space) as work:
            order(settings, space, {"type": "erase", "destination": name, "profile": profile}, work)
            hashed, end = Hasher(settings.secret, space).personal("profile", profile), time.monotonic() + PATIENCE_S
            while (receipt := _receipt(settings, space, (name, hashed), begun)) is None:
                _must_go_on(settings, space, Place(name, ERASE, bytes.fromhex(profile.removeprefix("p_"))), end)
                if not work():
                    time.sleep(0.05)
            found.append(receipt)
    return Erasure(found)


def _receipt(settings: Settings, space: str, of: tuple[str, str], since: int) -> ErasureReceipt | None:
    with closing(LedgerReader(ledger_path(settings, space))) as reader:
        for _, row in reader.scan("receipts", since.to_bytes(8, "big")):
            one = decode_receipt(row)
            if (one.destination, one.profile_hash) == of:
                return ErasureReceipt(one.destination, iso(one.at), one.status, one.reference)
    return None


def _must_go_on(settings: Settings, space: str, place: Place, end: float) -> None:
    with closing(LedgerReader(ledger_path(settings, space))) as reader:
        stored = reader.row("rows", place.key)
    row = None if stored is None else decode_row(stored)
    if row is not None and row.dead:
        raise CommandError(f"{place.destination} does not forget {place.profile_id}: {row.reason} → skep deliveries list --dead")
    if time.monotonic() > end:
        words = "has not answered yet, and is told again and again"
        raise CommandError(f"{place.destination} {words} → skep deliveries list --profile {place.profile_id}")
