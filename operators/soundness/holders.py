"""Who holds which identifier, when whose timer is due, and what is counted: rows held against each other."""

from __future__ import annotations

from collections import Counter

from contracts.model.hashing import profile_id
from operators.people.accounts import decode_stays
from operators.people.quarantine import decode_row
from operators.people.shares import BEHIND
from operators.profile import join_cells
from operators.records import Person, decode_person
from operators.soundness.findings import Findings
from operators.stays import stays
from operators.view.accounts import AccountReader, dumped, traits_of
from operators.view.rows import SpaceRows
from state.keys import time_key

_HASH = 16
"""Bytes of a key of ``denials`` that only says that there are some."""


def aliases(space: SpaceRows) -> Findings:
    """Every identifier of a profile leads to it, under the key of its lead, and nothing else leads anywhere."""
    found = Findings("aliases", "identifiers, each of which leads to the one profile that holds it")
    held = 0
    for key, row in space.rows.rows("people"):
        person, name = decode_person(row), profile_id(key)
        hashes = {each.hash for each in person.identifiers}
        if person.key != key or (hashes and key not in hashes):
            found.differ(name, "the key of one of its identifiers", profile_id(person.key))
        for each in person.identifiers:
            held += 1
            found.same(f"identifier {each.hash.hex()} of {name}", key.hex(), _hex(space.rows.row("alias", each.hash)))
    led = 0
    for identifier, lead in space.rows.rows("alias"):
        led += 1
        stored = space.rows.row("people", lead)
        if stored is None or all(each.hash != identifier for each in decode_person(stored).identifiers):
            found.differ(
                f"alias {identifier.hex()}",
                f"a profile {profile_id(lead)} that holds it",
                "no such profile" if stored is None else "not held",
            )
    if held != led:
        found.differ("all aliases", f"{held} identifiers", f"{led} aliases")
    return found


def timers(space: SpaceRows) -> Findings:
    """Whoever is armed has a timer; one whose person is armed for another moment is stale, which is no fault. So it is with accounts."""
    found = Findings("timers", "profiles and accounts that are armed, each of which has its timer")
    for family in ("people", "accounts"):
        for key, row in space.rows.rows(family):
            armed = decode_person(row).armed
            if armed is None:
                continue
            found.looked += 1
            if space.rows.row("timers", time_key(armed) + key) is None:
                name = f"profile {profile_id(key)}" if family == "people" else f"account {key.hex()}"
                found.differ(name, "a timer for which it is armed", "none")
    return found


def members(space: SpaceRows) -> Findings:
    """Who belongs to which account, and since when, is what the calls of each person say; and those are the accounts that calls name."""
    found = Findings("members", "profiles at accounts, each with the stays that its group calls make")
    stored = {key: decode_stays(row) for key, row in space.rows.rows("members")}
    for person in space.people():
        for account, calls in person.accounts.items():
            kept = stored.pop(space.hasher.account(account) + person.key, [])
            found.same(f"{profile_id(person.key)} at account {account}", stays(calls), kept)
    for key in stored:
        found.differ(f"{profile_id(key[16:])} at account {key[:16].hex()}", "a profile whose calls say so", "none")
    called = {key[:16] for key, _ in space.rows.rows("calls")}
    found.same("accounts", sorted(key.hex() for key in called), sorted(key.hex() for key, _ in space.rows.rows("accounts")))
    _shares(space, found)
    return found


def _shares(space: SpaceRows, found: Findings) -> None:
    """What is computed of an account is what its members have done for it, together; only who is, or was, a member has done something."""
    program, now = space.of_accounts, space.at(None)
    for account in AccountReader(space).all():
        joined = Person(b"", [], {})
        joined.traits = account.row.traits
        for key, row in space.rows.rows("shares", account.row.key, account.row.key + BEHIND):
            join_cells(joined, decode_person(row), program)
            if space.rows.row("members", key) is None:
                found.differ(f"what {profile_id(key[16:])} did for account {account.id}", "somebody who belongs to it, or did", "nobody")
        found.same(
            f"traits of account {account.id}", dumped(traits_of(joined, program, now)).decode(), dumped(account.traits(now)).decode()
        )


def counts(space: SpaceRows) -> Findings:
    """What `skep status` counts is what is there."""
    found = Findings("counts", "counters, each of which is the number of rows that it counts")
    meta = space.meta
    for name, family, counted in (
        ("people", "people", meta.people),
        ("changes", "changes", meta.changes),
        ("remembered message ids", "seen", meta.remembered),
        ("turns of profiles", "history", meta.turns),
    ):
        found.same(name, sum(1 for _ in space.rows.rows(family)), counted)
    found.same("denials", sum(len(key) > _HASH for key, _ in space.rows.rows("denials")), meta.denials)
    stored = Counter(row.reason for _, body in space.rows.rows("quarantine") if not (row := decode_row(body)).gone)
    found.same("quarantine", dict(sorted(stored.items())), dict(sorted(meta.quarantine.items())))
    names = [segment.name for segment in space.program.segments]
    members = Counter(name for person in space.people() for name in told_in(person, names))
    found.same("members of segments", dict(sorted(members.items())), {k: n for k, n in sorted(meta.sizes.items()) if n})
    return found


def told_in(person: Person, segments: list[str]) -> list[str]:
    """Those of the segments, which are in the order of the program, that a profile has been told to be in."""
    bits = int.from_bytes(person.bits, "little")
    return [name for at, name in enumerate(segments) if bits >> at & 1]


def _hex(key: bytes | None) -> str:
    return "nobody" if key is None else key.hex()
