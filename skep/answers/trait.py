"""Where the value of a trait comes from, and what becomes of it by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.language.expression_text import words
from contracts.model.hashing import profile_id
from contracts.model.traits import Trait
from contracts.reading.derived import roots
from contracts.text.problems import closest, listed
from contracts.text.times import iso
from operators.judge import Judge
from operators.records import Person
from operators.segments.traced import contributions, made_turns, turns
from operators.view.accounts import traits_of
from operators.view.space import View
from skep.answers.catalog.words import feature_words
from skep.answers.profiles import living, nobody
from skep.project.errors import CommandError
from skep.project.judging import tolerance
from skep.project.settings import Settings

_LISTED_MAX = 15


class Source(msgspec.Struct, frozen=True):
    """An event that counts for a trait: its own time (ISO 8601), its name or call, its message id, and what it alone would come to."""

    time: str
    event: str
    message: str
    value: Any


class Turning(msgspec.Struct, frozen=True):
    """What a value changes to by itself, and when (ISO 8601)."""

    at: str
    to: Any


class TraitValue(msgspec.Struct, frozen=True):
    """A trait of a profile at the clock (ISO 8601).

    ``title``, ``description``, ``owner``: as `traits.yaml` has them. ``says``: what it is computed of, None of a trait that identify
    calls write. ``value``: None if it is missing. ``turns``: how it changes if nothing else happens; None if it does not.
    ``made_of``: of a trait that is made of others the values of these. ``sources``: the newest of the events that it comes from, oldest
    first; ``earlier`` are left out.
    """

    space: str
    profile: str
    clock: str
    trait: str
    title: str
    description: str
    owner: str
    says: str | None
    value: Any
    turns: Turning | None
    made_of: dict[str, Any]
    earlier: int
    sources: list[Source]


def explained(settings: Settings, who: str, trait: str, space: str | None, limit: int) -> list[TraitValue]:
    """One answer for each space that knows ``who``, an identifier or a profile id. Raises CommandError for a trait that there is not."""
    with living(settings, who, space) as found:
        if not found:
            raise CommandError(nobody(who))
        return [_explained(settings, view, person, trait, limit) for view, person in found]


def _explained(settings: Settings, view: View, person: Person, trait: str, limit: int) -> TraitValue:
    program, now = view.program, view.at(None)
    at, values = program.computed.get(trait), traits_of(person, program, now)
    if at is None and trait not in person.traits and trait not in program.derived:
        names = sorted({*values, *program.made})
        expected = f"one of the traits {listed(names)}" if len(names) <= _LISTED_MAX else "a trait"
        raise CommandError(f"expected {expected}, found {trait} → {closest(trait, names) or '`skep profile show` lists them'}")
    known = program.traits.get(trait) or Trait(trait, "plain")
    about, made_of, turning = known.about, dict[str, Any](), None
    if known.expression is not None:
        says, sources, turning = words(known.expression), [], made_turns(program, trait, person, now)
        made_of = {name: values.get(name) for name in roots(known.expression)}
    elif at is None:
        says, sources = None, _written(person, trait)
    else:
        says, sources, turning = feature_words(program.features[at]), _counted(settings, view, person, at), turns(program, at, person, now)
    shown = sources[-limit:]
    return TraitValue(
        view.space, profile_id(person.key), iso(now), trait, about.title, about.description, about.owner,
        says, values.get(trait), None if turning is None else Turning(iso(turning[0]), turning[1]), made_of,
        len(sources) - len(shown), shown,
    )  # fmt: skip


def _counted(settings: Settings, view: View, person: Person, at: int) -> list[Source]:
    """Of a computed trait, by its feature's number: by time and message id."""
    judge, contracts = Judge(view.program.definitions, **tolerance(settings)), view.meta.contracts
    events = (judge.stored(stored.row, stored.time_us, contracts) for _, stored in view.events.of(person))
    counted = contributions(view.program, at, person, events, view.at(None))
    return [Source(iso(event.time_us), event.name, event.message_id, value) for event, value in counted]


def _written(person: Person, trait: str) -> list[Source]:
    """Of a trait that identify calls write: the call that wrote it last."""
    time_us, message, value = person.traits[trait]
    return [Source(iso(time_us), "identify", message, value)]
