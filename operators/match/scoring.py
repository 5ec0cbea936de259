"""The match weight of two records: the sum, in bits, of the prior's odds and of what each comparison says.

Fellegi and Sunter (1969), as Splink computes it: log2(prior / (1 − prior)) + Σ log2(m / u), where equal values with a
term frequency f count log2(m / f) in place of log2(m / u). The prior is that of a candidate (`Model.chance`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from contracts.model.probabilistic import How
from operators.match.comparisons import Test, levels, prepare, term
from operators.match.joint import Evidence, Joint, said
from operators.match.model import Model, Weights
from operators.match.values import value_at

TERMS_CACHE = 50_000
"""Values of one comparison for which is kept what it says that they are equal."""
Prepared = tuple[Any, ...]
"""The values of one record, one for each comparison; None where it has none."""
Said = tuple[float, Evidence]
"""What a comparison says of a pair, in bits and as evidence of clusters."""


class Part(NamedTuple):
    """What one comparison says of a pair: the level, its weight, and what the frequency of the value adds, in bits."""

    trait: str
    how: str
    level: str
    weight: float
    frequency: float


def probability(weight: float) -> float:
    """The match probability of a weight in bits."""
    return 1.0 / (1.0 + math.exp2(min(-weight, 1000.0)))


def weight(probability: float) -> float:
    """The weight in bits of a match probability between 0 and 1."""
    return math.log2(probability / (1.0 - probability))


class Scorer:
    """Scores pairs by a model."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._traits: list[tuple[str, How]] = [(each.compare.trait, each.compare.how) for each in model.comparisons]
        self._comparisons = [_Comparison(at, each) for at, each in enumerate(model.comparisons)]
        self.prior = weight(model.chance)
        self.joint = Joint(self.prior, len(self._comparisons))

    def prepare(self, traits: Mapping[str, Any]) -> Prepared:
        """The values of a record's traits, as `weight` takes them."""
        found = ((trait, value_at(traits, trait)) for trait, _ in self._traits)
        return self.prepared({trait: text for trait, text in found if text is not None})

    def prepared(self, texts: Mapping[str, str]) -> Prepared:
        """The same of comparable texts by the path of the trait."""
        return tuple(prepare(how, texts[trait]) if trait in texts else None for trait, how in self._traits)

    def weight(self, a: Prepared, b: Prepared) -> float:
        """The match weight of two records, in bits."""
        return self.weigh(a, b)[0]

    def weigh(self, a: Prepared, b: Prepared) -> Said:
        """The match weight of two records, in bits, and what they say for clusters in which they are."""
        return self.weigh_all(a, (b,))[0]

    def weigh_all(self, a: Prepared, others: Sequence[Prepared]) -> list[Said]:
        """The same of a record and each of others. Values that several of them have are compared once."""
        known: list[dict[object, Said]] = [{} for _ in self._comparisons]
        places, last = range(len(self._comparisons)), len(self._comparisons)
        found = []
        for b in others:
            total, evidence = self.prior, 0
            for at in places:
                one, two = a[at], b[at]
                if one is not None and two is not None:
                    each = known[at].get(two)
                    if each is None:
                        each = known[at][two] = self._comparisons[at].says(one, two)
                    total += each[0]
                    evidence += each[1]
            found.append((total, evidence | said(last, math.log2(probability(total)))))
        return found

    def bits(self, a: Prepared, b: Prepared) -> list[float | None]:
        """What each comparison adds to the prior, in bits; None where one of the two has no value."""
        rows = zip(self._comparisons, a, b, strict=True)
        return [None if one is None or two is None else comparison.says(one, two)[0] for comparison, one, two in rows]

    def explain(self, a: Prepared, b: Prepared) -> list[Part]:
        """The waterfall: what each comparison adds to the prior, in the order of the rules."""
        parts = []
        for weights, bits, one, two in zip(self._model.comparisons, self.bits(a, b), a, b, strict=True):
            trait, how = weights.compare.trait, weights.compare.how
            if bits is None:
                parts.append(Part(trait, how, "nothing to compare", 0.0, 0.0))
                continue
            at = next(at for at, level in enumerate(levels(weights.compare)) if level.test(one, two))
            plain = weights.bits[at]
            parts.append(Part(trait, how, levels(weights.compare)[at].label, plain, bits - plain))
        return parts


class _Comparison:
    """What the comparison of a place says of two prepared values."""

    def __init__(self, at: int, weights: Weights) -> None:
        self._at = at
        self._how, self._terms, self._m = weights.compare.how, weights.terms, weights.m[0]
        said_by = [(bit, said(at, bit)) for bit in weights.bits]
        self._equal, self._otherwise = said_by[0], said_by[-1]
        tests = [level.test for level in levels(weights.compare)]
        self._between: list[tuple[Test, Said]] = list(zip(tests[1:-1], said_by[1:-1], strict=True))
        self._rare: dict[object, Said] = {}
        """By value: what it says that two have it, where its frequency counts."""

    def says(self, a: Any, b: Any) -> Said:
        """Its bits, and the evidence for clusters."""
        if a == b:
            return self._equal if self._terms is None else self._of_term(a)
        for test, each in self._between:
            if test(a, b):
                return each
        return self._otherwise

    def _of_term(self, value: Any) -> Said:
        found = self._rare.get(value)
        if found is None:
            assert self._terms is not None
            if len(self._rare) >= TERMS_CACHE:
                self._rare.clear()
            rare = math.log2(self._m / self._terms.share(term(self._how, value)))
            found = self._rare[value] = rare, said(self._at, rare)
        return found
