"""Profiles: who holds an identifier, and what is shown of a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from contracts.model.hashing import profile_id
from contracts.text.times import iso, iso_or_none
from operators.consent import decision, joining
from operators.records import Identifier, Person
from operators.segments.compile import Program
from operators.view.accounts import AccountReader, traits_of
from operators.view.rows import SpaceRows
from state.snapshot.tables.consents import ConsentRow
from state.snapshot.tables.profiles import ProfileRow


@dataclass(frozen=True, slots=True)
class ProfileReader:
    """The profiles of a space."""

    committed: SpaceRows

    def holder(self, namespace: str, value: str) -> Person | None:
        """The profile that holds an identifier."""
        return self.committed.holds(self.committed.hasher.identifier(namespace, value))

    def by_id(self, profile: str) -> Person | None:
        """The profile with an id; an id that has been merged away finds the profile that its identifier is in now."""
        try:
            key = bytes.fromhex(profile.removeprefix("p_"))
        except ValueError:
            return None
        return self.committed.person(self.committed.rows.row("alias", key) or key)

    def ids(self, beginning: str) -> list[str]:
        """Up to two ids of profiles of now that begin so: ``p_`` and hexadecimal digits."""
        digits = beginning.removeprefix("p_")
        try:
            start, end = (bytes.fromhex(digits.ljust(32, fill)) for fill in "0f")
        except ValueError:
            return []
        return [profile_id(key) for key, _ in islice(self.committed.rows.rows("people", start, end + b"\0"), 2)]

    def describe(self, person: Person, at_us: int) -> dict[str, Any]:
        """A profile as people and the dump see it."""
        program = self.committed.program
        return {
            "id": profile_id(person.key),
            "space": self.committed.space,
            "traits": traits_of(person, program, at_us),
            "features": features_of(person, program, at_us),
            "segments": segments_of(person, program, at_us),
            "consents": dict(sorted(person.granted.items())),
            "confidence": person.certainty,
        }

    def held(self, namespace: str, value: str, at_us: int | None = None) -> dict[str, Any] | None:
        """The living profile that holds an identifier; the value is normalised as in events by the caller."""
        person = self.holder(namespace, value)
        return None if person is None else self.show(person, at_us)

    def show(self, person: Person, at_us: int | None = None) -> dict[str, Any]:
        """A profile with its identifiers, stays at accounts, first and last seen, version, and what counts of the purposes that nobody
        decided."""
        names = self.committed.program.definitions.identity.namespaces
        return {
            **self.describe(person, self.committed.at(at_us)),
            "consent_defaults": {
                name: default for name, default in sorted(self.committed.program.defaults.items()) if name not in person.granted
            },
            "accounts": [
                [account, iso(since), iso_or_none(until)] for account, (since, until) in AccountReader(self.committed).of_person(person)
            ],
            "identifiers": [[names[i.namespace].name, i.value, iso(i.first), iso(i.last)] for i in _ranked(person)],
            "first_seen": iso_or_none(person.first),
            "last_seen": iso_or_none(person.last),
            "version": person.version,
        }

    def rows(self) -> Iterator[ProfileRow]:
        """Every profile, with its traits at the clock."""
        program, now = self.committed.program, self.committed.at(None)
        for person in self.committed.people():
            traits = traits_of(person, program, now)
            yield ProfileRow(profile_id(person.key), self.committed.space, person.first, person.last, traits, person.certainty)

    def consents(self) -> Iterator[ConsentRow]:
        """What people have decided of each purpose."""
        for person in self.committed.people():
            links = joining(person, self.committed.holds)
            for purpose, decisions in sorted(person.consents.items()):
                time, _, granted = decision(decisions, links)
                yield ConsentRow(profile_id(person.key), purpose, granted, time, self.committed.space)


def features_of(person: Person, program: Program, at_us: int) -> dict[str, Any]:
    """The value of every feature that is a number, by its key; those that are missing are left out."""
    numbers = (
        (feature.key, at) for at, feature in enumerate(program.features) if program.cells[at].unit is not None and feature.by is None
    )
    found = ((key, program.cells[at].shown(program.cell(person, at), at_us)) for key, at in numbers)
    return {key: value for key, value in found if value is not None}


def segments_of(person: Person, program: Program, at_us: int) -> list[str]:
    """The names of the segments that hold at a time, sorted."""
    bits = program.members(person, at_us)
    return sorted(segment.name for at, segment in enumerate(program.segments) if bits >> at & 1)


def _ranked(person: Person) -> list[Identifier]:
    return sorted(person.identifiers, key=lambda each: (each.namespace, each.value))
