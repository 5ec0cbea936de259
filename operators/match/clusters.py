"""Probabilistic links behind all others: which of them stand, by all that clusters say of each other and the namespaces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import heappop, heappush
from itertools import groupby
from typing import NamedTuple

import msgspec

from operators.components import Components
from operators.match.joint import Evidence, Joint, together
from operators.match.scoring import probability, weight
from operators.records import Identifier
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules

PAIRS_MAX = 10_000
"""Pairs of records that are looked at for the weight of two clusters; of larger clusters, an even sample of their members."""

Says = Callable[[bytes, bytes], Evidence]
"""What a pair of records says."""


class Record(msgspec.Struct, gc=False):
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


class Decision(NamedTuple):
    """A link, and what refuses it (None: it stands). ``joins``: its ends were not one already by links that come before."""

    match: Match
    refusal: Refusal | None
    joins: bool = False


class Joining(NamedTuple):
    """By what clusters are joined: their match probability, by `joint` over what all their pairs say, is at least ``accept``, and the
    mean one of all pairs at least ``support``; with a ``support`` of 0 by their heaviest link alone."""

    accept: float
    support: float
    joint: Joint
    says: Says


def order(match: Match, records: Mapping[bytes, Record], rules: Rules) -> tuple[object, ...]:
    """The place of a link among probabilistic ones, the first the smallest: heavier first, then as among deterministic ones."""
    one, two = records[match.a], records[match.b]
    a, b = sorted((one.lead, two.lead), key=lambda lead: (lead.namespace, lead.value))
    last = max(one.last, two.last)
    return (
        -match.weight,
        *((b.namespace, -last) if rules.newest else (last, b.namespace)),
        a.namespace + b.namespace,
        rules.named(a),
        rules.named(b),
    )


def decide(records: Mapping[bytes, Record], matches: Collection[Match], rules: Rules, joining: Joining) -> list[Decision]:
    """Every link in order, and whether it stands: whether the clusters in which its ends are have become one."""
    links: dict[bytes, int] = defaultdict(int)
    beyond = rules.beyond_links._replace(by="")
    ordered, within = list(_in_order(matches, records, rules)), []
    for match in ordered:
        if max(links[match.a], links[match.b]) < rules.links_max:
            links[match.a] += 1
            links[match.b] += 1
            within.append(match)
    clusters = _Clusters(records, within, rules, joining)
    clusters.join()
    taken, joined, found = set(within), Components(), []
    for match in ordered:
        refusal = clusters.refusal(match) if match in taken else beyond
        joins = refusal is None and joined.root(match.a) != joined.root(match.b)
        if joins:
            joined.join(match.a, match.b)
        found.append(Decision(match, refusal, joins))
    return found


def _in_order(matches: Collection[Match], records: Mapping[bytes, Record], rules: Rules) -> Iterator[Match]:
    """The links in order; only those of equal weight, which are few, are compared by more than that."""
    by_weight = sorted(matches, key=lambda match: -match.weight)
    for _, equal in groupby(by_weight, key=lambda match: match.weight):
        several = list(equal)
        yield from sorted(several, key=lambda match: order(match, records, rules)) if len(several) > 1 else several


def members(records: Collection[bytes], decisions: Collection[Decision]) -> list[list[bytes]]:
    """The clusters that the accepted links make of the records, those of one included, in the order of the records."""
    return Components(records, ((each.match.a, each.match.b) for each in decisions if each.refusal is None)).parts()


class _Clusters:
    """Clusters that grow: those two are joined next that weigh most together, of equal ones those whose first link comes first.

    Two clusters that a link connects are a *pair*, and go by the place of their first link.
    """

    def __init__(self, records: Mapping[bytes, Record], links: list[Match], rules: Rules, joining: Joining) -> None:
        self._rules = rules
        self._by = joining
        self._home = Components()
        self._held = {key: record.held for key, record in records.items()}
        self._records = {key: [key] for key in records}
        self._near: dict[bytes, dict[bytes, int]] = defaultdict(dict)
        """Clusters by their roots: the pairs of each, by the other one."""
        self._ends: dict[int, tuple[bytes, bytes]] = {}
        self._evidence: dict[int, Evidence] = {}
        """What is known of a pair; of two single records it is only looked at when one of them grows."""
        self._changes: dict[int, int] = {}
        """How often a pair was weighed anew: what stands in the queue of before does not count."""
        self._figures: dict[int, tuple[float, float]] = {}
        """What a pair that has grown weighs, and the mean match probability between its records."""
        self._least = weight(joining.accept)
        # In the order of their weights, links are a queue already.
        self._queue = [(-match.weight, place, 0) for place, match in enumerate(links)]
        for place, match in enumerate(links):
            self._near[match.a][match.b] = self._near[match.b][match.a] = place
            self._ends[place] = match.a, match.b

    def join(self) -> None:
        """Join what is to be joined."""
        while self._queue:
            _, place, change = heappop(self._queue)
            if place not in self._ends or self._changes.get(place, 0) != change:
                continue
            a, b = self._ends[place]
            held = self._rules.together(self._held[a], self._held[b])
            if isinstance(held, Refusal):
                # For ever: what they hold can only become more.
                self._part(place)
            else:
                self._merge(place, held)

    def _part(self, place: int) -> None:
        a, b = self._ends.pop(place)
        del self._near[a][b], self._near[b][a]

    def _merge(self, place: int, held: Held) -> None:
        a, b = self._ends[place]
        if len(self._records[b]) > len(self._records[a]):
            a, b = b, a
        self._part(place)
        near, theirs = self._near[a], self._near.pop(b)
        grown = {other: self._grown(a, b, other) for other in near.keys() | theirs.keys()} if self._by.support else {}
        self._held[a] = held
        self._records[a] += self._records.pop(b)
        self._home.join(a, b)
        for other, at in theirs.items():
            del self._near[other][b]
            first = near.get(other, at)
            if first != at:
                del self._ends[max(first, at)]
                first = min(first, at)
            near[other] = self._near[other][a] = first
            self._ends[first] = a, other
        for other, evidence in grown.items():
            self._weigh(near[other], evidence)

    def _grown(self, a: bytes, b: bytes, other: bytes) -> Evidence | None:
        """What there is between a cluster and two that become one; None if that is taken from a sample."""
        pairs = (len(self._records[a]) + len(self._records[b])) * len(self._records[other])
        return None if pairs > PAIRS_MAX else self._between(a, other) + self._between(b, other)

    def _between(self, a: bytes, b: bytes) -> Evidence:
        place = self._near[a].get(b)
        known = None if place is None else self._evidence.get(place)
        return self._together(self._records[a], self._records[b]) if known is None else known

    def _together(self, ones: list[bytes], twos: list[bytes]) -> Evidence:
        return together(self._by.says(one, two) for one in ones for two in twos)

    def _weigh(self, place: int, evidence: Evidence | None) -> None:
        """The clusters of a pair have grown: it stands elsewhere in the queue now, or not at all."""
        a, b = self._ends[place]
        if evidence is None:
            evidence = self._together(_sample(self._records[a]), _sample(self._records[b]))
            self._evidence.pop(place, None)
        else:
            self._evidence[place] = evidence
        change = self._changes[place] = self._changes.get(place, 0) + 1
        bits, mean = self._by.joint.weight(evidence, min(len(self._records[a]), len(self._records[b])))
        self._figures[place] = bits, mean
        if bits >= self._least and mean >= self._by.support:
            heappush(self._queue, (-bits, place, change))

    def refusal(self, match: Match) -> Refusal | None:
        """What keeps the ends of a link apart, if they are."""
        a, b = self._home.root(match.a), self._home.root(match.b)
        if a == b:
            return None
        held = self._rules.together(self._held[a], self._held[b])
        if isinstance(held, Refusal):
            return held
        bits, mean = self._figures[self._near[a][b]]
        if bits < self._least:
            return Refusal("support", limit=self._by.accept, figure=probability(bits), by="together")
        return Refusal("support", limit=self._by.support, figure=mean)


def _sample(records: list[bytes]) -> list[bytes]:
    most = int(PAIRS_MAX**0.5)
    return [records[at * len(records) // most] for at in range(most)] if len(records) > most else records
