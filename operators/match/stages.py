"""Clusters while they grow: the links, the records, and which clusters were made of which, and when."""

from __future__ import annotations

from typing import NamedTuple

from operators.match.joint import Evidence
from operators.match.links import Match, Order, Record, rank
from operators.stitch.rules import Held


class Tie:
    """A link that is sure enough, ``a`` before ``b`` in rank, and its place among all. ``counts``: as none of its ends has too many
    before it; ``run``: when it was looked at last."""

    def __init__(self, a: Member, b: Member, bits: float, order: Order) -> None:
        self.a = a
        self.b = b
        self.bits = bits
        self.order = order
        self.counts = True
        self.run = 0


class Stage:
    """A cluster from the turn and link on that made it, until it joined another one (``parent``): a record, or ``larger`` and
    ``smaller``. Its records are the first ``size`` of ``leads``, which goes on as the list of the cluster that it is the larger part of.

    ``run``: when it was another than before. ``said``, ``refused``: what is known between it and older ones, by their numbers.
    ``before``: what the same link made of the same clusters before, without its records ``more``.
    ``spanning``: of those that join nothing any more, the heaviest links that connect it.
    """

    def __init__(self, number: int, leads: list[bytes], held: Held, turn: int, order: Order) -> None:
        self.number = number
        self.leads = leads
        self.size = len(leads)
        self.held = held
        self.turn = turn
        self.order = order
        self.run = 0
        self.ends = False
        self.parent: Stage | None = None
        self.larger: Stage | None = None
        self.smaller: Stage | None = None
        self.before: Stage | None = None
        self.more: list[bytes] = []
        self.said: dict[int, Evidence] | None = None
        self.refused: set[int] | None = None
        self.spanning: list[Tie] = []

    def records(self) -> list[bytes]:
        """Its records; not to be changed."""
        return self.leads if len(self.leads) == self.size else self.leads[: self.size]


class Member:
    """A record with its links, the cluster that it is alone, and (``home``) the one that it has ended in. ``at``: where it was found
    in a ``run``; ``reached``: the number of the cluster as part of which its links were gone through again last."""

    def __init__(self, key: bytes, record: Record, alone: Stage) -> None:
        self.key = key
        self.record = record
        self.rank = rank(record)
        self.ties: dict[bytes, Tie] = {}
        self.alone = alone
        self.home: Stage | None = None
        self.at = alone
        self.reached = 0
        self.run = 0

    def let_go(self) -> None:
        """It is no more: links and clusters that know it are not to be kept by it."""
        self.ties, self.home, self.at = {}, None, self.alone


class Regrown(NamedTuple):
    """A cluster that is not what it was. ``moved``: its records beside those that were a cluster before, without which it is as
    it was; ``ties``: the links of those within it, in order; ``weakest``: the weight of the weakest link on the strongest way between
    any two of its records, None if it has one record. Records come by rank."""

    leads: list[bytes]
    moved: set[bytes]
    ties: list[Match]
    weakest: float | None


class Dissolved(NamedTuple):
    """A cluster that is none any more, and the two that it was made of."""

    stage: Stage
    one: Stage | None
    two: Stage | None


def inherit(made: Stage, a: Stage, b: Stage, broken: Dissolved | None) -> None:
    """What a cluster has said need not be asked again where the same link makes it, of the same clusters with more records."""
    if broken is None or broken.stage.turn != made.turn or broken.stage.order != made.order:
        return
    more, also = _more(a, broken.one), _more(b, broken.two)
    if more is None or also is None:
        more, also = _more(a, broken.two), _more(b, broken.one)
    if more is not None and also is not None:
        made.before, made.more, broken.stage.before = broken.stage, more + also, None


def _more(stage: Stage, part: Stage | None) -> list[bytes] | None:
    """The records that a cluster has beside those of another; None unless it is that one, or has grown out of it."""
    grown: Stage | None = stage
    while grown is not None and part is not None:
        rest = stage.leads[grown.size : stage.size]
        if grown is part:
            return rest
        if grown.before is part:
            return grown.more + rest
        if grown.smaller is part:
            return grown.leads[: grown.size - part.size] + rest
        grown = grown.larger
    return None
