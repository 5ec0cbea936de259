"""`skep segments explain`: why somebody is, or is not, in a segment, and since and until when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from contracts.model.hashing import profile_id
from contracts.text.problems import closest, listed
from contracts.text.times import iso
from operators.records import Person
from operators.segments.explain import Reason, explain
from operators.view.space import View
from skep.answers.profiles import living, nobody, trait_text
from skep.cli.console import WIDE, cell, headline, mark, out, screen_width, styled
from skep.cli.layout import wrapped
from skep.project.errors import CommandError
from skep.project.settings import Settings

_LISTED_MAX = 15


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody and a segment, at the clock. Times are ISO 8601.

    ``since``: when the change log has the last turn; None while there was none, as for those who never entered. ``until``: when it turns
    by itself, if nothing else happens; None if it does not.
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
    why: Reason


def explained(settings: Settings, segment: str, who: str, space: str | None) -> list[Membership]:
    """One answer for each space that knows ``who``, an identifier or a profile id. Raises CommandError for what there is not."""
    with living(settings, who, space) as found:
        if not found:
            raise CommandError(nobody(who))
        return [membership(settings, view, person, segment) for view, person in found]


def membership(settings: Settings, view: View, person: Person, name: str) -> Membership:
    """The answer for a person of a space and a segment. Raises CommandError for a segment that is not in force."""
    program, at = view.program, view.at(None)
    segment = next((one for one in program.segments if one.name == name), None)
    if segment is None:
        raise CommandError(_unknown(settings, view, name))
    why = explain(person, program, name, at)
    profile = profile_id(person.key)
    since = _since(view, profile, name)
    return Membership(view.space, profile, name, segment.version, segment.title, iso(at), why.holds, since, why.until, why)


def _unknown(settings: Settings, view: View, name: str) -> str:
    names = sorted(one.name for one in view.program.segments)
    expected = f"one of the segments {listed(names)}" if len(names) <= _LISTED_MAX else "a segment in force"
    if (settings.root / "contracts" / "segments" / f"{name}.yaml").exists():
        return f"expected {expected}, found {name}, which is not in force in space {view.space} yet → `skep apply`"
    return f"expected {expected}, found {name} → {closest(name, names) or '`skep catalog` lists them'}"


def _since(view: View, profile: str, segment: str) -> str | None:
    """The clock of the last change of the membership; most rows are not looked into."""
    last: bytes | None = None
    needles = profile.encode(), segment.encode(), b'"segment.'
    for _, row in view.changes():
        if all(needle in row for needle in needles):
            change = orjson.loads(row)
            if change["profile"] == profile and change["segment"] == segment:
                last = row
    return None if last is None else orjson.loads(last)["clock"]


def show(one: Membership) -> None:
    """The answer for people: in or not, since and until when, and the tree of conditions."""
    headline(one.profile, f"  space {one.space}  clock {cell(one.clock)}")
    side = "in" if one.member else "not in"
    since = f" since {cell(one.since)}" if one.since else ""
    out.print(f"{side} {one.segment} (version {one.version}){since}{_until(one)}")
    if one.title:
        out.print(styled(one.title, "dim"))
    out.print()
    for reason in one.why.of:
        for line in _lines(reason, 0):
            out.print(line)


def _until(one: Membership) -> str:
    if one.until is None:
        return ""
    return f"; if nothing else happens, {'until' if one.member else 'a member from'} {cell(one.until)}{'' if one.member else ' on'}"


def _lines(reason: Reason, depth: int) -> Iterator[str]:
    until = f", until {cell(reason.until)}" if reason.until else ""
    indent = "  " * depth
    said = wrapped(f"{_says(reason)}{_value(reason)}{until}", (screen_width() or WIDE) - len(indent) - 2)
    for number, line in enumerate(said):
        yield f"{indent}{' ' if number else mark(reason.holds)} {line}"
    for part in reason.of:
        yield from _lines(part, depth + 1)


def _says(reason: Reason) -> str:
    return reason.says if reason.form in {"all", "any", "not", "confidence"} else f"{reason.form} {reason.says}"


def _value(reason: Reason) -> str:
    if reason.form == "consent":
        said = "granted" if reason.holds else "denied"
        return f": {said}" if reason.decided else f": {said} by default, nothing was decided"
    if reason.form in {"all", "any", "not", "segment"}:
        return ""
    if reason.value is None:
        return ": there is none"
    return f": {trait_text(reason.value)}{' or more' if reason.capped else ''}"
