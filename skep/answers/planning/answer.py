"""What `skep plan` answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from skep.answers.segments.meaning import MeaningChange
from skep.project.in_force import ChangedFile

T = TypeVar("T")


class Person(msgspec.Struct):
    """A profile of a sample: its first identifiers, ``[namespace, value]``, and how many more it has."""

    profile: str
    identifiers: list[list[str]]
    more: int


class Sample(msgspec.Struct):
    """Profiles before, and what becomes of them."""

    before: list[Person]
    after: list[Person]


class Some(msgspec.Struct, Generic[T], frozen=True):
    """How many there are, and the first of them."""

    count: int = 0
    samples: Sequence[T] = ()


class Ids(msgspec.Struct, frozen=True):
    """Profile ids that are there only before, and only after."""

    vanish: Some[Sample] = Some()
    appear: Some[Sample] = Some()


class Moved(msgspec.Struct, frozen=True):
    """How many identifiers have another profile id, are there only after, and only before."""

    moved: int = 0
    added: int = 0
    gone: int = 0


class Turnover(msgspec.Struct, frozen=True):
    """How many entries into a segment, and exits, a destination would be told."""

    entered: int
    left: int


class Members(msgspec.Struct):
    """A segment's size before and after, the profiles that enter and leave it, and what each destination would be told of that."""

    before: int
    after: int
    enter: Some[Person]
    leave: Some[Person]
    told: dict[str, Turnover] = {}


class SegmentPlan(msgspec.Struct, frozen=True):
    """A segment that would mean something else: ``added``, ``changed``, ``removed``, or ``rests on others`` that do. ``changes``: what
    says something else, in words. ``asked_by``: the segments that ask about it, through others, too."""

    segment: str
    how: str
    changes: list[MeaningChange]
    asked_by: list[str]


class Changes(msgspec.Struct):
    """How many changes a destination would be told, by their type."""

    changes: int
    types: dict[str, int]


class Digests(msgspec.Struct):
    """The definitions in force, and those of the plan."""

    before: str
    after: str


class Sizes(msgspec.Struct):
    """How many profiles there are."""

    before: int
    after: int


class Effort(msgspec.Struct, frozen=True):
    """What it takes, as the plan itself has found: ``people`` are evaluated, ``events`` read, of both together in ``seconds`` of the
    processor; ``bytes`` are written, and so many of memory are needed at most beside what the flow has. ``anew``: everybody is made anew
    of all events."""

    seconds: float
    people: int
    events: int
    bytes: int
    memory: int
    anew: bool


class Plan(msgspec.Struct):
    """What is to be put in force in a space, and what it would do to people, with samples by profile id.

    ``plan``: see `plans`; ``clock``: windows end there; ``waiting``: entries of the control partition that no flow has read yet, which
    come first; ``older``: an older version of Skep computed the people, so the next flow computes them anew in any case.
    ``merge``: people after that are made of several of today's; ``split``: people of today that become several; ``events``: how many
    belong to another profile, or to one at all only before or only after; ``traits``: how many profiles that are there before and after
    have another value of each. ``meanings``: the segments that would mean something else. ``cost``: None if nothing would change.
    """

    space: str
    plan: str | None
    clock: str | None
    definitions: Digests
    files: list[ChangedFile]
    waiting: int
    older: bool
    recomputed: bool
    people: Sizes
    cost: Effort | None = None
    merge: Some[Sample] = Some()
    split: Some[Sample] = Some()
    id: Ids = Ids()
    identifiers: Moved = Moved()
    events: int = 0
    segments: dict[str, Members] = {}
    destinations: dict[str, Changes] = {}
    traits: dict[str, int] = {}
    meanings: list[SegmentPlan] = []
