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
            assert (profile, change["version"]) == (None, None), f"nobody's change: {change}"
            return
        assert change["version"] == self.versions.get(profile, 0) + 1, f"the version of a profile rises by one: {change}"
        self.versions[profile] = change["version"]
        if kind == "profile.created":
            assert profile not in self.people, change
            self.people.add(profile)
            return
        assert profile in self.people, f"a profile is created before anything else is said of it: {change}"
        if kind == "segment.entered":
            assert change["segment"] not in self.segments.setdefault(profile, set()), change
            self.segments[profile].add(change["segment"])
        elif kind == "segment.exited":
            self.segments[profile].remove(change["segment"])
        elif kind == "consent.changed":
            self.consents.setdefault(profile, {})[change["purpose"]] = change["evidence"]["granted"]
        elif kind == "identity.merged":
            self._gone(change["evidence"]["merged"], change)
        elif kind == "profile.erased":
            self._gone(profile, change)
        else:
            assert kind in {"identity.split", "events.reassigned", "profile.updated"}, change

    def _gone(self, profile: str, change: Json) -> None:
        assert not self.segments.pop(profile, set()), f"out of its segments before it goes: {change}"
        self.consents.pop(profile, None)
        self.people.remove(profile)

    def told(self) -> dict[str, Json]:
        """By profile id: its segments and decided consents."""
        return {
            profile: {
                "segments": sorted(self.segments.get(profile, ())),
                "consents": {purpose: said for purpose, said in self.consents.get(profile, {}).items() if said is not None},
            }
            for profile in self.people
        }


def changes_of(engine: Engine) -> list[tuple[int, bytes]]:
    """The whole log."""
    return list(engine.view.changes())


def dumped(lines: Iterable[bytes]) -> dict[str, Json]:
    """What `Folded.told` must be, from a dump."""
    people = [line for line in map(orjson.loads, lines) if line["kind"] == "profile"]
    return {line["id"]: {"segments": line["segments"], "consents": line["consents"]} for line in people}
