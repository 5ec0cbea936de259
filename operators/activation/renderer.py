"""From what is to be told to requests: pure, so that what is sent can be shown, tested and sent again.

A request holds people of one call and one audience; nobody is in it twice; whoever is in several is told in the order given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contracts.envelope import NotAccepted, event_time, with_title
from contracts.model.destinations import Call, Destination
from contracts.text.names import event_name
from contracts.text.times import parse_time
from operators.activation.applied import iso_short
from operators.activation.calling import Calling
from operators.activation.connected import Reveal, connected, hide
from operators.activation.kept_back import WHOLE, event_without, person_without, whole
from operators.activation.known_as import KnownAs
from operators.activation.saying import REMOTE_ID, SECRET, NotSayable, Scope, compiled
from operators.activation.told import Rendered, Request, Told

SIGNATURE, DELIVERY = "X-Skep-Signature", "X-Skep-Delivery"
TITLES = {"page": "Page Viewed", "screen": "Screen Viewed"}
"""What the calls are called that have no name of their own."""
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
_WEBHOOK = Call()
_CREATING = frozenset({"enter", "update", "event"})
"""The calls for which a person may be made who is not there yet."""


@dataclass(slots=True)
class _Batch:
    """A request that is being filled."""

    first: _Said
    frame: int
    items: list[Any] = field(default_factory=list)
    bytes: int = 0
    told: list[int] = field(default_factory=list)
    sent: list[dict[str, str]] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    waits: bool = False


class Renderer:
    """A destination, compiled once. ``reveal`` gives its secrets; without, they are shown as ``***``."""

    def __init__(self, destination: Destination, reveal: Reveal = hide) -> None:
        self.destination, self.reveal = destination, reveal
        self.known_as = KnownAs(destination)
        self._connected = connected(destination, reveal)
        self._most = destination.limits.batch
        self._bytes = destination.limits.bytes or 0
        requests: Mapping[str, Call] = destination.requests
        if destination.kind == "webhook":
            told = dict.fromkeys(("enter", "exit", "update", "event", "alias", "erase"), _WEBHOOK)
            requests = {**told, **requests}
        self._derived = {name: compiled(spec) for name, spec in destination.vendor.derived.items()}
        self._callings = {name: Calling(name, call, self._connected, self.known_as.names) for name, call in requests.items()}

    @property
    def calls(self) -> frozenset[str]:
        """What the destination can be asked."""
        return frozenset(self._callings)

    def most(self, call: str) -> int:
        """How many people a request of this call may hold."""
        return self._most_of(self._callings[call])

    def _most_of(self, calling: Calling) -> int:
        return min(calling.most, self._most or calling.most)

    def listing(self, segment: str, cursor: str | None = None) -> Request | None:
        """The request that lists an audience, from a cursor on; None if the destination cannot be asked."""
        calling = self._callings.get("list")
        if calling is None:
            return None
        scope = {"audience": self.destination.called(segment), "segment": segment, "connection": self._connected.open}
        url = calling.address(scope, {} if cursor is None else {calling.call.cursor_query: cursor})
        headers = {**self._connected.headers, **calling.headers(scope)}
        return Request("list", calling.call.method, url, headers, calling.encoded(calling.content(scope, [])), (), hidden=self._hidden)

    @property
    def _hidden(self) -> tuple[str, ...]:
        return tuple(self._connected.hidden)

    def render(self, told: Sequence[Told]) -> Rendered:
        """The requests for all of it, and of whom nothing can be told. What the destination is never told of gives nothing."""
        batches: list[_Batch] = []
        open_ones: dict[tuple[int, str | None, str], int] = {}
        last: dict[str, int] = {}
        refused: list[tuple[int, str]] = []
        for at, one in enumerate(told):
            try:
                # All that can be wrong with somebody is found before he is in any request.
                for said in [self._prepared(at, one, *asked) for asked in self._asked(one)]:
                    self._add(batches, open_ones, last, said)
            except NotSayable as reason:
                refused.append((at, reason.reason))
        return Rendered(tuple(self._request(batch) for batch in batches), tuple(refused))

    def scope(self, one: Told) -> Scope:
        """What the values of a call are made of. `NotSayable` if the other side cannot know who is meant."""
        match = self.known_as.match(one)
        person = self.known_as.person(one, match)
        if one.call != "update" or one.event is not None or self.destination.traits is None:
            person = person_without(person, self.destination.withheld)
        derived: dict[str, Any] = {}
        found = {
            "event": None if one.event is None else self._event(one.event),
            "person": {**person, "derived": derived},
            "change": one.change,
            "audience": None if one.audience is None else self.destination.called(one.audience),
            "segment": one.audience,
            "connection": self._connected.open,
            "key": one.key,
        }
        # What is derived may be made of what was derived before it.
        for name, read in self._derived.items():
            value = read(found)
            if value is not None:
                derived[name] = value
        if not self.known_as.is_enough(match, derived) and not (person.get("remote_id") is not None and self._goes_by_id(one.call)):
            raise NotSayable("no_identifier")
        return found

    def _goes_by_id(self, call: str) -> bool:
        """Whether there is a request for a call that names people by the vendor's own id of them."""
        calling = self._callings.get(call)
        return calling is not None and any(one.needs_remote for one in calling.variants())

    def _event(self, body: dict[str, Any]) -> dict[str, Any]:
        """The event as its values may name it: under its name there, with a time and with properties."""
        call = body.get("type")
        title = TITLES.get(str(call)) or (body.get("event") if call == "track" else call)
        name = event_name(str(title or ""))
        body = event_without(body, name, self.destination.withheld)
        if call in TITLES:
            body = {**body, "properties": with_title(body.get("properties") or {}, body)}
        return {**body, "event": self.destination.event_names.get(name, title), "timestamp": _time_of(body)}

    def _asked(self, one: Told) -> list[tuple[Calling, Scope, bool]]:
        """The calls by which it is told, a look-up first if the vendor's id of the person is not known."""
        calling = self._callings.get(one.call)
        if calling is None:
            return []
        scope = self.scope(one)
        calling = calling.knowing(scope["person"]["match"])
        if not calling.needs_remote or scope["person"].get("remote_id") is not None:
            return [(calling, scope, False)]
        names = ("create", "lookup") if one.call in _CREATING else ("lookup", "create")
        finding = next((self._callings[name] for name in names if name in self._callings), None)
        if finding is None:
            raise NotSayable("no_identifier")
        finding = finding.knowing(scope["person"]["match"])
        waiting = {**scope, "person": {**scope["person"], "remote_id": REMOTE_ID}}
        return [(finding, scope, False), (calling, waiting, True)]

    def _prepared(self, at: int, one: Told, calling: Calling, scope: Scope, waits: bool) -> _Said:
        item = calling.item(scope)
        address, headers = calling.address(scope), calling.headers(scope)
        size = len(orjson.dumps(item)) + 1 if calling.is_batch else 0
        alone = calling.encoded(calling.content(scope, [])) if not calling.is_batch or calling.needs_remote else None
        if size + len(alone or b"") > self._bytes:
            raise NotSayable("invalid")
        return _Said(at, one, calling, scope, waits, item, size, address, headers, alone)

    def _add(self, batches: list[_Batch], open_ones: dict[tuple[int, str | None, str], int], last: dict[str, int], said: _Said) -> None:
        calling, one = said.calling, said.told
        person = str(one.person.get("profile") or said.at)
        key = (id(calling), one.audience, said.address)
        at = open_ones.get(key)
        batch = batches[at] if at is not None else None
        fits = (
            batch is not None
            and at is not None
            and at > last.get(person, -1)
            and person not in batch.people
            and len(batch.told) < self._most_of(calling)
            and batch.frame + batch.bytes + said.size <= self._bytes
        )
        if not fits or batch is None:
            batch = _Batch(said, len(calling.encoded(calling.content(said.scope, [])) or b"") if calling.is_batch else 0)
            batches.append(batch)
            open_ones[key] = len(batches) - 1
        batch.items.append(said.item)
        batch.bytes += said.size
        batch.told.append(said.at)
        batch.sent.append(dict(said.scope["person"]["match"]))
        batch.people.add(person)
        batch.waits = batch.waits or said.waits
        last[person] = open_ones[key]

    def _request(self, batch: _Batch) -> Request:
        first, calling, scope = batch.first, batch.first.calling, batch.first.scope
        body = calling.encoded(calling.content(scope, batch.items)) if calling.is_batch else first.alone
        headers = {**self._connected.headers, **first.headers}
        if self.destination.kind == "webhook":
            headers["Content-Type"] = "application/json"
            headers[DELIVERY] = first.told.key
            if self._connected.signs:
                headers[SIGNATURE] = SECRET
            if calling.call.body is None:
                body = calling.encoded(_whole(first.told, scope))
        return Request(
            call=calling.name,
            method=calling.call.method,
            url=first.address,
            headers=headers,
            body=body,
            told=tuple(batch.told),
            encoding=calling.call.encoding,
            sent=tuple(batch.sent),
            hidden=self._hidden,
            learns=calling.name in {"lookup", "create"},
            waits=batch.waits,
            signed=self.destination.kind == "webhook" and self._connected.signs,
        )


def _time_of(body: dict[str, Any]) -> str | None:
    """When it happened, corrected by the sender's clock, as it was written if that is ISO 8601; None if it does not say."""
    try:
        time_us = event_time(body)[0]
    except NotAccepted:
        return None
    said = body.get("timestamp")
    return said if isinstance(said, str) and _ISO.fullmatch(said) and parse_time(said) == time_us else iso_short(time_us)


@dataclass(frozen=True, slots=True)
class _Said:
    """One of those that are told, and by which call. ``alone``: the body of a request that holds nobody else."""

    at: int
    told: Told
    calling: Calling
    scope: Scope
    waits: bool
    item: Any
    size: int
    address: str
    headers: dict[str, str]
    alone: bytes | None


def _whole(one: Told, scope: Scope) -> dict[str, Any]:
    """What a webhook is sent if its file does not say: the event, or the change with its person."""
    if one.event is not None:
        event = scope["event"]
        parts: dict[str, Any] = {part: whole(event, part) for part in ("properties", "traits") if part in one.event}
        return {**one.event, **parts}
    person = {name: value for name, value in scope["person"].items() if name not in {"match", "sent_as", "derived", WHOLE}}
    return {"change": one.change, "person": {**person, "traits": whole(scope["person"], "traits")}}
