"""What somebody who only reads the change log knows of a space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from tests.engine import Engine

Json = dict[str, Any]


class Folded:
    """Profiles, memberships and consents as the change events tell them; every rule of the log is asserted on the way."""

    def __init__(self) -> None:
        self.sequence = 0
        self.versions: dict[str, int] = {}
        self.people: set[str] = set()
        self.segments: dict[str, set[str]] = {}
        self.consents: dict[str, dict[str, bool]] = {}
        self.confidence: dict[str, float] = {}
        self.accounts: dict[str, set[str]] = {}

    def read(self, changes: Iterable[tuple[int, bytes]]) -> Folded:
        for sequence, row in changes:
            self.sequence += 1
            assert sequence == self.sequence, "the sequence is dense and begins with 1"
            change = orjson.loads(row)
            assert change["id"] == f"{change['space']}-0-{sequence}"
            self.take(change)
        return self

    def take(self, change: Json) -> None:
        """One change."""
        profile, kind = change["profile"], change["type"]
        if kind in {"quality.broken", "quality.restored"}:
            assert (profile, change["version"], change["confidence"]) == (None, None, None), f"nobody's change: {change}"
            return
        assert change["version"] == self.versions.get(profile, 0) + 1, f"the version of a profile rises by one: {change}"
        self.versions[profile] = change["version"]
        if kind == "profile.created":
            assert profile not in self.people, change
            self.people.add(profile)
            self.confidence[profile] = change["confidence"]
            return
        assert profile in self.people, f"a profile is created before anything else is said of it: {change}"
        if kind == "identity.confidence":
            assert change["evidence"]["before"] == self.confidence[profile] != change["confidence"], change
            self.confidence[profile] = change["confidence"]
            self._holds(profile, change["evidence"])
        assert change["confidence"] == self.confidence[profile], f"every change carries the confidence that was told last: {change}"
        if kind == "segment.entered":
            assert change["segment"] not in self.segments.setdefault(profile, set()), change
            self.segments[profile].add(change["segment"])
        elif kind == "segment.exited":
            self.segments[profile].remove(change["segment"])
        elif kind == "consent.changed":
            self.consents.setdefault(profile, {})[change["purpose"]] = change["evidence"]["granted"]
        elif kind == "account.joined":
            assert change["account"] not in self.accounts.setdefault(profile, set()), change
            self.accounts[profile].add(change["account"])
        elif kind == "account.left":
            self.accounts[profile].remove(change["account"])
        elif kind == "identity.merged":
            self._gone(change["evidence"]["merged"], change)
        elif kind == "profile.erased":
            self._gone(profile, change)
        else:
            assert kind in {"identity.confidence", "identity.split", "identity.identifiers", "events.reassigned", "profile.updated"}, change

    def _holds(self, profile: str, evidence: Json) -> None:
        """A change of confidence says what has been told of the profile."""
        assert {each["segment"] for each in evidence["segments"]} == self.segments.get(profile, set()), evidence
        said = {purpose: granted for purpose, granted in self.consents.get(profile, {}).items() if granted is not None}
        assert evidence["consents"] == said, evidence
        assert set(evidence.get("accounts", ())) == self.accounts.get(profile, set()), evidence

    def _gone(self, profile: str, change: Json) -> None:
        assert not self.segments.pop(profile, set()), f"out of its segments before it goes: {change}"
        assert not self.accounts.pop(profile, set()), f"out of its accounts before it goes: {change}"
        self.consents.pop(profile, None)
        self.people.remove(profile)

    def told(self) -> dict[str, Json]:
        """By profile id: its segments, decided consents, and accounts."""
        return {
            profile: {
                "segments": sorted(self.segments.get(profile, ())),
                "consents": {purpose: said for purpose, said in self.consents.get(profile, {}).items() if said is not None},
                "confidence": self.confidence[profile],
                "accounts": sorted(self.accounts.get(profile, ())),
            }
            for profile in self.people
        }


def changes_of(engine: Engine) -> list[tuple[int, bytes]]:
    """The whole log."""
    return list(engine.view.changes())


def dumped(lines: Iterable[bytes]) -> dict[str, Json]:
    """What `Folded.told` must be, from a dump."""
    found = list(map(orjson.loads, lines))
    belong = {(line["profile"], line["account"]) for line in found if line["kind"] == "member" and line["stays"][-1][1] is None}
    people = {line["id"]: line for line in found if line["kind"] == "profile"}
    return {
        profile: {
            **{key: line[key] for key in ("segments", "consents", "confidence")},
            "accounts": sorted(account for one, account in belong if one == profile),
        }
        for profile, line in people.items()
    }
