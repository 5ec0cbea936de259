"""Every accepted event lies where its message id says, hangs on somebody, and is owned by one who is there."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from contracts.envelope import account_of, may_name_account, message_hash
from contracts.model.definitions import IdentityRules
from contracts.model.hashing import profile_id
from operators.moment_row import moment_contract, moment_message, moment_owner, moment_raw
from operators.records import NOBODY, OWNED, Stored, decode_moments, decode_page, decode_person
from operators.soundness.findings import Findings
from operators.view.events import EventReader
from operators.view.rows import SpaceRows
from state.keys import NOBODY as NO_ANCHOR
from state.keys import PERIOD_US, period_of, period_of_key, time_key


def moments(space: SpaceRows) -> Findings:
    """Stored events, from both sides: from where they lie, and from the message ids that are remembered."""
    found = Findings("moments", "accepted events, each of which lies where its message id says and has one owner")
    meta, events = space.meta, EventReader(space)
    contracts, rules = len(meta.contracts), space.program.definitions.identity
    unidentified = called = 0
    for family, anchor, key, each in _stored(space):
        found.looked += 1
        message_id = _message(each)
        about = f"event {message_id}"
        if each.message != message_hash(message_id):
            found.differ(about, "the hash of its message id", each.message.hex())
        if moment_contract(each.row) >= contracts:
            found.differ(about, f"one of {contracts} contracts", f"number {moment_contract(each.row)}")
        period = period_of_key(key if family == "moments" else key[16:])
        if period_of(each.time_us) != period:
            found.differ(about, f"a time of the period from {period * PERIOD_US} µs on", f"{each.time_us} µs")
        call = _call_key(space, each)
        if call is not None:
            called += 1
            if space.rows.row("calls", call) is None:
                found.differ(about, "to be kept among the calls that name its account", "not there")
        unidentified += anchor == NO_ANCHOR
        if family == "moments" or anchor == NO_ANCHOR:
            where = events.lies(each.message)
            if where != (family, key):
                found.differ(
                    about,
                    "to be remembered where it lies",
                    "not remembered" if where is None else f"remembered in {where[0]} {where[1].hex()}",
                )
        if anchor != NO_ANCHOR:
            lead = home(space, rules, anchor, each.row)
            if lead is None or space.rows.row("people", lead) is None:
                found.differ(about, "a profile whose event it is", "nobody" if lead is None else f"{profile_id(lead)}, who is not there")
    for about, there, counted in (
        ("events that are counted", found.looked, meta.events),
        ("events without identifiers that are counted", unidentified, meta.unidentified),
        ("group calls that are kept by account", called, sum(1 for _ in space.rows.rows("calls"))),
    ):
        if there != counted:
            found.differ(about, there, counted)
    for message, _ in space.rows.rows("seen"):
        if events.remembered(message) is None:
            found.differ(f"message id {message.hex()}", "an event", "none where it leads")
    return found


def _call_key(space: SpaceRows, each: Stored) -> bytes | None:
    """Where a stored event is kept among the calls of the account that it names; None if it names none."""
    raw = moment_raw(each.row)
    if not may_name_account(raw):
        return None
    body = orjson.loads(raw)
    account = account_of(body) if body["type"] == "group" else None
    return None if account is None else space.hasher.account(account) + time_key(each.time_us) + each.message


def _stored(space: SpaceRows) -> Iterator[tuple[str, bytes, bytes, Stored]]:
    """Family, anchor, key of the row, and what is stored."""
    for key, row in space.rows.rows("moments"):
        for each in decode_moments(key, row):
            yield "moments", key[4:20], key, each
    for key, page in space.rows.rows("pages"):
        for each in decode_page(page):
            yield "pages", key[:16], key, each


def home(space: SpaceRows, rules: IdentityRules, anchor: bytes, row: bytes) -> bytes | None:
    """The key of the profile whose event a stored one is, which should be there; None if nobody holds what it hangs on.

    ``rules`` are those in force, which a space would read for every event.
    """
    kind, owner = moment_owner(row)
    lead = space.rows.row("alias", owner if kind == OWNED else anchor)
    if kind != NOBODY or lead is None:
        return lead
    stored = space.rows.row("people", lead)
    identifiers = [] if stored is None else decode_person(stored).identifiers
    if all(rules.namespaces[one.namespace].scope != "person" for one in identifiers):
        return lead
    device = next((one for one in identifiers if one.hash == anchor), None)
    return None if device is None else space.hasher.shared(rules.namespaces[device.namespace].name, device.value)


def _message(each: Stored) -> str:
    try:
        return moment_message(each.row)
    except UnicodeDecodeError:
        return repr(each.row[:40])
