"""Judges records by their contracts: bytes in, events and refused records out ("The envelope, exactly" in docs/architecture.md)."""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from hashlib import blake2b
from typing import Any

import orjson

from contracts.model import unreadable
from contracts.model.batches import ControlEntry, Denial, Event, JudgedBatch, Refused, SourceBatch
from contracts.model.definitions import CALLS, Definitions
from contracts.model.versions import names_contract
from contracts.text.names import event_name
from contracts.text.times import iso, parse_time
from contracts.versions.upcasts import UpcastError
from operators.consents import NOTHING, consents
from operators.denials import CONSENT_UPDATED, Denials, denied_at, said_id
from operators.digits import lost_digits, with_long_digits
from operators.epochs import CONTROL, Epoch, append_epoch, spans
from operators.event_time import event_time
from operators.extract import Identifiers
from operators.frames import MAGIC, Frames, as_event, as_json, is_event
from operators.generations import GENERATIONS, begins
from operators.metrics import batch_took
from operators.versions import Accepts, Reading, Refusal, Versions

LEVELS_MAX = 100
"""Deeper nesting than this is refused as undecodable."""
DETAIL_MAX = 500
"""Characters of a refusal's detail that are kept."""

_CALLS = frozenset(CALLS)
_TEXTS = ("userId", "anonymousId", "previousId")
_NAMED = {"page": "page_viewed", "screen": "screen_viewed"}
_JUDGED_BY_TRAITS = frozenset({"identify", "group"})
_NOT_CONTENT = ("messageId", "sentAt", "receivedAt")
_CARRY_RECORDS = frozenset({"replay", "edit"})


class Judge:
    """Turns records into events by one set of definitions. Never raises because of what a record holds."""

    def __init__(
        self, definitions: Definitions, *, unknown_ok: bool, future_skew_us: int, max_event_bytes: int, formats: bool = False
    ) -> None:
        self.identifiers = Identifiers(definitions.identity)
        self._unknown_ok = unknown_ok
        self._skew_us = future_skew_us
        self._max_bytes = max_event_bytes
        self._purposes = frozenset(purpose.name for purpose in definitions.purposes)
        self._denials = Denials(definitions.identity, self.identifiers, self._purposes)
        self._versions = Versions(definitions, formats=formats)
        self._trial = self._versions.trial
        self._frames = Frames(definitions)
        self.uncorrected: set[int] = set()
        """Positions of the events since `judge_many` began whose time is not corrected by ``receivedAt − sentAt``."""

    def judge(self, raw: bytes, position: int, read_at_us: int) -> Event | Refused:
        """The event, or why it is refused. ``read_at_us`` is the wall clock for records without ``receivedAt``."""
        try:
            return self._exactly(raw, position, read_at_us)
        except Refusal as no:
            event = no.contract.partition("/")[0] or ("" if no.reason == "too_large" else event_of(raw))
            denials = self.denials(raw, read_at_us)
            return Refused(position, no.reason, no.detail[:DETAIL_MAX], no.schema_path, no.received_at_us, raw, event, no.contract, denials)
        except Exception as error:  # noqa: BLE001 (one record never stops the flow)
            denials = self.denials(raw, read_at_us)
            return Refused(position, "invalid", repr(error)[:DETAIL_MAX], "", None, raw, event_of(raw), "", denials)

    def denials(self, raw: bytes, read_at_us: int) -> tuple[Denial, ...]:
        """The denials of consent in a record that is refused, as far as they can be read. ``read_at_us`` as in `judge`."""
        if not self._purposes:
            return ()
        try:
            body = self._unframed(raw)[0] if raw[:1] == MAGIC else decode(raw, self._max_bytes)
            time_us = None
            with suppress(Refusal):
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
        judge = self._exactly if any(map(lost_digits, with_long_digits(records))) else self._judge
        for raw in records:
            try:
                events.append(judge(raw, position, read_at_us))
            except Exception:  # noqa: BLE001 (the slow way says why)
                again = self.judge(raw, position, read_at_us)
                if type(again) is Event:
                    events.append(again)
                else:
                    refused.append(again)  # type: ignore[arg-type]
            position += 1
        return events, refused

    def _exactly(self, raw: bytes, position: int, read_at_us: int) -> Event:
        """`_judge` for records that may hold numbers which would lose digits."""
        if len(raw) <= self._max_bytes:
            check_digits(raw)
        return self._judge(raw, position, read_at_us)

    def _judge(self, raw: bytes, position: int, read_at_us: int) -> Event:
        asked: str | None = None
        if raw[:1] == MAGIC:
            body, raw, asked = self._unframed(raw)
        else:
            body = decode(raw, self._max_bytes)
        get = body.get
        call = get("type")
        if type(call) is not str or call not in _CALLS:
            unread = unreadable.why(body)
            if unread is not None:
                raise Refusal("undecodable", unread)
            raise Refusal("envelope", f"type: expected one of {', '.join(CALLS)}, found {call!r}")
        for key in _TEXTS:
            value = get(key)
            if value is not None and type(value) is not str:
                _text(key, value)
        message_id = get("messageId")
        if type(message_id) is not str:
            message_id = None if message_id is None else _text("messageId", message_id)
        time_us, received_at_us, doubted = event_time(body)
        try:
            properties, traits = get("properties"), get("traits")
            if type(properties) is not dict:
                properties = _object(body, "properties")
            if type(traits) is not dict:
                traits = _object(body, "traits")
            name, place = "", "properties"
            if call == "track":
                name = _track_name(get("event"))
            elif call in _NAMED:
                name = _NAMED[call]
                title = get("name")
                if title is not None and properties.get("name") is None:
                    properties = {**properties, "name": title}
            elif call in _JUDGED_BY_TRAITS:
                place = "traits"
            judged = properties if place == "properties" else traits
            version = self._version(name or call, place, judged, time_us, body, asked)
            if version is None and call == "track":
                self._check_unknown(name)
            if time_us > (read_at_us if received_at_us is None else received_at_us) + self._skew_us:
                raise _future(time_us, read_at_us if received_at_us is None else received_at_us)
            seen = body
            if version is not None and version.upcast is not None:
                seen = _upcast(version.name, version.upcast, body, place, judged)
                properties, traits = _object(seen, "properties"), _object(seen, "traits")
        except Refusal as no:
            no.received_at_us = received_at_us
            raise
        if doubted:
            self.uncorrected.add(position)
        decided, odd = NOTHING
        if self._purposes:
            decided, odd = consents(body, properties if name == CONSENT_UPDATED else None, self._purposes)
        return Event(
            position,
            time_us,
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
        )

    def reread(self, raw: bytes, contract: str) -> Event:
        """The event of bytes that this contract (``order_completed/1-0-0``; "" is none) accepted before, not judged again."""
        body = orjson.loads(raw)
        call = body["type"]
        properties, traits = _object(body, "properties"), _object(body, "traits")
        name = _track_name(body["event"]) if call == "track" else _NAMED.get(call, "")
        if call in _NAMED and body.get("name") is not None and properties.get("name") is None:
            properties = {**properties, "name": body["name"]}
        seen = body
        upcast = self._versions.upcast(contract)
        if upcast is not None:
            # What an upcast cannot convert was accepted all the same, so it is read as it is.
            with suppress(Refusal):
                place, judged = ("traits", traits) if call in _JUDGED_BY_TRAITS else ("properties", properties)
                seen = _upcast(contract, upcast, body, place, judged)
                properties, traits = _object(seen, "properties"), _object(seen, "traits")
        decided, _ = consents(body, properties if name == CONSENT_UPDATED else None, self._purposes)
        identifiers = self.identifiers.read(seen)
        told = traits if call == "identify" else None
        return Event(0, 0, "", call, name, contract, identifiers, properties, told, decided, None, body, raw)

    def _check_unknown(self, name: str) -> None:
        if not self._unknown_ok:
            raise Refusal("unknown_event", f"event: {name!r} has no contract; add contracts/events/{name}/1-0-0.json")

    def _unframed(self, raw: bytes) -> tuple[dict[str, Any], bytes, str]:
        """The event in a registry's frame, its bytes, and the contract that the frame names."""
        payload, found = self._frames.payload(raw)
        body = decode(payload, self._max_bytes)
        if not is_event(body):
            body, payload, contract = as_event(body, found)
            return body, payload, contract.name
        name = _NAMED.get(body["type"]) or (_track_name(body["event"]) if body["type"] == "track" else body["type"])
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


def _future(time_us: int, received_us: int) -> Refusal:
    return Refusal("future", f"timestamp: expected at most {iso(received_us)} and the allowed skew, found {iso(time_us)}")


def _upcast(contract: str, upcast: Reading, body: dict[str, Any], place: str, judged: dict[str, Any]) -> dict[str, Any]:
    """The event's body as the newest model of its contract reads it; `Refusal` if a value cannot be converted."""
    try:
        return {**body, place: upcast(judged)}
    except UpcastError as error:
        raise Refusal("upcast", f"{contract}: {error}", contract=contract) from None


def decode(raw: bytes, max_bytes: int) -> dict[str, Any]:
    """The JSON object of a record; `Refusal` if it is too large, too deep or none."""
    if len(raw) > max_bytes:
        raise Refusal("too_large", f"expected at most {max_bytes} bytes, found {len(raw)}")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Refusal("undecodable", f"expected one JSON object in UTF-8: {error}") from None
    if type(body) is not dict:
        raise Refusal("undecodable", f"expected one JSON object, found a {type(body).__name__}")
    # Only texts and containers hold brackets, so few brackets are few levels.
    if raw.count(b"{") + raw.count(b"[") > LEVELS_MAX and _deeper(body, LEVELS_MAX):
        raise Refusal("undecodable", f"expected at most {LEVELS_MAX} levels of nesting, found more")
    return body


def check_digits(raw: bytes) -> None:
    """`Refusal` if a number of a record would lose digits when it is decoded."""
    lost = lost_digits(as_json(raw))
    if lost is not None:
        raise Refusal("envelope", lost)


def content_id(body: dict[str, Any]) -> str:
    """The message id of an event that has none: equal for retries, which differ in ``sentAt`` and ``receivedAt`` only."""
    content = {key: value for key, value in body.items() if key not in _NOT_CONTENT}
    return "m_" + blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _text(key: str, value: object) -> str:
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    raise Refusal("envelope", f"{key}: expected a text, found {value!r}")


def _object(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    if type(value) is dict:
        return value
    # PHP writes an array that holds nothing as a list.
    if value is None or value == []:
        return {}
    raise Refusal("envelope", f"{key}: expected an object, found {value!r}")


def _track_name(value: object) -> str:
    if type(value) is str:
        name = event_name(value)
        if name:
            return name
    raise Refusal("envelope", f"event: expected the name of what happened, found {value!r}")


def judged_part(body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What the contract of an event judges: the name of the part, and its content."""
    if body["type"] in _JUDGED_BY_TRAITS:
        return "traits", _object(body, "traits")
    properties = _object(body, "properties")
    if body["type"] in _NAMED and body.get("name") is not None and properties.get("name") is None:
        properties = {**properties, "name": body["name"]}
    return "properties", properties


def event_of(raw: bytes) -> str:
    """What a record says it is, ``order_completed`` or ``identify``; ``""`` if that cannot be told."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    call = body.get("type") if type(body) is dict else None
    if call == "track":
        said = body.get("event")
        return event_name(said) if type(said) is str else ""
    return _NAMED.get(call, call) if type(call) is str and call in _CALLS else ""


def _deeper(value: Any, levels: int) -> bool:
    items = value.values() if type(value) is dict else value
    return levels == 0 or any(_deeper(item, levels - 1) for item in items if type(item) is dict or type(item) is list)


class Validate:
    """The validate step: batches of bytes in, judged batches out, each by one set of definitions.

    ``epochs`` are those of each space at the start (`operators/epochs.py`); entries of the control partition add to
    them. ``behind``: by space and partition the first record that no store has. ``load_bundle`` gives the definitions of a digest.
    """

    def __init__(
        self,
        load_bundle: Callable[[str], Definitions],
        epochs: dict[str, list[Epoch]],
        behind: Mapping[str, Mapping[str, int]] | None = None,
        *,
        unknown_ok: bool,
        future_skew_us: int,
        max_event_bytes: int,
        formats: bool = False,
    ) -> None:
        self._load = load_bundle
        self.epochs = {space: list(known) for space, known in epochs.items()}
        self._limits = {"unknown_ok": unknown_ok, "future_skew_us": future_skew_us, "max_event_bytes": max_event_bytes, "formats": formats}
        self._judges: dict[str, Judge] = {}
        self._next = {space: dict(known) for space, known in (behind or {}).items()}
        """By space and partition: the record that is judged next, where definitions without ``from`` begin to hold."""

    def __call__(self, batches: list[SourceBatch]) -> list[JudgedBatch]:
        """The mapper of ``flat_map_batch``."""
        judged: list[JudgedBatch] = []
        for batch in batches:
            began = time.perf_counter()
            judged += self.batch(batch)
            batch_took("validate", began)
        return judged

    def batch(self, batch: SourceBatch) -> list[JudgedBatch]:
        """The judged parts of one batch, in order; the last one carries its hints (caught up, finished)."""
        parts = list(self._control(batch) if batch.partition == CONTROL else self._data(batch))
        parts[-1].caught_up, parts[-1].finished = batch.caught_up, batch.finished
        for part in parts:
            part.history = batch.history
        return parts

    def judge(self, digest: str) -> Judge:
        """The judge by the definitions with this digest, compiled once."""
        found = self._judges.get(digest)
        if found is None:
            found = self._judges[digest] = Judge(self._load(digest), **self._limits)  # type: ignore[arg-type]
        return found

    def _known(self, space: str) -> list[Epoch]:
        epochs = self.epochs.get(space)
        if not epochs:
            raise LookupError(f"space {space!r}: expected definitions in force before its first batch, found none; append them to control")
        return epochs

    def _data(self, batch: SourceBatch) -> Iterator[JudgedBatch]:
        known = self._known(batch.space)
        here = self._next.setdefault(batch.space, {})
        here[batch.partition] = max(here.get(batch.partition, 1), batch.last + 1)
        for digest, first, last in spans(known, batch.partition, batch.first, batch.last):
            records = batch.records[first - batch.first : last - batch.first + 1]
            part = _judged(batch, first, last, digest)
            judge = self.judge(digest)
            part.events, part.refused = judge.judge_many(records, first, batch.read_at_us)
            part.uncorrected = sorted(judge.uncorrected)
            yield part

    def _control(self, batch: SourceBatch) -> Iterator[JudgedBatch]:
        epochs = self.epochs.setdefault(batch.space, [])
        part = _judged(batch, batch.first, batch.last, _digest_at(epochs, batch.first))
        for position, raw in enumerate(batch.records, batch.first):
            entry = self._placed(batch.space, _entry(raw))
            part.control.append(ControlEntry(position, entry, self._outcomes(batch, entry, position, part.digest)))
            if entry["type"] != "definitions":
                continue
            append_epoch(epochs, entry["digest"], entry["from"], position)
            digest = _digest_at(epochs, position + 1)
            # The first definitions of all stand for the entries before them too.
            part.digest = part.digest or digest
            if digest != part.digest and position < batch.last:
                part.last = position
                yield part
                part = _judged(batch, position + 1, batch.last, digest)
        yield part

    def _placed(self, space: str, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry of definitions with the positions from which they hold: where it has none, behind everything that was judged before."""
        return entry if entry["type"] != "definitions" else {"from": dict(self._next.get(space, {})), **entry}

    def _outcomes(self, batch: SourceBatch, entry: dict[str, Any], position: int, digest: str) -> list[tuple[str, Event | Refused]]:
        """The judged records of a replay or an edit; of an edit without ``replay`` none is an event yet."""
        if entry["type"] not in _CARRY_RECORDS:
            return []
        waits = entry["type"] == "edit" and entry.get("replay") is not True
        asked_us = parse_time(entry.get("timestamp"))
        judge = self.judge(digest or self._known(batch.space)[0][0])
        outcomes: list[tuple[str, Event | Refused]] = []
        for item in entry["entries"]:
            received_us = item.get("received_at_us")
            if type(received_us) is not int:
                received_us = batch.read_at_us if asked_us is None else asked_us
            found = judge.judge(b64decode(item["raw"]), position, received_us)
            if waits and type(found) is Event:
                found = _waiting(found, judge.denials(found.raw, received_us))
            outcomes.append((item["id"], found))
        return outcomes


def _waiting(event: Event, denials: tuple[Denial, ...]) -> Refused:
    detail = f"it passes {f'as {event.contract} ' if event.contract else ''}now; `skep quarantine replay` takes it in"
    name = event.name or event.type
    return Refused(event.position, "edited", detail, "", event.received_at_us, event.raw, name, event.contract, denials)


def _digest_at(epochs: list[Epoch], position: int) -> str:
    """The definitions that judge a control entry; "" before the first of all."""
    return next(spans(epochs, CONTROL, position, position))[0] if epochs else ""


def _judged(batch: SourceBatch, first: int, last: int, digest: str) -> JudgedBatch:
    return JudgedBatch(batch.space, batch.source, batch.partition, first, last, digest, [], [], [], batch.read_at_us, mark=batch.mark)


def _entry(raw: bytes) -> dict[str, Any]:
    """A control line, decoded; ``{"type": "broken"}`` for one that cannot be what it says."""
    try:
        entry = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {"type": "broken"}
    if type(entry) is not dict or type(entry.get("type")) is not str or not _well_formed(entry):
        return {"type": "broken"}
    return entry


def _well_formed(entry: dict[str, Any]) -> bool:
    if entry["type"] == "definitions":
        holds_from = entry.get("from")
        if type(entry.get("digest")) is not str:
            return False
        return "from" not in entry or (type(holds_from) is dict and all(type(position) is int for position in holds_from.values()))
    if entry["type"] in _CARRY_RECORDS:
        items = entry.get("entries")
        return type(items) is list and all(_replayable(item) for item in items)
    if entry["type"] in GENERATIONS:
        return begins(entry)
    if entry["type"] == "drop":
        ids = entry.get("ids")
        return type(ids) is list and all(type(one) is str for one in ids)
    return True


def _replayable(item: object) -> bool:
    if type(item) is not dict or type(item.get("id")) is not str or type(item.get("raw")) is not str:
        return False
    try:
        b64decode(item["raw"], validate=True)
    except ValueError:
        return False
    return True
