"""What the links of one event have done to people."""

from __future__ import annotations

import msgspec

from contracts.model.batches import Event
from operators.people.store import Pair, Slot
from operators.records import ALONE, SEVERAL, Identifier, Link, Person, Record

Pairs = tuple[Pair, ...]
Slots = list[Slot | None]


class Linked(msgspec.Struct, gc=False):
    """``person``: who holds the event's first identifier, None if those concerned have to be rebuilt, which starts from the moments
    whatever has been done by then; what is below has to be told all the same."""

    person: Person | None = None
    done: int = 0
    """How many of the event's links have been applied by then, of those that are taken one by one."""
    again: bool = False
    """Whether all of it was known, so that nobody holds what others did."""
    created: list[Person] = []
    joined: list[tuple[Person, Person]] = []
    """(who stays, who vanishes), to be announced and to be joined."""
    parted: list[tuple[Person, Person]] = []
    """(whose identifier it was, who is created of it), to be announced."""
    left: list[Person] = []
    """Whom an identifier has left on which decisions hang."""
    gone: dict[bytes, Record] = {}
    """The records of people who have joined others, by lead, to be forgotten."""
    relinked: bool = False
    """Whether a link is new or first seen earlier than known, so that consents may stand otherwise."""


def new_link(a: bytes, b: bytes, event: Event, rules: int) -> Link:
    """The link that an event makes by this version of the rules."""
    time = event.time_us
    return Link(a, b, manual=False, first=time, last=time, message=event.message_id, rules=rules)


def meet(one: Identifier, other: Identifier) -> None:
    """Two identifiers were seen together."""
    for end, beside in ((one, other), (other, one)):
        if end.rivals == ALONE:
            end.rivals = beside.namespace
        elif end.rivals != beside.namespace:
            end.rivals = SEVERAL


def links_of(person: Person, identifier: Identifier) -> list[bytes]:
    """The keys of the standing links of an identifier in its cluster."""
    return [key for key in person.links if identifier.hash in (key[:16], key[16:32])]
