"""What became of people, by which evidence, and who was who at an earlier time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

import msgspec

from contracts.model.hashing import profile_id
from contracts.text.times import iso, iso_or_none, parse_time
from operators.people.turns import TYPES, Turn
from operators.records import Person
from operators.view.space import View
from skep.answers.decisions import reasons
from skep.answers.identity.evidence import holder_of, normalized
from skep.answers.profiles import by_id
from skep.project.errors import CommandError
from skep.project.settings import Settings
from skep.project.spaces import one_space, open_view

Pair = list[str | None]
"""``[namespace, value]``; of an identifier that nothing names any more ``[null, h_…]``"""


class TurnCause(msgspec.Struct, frozen=True):
    """What a turn of a history came of: an event or an entry by its message id, and the reason that was given with it."""

    type: str
    id: str
    why: str | None


class Happening(msgspec.Struct, frozen=True):
    """One turn of a profile, when by the space's clock and when by its cause (ISO 8601), with which other profile and identifiers."""

    clock: str | None
    time: str | None
    type: str
    other: str | None
    identifiers: list[Pair]
    cause: TurnCause
    rules: int


class ProfileHistory(msgspec.Struct, frozen=True):
    """What happened to a profile, oldest first."""

    space: str
    profile: str
    history: list[Happening]


class Who(msgspec.Struct, frozen=True):
    """A profile and its identifiers as they were believed ``at`` a time (ISO 8601), or now."""

    space: str
    profile: str
    at: str | None
    identifiers: list[Pair]


class Names:
    """The identifiers of hashes."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rank = {each.name: at for at, each in enumerate(view.program.definitions.identity.namespaces)}
        self._known: dict[bytes, Pair] = {}

    def of(self, identifiers: Iterable[bytes]) -> list[Pair]:
        """In rank; those that nobody knows any more come last."""
        return sorted((self._pair(each) for each in identifiers), key=lambda pair: (self._rank.get(pair[0] or "", 1 << 30), pair[1]))

    def _pair(self, identifier: bytes) -> Pair:
        if identifier not in self._known:
            person = self._view.holds(identifier)
            if person is not None:
                self._know(person)
        return self._known.setdefault(identifier, [None, f"h_{identifier.hex()}"])

    def _know(self, person: Person) -> None:
        names = list(self._rank)
        for each in person.identifiers:
            self._known[each.hash] = [names[each.namespace], each.value]


def history(settings: Settings, text: str, space: str | None) -> ProfileHistory:
    """Everything that happened to the profile ``p_…``, also one that is gone, or to the one that holds ``NS:VALUE``; oldest first."""
    with closing(open_view(settings, one_space(settings, space))) as view:
        key = _key(view, text)
        if key is None:
            key = holder_of(view, text)[0].key
        turns = [turn for _, turn in view.history.of(key)]
        if not turns:
            raise CommandError(f"no profile of space {view.space} has the id {text} → `skep identity show NS:VALUE` tells ids")
        given = reasons(settings, view.space, {turn.cause for turn in turns if turn.by in {"link", "unlink"}})
        names = Names(view)
        return ProfileHistory(view.space, profile_id(key), [_told(turn, names, given) for turn in turns])


def _told(turn: Turn, names: Names, given: dict[str, str]) -> Happening:
    cause = TurnCause(turn.by, turn.cause, given.get(turn.cause))
    return Happening(
        iso_or_none(turn.clock), iso_or_none(turn.time), TYPES[turn.kind], profile_id(turn.other) if turn.other else None,
        names.of(turn.hashes()), cause, turn.rules,
    )  # fmt: skip


def who(settings: Settings, text: str, space: str | None, at: str | None) -> Who:
    """The profile of ``p_…`` or ``NS:VALUE`` and its identifiers, as the space believes now or believed at a time.

    A profile that had been merged by then is shown as the one that it was part of. Raises CommandError if there was none.
    """
    at_us = parse_time(at) if at is not None else None
    if at is not None and at_us is None:
        raise CommandError(f"--at: expected a time such as 2026-07-01T00:00:00Z, found {at} → write it as ISO 8601")
    with closing(open_view(settings, one_space(settings, space))) as view:
        key = _key(view, text)
        when = 1 << 62 if at_us is None else at_us
        found = (
            view.history.became(key, when) if key is not None else view.history.holder(view.identity.hash(*normalized(view, text)), when)
        )
        if found is None:
            then = f" at {iso(at_us)}" if at_us is not None else ""
            raise CommandError(f"nobody in space {view.space} was known as {text}{then} → `skep identity history` tells since when")
        identifiers = Names(view).of(view.history.was(found, when).identifiers)
        return Who(view.space, profile_id(found), iso_or_none(at_us), identifiers)


def _key(view: View, text: str) -> bytes | None:
    """The key of a profile id, also of one that is gone, or of the beginning of one of now; None of what is an identifier."""
    if not text.startswith("p_") or ":" in text:
        return None
    if len(text) < len(profile_id(bytes(16))) and (person := by_id(view, text)) is not None:
        return person.key
    try:
        return bytes.fromhex(text.removeprefix("p_"))
    except ValueError:
        raise CommandError(f"expected p_ and 32 hexadecimal digits, found {text} → `skep identity show NS:VALUE` tells ids") from None
