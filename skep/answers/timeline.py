"""Everything that is known of somebody in order of time: their events, and what was told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from heapq import nlargest
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
import orjson

from contracts.model.event_patterns import event_pattern, matches
from contracts.model.hashing import profile_id
from contracts.text.times import iso, parse_time
from operators.judge import Judge
from operators.moment_row import moment_message
from operators.people.turns import MERGED
from operators.records import Person, Stored
from operators.view.space import View
from skep.answers.profiles import living, nobody
from skep.project.errors import CommandError
from skep.project.judging import tolerance
from skep.project.settings import Settings

_KINDS = {
    "profile": "identity",
    "identity": "identity",
    "events": "identity",
    "segment": "segment",
    "consent": "consent",
    "account": "account",
}
"""What a change is about by how its type begins; a ``profile.updated`` is about a trait."""
_ABOUT = ("segment", "account", "trait", "merged", "split", "from", "purpose")
"""The keys of a change that name what it is about, the first that is there."""


class TimelineEntry(msgspec.Struct, frozen=True):
    """One thing of a timeline.

    ``time``: of an event its own, of a change the clock at which it was told (ISO 8601). ``kind``: ``event identity trait segment
    consent account``. ``what``: the name of an event or its call; the type of a change. ``about``: the identifier that an event hangs on as
    ``namespace:value``; the segment, account, trait, purpose or other profile of a change. ``value``: what an event says, its traits or
    properties; a trait's value, whether a consent is granted, a confidence, how many messages changed hands. ``id``: of the message,
    or of the change. ``cause``: what made a change, as in the change log.
    """

    time: str
    kind: str
    what: str
    about: str | None
    value: Any
    id: str
    cause: dict[str, Any] | None = None


class ProfileTimeline(msgspec.Struct, frozen=True):
    """The newest entries of a profile, oldest first; ``earlier`` are left out."""

    space: str
    profile: str
    earlier: int
    entries: list[TimelineEntry]


def timelines(
    settings: Settings, who: str, space: str | None, *, since: str | None, event: str | None, limit: int
) -> list[ProfileTimeline]:
    """One for each space that knows ``who``, an identifier or a profile id.

    ``since``: nothing before (ISO 8601). ``event``: only events of this name, or that begin as ``order_*`` says, and no changes.
    """
    since_us = None if since is None else parse_time(since)
    if since is not None and since_us is None:
        raise CommandError(f"--since: expected a time such as 2026-07-01T00:00:00Z, found {since} → write it as ISO 8601")
    with living(settings, who, space) as found:
        if not found:
            raise CommandError(nobody(who))
        return [_timeline(settings, view, person, (since_us, event, limit)) for view, person in found]


def _timeline(settings: Settings, view: View, person: Person, asked: tuple[int | None, str | None, int]) -> ProfileTimeline:
    since_us, event, limit = asked
    judge = Judge(view.program.definitions, **tolerance(settings))
    told = chain(_events(view, person, judge, event), () if event is not None else _changes(view, person))
    # Of one moment, what happened stands before what came of it. What is not shown is not made.
    wanted = [(time_us, at, make) for at, (time_us, make) in enumerate(told) if since_us is None or time_us >= since_us]
    newest = nlargest(limit, wanted, key=lambda one: one[:2])
    return ProfileTimeline(view.space, profile_id(person.key), len(wanted) - len(newest), [make() for *_, make in reversed(newest)])


Made = tuple[int, Callable[[], TimelineEntry]]
"""The time of an entry in µs, and what makes it."""


def _events(view: View, person: Person, judge: Judge, name: str | None) -> Iterator[Made]:
    """By time and message id."""
    contracts, names = view.meta.contracts, view.namespaces
    known = {each.hash: f"{names[each.namespace]}:{each.value}" for each in person.identifiers}
    pattern = None if name is None else event_pattern(name)
    found = sorted(view.events.of(person), key=lambda one: (one[1].time_us, moment_message(one[1].row)))
    for anchor, stored in found:

        def make(anchor: bytes = anchor, stored: Stored = stored) -> TimelineEntry:
            event = judge.stored(stored.row, stored.time_us, contracts)
            said = event.properties if event.name else event.body.get("traits")
            about = known.get(anchor) or _beside(view, anchor)
            return TimelineEntry(iso(event.time_us), "event", event.name or event.type, about, said or None, event.message_id)

        if pattern is None or matches(pattern, make().what):
            yield stored.time_us, make


def _beside(view: View, identifier: bytes) -> str | None:
    """An identifier that is not the profile's own."""
    holder = view.holds(identifier)
    found = next((each for each in holder.identifiers if each.hash == identifier), None) if holder is not None else None
    return None if found is None else f"{view.namespaces[found.namespace]}:{found.value}"


def _changes(view: View, person: Person) -> Iterator[Made]:
    """What was told of the profile, and of those that have been merged into it until they were, in order of the log."""
    needles = [profile_id(key).encode() for key in _merged(view, person.key)]
    told: dict[str | None, list[tuple[int, dict[str, Any]]]] = {}
    for number, row in view.changes():
        if any(needle in row for needle in needles):
            change = orjson.loads(row)
            mine = told.setdefault(change["profile"], [])
            if change["type"] == "identity.merged":
                mine += told.pop(change["merged"], [])
            mine.append((number, change))
    for _, change in sorted(told.get(profile_id(person.key), []), key=itemgetter(0)):
        yield parse_time(change["clock"]) or 0, partial(_changed, change)


def _merged(view: View, key: bytes) -> list[bytes]:
    """The keys of a profile and of all that have ever been merged into it, or into one of those."""
    found = [key]
    for each in found:
        found += {turn.other for _, turn in view.history.of(each) if turn.kind == MERGED} - set(found)
    return found


def _changed(change: dict[str, Any]) -> TimelineEntry:
    """A change of the log."""
    what = change["type"]
    about, value = next((change[key] for key in _ABOUT if change.get(key) is not None), None), change.get("value", change.get("granted"))
    kind = "trait" if "trait" in change else _KINDS[what.partition(".")[0]]
    if what == "identity.confidence":
        value = change["confidence"]
    if what == "identity.identifiers":
        value = change["namespaces"]
    if what == "events.reassigned":
        value = len(change["messages"])
    return TimelineEntry(change["clock"], kind, what, about, value, change["id"], change["cause"])
