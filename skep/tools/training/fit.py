"""Training a model: Splink's estimates, then rounds in which the clusters that they give correct them.

Splink takes random pairs for pairs of two people, which few large sets allow and small ones do not: in 1,000 records of 250
people, most equal e-mails of random pairs are one person's. So u is freed of that share, as the prior (from the clusters) says:
``u = (sampled − prior · m) / (1 − prior)``. And m, which the maximisation sees only within blocks, is averaged with
what it is over all pairs of a cluster.

The prior is of two records taken at random. A decision is not asked of those: a record is compared with whom its blocks yield, and what
speaks against the likeliest of them is that none is its own person's. How often that is (`Model.alone`) comes of the yield of
the blocks: of each record, what speaks for each cluster beside it, against that it has none. With it a stated probability is true.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import comb
from typing import Any

from msgspec import to_builtins

from contracts.model.definitions import IdentityRules
from contracts.model.probabilistic import Probabilistic
from operators.match.comparisons import levels
from operators.match.model import Model, Weights, shares
from operators.match.scoring import Prepared, probability, weight
from skep.tools.training.evaluation import Calibration, calibration
from skep.tools.training.linked import Linked
from skep.tools.training.records import Records
from skep.tools.training.splink_training import SEED, U_PAIRS, Trainer, TrainingImpossible

ROUNDS = 4
PAIRS_MAX = 200_000
"""Pairs of one person from which m is counted; of more, the first of each cluster."""
CLUSTER_PAIRS_MAX = 200
COUNTED = 0.5
"""How far a round goes from the m of before to the m that it counts."""
DOUBT = 0.5
"""Standard errors that are added to what is left of u: its remainder may be small by chance only."""
PSEUDO = 5.0
"""Pairs that the estimate before counts for."""
PRIOR_MIN, PRIOR_MAX = 1e-9, 0.5
YIELD_MIN = -4.0
"""Bits of a pair, against all pairs, from which on the cluster of the one may be the other's."""
YIELD_RECORDS, YIELD_MEMBERS = 20_000, 50
"""Records, and members of a cluster, of which is taken how likely a record is alone; of more, a sample."""
ALONE_ROUNDS, ALONE_MIN = 100, 0.01


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, how true its probabilities are by the clusters that they make, and by which lines it was trained; ``labels`` is how
    many records had one."""

    model: Model
    calibration: Calibration
    lines: list[str] = field(default_factory=list)
    labels: int = 0


def train(records: Records, rules: IdentityRules, settings: Probabilistic, people: dict[bytes, str] | None = None) -> Trained:
    """A model of the records. ``people``: whose a record is, for those of which it is known.

    Raises `TrainingImpossible` if the records, or what they share, are too few.
    """
    compared = [person.traits for person in records.people.values()]
    trainer = Trainer(compared, settings)
    sampled, lines = trainer.fit()
    linked = Linked(records, rules, settings, sampled)
    if not linked.pairs:
        raise TrainingImpossible(
            f"expected records that share the fields of a line of `block`, found none among {len(compared):,} "
            "→ are the traits named as in the events?"
        )
    total = comb(len(compared), 2)
    model = _corrected(replace(sampled, prior=_prior(linked, sampled, total)), sampled, total)
    model = trainer.again(model)
    for _ in range(ROUNDS):
        model = _round(linked, model, sampled, total)
    if people:
        model = _labelled(linked, model, sampled, people)
    model = replace(model, alone=_alone(linked, model))
    home = {key: at for at, cluster in enumerate(linked.again(model).clusters(settings.accept)) for key in cluster}
    stated = calibration(linked.candidates(), home)
    figures: dict[str, Any] = {
        "records": len(compared),
        "candidates": len(linked.pairs),
        "lines": lines,
        "labels": len(people or {}),
        "seed": SEED,
        "calibration": to_builtins(stated),
    }
    return Trained(replace(model, trained=figures), stated, lines, len(people or {}))


def _prior(linked: Linked, model: Model, total: int) -> float:
    """The prior at which the candidates' match probabilities add up to it."""
    bits = [each - weight(model.prior) for each in linked.weights(model)]
    prior = model.prior
    for _ in range(20):
        odds = weight(prior)
        prior = min(max(sum(probability(odds + each) for each in bits) / total, PRIOR_MIN), PRIOR_MAX)
    return prior


def _alone(linked: Linked, model: Model) -> float:
    """The probability that a record has no other one of its person within reach, at which the candidates' probabilities add up to it."""
    clusters = linked.again(model).clusters(linked.accept)
    home = {key: at for at, cluster in enumerate(clusters) for key in cluster}
    near: dict[bytes, set[int]] = defaultdict(set)
    for (a, b), bits in zip(linked.pairs, linked.weights(model), strict=True):
        if bits >= YIELD_MIN:
            near[a].add(home[b])
            near[b].add(home[a])
    keys = sorted(home)
    odds = []
    for key in keys[:: max(1, len(keys) // YIELD_RECORDS)]:
        beside = ([other for other in clusters[at] if other != key][:YIELD_MEMBERS] for at in sorted(near[key] | {home[key]}))
        odds.append(sum(2 ** min(linked.joint(key, others), 64.0) for others in beside if others))
    alone = 1.0
    for _ in range(ALONE_ROUNDS):
        alone = sum(alone / (alone + each) for each in odds) / len(odds)
    return max(alone, ALONE_MIN)


def _round(linked: Linked, model: Model, sampled: Model, total: int) -> Model:
    clusters = linked.again(model).clusters(linked.accept)
    joined = sum(comb(len(cluster), 2) for cluster in clusters)
    prior = min(max(joined / total, _prior(linked, model, total)), PRIOR_MAX)
    counted = _counted(linked, model, clusters)
    mixed = [
        replace(new, m=shares([COUNTED * a + (1 - COUNTED) * b for a, b in zip(new.m, old.m, strict=True)]))
        for new, old in zip(counted, model.comparisons, strict=True)
    ]
    return _corrected(replace(model, comparisons=tuple(mixed), prior=prior), sampled, total)


def _labelled(linked: Linked, model: Model, sampled: Model, people: dict[bytes, str]) -> Model:
    """The model with m from the records of known people, and the prior, too, if at least half of the records are known."""
    clusters: dict[str, list[bytes]] = defaultdict(list)
    for key, person in people.items():
        clusters[person].append(key)
    known, total = comb(len(people), 2), comb(len(linked.prepared), 2)
    joined = sum(comb(len(cluster), 2) for cluster in clusters.values())
    prior = model.prior
    if joined and 2 * len(people) >= len(linked.prepared):
        prior = min(joined / known, PRIOR_MAX)
    counted = _counted(linked, model, list(clusters.values()))
    return _corrected(replace(model, comparisons=counted, prior=prior), sampled, total)


def _corrected(model: Model, sampled: Model, total: int) -> Model:
    """The model with the u of random pairs less the share in them of pairs of one person."""
    least, prior, pairs = 1 / total, model.prior, min(total, U_PAIRS)

    def freed(now: Weights, first: Weights) -> Weights:
        rows = zip(first.u, now.m, strict=True)
        return replace(now, u=shares([max((u - prior * m) / (1 - prior), least) + DOUBT * math.sqrt(u / pairs) for u, m in rows]))

    both = zip(model.comparisons, sampled.comparisons, strict=True)
    return replace(model, comparisons=tuple(freed(now, first) for now, first in both))


def _counted(linked: Linked, model: Model, clusters: Sequence[Sequence[bytes]]) -> tuple[Weights, ...]:
    """The comparisons with m counted over the pairs within clusters."""
    pairs = _within(linked, clusters)
    found = []
    for at, each in enumerate(model.comparisons):
        tests = [level.test for level in levels(each.compare)]
        values = ((one[at], two[at]) for one, two in pairs)
        counted = Counter(next(n for n, test in enumerate(tests) if test(a, b)) for a, b in values if a is not None and b is not None)
        whole = counted.total() + PSEUDO
        found.append(replace(each, m=shares([(counted[n] + PSEUDO * m) / whole for n, m in enumerate(each.m)])))
    return tuple(found)


def _within(linked: Linked, clusters: Sequence[Sequence[bytes]]) -> list[tuple[Prepared, Prepared]]:
    found: list[tuple[Prepared, Prepared]] = []
    for cluster in clusters:
        rows = [linked.prepared[key] for key in cluster]
        pairs = ((rows[a], rows[b]) for b in range(1, len(rows)) for a in range(b))
        found.extend(pair for pair, _ in zip(pairs, range(CLUSTER_PAIRS_MAX), strict=False))
        if len(found) >= PAIRS_MAX:
            break
    return found
