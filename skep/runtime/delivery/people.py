"""People as the shard has them now, in the words in which destinations are told of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import orjson

from contracts.model.destinations import LEAVING
from contracts.model.hashing import profile_id
from operators.activation.told import Person as Told
from operators.called import called
from operators.records import Person
from operators.segments.compile import Program
from operators.view.accounts import traits_of
from operators.view.space import View


class Somebody:
    """Somebody who is there."""

    def __init__(self, record: Person, program: Program, names: list[str], at: int) -> None:
        self.record, self._program, self._names, self._at = record, program, names, at

    @cached_property
    def segments(self) -> frozenset[str]:
        """Of which the person is a member."""
        held = int.from_bytes(self.record.bits, "little")
        return frozenset(segment.name for at, segment in enumerate(self._program.segments) if held >> at & 1)

    def granted(self, purpose: str) -> bool:
        """Whether a purpose may be followed: decided so, or by its default."""
        return self.record.granted.get(purpose, self._program.defaults.get(purpose, False))

    @cached_property
    def traits(self) -> dict[str, Any]:
        found = traits_of(self.record, self._program, self._at)
        return found if not any(isinstance(one, orjson.Fragment) for one in found.values()) else orjson.loads(orjson.dumps(found))

    @cached_property
    def told(self) -> Told:
        """The person as a mapping may name it, but for what the destination knows."""
        every: dict[str, list[str]] = {}
        for each in self.record.identifiers:
            every.setdefault(self._names[each.namespace], []).append(each.value)
        return {
            "profile": profile_id(self.record.key),
            "version": self.record.version,
            "identifiers": called(self.record.identifiers, self._names),
            "all_identifiers": {name: sorted(values) for name, values in sorted(every.items())},
            "traits": self.traits,
            "segments": sorted(self.segments),
            "consents": {**self._program.defaults, **self.record.granted},
            "confidence": self.record.certainty,
        }


class Everybody:
    """Finds people in the space as it was seen last."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._program = view.program
        self._names = view.namespaces
        meta = view.meta
        self._at = meta.clock or 0
        self.changes = meta.changes
        """The sequence of the last change."""
        self.sizes = meta.sizes
        """By segment how many members it has."""
        self._found: dict[bytes, Somebody | None] = {}

    def find(self, key: bytes) -> Somebody | None:
        """Who has this key."""
        if key not in self._found:
            record = self._view.person(key)
            self._found[key] = None if record is None else self.of(record)
        return self._found[key]

    def of(self, record: Person) -> Somebody:
        """Somebody whose row was read."""
        return Somebody(record, self._program, self._names, self._at)


def gone(key: bytes, version: int) -> Told:
    """What is left of somebody who is no longer there."""
    return {"profile": profile_id(key), "version": version, "identifiers": {}, "all_identifiers": {}, "traits": {}, "segments": [],
            "consents": {}}  # fmt: skip


def beside(person: Told, call: str, known: Mapping[str, Any]) -> Told:
    """The person with what the destination knows of them; whoever leaves is known as was sent."""
    return {**person, **{name: value for name, value in known.items() if name != "sent_as" or call in LEAVING}}
