"""Clusters by all that their pairs say, beside a naive statement of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from math import log2, sqrt

import pytest

from contracts.model.definitions import IdentityRules, Namespace
from operators.match import clusters, weighing
from operators.match.clusters import decide, members
from operators.match.joint import Joint, said
from operators.match.links import Joining, Match, Order, Record, place, rank
from operators.match.scoring import probability
from operators.records import Identifier
from operators.stitch.rules import Rules

_SPACES = (Namespace("user", ("u",), unique=True), Namespace("mail", ("m",), limit=3), Namespace("device", ("d",)))
RULES = Rules(IdentityRules(1, _SPACES, frozenset(), (), limit_identifiers=9))


PRIOR = -3.0
Bits = dict[frozenset[bytes], tuple[float | None, float | None]]
"""What two comparisons say of each pair."""


def _world(seed: int) -> tuple[dict[bytes, Record], Bits]:
    rng = random.Random(seed)
    records = {}
    for at in range(rng.randint(2, 9)):
        key, first = bytes([at]), rng.choice((0, 1, 2, 2))
        held = Counter({first: 1}) + Counter(rng.choices((1, 2), k=rng.randint(0, 2)))
        records[key] = Record(Identifier(first, f"v{at}", key, 0, rng.randint(0, 3)), dict(held), rng.randint(0, 3))
    keys = list(records)
    one, two = (None, -9.0, -2.0, 7.0, 11.0), (None, -4.0, 3.0, 8.0)
    return records, {frozenset((a, b)): (rng.choice(one), rng.choice(two)) for a in keys for b in keys if a < b}


def _weight(bits: tuple[float | None, ...]) -> float:
    return sum((each for each in bits if each is not None), PRIOR)


def _joining(bits: Bits, accept: float, support: float) -> Joining:
    @cache
    def one(a: bytes, b: bytes) -> int:
        pair = bits[frozenset((a, b))]
        parts = [said(at, each) for at, each in enumerate(pair) if each is not None]
        return sum(parts) + said(len(pair), log2(probability(_weight(pair))))

    def says(ones: Sequence[bytes], twos: Sequence[bytes]) -> int:
        return sum(one(a, b) for a in ones for b in twos)

    return Joining(accept, support, Joint(PRIOR, 2), says)


def _place(match: Match, records: dict[bytes, Record]) -> Order:
    return place(match.weight, *sorted((records[match.a], records[match.b]), key=rank), RULES)


def _naive(records: dict[bytes, Record], bits: Bits, accept: float, support: float) -> set[frozenset[bytes]]:
    found = [frozenset((key,)) for key in records]
    matches = [Match(min(pair), max(pair), _weight(each)) for pair, each in bits.items()]
    links = sorted((match for match in matches if probability(match.weight) >= accept), key=lambda each: _place(each, records))

    def together(one: frozenset[bytes], two: frozenset[bytes]) -> tuple[float, float]:
        pairs = [bits[frozenset((a, b))] for a in one for b in two]
        total, against = PRIOR, sqrt(min(len(one), len(two)))
        for column in zip(*pairs, strict=True):
            ratios = [2**each for each in column if each is not None]
            part = log2(sum(ratios) / len(ratios)) if ratios else 0.0
            total += part if part > 0 else part * against
        return total, sum(probability(_weight(pair)) for pair in pairs) / len(pairs)

    joined = True
    while joined:
        joined = False
        for match in links:
            one, two = (next(each for each in found if key in each) for key in (match.a, match.b))
            if one == two:
                continue
            held = sum((Counter(records[key].held) for key in one | two), Counter())
            fits = held.total() <= 9 and all(
                most is None or held[space] <= most or not all(any(records[key].held.get(space) for key in side) for side in (one, two))
                for space, most in enumerate(RULES.most)
            )
            weight, mean = (match.weight, 1.0) if support == 0 or len(one | two) == 2 else together(one, two)
            if fits and probability(weight) >= accept and mean >= support:
                found = [each for each in found if each not in (one, two)] + [one | two]
                joined = True
    return set(found)


def test_clusters_are_those_of_the_naive_rule_in_any_order_of_links() -> None:
    """1,500 random graphs with unique namespaces, limits and contradicting pairs."""
    split = 0
    for seed in range(1500):
        records, bits = _world(seed)
        for accept, support in ((0.8, 0.0), (0.8, 0.1), (0.95, 0.1), (0.8, 0.7)):
            matches = [Match(min(pair), max(pair), _weight(each)) for pair, each in bits.items()]
            matches = [match for match in matches if probability(match.weight) >= accept]
            random.Random(seed).shuffle(matches)
            decisions = decide(records, matches, RULES, _joining(bits, accept, support))
            found = {frozenset(cluster) for cluster in members(records, decisions)}
            assert found == _naive(records, bits, accept, support), (seed, accept, support)
            split += any(each.refusal is not None and each.refusal.rule == "support" for each in decisions)
    assert split > 500


def _cliques(size: int) -> tuple[dict[bytes, Record], Bits]:
    """Two groups of records that agree in everything, and one pair between them that nearly does; all others differ by the first."""
    keys = [bytes([at]) for at in range(2 * size)]
    records = {key: Record(Identifier(2, f"v{at}", key, 0, 0), {2: 1}) for at, key in enumerate(keys)}

    def pair(a: bytes, b: bytes) -> tuple[float, float]:
        return (8.0 if (a[0], b[0]) == (size - 1, size) else 9.0 if (a[0] < size) == (b[0] < size) else -9.0), 6.0

    return records, {frozenset((a, b)): pair(a, b) for a in keys for b in keys if a < b}


FREE = Rules(IdentityRules(1, (Namespace("a", ("a",)), Namespace("b", ("b",)), Namespace("c", ("c",))), frozenset(), ()))


def test_a_bridge_does_not_join_two_clusters() -> None:
    """One pair of 25 agrees by the first comparison: that is 3.4 bits in place of 8, and the second has 6. The decision says both."""
    records, bits = _cliques(5)
    matches = [Match(min(pair), max(pair), _weight(each)) for pair, each in bits.items() if _weight(each) > 0]

    def decided(accept: float, support: float) -> list[clusters.Decision]:
        return decide(records, matches, FREE, _joining(bits, accept, support))

    assert len(members(records, decided(0.9, 0.01))) == 1
    (bridge,) = (each for each in decided(0.995, 0.01) if each.refusal is not None)
    assert bridge.refusal is not None
    assert (bridge.match.a, bridge.match.b, bridge.refusal.rule, bridge.refusal.by) == (b"\4", b"\5", "support", "together")
    assert bridge.refusal.figure == pytest.approx(probability(PRIOR + log2((2**8 + 24 * 2**-9) / 25) + 6), abs=1e-6)
    (bridge,) = (each for each in decided(0.9, 0.1) if each.refusal is not None)
    assert bridge.refusal is not None
    assert (bridge.refusal.by, bridge.refusal.limit) == ("", 0.1)
    assert bridge.refusal.figure == pytest.approx((probability(11) + 24 * probability(-6)) / 25, abs=1e-6)
    assert len(members(records, decided(0.995, 0))) == 1


def test_of_large_clusters_a_sample_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more pairs are looked at than `PAIRS_MAX` for two clusters, and those who agree are still one."""
    monkeypatch.setattr(weighing, "PAIRS_MAX", 16)
    records, bits = _cliques(20)
    asked: Counter[frozenset[bytes]] = Counter()
    joining = _joining(bits, 0.995, 0.01)

    def says(ones: Sequence[bytes], twos: Sequence[bytes]) -> int:
        asked.update(frozenset((a, b)) for a in ones for b in twos)
        return joining.says(ones, twos)

    sure = {pair: each for pair, each in bits.items() if _weight(each) > 0 and max(pair)[0] - min(pair)[0] == 1}
    matches = [Match(min(pair), max(pair), _weight(each)) for pair, each in sure.items()]
    found = members(records, decide(records, matches, FREE, joining._replace(says=says)))
    assert [len(cluster) for cluster in found] == [20, 20]
    assert asked.total() <= 16 * len(matches) * 4
