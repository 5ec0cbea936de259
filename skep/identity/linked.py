"""The records of a file with their candidates and a model's weights; the clusters at any threshold come of it."""

from __future__ import annotations

from contracts.definitions import IdentityRules
from contracts.probabilistic import Probabilistic
from operators.match import scoring
from operators.match.blocking import Index
from operators.match.clusters import Decision, Match, decide, members
from operators.match.model import Model
from operators.match.scoring import Prepared, Scorer
from operators.stitch.rules import Rules
from skep.identity.records import Records

CACHE_MAX = 1_000_000
"""Weights of pairs outside of the blocks that are remembered; the cache is emptied when it is full."""


class Linked:
    """The records, who is compared with whom (``pairs``, each once), and the links of a model."""

    def __init__(self, records: Records, rules: IdentityRules, settings: Probabilistic, model: Model) -> None:
        self._rules, self._settings = Rules(rules), settings
        self._people = records.people
        self.accept = settings.accept
        self.index: Index[bytes] = Index(settings)
        for key, person in records.people.items():
            self.index.add(key, person.blocks)
        self.pairs = [
            (key, other)
            for key, person in records.people.items()
            for other in sorted(self.index.candidates(key, person.blocks))
            if other > key
        ]
        self.prepared: dict[bytes, Prepared] = {}
        self.again(model)

    def again(self, model: Model) -> Linked:
        """The same records and candidates under another model; ``self``."""
        scorer = Scorer(model)
        if not self.prepared:
            self.prepared = {key: scorer.prepare(person.traits) for key, person in self._people.items()}
        self._weight = scorer.weight
        self._cache: dict[tuple[bytes, bytes], float] = {}
        self._matches: list[Match] | None = None
        return self

    def weights(self, model: Model) -> list[float]:
        """The weight of every candidate pair by a model, in bits."""
        weight, prepared = Scorer(model).weight, self.prepared
        return [weight(prepared[a], prepared[b]) for a, b in self.pairs]

    def weight(self, a: bytes, b: bytes) -> float:
        """The match weight of two records, in bits."""
        pair = (a, b) if a < b else (b, a)
        bits = self._cache.get(pair)
        if bits is None:
            if len(self._cache) >= CACHE_MAX:
                self._cache.clear()
            bits = self._cache[pair] = self._weight(self.prepared[a], self.prepared[b])
        return bits

    def matches(self, accept: float) -> list[Match]:
        """The candidate pairs of at least that match probability."""
        if self._matches is None:
            least, weight, prepared = scoring.weight(min(self._settings.review, 0.5)), self._weight, self.prepared
            scored = (Match(a, b, weight(prepared[a], prepared[b])) for a, b in self.pairs)
            self._matches = [match for match in scored if match.weight >= least]
        least = scoring.weight(accept)
        return [match for match in self._matches if match.weight >= least]

    def decisions(self, accept: float) -> list[Decision]:
        """The links of at least that match probability, and which of them stand."""
        records = {key: person.record for key, person in self._people.items()}
        return decide(records, self.matches(accept), self._rules, self._settings.support, self.weight)

    def clusters(self, accept: float) -> list[list[bytes]]:
        """The clusters of records, by the hashes of their leads."""
        return members(self._people, self.decisions(accept))
