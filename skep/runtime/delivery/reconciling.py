"""`skep destinations reconcile`: the ledger held against the segment and, where a destination can be asked, the other side against both."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import orjson

from connectors.destinations.wire import HttpWire
from contracts.model.destinations import Destination
from contracts.model.hashing import profile_id
from operators.activation.by_request import through_ledger, told_segments
from operators.activation.ledger_row import IN, LedgerRow, beginning, decode_row, due_until, place_of
from operators.activation.renderer import Renderer
from operators.activation.saying import path_value
from operators.activation.wanted import is_pending
from operators.view.space import View
from skep.project.errors import CommandError
from skep.project.orders import order
from skep.project.settings import Settings
from skep.project.spaces import ledger_path, open_views
from skep.runtime.delivery.courier import now_us
from skep.runtime.delivery.noted import KeptOfDestinations
from skep.runtime.delivery.requesting import renderer_of, reply_to
from skep.runtime.delivery.standing_in import working
from state.errors import NoState
from state.ledger import LedgerReader

PAGES_MAX = 100_000
"""Pages of a list that are asked for at most."""
ROWS_PER_ORDER = 5_000


class Reconciled(msgspec.Struct):
    """How many members the other side lacks, has without their being members, and has without anybody knowing who they are; and how many
    calls have put that right."""

    missing: int = 0
    too_many: int = 0
    unknown: int = 0
    sent: int = 0


class _Compared(msgspec.Struct):
    """``[destination, audience, profile]`` of each."""

    missing: list[list[str]] = []
    too_many: list[list[str]] = []
    unknown: int = 0


def named_destination(settings: Settings, name: str) -> list[tuple[str, Destination]]:
    """The destination of this name in each space in which it is in force. Raises `CommandError` if it is in none."""
    with open_views(settings) as views:
        found = [
            (space, one)
            for space, view in views.items()
            for one in view.program.definitions.destinations
            if one.name == name and through_ledger(one)
        ]
        known = sorted({one.name for view in views.values() for one in view.program.definitions.destinations if through_ledger(one)})
    if not found:
        raise CommandError(f"expected a destination in force that is told by requests, found {name} → {' or '.join(known) or 'none is'}")
    return found


def reconcile(settings: Settings, name: str, *, dry_run: bool) -> Reconciled:
    """Put right what a destination holds; with ``dry_run`` only say what is wrong. Raises `CommandError` if it cannot be asked."""
    total = Reconciled()
    for space, destination in named_destination(settings, name):
        with working(settings, space) as work:
            if not dry_run:
                _until_idle(settings, space, name, work)
            compared = _compared(settings, space, destination)
            total.missing += len(compared.missing)
            total.too_many += len(compared.too_many)
            total.unknown += compared.unknown
            if dry_run:
                continue
            for at in range(0, max(len(compared.missing), len(compared.too_many)), ROWS_PER_ORDER):
                part = slice(at, at + ROWS_PER_ORDER)
                entry = {"type": "reconcile", "destination": name, "missing": compared.missing[part], "too_many": compared.too_many[part]}
                total.sent += order(settings, space, entry, work)["sent"]
            _until_idle(settings, space, name, work)
    return total


def _until_idle(settings: Settings, space: str, name: str, work: Callable[[], bool]) -> None:
    """Until the destination has answered to everything that is due, or takes nothing; whoever is tried again later is not waited for."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        here = work()
        if not is_due(settings, space, name, now_us()):
            return
        if not here:
            time.sleep(0.05)


def is_due(settings: Settings, space: str, name: str, now: int) -> bool:
    """Whether a destination is yet to be told something by now, or members of it are yet to be looked up."""
    try:
        reader = LedgerReader(ledger_path(settings, space))
    except NoState:
        return True
    with closing(reader):
        found = next(reader.scan("due", *due_until(name, now)), None)
        return found is not None or KeptOfDestinations(reader.meta).syncing(name) is not None


def _compared(settings: Settings, space: str, destination: Destination) -> _Compared:
    found = _Compared()
    with open_views(settings, space) as views, closing(LedgerReader(ledger_path(settings, space))) as reader:
        view = views[space]
        renderer = renderer_of(settings, destination)
        for segment in told_segments(destination, view.program.definitions):
            _audience(view, reader, renderer, segment.name, found)
    return found


def _audience(view: View, reader: LedgerReader, renderer: Renderer, segment: str, found: _Compared) -> None:
    destination = renderer.destination
    rows = {place_of(key).profile: decode_row(row) for key, row in reader.scan("rows", *beginning(destination.name, segment))}
    held = listed(renderer, segment)
    told = {profile for profile, row in rows.items() if row.acknowledged == IN and not row.barred and not is_pending(row, segment)}
    if held is None:
        index = next(at for at, one in enumerate(view.program.segments) if one.name == segment)
        members = {person.key for person in view.people() if int.from_bytes(person.bits, "little") >> index & 1}
        found.missing += [[destination.name, segment, profile_id(key)] for key in sorted(_lacking(members, rows))]
        found.too_many += [[destination.name, segment, profile_id(key)] for key in sorted(told - members)]
        return
    names = {name: profile for profile, row in rows.items() for name in _names(profile, row, reader, destination.name)}
    there = {names[one] for one in held if one in names}
    found.missing += [[destination.name, segment, profile_id(key)] for key in sorted(told - there)]
    found.too_many += [[destination.name, segment, profile_id(key)] for key in sorted(there - told) if not is_pending(rows[key], segment)]
    for one in sorted(held - names.keys()):
        key = _of_nobody_told(view, one)
        if key is None:
            found.unknown += 1
        else:
            found.too_many.append([destination.name, segment, profile_id(key)])


def _lacking(members: set[bytes], rows: dict[bytes, LedgerRow]) -> set[bytes]:
    """Members of whom the ledger has no row, or one that says otherwise and is done with."""
    return {key for key in members if key not in rows or rows[key].wanted != IN}


def _names(profile: bytes, row: LedgerRow, reader: LedgerReader, destination: str) -> set[str]:
    """By what the other side may know somebody."""
    remote = reader.row("ids", destination.encode() + b"\0" + profile)
    return {profile_id(profile), *row.sent_as.values(), *([] if remote is None else [remote.decode()])}


def _of_nobody_told(view: View, one: str) -> bytes | None:
    """The profile that the other side has although the ledger knows nothing of that: by its id, or by an identifier."""
    if one.startswith("p_") and (person := view.profiles.by_id(one)) is not None:
        return person.key if profile_id(person.key) == one else None
    holders = (view.profiles.holder(namespace, one) for namespace in view.namespaces)
    person = next((holder for holder in holders if holder is not None), None)
    return None if person is None else person.key


def cursor_in(said: str, name: str) -> str:
    """What the next page is asked by: of vendors who give its whole address the value in there."""
    if not said.startswith(("https://", "http://")):
        return said
    return next(iter(parse_qs(urlsplit(said).query).get(name, ())), said)


def listed(renderer: Renderer, segment: str) -> set[str] | None:
    """Who is in an audience at the other side, by the ids that it gives; None if it cannot be asked. Raises `CommandError` if it does not
    answer."""
    destination = renderer.destination
    call = destination.requests.get("list")
    request = renderer.listing(segment)
    if call is None or request is None:
        return None
    people, following = path_value(call.people), path_value(call.next) if call.next else None
    found: set[str] = set()
    wire = HttpWire()
    try:
        for _ in range(PAGES_MAX):
            reply = reply_to(wire, renderer, request)
            if reply.failure or not 200 <= reply.status < 300:
                why = reply.failure or f"HTTP {reply.status}"
                raise CommandError(f"{destination.name}: {segment} cannot be listed: {why} → once more, later")
            page: Any = orjson.loads(reply.body or b"{}")
            found.update(str(one) for one in people(page) or ())
            cursor = following(page) if following is not None else None
            if cursor in {None, ""}:
                return found
            request = renderer.listing(segment, cursor_in(str(cursor), call.cursor_query)) or request
    finally:
        wire.close()
    return found
