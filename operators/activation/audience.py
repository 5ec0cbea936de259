"""What of the change log a destination is told.

Of the types that it asks for, the memberships of the segments that chose it, and of people below its floor only what cohorts do.

A floor is a least confidence. Everything here is a function of one change, so that a crash or a second reading tells the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.model.definitions import MEMBERSHIPS, Definitions
from contracts.model.destinations import Destination

Change = dict[str, Any]
_HOUR = len("2026-01-31T10")
_TAKEN_BACK = "below the destination's floor"


@dataclass(frozen=True, slots=True)
class Audience:
    """``wanted``: types of changes. ``floor``: a probability, or None. ``segments``: those whose memberships are told; None is all."""

    wanted: frozenset[str]
    floor: float | None = None
    segments: frozenset[str] | None = None

    @classmethod
    def of(cls, destination: Destination, definitions: Definitions) -> Audience:
        """What a destination is told by these definitions. One that no segment names in ``activate`` is a feed: it is told of all."""
        naming = frozenset(one.name for one in definitions.segments if destination.name in one.activate)
        return cls(frozenset(destination.changes), destination.confidence, naming or None)

    def told(self, changes: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """``(sequence, JSON)`` of what the destination is told for these changes, in their order."""
        return [(sequence, line) for sequence, body in changes for line in self._lines(body)]

    def _lines(self, body: bytes) -> Iterator[bytes]:
        change = orjson.loads(body)
        lines = (change,) if self.floor is None else through(change, self.floor)
        told = (self._chosen(one) for one in lines if one["type"] in self.wanted)
        # Only what differs is written anew: a number may have more digits than are decoded.
        yield from (body if one is change else orjson.dumps(one) for one in told if one is not None)

    def _chosen(self, change: Change) -> Change | None:
        """The change without memberships of other segments; None if it is nothing else."""
        if self.segments is None:
            return change
        if change["type"] in MEMBERSHIPS:
            return change if change["segment"] in self.segments else None
        held = (change["evidence"] or {}).get("segments") if change["type"] == "identity.confidence" else None
        if held is None:
            return change
        kept = [one for one in held if one["segment"] in self.segments]
        return {**change, "evidence": {**change["evidence"], "segments": kept}}


def through(change: Change, floor: float) -> Iterator[Change]:
    """What is told of a change where people below the floor are told of as a cohort. A line that names a profile has a
    ``confidence`` of at least the floor; one of a cohort has null for profile, version and confidence."""
    kind, sure = change["type"], change.get("confidence")
    if kind == "identity.confidence":
        yield from _crossed(change, floor)
    elif kind in {"identity.merged", "identity.split"}:
        yield from _of_two(change, floor)
    elif sure is None or sure >= floor:
        yield _without_unnamed(change, floor) if kind == "events.reassigned" else change
    elif kind in MEMBERSHIPS:
        yield _cohort(change)


def _of_two(change: Change, floor: float) -> Iterator[Change]:
    """A merge or a split, of two profiles that are both named; of one that is named and goes into a cohort, that it goes."""
    named, other = change["confidence"] >= floor, change["evidence"]["confidence"] >= floor
    if named and other:
        yield change
    elif other and change["type"] == "identity.merged":
        gone = change["evidence"]
        line = {**change, "profile": gone["merged"], "version": gone["version"], "confidence": gone["confidence"]}
        del line["merged"]
        yield _taken_back(line)


def _without_unnamed(change: Change, floor: float) -> Change:
    """Events that are somebody's now; whose they were is told of those who are named still."""
    before = change["evidence"]["confidence"]
    return change if before is not None and before >= floor else {**change, "from": None}


def _crossed(change: Change, floor: float) -> Iterator[Change]:
    """A change of confidence: above the floor it is told; one that crosses it tells what holds of the person, to be added or taken back."""
    held = change["evidence"]
    was, now = held["before"] >= floor, held["confidence"] >= floor
    lines: Iterable[Change] = ()
    if was and now:
        yield {**change, "evidence": {"before": held["before"], "confidence": held["confidence"]}}
    elif now:
        lines = _appears(change)
    elif was:
        lines = _disappears({**change, "confidence": held["before"]})
    for number, line in enumerate(lines, 1):
        yield {**line, "id": f"{change['id']}.{number}"}


def _appears(change: Change) -> Iterator[Change]:
    """From a cohort to a name: out of the cohorts, then created, with its consents, traits, accounts and segments."""
    held = change["evidence"]
    for segment in held["segments"]:
        yield _cohort(_membership(change, "segment.exited", segment))
    yield {**change, "type": "profile.created", "evidence": None}
    for purpose, granted in held["consents"].items():
        yield {**change, "type": "consent.changed", "purpose": purpose, "granted": granted, "evidence": {"granted": granted}}
    for trait, value in held["traits"].items():
        said = {"trait": trait, "value": value}
        yield {**change, "type": "profile.updated", **said, "evidence": said}
    for account in held.get("accounts", ()):
        yield {**change, "type": "account.joined", "account": account, "evidence": {"since": None}}
    for segment in held["segments"]:
        yield _membership(change, "segment.entered", segment)


def _disappears(change: Change) -> Iterator[Change]:
    """From a name to a cohort: out of its segments, taken back, then counted in the cohorts."""
    segments = change["evidence"]["segments"]
    change = {**change, "cause": _kind_only(change)}
    for segment in segments:
        yield _membership(change, "segment.exited", segment)
    yield _taken_back(change)
    for segment in segments:
        yield _cohort(_membership(change, "segment.entered", segment))


def _membership(change: Change, kind: str, held: Change) -> Change:
    evidence = {"segment_version": held["version"]}
    return {**change, "type": kind, "segment": held["segment"], "purpose": held["purpose"], "evidence": evidence}


def _taken_back(change: Change) -> Change:
    return {**change, "type": "profile.erased", "cause": _kind_only(change), "evidence": {"reason": _TAKEN_BACK}}


def _cohort(change: Change) -> Change:
    """A membership of somebody: nobody's name, no message, no exact time."""
    hour = change["clock"][:_HOUR] + ":00:00.000000Z"
    return {**change, "profile": None, "version": None, "confidence": None, "clock": hour, "cause": _kind_only(change)}


def _kind_only(change: Change) -> Change:
    """What kind of thing caused it, not which one."""
    return {"type": change["cause"].get("type")}
