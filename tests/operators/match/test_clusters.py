"""The greedy rule over probabilistic links, beside a naive statement of it."""

from __future__ import annotations

import random
from collections import Counter

from contracts.model.definitions import IdentityRules, Namespace
from operators.match.clusters import BALANCE, BELIEF_MAX, DOUBT_MAX, SLACK, Match, Record, decide, members, order
from operators.match.scoring import probability
from operators.records import Identifier
from operators.stitch.rules import Rules

_SPACES = (Namespace("user", ("u",), unique=True), Namespace("mail", ("m",), limit=3), Namespace("device", ("d",)))
RULES = Rules(IdentityRules(1, _SPACES, frozenset(), (), limit_identifiers=9))


def _world(seed: int) -> tuple[dict[bytes, Record], dict[frozenset[bytes], float]]:
    rng = random.Random(seed)
    records = {}
    for at in range(rng.randint(2, 9)):
        key, first = bytes([at]), rng.choice((0, 1, 2, 2))
        held = Counter({first: 1}) + Counter(rng.choices((1, 2), k=rng.randint(0, 2)))
        records[key] = Record(Identifier(first, f"v{at}", key, 0, rng.randint(0, 3)), dict(held), rng.randint(0, 3))
    keys = list(records)
    weights = {frozenset((a, b)): rng.choice((-25.0, -6.0, 1.0, 5.0, 5.0, 9.0, 14.0)) for a in keys for b in keys if a < b}
    return records, weights


def _naive(records: dict[bytes, Record], weights: dict[frozenset[bytes], float], support: float) -> set[frozenset[bytes]]:
    clusters = [frozenset((key,)) for key in records]
    matches = [Match(min(pair), max(pair), bits) for pair, bits in weights.items() if bits >= 5]
    for match in sorted(matches, key=lambda each: order(each, records, RULES)):
        one, two = (next(each for each in clusters if key in each) for key in (match.a, match.b))
        held = sum((Counter(records[key].held) for key in one | two), Counter())
        between = [weights[frozenset((a, b))] for a in one for b in two] if one != two else []
        mean = sum(map(probability, between)) / max(len(between), 1)
        balance = sum(min(max(bits, -DOUBT_MAX), BELIEF_MAX) - BALANCE for bits in between) + SLACK
        fits = held.total() <= 9 and all(
            most is None or held[space] <= most or not all(any(records[key].held.get(space) for key in side) for side in (one, two))
            for space, most in enumerate(RULES.most)
        )
        if one != two and fits and (support == 0 or len(between) == 1 or (mean >= support and balance >= -1e-9)):
            clusters = [each for each in clusters if each not in (one, two)] + [one | two]
    return set(clusters)


def test_clusters_are_those_of_the_naive_rule_in_any_order_of_links() -> None:
    """1,500 random graphs with unique namespaces, limits and contradicting weights."""
    split = 0
    for seed in range(1500):
        records, weights = _world(seed)
        matches = [Match(min(pair), max(pair), bits) for pair, bits in weights.items() if bits >= 5]
        random.Random(seed).shuffle(matches)
        for support in (0.0, 0.1, 0.6):
            decisions = decide(records, matches, RULES, support, lambda a, b, known=weights: known[frozenset((a, b))])
            found = {frozenset(cluster) for cluster in members(records, decisions)}
            assert found == _naive(records, weights, support), (seed, support)
            split += any(each.refusal is not None and each.refusal.rule == "support" for each in decisions)
    assert split > 100


def test_a_weak_bridge_does_not_join_two_clusters() -> None:
    """One strong pair between two cliques of five that otherwise differ is refused, and the decision says how weak the support is."""
    keys = [bytes([at]) for at in range(10)]
    records = {key: Record(Identifier(2, f"v{at}", key, 0, 0), {2: 1}) for at, key in enumerate(keys)}
    rules = Rules(IdentityRules(1, (Namespace("a", ("a",)), Namespace("b", ("b",)), Namespace("c", ("c",))), frozenset(), ()))

    def weight(a: bytes, b: bytes) -> float:
        return 12.0 if (a[0] < 5) == (b[0] < 5) else 6.0 if {a[0], b[0]} == {4, 5} else -12.0

    matches = [Match(a, b, weight(a, b)) for a in keys for b in keys if a < b and weight(a, b) > 0]
    bridge = next(each for each in decide(records, matches, rules, 0.1, weight) if each.refusal is not None)
    assert bridge.refusal is not None
    assert (bridge.match.a, bridge.match.b, bridge.refusal.rule) == (keys[4], keys[5], "support")
    assert 0.03 < bridge.refusal.figure < 0.05
    assert len(members(records, decide(records, matches, rules, 0.1, weight))) == 2
    assert len(members(records, decide(records, matches, rules, 0.0, weight))) == 1
