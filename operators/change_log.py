"""Change events: their form, and the log that they are appended to in the commit that makes them true."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.model.hashing import profile_id
from contracts.text.times import iso
from operators.meta import Meta
from operators.records import Person
from state.family import Family
from state.keys import sequence_key

Cause = dict[str, Any] | str
"""``{"type": "timer"|"link"|"unlink"|"definition"|"meaning", …}``: what made the change; a text is the id of the message that did."""


TIMER: Cause = {"type": "timer"}
"""A person's timer, due at the clock of the change; so it is written out."""

Membership = tuple[str, str]
"""Segment and purpose, and the evidence, as they stand in a change."""

_TOLD = "?confidence"


def confidence_told(person: Person) -> float:
    """How sure we are who a person is, as it was told last; 1.0 of somebody new."""
    told: float = person.told.get(_TOLD, 1.0)
    return told


def tell_confidence(person: Person) -> None:
    """Note that the person's confidence as it is now has been told."""
    if person.confidence == 1.0 or person.certainty == 1.0:
        person.told.pop(_TOLD, None)
    else:
        person.told[_TOLD] = person.certainty


class ChangeLog:
    """Appends change events to the pending commit of a shard; their sequence is dense and begins with 1."""

    def __init__(self, space: str, family: Family, meta: Meta) -> None:
        self._space = orjson.dumps(space).decode()[1:-1]
        self._family = family
        self._meta = meta
        self.cause: Cause = {}
        self.clock = 0
        self.time: int | None = None
        """The cause's own time, which `History` tells."""
        self._clock = (-1, "")
        """The clock whose text was written last, and that text."""
        self._cause: tuple[Cause | None, str] = (None, "")
        """The cause that was written last, and its JSON."""

    def append(
        self, kind: str, person: Person, *, segment: str | None = None, purpose: str | None = None, evidence: Any = None, **more: Any
    ) -> None:
        """One change of one profile, at the clock and for the cause that are set; its confidence is the one that was told last."""
        which = f'"segment":{_json(segment)},"purpose":{_json(purpose)}'
        self._append(kind, _whose(person), (which, _json(evidence)), _json(more)[1:-1] if more else "")

    def moved(self, person: Person, told: Membership, *, entered: bool) -> None:
        """A person has entered a segment, or left it."""
        self._append("segment.entered" if entered else "segment.exited", _whose(person), told, "")

    def tell(self, kind: str, **more: Any) -> None:
        """One change that is no profile's: its ``profile``, ``version`` and ``confidence`` are null."""
        self._append(kind, 'null,"version":null,"confidence":null', ('"segment":null,"purpose":null', "null"), _json(more)[1:-1])

    def _append(self, kind: str, whose: str, told: Membership, more: str) -> None:
        """The keys that every change has are written as text, since most changes have no other."""
        if self._clock[0] != self.clock:
            self._clock = (self.clock, iso(self.clock))
        cause = self.cause
        if cause is TIMER:
            words = f'{{"type":"timer","due":"{self._clock[1]}"}}'
        elif self._cause[0] is cause:
            words = self._cause[1]
        else:
            words = _json({"type": "message", "id": cause} if isinstance(cause, str) else cause)
            self._cause = (cause, words)
        self._meta.changes = sequence = self._meta.changes + 1
        self._family.pending[sequence_key(sequence)] = (
            f'{{"id":"{self._space}-0-{sequence}","type":"{kind}","space":"{self._space}","profile":{whose},"clock":"{self._clock[1]}",'
            f'{told[0]},"cause":{words},"evidence":{told[1]}{"," if more else ""}{more}}}'
        ).encode()


def membership(segment: str, version: int, purpose: str | None, definitions: str) -> Membership:
    """What is said of every change of who is in a segment."""
    evidence = {"segment_version": version, "definitions": definitions}
    return f'"segment":{_json(segment)},"purpose":{_json(purpose)}', _json(evidence)


def _whose(person: Person) -> str:
    """The next version of a profile; its confidence is the one that was told last."""
    person.version += 1
    confidence = confidence_told(person)
    return f'"{profile_id(person.key)}","version":{person.version},"confidence":{"1.0" if confidence == 1.0 else _json(confidence)}'


def _json(value: Any) -> str:
    return "null" if value is None else orjson.dumps(value).decode()
