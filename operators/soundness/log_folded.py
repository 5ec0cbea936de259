"""The change log, folded: it must come to who is there, in which segments and accounts, with which consents and confidence."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.model.hashing import profile_id
from operators.soundness.findings import Findings
from operators.soundness.holders import told_in
from operators.stays import belongs
from operators.view.rows import SpaceRows
from state.keys import sequence_of


class _Told:
    """What is known of a profile from the log."""

    __slots__ = ("accounts", "confidence", "consents", "segments", "version")

    def __init__(self, change: dict[str, Any], version: int) -> None:
        self.version = version
        self.confidence = change["confidence"]
        self.segments: set[str] = set()
        self.consents: dict[str, bool] = {}
        self.accounts: set[str] = set()


def change_log(space: SpaceRows) -> Findings:
    """Every change, and every profile that they come to."""
    found = Findings("changes", "changes, which fold to the profiles, memberships, consents, accounts and confidences that are stored")
    told: dict[str, _Told] = {}
    gone: dict[str, int] = {}
    expected = 1
    for key, row in space.rows.rows("changes"):
        found.looked += 1
        sequence = sequence_of(key)
        if sequence != expected:
            found.differ(f"change {sequence}", f"number {expected} next", sequence)
        expected = sequence + 1
        try:
            change = orjson.loads(row)
            if change["id"] != f"{space.space}-0-{sequence}":
                found.differ(f"change {sequence}", f"{space.space}-0-{sequence}", change["id"])
            if change["profile"] is not None:
                _take(found, told, gone, change)
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            found.differ(f"change {sequence}", "a change that follows from those before it", f"{type(error).__name__}: {error}")
    _compare(space, found, told)
    for name, version in gone.items():
        kept = space.rows.row("versions", bytes.fromhex(name.removeprefix("p_")))
        stored = 0 if kept is None else int.from_bytes(kept, "big")
        if stored != version:
            found.differ(f"{name}, which has vanished", f"version {version} by the log", stored)
    return found


def _take(found: Findings, told: dict[str, _Told], gone: dict[str, int], change: dict[str, Any]) -> None:
    """One change; ``gone``: the last version of profiles that have vanished."""
    kind, profile = change["type"], change["profile"]
    if kind == "profile.created" or profile not in told:
        if kind != "profile.created":
            found.differ(f"change {change['id']}", f"{profile} to be created before", kind)
        # Versions go on where a profile of this key had one before.
        told[profile] = _Told(change, gone.pop(profile, change["version"] - 1 if kind != "profile.created" else 0))
    one = told[profile]
    if change["version"] != one.version + 1:
        found.differ(f"change {change['id']}", f"version {one.version + 1} of {profile}", change["version"])
    one.version = change["version"]
    if kind == "identity.confidence":
        one.confidence = change["confidence"]
    elif kind in {"segment.entered", "segment.exited"}:
        before = "outside of" if kind == "segment.entered" else "in"
        if (change["segment"] in one.segments) is (kind == "segment.entered"):
            found.differ(f"change {change['id']}", f"{profile} {before} {change['segment']} before", kind)
        (one.segments.add if kind == "segment.entered" else one.segments.discard)(change["segment"])
    elif kind in {"account.joined", "account.left"}:
        before = "outside of" if kind == "account.joined" else "at"
        if (change["account"] in one.accounts) is (kind == "account.joined"):
            found.differ(f"change {change['id']}", f"{profile} {before} account {change['account']} before", kind)
        (one.accounts.add if kind == "account.joined" else one.accounts.discard)(change["account"])
    elif kind == "consent.changed":
        granted = change["evidence"]["granted"]
        if granted is None:
            one.consents.pop(change["purpose"], None)
        else:
            one.consents[change["purpose"]] = granted
    elif kind == "identity.merged":
        merged = change["evidence"]["merged"]
        gone[merged] = told.pop(merged).version
    elif kind == "profile.erased":
        gone[profile] = told.pop(profile).version


def _compare(space: SpaceRows, found: Findings, told: dict[str, _Told]) -> None:
    segments = [segment.name for segment in space.program.segments]
    for person in space.people():
        name = profile_id(person.key)
        one = told.pop(name, None)
        if one is None:
            found.differ(name, "to be told as created", "not told, or told as gone")
            continue
        for what, says, has in (
            ("version", one.version, person.version),
            ("segments", sorted(one.segments), sorted(told_in(person, segments))),
            ("consents", one.consents, dict(person.granted)),
            ("confidence", one.confidence, person.certainty),
            ("accounts", sorted(one.accounts), sorted(name for name, calls in person.accounts.items() if belongs(calls))),
        ):
            if says != has:
                found.differ(f"{name}, {what}", f"{says} by the log", has)
    for name in told:
        found.differ(name, "a profile, by the log", "none")
