"""Probabilistic links behind all others: which of them stand, by the namespaces and all that the pairs between two clusters say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
    """Every link in order, and whether it stands: whether the clusters in which its ends are have become one.

    The links are gone through again and again, until none joins clusters any more: what they hold by then counts.
    """
    links: dict[bytes, int] = defaultdict(int)
    beyond = rules.beyond_links._replace(by="")
    ordered, counted, refused = list(_in_order(matches, records, rules)), [], {}
    for match in ordered:
        if max(links[match.a], links[match.b]) >= rules.links_max:
            refused[match] = beyond
            continue
        links[match.a] += 1
        links[match.b] += 1
        counted.append(match)
    clusters = _Clusters(records, rules, joining)
    waiting, before = counted, -1
    while waiting and len(clusters.joined) != before:
        before = len(clusters.joined)
        waiting = [match for match in waiting if not clusters.join(match)]
    refused |= {match: clusters.refusal(match) for match in waiting}
    joined = clusters.joined
    if before > 0:
        # A link that was refused at first may stand now, and comes before those that have made its ends one.
        joined = _spanning(match for match in counted if match not in refused)
    return [Decision(match, refused.get(match), match in joined) for match in ordered]


def _spanning(links: Iterable[Match]) -> set[Match]:
    """Those of the links, in their order, whose ends are not one by the ones before."""
    joined, found = Components(), set()
    for match in links:
        if joined.root(match.a) != joined.root(match.b):
            joined.join(match.a, match.b)
            found.add(match)
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

    def __init__(self, records: Mapping[bytes, Record], rules: Rules, joining: Joining) -> None:
        self._rules = rules
        self._by = joining
        self._least = weight(joining.accept)
        self._components = Components()
        self.joined: set[Match] = set()
        """The links that have joined clusters."""
        self._held = {key: record.held for key, record in records.items()}
        self._records = {key: [key] for key in records}
        self._said: dict[tuple[bytes, bytes], tuple[int, int, Evidence]] = {}
        """What is known between two clusters, and of how many records of each. They only ever grow at their ends."""
        self._refused: dict[tuple[bytes, bytes], tuple[int, int, Refusal]] = {}
        """What refused two clusters, when they had so many records."""

    def join(self, match: Match) -> bool:
        """Join the clusters of a link if that may be; returns whether its ends are in one."""
        a, b = self._of(match)
        if a == b:
            return True
        held = self._together(a, b)
        if isinstance(held, Refusal):
            return False
        self._components.join(a, b)
        self._held[a] = held
        self._records[a].extend(self._records.pop(b))
        self.joined.add(match)
        return True

    def refusal(self, match: Match) -> Refusal:
        """What refused the clusters of a link, as they are."""
        found = self._together(*self._of(match))
        assert isinstance(found, Refusal), "links are gone through until none joins clusters any more"
        return found

    def _of(self, match: Match) -> tuple[bytes, bytes]:
        """The clusters in which the ends of a link are, the larger one first."""
        a, b = self._components.root(match.a), self._components.root(match.b)
        return (b, a) if len(self._records[b]) > len(self._records[a]) else (a, b)

    def _together(self, a: bytes, b: bytes) -> Held | Refusal:
        """What two clusters hold as one, or what refuses that."""
        sizes = len(self._records[a]), len(self._records[b])
        if sizes == (1, 1):
            return self._rules.together(self._held[a], self._held[b])
        known = self._refused.get((a, b))
        if known is not None and known[:2] == sizes:
            return known[2]
        found = self._rules.together(self._held[a], self._held[b])
        if not isinstance(found, Refusal) and self._by.support:
            found = self._doubt(a, b) or found
        if isinstance(found, Refusal):
            self._refused[a, b] = *sizes, found
        return found

    def _doubt(self, a: bytes, b: bytes) -> Refusal | None:
        """What their pairs say against two clusters being one."""
        ones, twos = self._records[a], self._records[b]
        if len(ones) * len(twos) > PAIRS_MAX:
            evidence = self._says(_sample(ones), _sample(twos))
        else:
            rows, others, evidence = self._said.get((a, b), (0, 0, 0))
            evidence += self._says(ones[:rows], twos[others:]) + self._says(ones[rows:], twos)
            self._said[a, b] = len(ones), len(twos), evidence
        bits, mean = self._by.joint.weight(evidence, min(len(ones), len(twos)))
        if bits < self._least:
            return Refusal("support", limit=self._by.accept, figure=probability(bits), by="together")
        return None if mean >= self._by.support else Refusal("support", limit=self._by.support, figure=mean)

    def _says(self, ones: list[bytes], twos: list[bytes]) -> Evidence:
        says = self._by.says
        return together([says(one, two) for one in ones for two in twos])


def _sample(records: list[bytes]) -> list[bytes]:
    most = int(PAIRS_MAX**0.5)
    return [records[at * len(records) // most] for at in range(most)] if len(records) > most else records
