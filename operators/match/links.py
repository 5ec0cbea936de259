"""Links by likeness between records, their order, and by what two clusters are joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from operators.match.joint import Evidence, Joint
from operators.records import Identifier
from operators.stitch.rules import Held, Rules

Says = Callable[[Sequence[bytes], Sequence[bytes]], Evidence]
"""What the pairs between two groups of records say, all of them together."""
Order = tuple[object, ...]


class Record(NamedTuple):
    """What manual and deterministic links joined: its lead, and how many values of each namespace (by position) it holds.

    ``last``: when its newest evidence was seen (µs).
    """

    lead: Identifier
    held: Held
    last: int = 0


class Match(NamedTuple):
    """Two records, named by the hashes of their leads, and their match weight in bits."""

    a: bytes
    b: bytes
    weight: float


class Joining(NamedTuple):
    """By what clusters are joined: their match probability, by `joint` over what all their pairs say, is at least ``accept``, and the
    mean one of all pairs at least ``support``; with a ``support`` of 0 by their heaviest link alone."""

    accept: float
    support: float
    joint: Joint
    says: Says


def rank(record: Record) -> tuple[int, str]:
    """The rank of a record is that of its lead."""
    return record.lead.namespace, record.lead.value


def place(weight: float, a: Record, b: Record, rules: Rules) -> Order:
    """The place of a link among probabilistic ones, the first the smallest: heavier first, then as among deterministic ones.

    ``a`` is before ``b`` in rank."""
    one, two, last = a.lead, b.lead, max(a.last, b.last)
    first: tuple[int, int] = (two.namespace, -last) if rules.newest else (last, two.namespace)
    return (-weight, first, one.namespace + two.namespace, rules.named(one), rules.named(two))
