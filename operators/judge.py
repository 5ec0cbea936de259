"""Judges records by their contracts: bytes in, events and refused records out ("The envelope, exactly" in docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NotRequired, TypedDict, Unpack

import orjson

from contracts.envelope import (
    ACCOUNT_MAX_BYTES,
    NotAccepted,
    account_of,
    called,
    check_digits,
    content_id,
    decode,
    event_time,
    head,
    lost_digits,
    named,
    suspects,
    track_name,
)
from contracts.model.batches import Denial, Event, Refused
from contracts.model.definitions import Definitions
from contracts.model.versions import names_contract
from contracts.text.times import iso
from contracts.versions.upcasts import UpcastError
from operators.consent import CONSENT_UPDATED, NOTHING, Denials, denied_at, said_id, said_of
from operators.extract import Identifiers
from operators.frames import MAGIC, Frames, as_event, as_json, is_event
from operators.lookups.attached import restore
from operators.moment_row import moment_contract, moment_lookup, moment_message, moment_raw
from operators.origins import origin_parts
from operators.versions import Accepts, Reading, Versions

DETAIL_MAX = 500
"""Characters of a refusal's detail that are kept."""


class Tolerance(TypedDict):
    """What a judge lets pass: events without a contract, times so far in the future (µs), records so long (bytes); whether the
    ``format`` of a schema must hold."""

    unknown_ok: bool
    future_skew_us: int
    max_event_bytes: int
    formats: NotRequired[bool]


class Judge:
    """Turns records into events by one set of definitions. Never raises because of what a record holds.

    ``counted`` is called for each event that is read again.
    """

    def __init__(self, definitions: Definitions, *, counted: Callable[[], None] | None = None, **tolerance: Unpack[Tolerance]) -> None:
        self.definitions = definitions
        self.identifiers = Identifiers(definitions.identity)
        self._unknown_ok = tolerance["unknown_ok"]
        self._skew_us = tolerance["future_skew_us"]
        self._max_bytes = tolerance["max_event_bytes"]
        self._purposes = frozenset(purpose.name for purpose in definitions.purposes)
        self._denials = Denials(definitions.identity, self.identifiers, self._purposes)
        self._versions = Versions(definitions, formats=tolerance.get("formats", False))
        self._trial = self._versions.trial
        self._frames = Frames(definitions)
        self._counted = counted
        self._looks_up = bool(definitions.lookups)
        self.uncorrected: set[int] = set()
        """Positions of the events since `judge_many` began whose time is not corrected by ``receivedAt − sentAt``."""

    def judge(self, raw: bytes, position: int, read_at_us: int) -> Event | Refused:
        """The event, or why it is refused. ``read_at_us`` is the wall clock for records without ``receivedAt``."""
        try:
            self._check_digits(raw)
            return self._judge(raw, position, read_at_us)
        except NotAccepted as no:
            event = no.contract.partition("/")[0] or ("" if no.reason == "too_large" else _event_of(raw))
            denials = self.denials(raw, read_at_us)
            return Refused(position, no.reason, no.detail[:DETAIL_MAX], no.schema_path, no.received_at_us, raw, event, no.contract, denials)
        except Exception as error:  # noqa: BLE001 (one record never stops the flow)
            denials = self.denials(raw, read_at_us)
            return Refused(position, "invalid", repr(error)[:DETAIL_MAX], "", None, raw, _event_of(raw), "", denials)

    def denials(self, raw: bytes, read_at_us: int) -> tuple[Denial, ...]:
        """The denials of consent in a record that is refused, as far as they can be read. ``read_at_us`` as in `judge`."""
        if not self._purposes:
            return ()
        try:
            body = self._unframed(raw)[0] if raw[:1] == MAGIC else decode(raw, self._max_bytes)
            time_us = None
            with suppress(NotAccepted):
                time_us = event_time(body)[0]
            return self._denials.read(body, said_id(body) or content_id(body), denied_at(body, time_us, read_at_us))
        except Exception:  # noqa: BLE001 (what cannot be read of a refused record is not said)
            return ()

    def judge_many(self, records: list[bytes], first: int, read_at_us: int) -> tuple[list[Event], list[Refused]]:
        """Judges the records of the positions ``first`` and on."""
        events: list[Event] = []
        refused: list[Refused] = []
        position = first
        self.uncorrected = set()
        long, deep = suspects(records)
        exactly, shallow = any(map(lost_digits, map(as_json, long))), not deep
        for raw in records:
            try:
                if exactly:
                    self._check_digits(raw)
                events.append(self._judge(raw, position, read_at_us, shallow=shallow))
            except Exception:  # noqa: BLE001 (the slow way says why)
                again = self.judge(raw, position, read_at_us)
                if type(again) is Event:
                    events.append(again)
                else:
                    refused.append(again)  # type: ignore[arg-type]
            position += 1
        return events, refused

    def _check_digits(self, raw: bytes) -> None:
        if len(raw) <= self._max_bytes:
            check_digits(as_json(raw))

    def _judge(self, raw: bytes, position: int, read_at_us: int, *, shallow: bool = False) -> Event:
        """The numbers are those of "The envelope, exactly". ``shallow`` as of `decode`."""
        # 1. The object, out of its frame if it has one.
        asked: str | None = None
        if raw[:1] == MAGIC:
            body, raw, asked = self._unframed(raw)
        else:
            body = decode(raw, self._max_bytes, shallow=shallow)
        # 2. The call and its ids. 3. When it happened.
        call, message_id = head(body)
        time_us, received_at_us, doubted = event_time(body)
        try:
            # 4. What it is called, and which version of its contract accepts it.
            name, place, properties, traits = named(body, call)
            account = _account(body) if call == "group" else ""
            judged = properties if place == "properties" else traits
            version = self._version(name or call, place, judged, time_us, body, asked)
            if version is None and call == "track":
                self._check_unknown(name)
            # 7. Not later than it can be.
            if time_us > (read_at_us if received_at_us is None else received_at_us) + self._skew_us:
                raise _future(time_us, read_at_us if received_at_us is None else received_at_us)
            # 4. Read at the newest model.
            seen = body
            if version is not None and version.upcast is not None:
                seen = _upcast(version.name, version.upcast, body, place, judged)
                properties, traits = (seen[place], traits) if place == "properties" else (properties, seen[place])
        except NotAccepted as no:
            no.received_at_us = received_at_us
            raise
        if doubted:
            self.uncorrected.add(position)
        # 9. What it says about consent.
        decided, odd = NOTHING
        if self._purposes:
            decided, odd = said_of(body, properties if name == CONSENT_UPDATED else None, self._purposes)
        return Event(
            position,
            time_us,
            # 5. Its id.
            message_id or content_id(body),
            call,
            name,
            "" if version is None else version.name,
            self.identifiers.read(seen),
            properties,
            traits if call == "identify" else None,
            decided,
            received_at_us,
            body,
            raw,
            odd,
            group=(account, traits) if account else None,
        )

    def reread(self, raw: bytes, contract: str) -> Event:
        """The event of bytes that this contract (``order_completed/1-0-0``; "" is none) accepted before, not judged again."""
        if self._counted is not None:
            self._counted()
        body = orjson.loads(raw)
        call = body["type"]
        name, place, properties, traits = named(body, call)
        seen = body
        upcast = self._versions.upcast(contract)
        if upcast is not None:
            # What an upcast cannot convert was accepted all the same, so it is read as it is.
            with suppress(NotAccepted):
                seen = _upcast(contract, upcast, body, place, properties if place == "properties" else traits)
                properties, traits = (seen[place], traits) if place == "properties" else (properties, seen[place])
        decided, _ = said_of(body, properties if name == CONSENT_UPDATED else None, self._purposes)
        identifiers = self.identifiers.read(seen)
        told = traits if call == "identify" else None
        account = account_of(body) if call == "group" else None
        group = None if account is None else (account, traits)
        return Event(0, 0, "", call, name, contract, identifiers, properties, told, decided, None, body, raw, group=group)

    def understood(self, event: Event) -> Event:
        """An event that other definitions accepted, as these read it."""
        again = self.reread(event.raw, event.contract)
        again.position, again.time_us, again.message_id = event.position, event.time_us, event.message_id
        again.received_at_us, again.sources = event.received_at_us, event.sources
        if event.lookup or self._looks_up:
            restore(again, event.lookup)
        return again

    def stored(self, row: bytes, time_us: int, contracts: Sequence[str]) -> Event:
        """The event of a moment's row, with its id and the time at which it is stored; ``contracts`` by number, as in `Meta`."""
        contract, sources = origin_parts(contracts[moment_contract(row)])
        event = self.reread(moment_raw(row), contract)
        event.time_us, event.message_id, event.sources = time_us, moment_message(row), sources
        if self._looks_up or row[4] & 0x80:
            restore(event, moment_lookup(row))
        return event

    def _check_unknown(self, name: str) -> None:
        if not self._unknown_ok:
            raise NotAccepted("unknown_event", f"event: {name!r} has no contract; add contracts/events/{name}/1-0-0.json")

    def _unframed(self, raw: bytes) -> tuple[dict[str, Any], bytes, str]:
        """The event in a registry's frame, its bytes, and the contract that the frame names."""
        payload, found = self._frames.payload(raw)
        body = decode(payload, self._max_bytes)
        if not is_event(body):
            body, payload, contract = as_event(body, found)
            return body, payload, contract.name
        name = track_name(body["event"]) if body["type"] == "track" else called(body)
        return body, payload, next((one.name for one in found if one.event == name), found[0].name)

    def _version(  # noqa: PLR0917
        self, event: str, place: str, judged: dict[str, Any], time_us: int, body: dict[str, Any], asked: object = None
    ) -> Accepts | None:
        """The version that accepts the event: the one that its frame (``asked``) or it itself names; None if its name has no contract."""
        if asked is None:
            context = body.get("context")
            asked = context.get("contract") if type(context) is dict else None
            if asked is not None and not names_contract(asked):
                # A sender's own field of that name.
                asked = None
        if asked is None:
            trial = self._trial.get(event)
            if trial is None:
                return None
            for version in trial:
                if (version.until_us is None or time_us < version.until_us) and version.is_valid(judged):
                    return version
        return self._versions.slowly(event, asked, judged, time_us, place)


def _future(time_us: int, received_us: int) -> NotAccepted:
    return NotAccepted("future", f"timestamp: expected at most {iso(received_us)} and the allowed skew, found {iso(time_us)}")


def _account(body: dict[str, Any]) -> str:
    """The account that a group call has to name."""
    found = account_of(body)
    if found is None:
        expected = f"the id of an account, a text of at most {ACCOUNT_MAX_BYTES} bytes"
        raise NotAccepted("envelope", f"groupId: expected {expected}, found {str(body.get('groupId'))[:50]!r}")
    return found


def _upcast(contract: str, upcast: Reading, body: dict[str, Any], place: str, judged: dict[str, Any]) -> dict[str, Any]:
    """The event's body as the newest model of its contract reads it; `NotAccepted` if a value cannot be converted."""
    try:
        return {**body, place: upcast(judged)}
    except UpcastError as error:
        raise NotAccepted("upcast", f"{contract}: {error}", contract=contract) from None


def _event_of(raw: bytes) -> str:
    """What a record says it is, ``order_completed`` or ``identify``; ``""`` if that cannot be told."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    return called(body) if type(body) is dict else ""
