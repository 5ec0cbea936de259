"""Probabilistic links behind all others: which of them stand, by the greedy rule, the namespaces and the support between clusters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

import msgspec

from operators.components import Components
from operators.match.scoring import probability
from operators.records import Identifier
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules

SUPPORT_PAIRS_MAX = 10_000
"""Pairs of records that are looked at for the support of one merge; of larger clusters, an even sample of their members."""

DOUBT_MAX = 20.0
BELIEF_MAX = 10.0
"""Bits that one pair can weigh against or for a merge, so that a single pair decides nothing between large clusters."""
BALANCE = 1.0
"""Bits that the pairs between two clusters must weigh in the mean …"""
SLACK = 30.0
"""… less so many bits over all of them: a few pairs that disagree are the errors that links are there to bridge."""

Weight = Callable[[bytes, bytes], float]
"""The match weight of two records, in bits."""


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


def decide(records: Mapping[bytes, Record], matches: Collection[Match], rules: Rules, support: float, weight: Weight) -> list[Decision]:
    """Every link in order, and whether it stands. ``support``: the least mean match probability between two clusters that are joined."""
    ordered = _in_order(matches, records, rules)
    links: dict[bytes, int] = defaultdict(int)
    clusters = _Clusters(records, rules, support, weight)
    beyond = rules.beyond_links._replace(by="")
    found = []
    for match in ordered:
        if max(links[match.a], links[match.b]) >= rules.links_max:
            found.append(Decision(match, beyond))
            continue
        links[match.a] += 1
        links[match.b] += 1
        found.append(clusters.add(match))
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
    """Clusters that grow, each with its records and how many values of each namespace it holds, by root."""

    def __init__(self, records: Mapping[bytes, Record], rules: Rules, support: float, weight: Weight) -> None:
        self._rules = rules
        self._support = support
        self._between = Support(weight)
        self._components = Components()
        self._held = {key: record.held for key, record in records.items()}
        self._records = {key: [key] for key in records}

    def add(self, match: Match) -> Decision:
        a, b = self._components.root(match.a), self._components.root(match.b)
        if a == b:
            return Decision(match, None)
        if len(self._records[b]) > len(self._records[a]):
            a, b = b, a
        held = self._rules.together(self._held[a], self._held[b])
        if isinstance(held, Refusal):
            return Decision(match, held)
        pairs = len(self._records[a]) * len(self._records[b])
        if self._support > 0 and pairs > 1:
            mean, balance = self._between.means(a, self._records[a], b, self._records[b])
            if mean < self._support or balance < BALANCE - SLACK / pairs:
                return Decision(match, Refusal("support", limit=self._support, figure=mean))
        self._components.join(a, b)
        self._held[a] = held
        self._records[a].extend(self._records.pop(b))
        return Decision(match, None, joins=True)


class Support:
    """What all pairs between two growing lists of records say, each pair computed once.

    A cluster is named by its first record and only ever grows at its end, so sums over its first members stay right.
    """

    def __init__(self, weight: Weight) -> None:
        self._weight = weight
        self._sums: dict[tuple[bytes, bytes], tuple[int, int, float, float]] = {}

    def means(self, a: bytes, ones: list[bytes], b: bytes, twos: list[bytes]) -> tuple[float, float]:
        """The mean match probability, and the mean match weight within its bounds, over all pairs of two clusters.

        Over those of an even sample, if there are more than `SUPPORT_PAIRS_MAX`.
        """
        if a > b:
            a, ones, b, twos = b, twos, a, ones
        pairs = len(ones) * len(twos)
        if pairs > SUPPORT_PAIRS_MAX:
            ones, twos = _sample(ones), _sample(twos)
            mean, balance = self._sum(ones, twos)
            return mean / (len(ones) * len(twos)), balance / (len(ones) * len(twos))
        known_ones, known_twos, mean, balance = self._sums.get((a, b), (0, 0, 0.0, 0.0))
        for rows, others in ((ones[:known_ones], twos[known_twos:]), (ones[known_ones:], twos)):
            more = self._sum(rows, others)
            mean, balance = mean + more[0], balance + more[1]
        self._sums[a, b] = (len(ones), len(twos), mean, balance)
        return mean / pairs, balance / pairs

    def _sum(self, ones: list[bytes], twos: list[bytes]) -> tuple[float, float]:
        mean = balance = 0.0
        for one in ones:
            for two in twos:
                bits = self._weight(one, two)
                mean += probability(bits)
                balance += min(max(bits, -DOUBT_MAX), BELIEF_MAX)
        return mean, balance


def _sample(records: list[bytes]) -> list[bytes]:
    most = int(SUPPORT_PAIRS_MAX**0.5)
    return [records[at * len(records) // most] for at in range(most)] if len(records) > most else records
