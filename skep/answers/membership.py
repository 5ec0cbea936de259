"""Why somebody is, or is not, in a segment, and since and until when."""

from __future__ import annotations

import msgspec
import orjson

from contracts.language.forms import say
from contracts.model.hashing import profile_id
from contracts.text.problems import closest, listed
from contracts.text.times import iso
from operators.records import Person
from operators.segments.explain import Reason, explain
from operators.view.space import View
from skep.answers.profiles import living, nobody
from skep.project.errors import CommandError
from skep.project.settings import Settings

_LISTED_MAX = 15


class Membership(msgspec.Struct, frozen=True):
    """Somebody and a segment, at the clock. Times are ISO 8601.

    ``since``: when the change log has the last turn; None while there was none, as for those who never entered. ``until``: when it turns
    by itself, if nothing else happens; None if it does not. ``says``: the segment as a sentence.
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
    says = say(segment, view.program.definitions.features)
    return Membership(view.space, profile, name, segment.version, segment.title, iso(at), why.holds, since, why.until, says, why)


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
