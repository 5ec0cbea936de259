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


_TOLD = "?confidence"


def confidence_told(person: Person) -> float:
    """How sure we are who a person is, as it was told last; 1.0 of somebody new."""
    told: float = person.told.get(_TOLD, 1.0)
    return told


def tell_confidence(person: Person) -> None:
    """Note that the person's confidence as it is now has been told."""
    if person.certainty == 1.0:
        person.told.pop(_TOLD, None)
    else:
        person.told[_TOLD] = person.certainty


class ChangeLog:
    """Appends change events to the pending commit of a shard; their sequence is dense and begins with 1."""

    def __init__(self, space: str, family: Family, meta: Meta) -> None:
        self._space = space
        self._family = family
        self._meta = meta
        self.cause: Cause = {}
        self.clock = 0
        self.time: int | None = None
        """The cause's own time, which `History` tells."""
        self._text = (-1, "")
        """The clock whose text was written last, and that text."""

    def append(self, kind: str, person: Person, **fields: Any) -> None:
        """One change of one profile, at the clock and for the cause that are set; its confidence is the one that was told last."""
        person.version += 1
        self._append(kind, profile_id(person.key), person.version, confidence_told(person), fields)

    def tell(self, kind: str, **fields: Any) -> None:
        """One change that is no profile's: its ``profile``, ``version`` and ``confidence`` are null."""
        self._append(kind, None, None, None, fields)

    def _append(self, kind: str, profile: str | None, version: int | None, confidence: float | None, fields: dict[str, Any]) -> None:
        if self._text[0] != self.clock:
            self._text = (self.clock, iso(self.clock))
        cause = self.cause
        self._meta.changes = sequence = self._meta.changes + 1
        change = {
            "id": f"{self._space}-0-{sequence}",
            "type": kind,
            "space": self._space,
            "profile": profile,
            "version": version,
            "confidence": confidence,
            "clock": self._text[1],
            "segment": None,
            "purpose": None,
            "cause": cause if isinstance(cause, dict) else {"type": "message", "id": cause},
            "evidence": None,
            **fields,
        }
        self._family.pending[sequence_key(sequence)] = orjson.dumps(change)
