"""What Skep means by links by likeness: records, who is compared with whom, which links stand, how sure that is.

What a comparison says of one pair is the engine's own, since that is held against Splink elsewhere. All else is said anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from math import exp2, log2, sqrt
from typing import Any, NamedTuple

from contracts.model.batches import Event
from contracts.model.definitions import Definitions, IdentityRules
from contracts.model.probabilistic import BlockLine, Probabilistic
from operators.match import model
from operators.match.scoring import Scorer
from operators.match.values import value_at
from schemalogic.paths import parse_path
from tests.model_links import Ident, Identity, Link, Moment, anchor_of, join, lead, link_order, moment

UNIT, MOST_BITS = 2**24, 26
"""Likelihood ratios are whole numbers of 2⁻²⁴ and at most 2²⁶, so that sums of them are exact."""
Block = tuple[int, tuple[str, ...]]
"""Number of the line, and the values that those have who are in the block."""


class Record(NamedTuple):
    """What manual and deterministic links join. ``told``: when the value of each trait was. ``seen``: when it was seen in
    which windowed block."""

    lead: Ident
    traits: dict[str, Any]
    told: dict[str, Moment]
    seen: list[tuple[Block, int]]


class Weigher:
    """Weighs records by the model beside identity.yaml."""

    def __init__(self, definitions: Definitions) -> None:
        settings = definitions.identity.probabilistic
        assert settings is not None
        self._scorer = Scorer(model.load(definitions.files[settings.model].encode(), settings.compare, settings.model))
        self.prior = self._scorer.prior
        self._known: dict[tuple[Ident, Ident], list[float | None]] = {}

    def parts(self, one: Record, two: Record) -> list[float | None]:
        """What each comparison says in bits; None without two values."""
        one, two = sorted((one, two), key=lambda each: each.lead)
        if (one.lead, two.lead) not in self._known:
            self._known[one.lead, two.lead] = self._scorer.bits(*(self._scorer.prepare(each.traits) for each in (one, two)))
        return self._known[one.lead, two.lead]

    def pair(self, one: Record, two: Record) -> float:
        """The match weight of two records in bits."""
        return sum((bits for bits in self.parts(one, two) if bits is not None), self.prior)

    def clusters(self, ones: Sequence[Record], twos: Sequence[Record]) -> tuple[float, float]:
        """The match weight of two clusters in bits, and the mean match probability of the pairs between them.

        Each comparison says the mean likelihood ratio of the pairs that have both values; what speaks against it counts as often as the
        square root of the records in the smaller cluster.
        """
        pairs = [(one, two) for one in ones for two in twos]
        total = self.prior
        for said in zip(*(self.parts(*pair) for pair in pairs), strict=True):
            ratios = [ratio(bits) for bits in said if bits is not None]
            if ratios:
                bits = log2(sum(ratios) / len(ratios)) - log2(UNIT)
                total += bits if bits >= 0 else bits * sqrt(min(len(ones), len(twos)))
        return total, sum(ratio(log2(probability(self.pair(*pair)))) for pair in pairs) / len(pairs) / UNIT


def ratio(bits: float) -> int:
    return max(1, round(exp2(min(bits, MOST_BITS) + log2(UNIT))))


def records_of(rules: IdentityRules, events: Sequence[Event], identity: Identity) -> list[Record]:
    """One record a cluster, by lead. An event tells of the record in which its anchor is, whatever session it was in."""
    records = []
    for cluster in set(identity.cluster.values()):
        record = Record(lead(identity, cluster), {}, {}, [])
        for event in events:
            if anchor_of(rules, event) in cluster:
                for name, value in (event.traits or {}).items():
                    record.traits[name] = value
                    record.told[name] = moment(event)
                record.seen.extend((block, event.time_us) for block in windowed(rules, event))
        records.append(record)
    return sorted(records)


# ── who is compared ─────────────────────────────────────────────────────────────────────────────────────────────────
def values_of(holder: Mapping[str, Any], line: BlockLine) -> tuple[str, ...] | None:
    """The values of a line's fields, cut to their first characters; None if one is missing."""
    found = [(value_at(holder, field.path), field.first) for field in line.fields]
    values = [text[:first] for text, first in found if text is not None]
    return tuple(values) if len(values) == len(found) else None


def windowed(rules: IdentityRules, event: Event) -> list[Block]:
    """The windowed blocks in which an event sees its record."""
    lines = enumerate(rules.probabilistic.block) if rules.probabilistic is not None else ()
    return [(at, values) for at, line in lines if line.within_us is not None and (values := values_of(event.body, line))]


def fixed(settings: Probabilistic, record: Record) -> list[Block]:
    """The blocks that a record is in by its traits."""
    lines = enumerate(settings.block)
    return [(at, values) for at, line in lines if line.within_us is None and (values := values_of(record.traits, line))]


def candidates(settings: Probabilistic, records: Sequence[Record]) -> list[tuple[Record, Record]]:
    """The pairs that are compared: those that share a block that is not too large, a windowed one at about the same time."""
    blocks = {record.lead: {*fixed(settings, record), *(block for block, _ in record.seen)} for record in records}
    size = Counter(block for each in blocks.values() for block in each)

    def near(one: Record, two: Record, block: Block) -> bool:
        within = settings.block[block[0]].within_us
        times = [[time for where, time in record.seen if where == block] for record in (one, two)]
        return within is None or any(abs(a - b) <= within for a in times[0] for b in times[1])

    def compared(one: Record, two: Record) -> bool:
        common = blocks[one.lead] & blocks[two.lead]
        return any(size[block] <= settings.block_limit and near(one, two, block) for block in common)

    return [(one, two) for one, two in combinations(records, 2) if compared(one, two)]


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────────────
def probability(weight: float) -> float:
    return float(1 / (1 + 2**-weight))


def likely_links(settings: Probabilistic, records: Sequence[Record], weigher: Weigher) -> list[Link]:
    """The links between the leads of candidates that are alike enough to be reviewed."""
    found = []
    for one, two in candidates(settings, records):
        bits = weigher.pair(one, two)
        if probability(bits) >= settings.review:
            time = max([told_us(settings, one), told_us(settings, two)])
            found.append(Link(one.lead, two.lead, "probabilistic", time, time, weight=bits))
    return found


def told_us(settings: Probabilistic, record: Record) -> int:
    """When the newest of the values that are compared was told; 0 if there is none."""
    there = [compare.trait for compare in settings.compare if value_at(record.traits, compare.trait) is not None]
    names = [trait if trait in record.traits else str(parse_path(trait)[0]) for trait in there]
    return max((record.told[name][0] for name in names), default=0)


def join_likely(rules: IdentityRules, identity: Identity, records: Sequence[Record], links: Sequence[Link], weigher: Weigher) -> None:
    """Go through the links that are sure enough, behind all others and again and again, until none joins clusters any more.

    Then those within one cluster stand.
    """
    settings = rules.probabilistic
    assert settings is not None
    taken: Counter[Ident] = Counter()
    within = []
    for link in sorted(links, key=lambda link: link_order(rules, link)):
        if probability(link.weight or 0) >= settings.accept and max(taken[link.a], taken[link.b]) < rules.limit_links:
            taken.update((link.a, link.b))
            within.append(link)
    before = -1
    while len(identity.links) != before:
        before = len(identity.links)
        for link in within:
            ones, twos = ([each for each in records if each.lead in identity.cluster[end]] for end in (link.a, link.b))
            if ones != twos and alike(settings, ones, twos, weigher):
                join(rules, identity, link)
    identity.links.extend(link for link in within if identity.cluster[link.a] == identity.cluster[link.b] and link not in identity.links)


def alike(settings: Probabilistic, ones: Sequence[Record], twos: Sequence[Record], weigher: Weigher) -> bool:
    """Whether all that two clusters say makes them one; of two records, their link does."""
    if settings.support == 0 or len(ones) == len(twos) == 1:
        return True
    bits, mean = weigher.clusters(ones, twos)
    return probability(bits) >= settings.accept and mean >= settings.support


# ── confidence ──────────────────────────────────────────────────────────────────────────────────────────────────────
def confidence_of(identity: Identity, identifier: Ident) -> float:
    """The weakest link on the strongest way to the lead: the highest bar over which it can still be reached."""
    strength = {link: 1.0 if link.weight is None else probability(link.weight) for link in identity.links}
    first = lead(identity, identity.cluster[identifier])
    return next(bar for bar in sorted({1.0, *strength.values()}, reverse=True) if reachable(strength, first, identifier, bar))


def reachable(strength: Mapping[Link, float], start: Ident, end: Ident, bar: float) -> bool:
    """Whether links of at least that strength lead from one identifier to another."""
    reached: set[Ident] = set()
    more = {start}
    while more:
        reached |= more
        strong = [{link.a, link.b} for link, bits in strength.items() if bits >= bar]
        more = {end for ends in strong if ends & reached for end in ends} - reached
    return end in reached
