"""Why somebody is, or is not, in a segment, since and until when, by which events, and what would turn it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from contracts.language.forms import say
from contracts.model.hashing import profile_id
from contracts.text.problems import closest, listed
from contracts.text.times import iso, iso_or_none, parse_time
from operators.consent import decision, joining
from operators.judge import Judge
from operators.records import Person
from operators.segments.behind import EventsBehind
from operators.segments.explain import Reason, explain
from operators.segments.flips import Act, Way, ways
from operators.view.space import View
from skep.answers.past import as_it_was
from skep.answers.profiles import living, nobody
from skep.project.errors import CommandError
from skep.project.judging import tolerance
from skep.project.settings import Settings

_LISTED_MAX = 15


class ToDo(msgspec.Struct, frozen=True):
    """Something that would have to happen: a ``kind`` of ``event``, done so many ``times``, which says ``properties`` and ``context``; of
    ``trait``, set to a ``value``; of ``consent``, which is ``granted`` or not. ``name``: of the event, the trait or the purpose."""

    kind: str
    name: str
    times: int | msgspec.UnsetType = msgspec.UNSET
    properties: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    context: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    value: Any = msgspec.UNSET
    granted: bool | msgspec.UnsetType = msgspec.UNSET


class WouldTurn(msgspec.Struct, frozen=True):
    """What would turn a membership, in words and one by one; ``before``: from then on it no longer does, None if that is never seen;
    ``after``: only from then on, if nothing else happens until then, None: at once."""

    says: str
    after: str | None
    before: str | None
    acts: list[ToDo]


class Membership(msgspec.Struct, frozen=True):
    """Somebody and a segment, at the clock, or at another time that was asked for. Times are ISO 8601.

    ``since``: when the change log has the last turn; None while there was none, as for those who never entered. ``until``: when it turns
    by itself, if nothing else happens; None if it does not. ``says``: the segment as a sentence. ``turns``: the smallest changes after
    which the membership is another, the smallest first; each was tried. Nothing may be found.
    """

    space: str
    profile: str
    segment: str
    version: int
    title: str
    clock: str
    member: bool
    since: str | None
    until: str | None
    says: str
    why: Reason
    turns: list[WouldTurn]


def explained(settings: Settings, segment: str, who: str, space: str | None, at: str | None = None) -> list[Membership]:
    """One answer for each space that knows ``who``, an identifier or a profile id; at a time, of each that had seen them by then.

    A time before the clock is answered by the accepted events up to it, whenever they came. Raises CommandError for what there is not.
    """
    at_us = None if at is None else parse_time(at)
    if at is not None and at_us is None:
        raise CommandError(f"--at: expected a time such as 2026-07-01T00:00:00Z, found {at} → write it as ISO 8601")
    with living(settings, who, space) as found:
        if not found:
            raise CommandError(nobody(who))
        told = [one for view, person in found for one in _at(settings, view, person, segment, who=who, at_us=at_us)]
    if not told:
        raise CommandError(f"--at {at}: {who} had not been seen by then → ask for a later time")
    return told


def _at(settings: Settings, view: View, person: Person, segment: str, *, who: str, at_us: int | None) -> Iterator[Membership]:
    clock = view.meta.clock
    if at_us is None or clock is None or at_us >= clock:
        yield membership(settings, view, person, segment, at_us)
        return
    with as_it_was(settings, view, person, who, at_us) as (then, holder):
        if holder is not None:
            yield membership(settings, then, holder, segment, at_us, told_in=view)


def membership(
    settings: Settings, view: View, person: Person, name: str, at_us: int | None = None, *, told_in: View | None = None
) -> Membership:
    """The answer for a person of a space and a segment; ``told_in``: whose change log says since when, if it is another.

    Raises CommandError for a segment that is not in force.
    """
    program, at = view.program, view.at(at_us)
    segment = next((one for one in program.segments if one.name == name), None)
    if segment is None:
        raise CommandError(_unknown(settings, view, name))
    judge, contracts = Judge(program.definitions, **tolerance(settings)), view.meta.contracts
    events = [judge.stored(stored.row, stored.time_us, contracts) for _, stored in view.events.of(person)]
    links = joining(person, view.holds)
    decided = {purpose: decision(decisions, links) for purpose, decisions in person.consents.items()}
    why = EventsBehind(person, program, events, decided, at).segment(segment, explain(person, program, name, at))
    profile = profile_id(person.key)
    since = _since(told_in or view, profile, name, at, member=why.holds)
    says = say(segment, program.definitions.features)
    turns = [_turn(way) for way in ways(person, program, name, at, [event.time_us for event in events])]
    return Membership(view.space, profile, name, segment.version, segment.title, iso(at), why.holds, since, why.until, says, why, turns)


def _unknown(settings: Settings, view: View, name: str) -> str:
    names = sorted(one.name for one in view.program.segments)
    expected = f"one of the segments {listed(names)}" if len(names) <= _LISTED_MAX else "a segment in force"
    if (settings.root / "contracts" / "segments" / f"{name}.yaml").exists():
        return f"expected {expected}, found {name}, which is not in force in space {view.space} yet → `skep apply`"
    return f"expected {expected}, found {name} → {closest(name, names) or '`skep catalog` lists them'}"


def _since(view: View, profile: str, segment: str, at_us: int, *, member: bool) -> str | None:
    """The clock of the last change of the membership by a time; most rows are not looked into. None where that said otherwise."""
    last: dict[str, Any] | None = None
    limit, needles = iso(at_us), (profile.encode(), segment.encode(), b'"segment.')
    for _, row in view.changes():
        if all(needle in row for needle in needles):
            change = orjson.loads(row)
            if change["profile"] == profile and change["segment"] == segment and change["clock"] <= limit:
                last = change
    return None if last is None or (last["type"] == "segment.entered") is not member else str(last["clock"])


def _turn(way: Way) -> WouldTurn:
    after, before = iso_or_none(way.after_us), iso_or_none(way.before_us)
    return WouldTurn(" and ".join(map(_words, way.acts)), after, before, list(map(_to_do, way.acts)))


def _words(act: Act) -> str:
    if act.kind == "consent":
        return f"consent to {act.name} {'granted' if act.said else 'withdrawn'}"
    if act.kind == "trait":
        return f"trait {act.name} taken away" if act.said is None else f"trait {act.name} set to {_value(act.said)}"
    said = act.said or {}
    pairs = [*_leaves(said.get("properties", {}), ""), *_leaves(said.get("context", {}), "context.")]
    of = f" with {listed([f'{path} {_value(value)}' for path, value in pairs], 'and')}" if pairs else ""
    return f"{'one' if act.times == 1 else f'{act.times:,}'} more {act.name}{of}"


def _leaves(said: dict[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for key, value in said.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{before}{key}.")
        elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            for one in value:
                yield from _leaves(one, f"{before}{key}[].")
        else:
            yield f"{before}{key}", value


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else orjson.dumps(value).decode()


def _to_do(act: Act) -> ToDo:
    if act.kind == "consent":
        return ToDo("consent", act.name, granted=act.said)
    if act.kind == "trait":
        return ToDo("trait", act.name, value=act.said)
    said = act.said or {}
    return ToDo("event", act.name, times=act.times, properties=said.get("properties", {}), context=said.get("context", msgspec.UNSET))
