"""The events behind each condition of a reason: those that its value comes from, by message id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from contracts.model.batches import Event
from contracts.model.definitions import (
    All,
    AnyOf,
    AtLeast,
    Condition,
    ConsentIs,
    Did,
    InactiveFor,
    MemberOf,
    NewWithin,
    Not,
    Segment,
    TraitIs,
)
from contracts.text.times import iso
from operators.records import Person
from operators.segments.compile import Program
from operators.segments.explain import Reason
from operators.segments.traced import contributions
from schemalogic.paths import parse_path

MOST = 20
"""Events of a condition that are named, the newest."""

_Known = tuple[int, str, str]
"""Time, message id, name or call."""


class EventsBehind:
    """What is asked about one person at one time (µs). ``events``: all of the person's up to it; ``decided``: by purpose the decision that
    counts, ``[time, message id, granted]``."""

    def __init__(self, person: Person, program: Program, events: Sequence[Event], decided: Mapping[str, list[Any]], at_us: int) -> None:
        self._person, self._program, self._events, self._decided, self._at = person, program, events, decided, at_us

    def segment(self, segment: Segment, reason: Reason) -> Reason:
        """The reason of a segment, with events."""
        *before, last = reason.of
        told = [self._consent(segment.purpose or "", one) if one.form == "consent" else one for one in before]
        return replace(reason, of=(*told, self._condition(segment.who, last)))

    def _condition(self, condition: Condition, reason: Reason) -> Reason:
        match condition:
            case All() | AnyOf() | AtLeast() | Not():
                return replace(reason, of=tuple(map(self._condition, condition.parts, reason.of)))
            case MemberOf(name):
                return self.segment(next(one for one in self._program.segments if one.name == name), reason)
            case ConsentIs(purpose):
                return self._consent(purpose, reason)
            case Did():
                return _with(reason, self._counted(self._program.number[condition.feature]))
            case TraitIs(path):
                return _with(reason, self._of_trait(str(parse_path(path)[0])))
            case NewWithin() | InactiveFor() if self._events:
                pick = min if isinstance(condition, NewWithin) else max
                seen = pick(self._events, key=lambda one: (one.time_us, one.message_id))
                return _with(reason, [_known(seen)])
            case _:
                return reason

    def _consent(self, purpose: str, reason: Reason) -> Reason:
        decision = self._decided.get(purpose)
        if decision is None:
            return reason
        time, message = decision[0], str(decision[1])
        name = next((_known(one)[2] for one in self._events if one.message_id == message), "a refused record")
        return _with(reason, [(time, message, name)])

    def _counted(self, number: int) -> list[_Known]:
        return [_known(event) for event, _ in contributions(self._program, number, self._person, self._events, self._at)]

    def _of_trait(self, name: str) -> list[_Known]:
        """Of a trait that is made of others those of all of them."""
        found: list[_Known] = []
        for each in self._program.rests_on(name):
            written = self._person.traits.get(each) if isinstance(each, str) else None
            found += self._counted(each) if isinstance(each, int) else [] if written is None else [(written[0], written[1], "identify")]
        return found


def _known(event: Event) -> _Known:
    return event.time_us, event.message_id, event.name or event.type


def _with(reason: Reason, known: Sequence[_Known]) -> Reason:
    ordered = sorted(set(known))
    shown = tuple({"time": iso(time), "event": name, "message_id": message} for time, message, name in ordered[-MOST:])
    return replace(reason, events=shown, earlier=len(ordered) - len(shown))
