"""Who somebody was at an earlier time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from contracts.model.hashing import Hasher
from contracts.text.times import iso, parse_time
from operators.judge import Judge
from operators.past import past
from operators.records import Person
from operators.view.space import View
from skep.answers.decisions import entries
from skep.answers.identity.evidence import normalized
from skep.answers.profiles import Profile, living
from skep.project.errors import CommandError
from skep.project.judging import tolerance
from skep.project.settings import Settings
from state.shard import Shard


def was(settings: Settings, who: str, space: str | None, at: str) -> list[Profile]:
    """The profiles at a time (ISO 8601) of ``who``, an identifier or a profile id; without those who had not been seen by then.

    By the accepted events and manual entries with a time up to it, whenever they came, and the definitions in force. Read are the
    events of everybody whom evidence connects with them; with rules that compare people, those of all.
    """
    at_us = parse_time(at)
    if at_us is None:
        raise CommandError(f"--at: expected a time such as 2026-07-01T00:00:00Z, found {at} → write it as ISO 8601")
    with living(settings, who, space) as found:
        told = (_was(settings, view, person, who, at_us) for view, person in found)
        return [one for one in told if one is not None]


def _was(settings: Settings, view: View, person: Person, who: str, at_us: int) -> Profile | None:
    with as_it_was(settings, view, person, who, at_us) as (then, holder):
        return None if holder is None else Profile(**{**then.profiles.show(holder, at_us), "version": None}, at=iso(at_us))


@contextmanager
def as_it_was(settings: Settings, view: View, person: Person, who: str, at_us: int) -> Iterator[tuple[View, Person | None]]:
    """The space of an earlier time (µs), as far as it is about somebody, and who that was then; None who had not been seen."""
    asked = [] if who.startswith("p_") and ":" not in who else [view.identity.hash(*normalized(view, who))]
    control = (entry for _, entry in entries(settings, view.space))
    judge, hasher = Judge(view.program.definitions, **tolerance(settings)), Hasher(settings.secret, view.space)
    with tempfile.TemporaryDirectory(prefix="skep-past-") as folder, closing(Shard(Path(folder) / "shard")) as shard:
        then = past(view, person, control, at_us, shard=shard, judge=judge, hasher=hasher)
        # By an id it is the one of then that held the highest of its identifiers that had been seen.
        held = map(then.holds, asked or [each.hash for each in person.identifiers])
        yield then, next((one for one in held if one is not None), None)
