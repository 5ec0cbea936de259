"""The match weight of two records: the sum, in bits, of the prior's odds and of what each comparison says.

Fellegi and Sunter (1969), as Splink computes it: log2(prior / (1 − prior)) + Σ log2(m / u), where equal values with a
term frequency f count log2(m / f) in place of log2(m / u).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from contracts.model.probabilistic import How
from operators.match.comparisons import Test, levels, prepare, term
from operators.match.model import Model, Weights
from operators.match.values import value_at

Prepared = tuple[Any, ...]
"""The values of one record, one for each comparison; None where it has none."""
_Says = Callable[[Any, Any], float]


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
        self._says = [_says(each) for each in model.comparisons]
        self.prior = weight(model.prior)

    def prepare(self, traits: Mapping[str, Any]) -> Prepared:
        """The values of a record's traits, as `weight` takes them."""
        found = ((trait, value_at(traits, trait)) for trait, _ in self._traits)
        return self.prepared({trait: text for trait, text in found if text is not None})

    def prepared(self, texts: Mapping[str, str]) -> Prepared:
        """The same of comparable texts by the path of the trait."""
        return tuple(prepare(how, texts[trait]) if trait in texts else None for trait, how in self._traits)

    def weight(self, a: Prepared, b: Prepared) -> float:
        """The match weight of two records, in bits."""
        total = self.prior
        for says, one, two in zip(self._says, a, b, strict=True):
            if one is not None and two is not None:
                total += says(one, two)
        return total

    def explain(self, a: Prepared, b: Prepared) -> list[Part]:
        """The waterfall: what each comparison adds to the prior, in the order of the rules."""
        parts = []
        for weights, says, one, two in zip(self._model.comparisons, self._says, a, b, strict=True):
            trait, how = weights.compare.trait, weights.compare.how
            if one is None or two is None:
                parts.append(Part(trait, how, "nothing to compare", 0.0, 0.0))
                continue
            at = next(at for at, level in enumerate(levels(weights.compare)) if level.test(one, two))
            plain = weights.bits[at]
            parts.append(Part(trait, how, levels(weights.compare)[at].label, plain, says(one, two) - plain))
        return parts


def _says(weights: Weights) -> _Says:
    """What a comparison adds, as a function of two prepared values."""
    bits, how, terms = weights.bits, weights.compare.how, weights.terms
    tests: list[tuple[Test, float]] = [(level.test, bit) for level, bit in zip(levels(weights.compare)[1:-1], bits[1:], strict=False)]
    equal, otherwise = bits[0], bits[-1]
    if terms is None:
        equal_bits: Callable[[Any], float] = lambda _value: equal  # noqa: E731 - one of two forms
    else:
        m = weights.m[0]
        equal_bits = lambda value: math.log2(m / terms.share(term(how, value)))  # noqa: E731

    def says(a: Any, b: Any) -> float:
        if a == b:
            return equal_bits(a)
        for test, bit in tests:
            if test(a, b):
                return bit
        return otherwise

    return says
