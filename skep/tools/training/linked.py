"""The records of a file with their candidates and a model's weights; the clusters at any threshold come of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from contracts.model.definitions import IdentityRules
from contracts.model.probabilistic import Probabilistic
from operators.match import scoring
from operators.match.clusters import Decision, decide, members
from operators.match.evidence import Evidence as Likeness
from operators.match.joint import Evidence
from operators.match.links import Joining, Match
from operators.match.model import Model
from operators.match.scoring import Prepared, Scorer
from operators.stitch.rules import Rules
from skep.tools.training.records import Records

CACHE_MAX = 1_000_000
"""Pairs for which is remembered what they say; the cache is emptied when it is full."""


class Linked:
    """The records, who is compared with whom (``pairs``, each once), and the links of a model."""

    def __init__(self, records: Records, rules: IdentityRules, settings: Probabilistic, model: Model) -> None:
        self._rules, self._settings = Rules(rules), settings
        self._people, self._void, self._shared = records.people, records.void, records.shared
        self.accept = settings.accept
        self.skipped = 0
        """Blocks that are too large."""
        self.pairs = list(self._candidates())
        self.prepared: dict[bytes, Prepared] = {}
        self.again(model)

    def _candidates(self) -> Iterator[tuple[bytes, bytes]]:
        """Who is compared with whom, the smaller key first, in order."""
        likeness = Likeness(self._settings)
        blocks: dict[bytes, list[bytes]] = defaultdict(list)
        for key, person in self._people.items():
            for block in person.blocks:
                blocks[block].append(key)
        members = {block: keys for block, keys in blocks.items() if len(keys) <= self._settings.block_limit}
        self.skipped = len(blocks) - len(members)
        for key, person in sorted(self._people.items()):
            near = {
                other
                for block in person.blocks
                for other in members.get(block, ())
                if other > key and likeness.near(block, person.members, self._people[other].members)
            }
            yield from ((key, other) for other in sorted(near))

    def again(self, model: Model) -> Linked:
        """The same records and candidates under another model; ``self``."""
        scorer = Scorer(model)
        if not self.prepared:
            self.prepared = {key: scorer.prepare(person.traits) for key, person in self._people.items()}
        self._scorer = scorer
        self._cache: dict[tuple[bytes, bytes], Evidence] = {}
        self._matches: list[Match] | None = None
        return self

    def weights(self, model: Model) -> list[float]:
        """The weight of every candidate pair by a model, in bits."""
        weight, prepared = Scorer(model).weight, self.prepared
        return [weight(prepared[a], prepared[b]) for a, b in self.pairs]

    def candidates(self) -> Iterator[Match]:
        """Every pair that is compared and may be linked, with its weight."""
        weight, prepared = self._scorer.weight, self.prepared
        return (Match(a, b, weight(prepared[a], prepared[b])) for a, b in self.pairs if not self._barred(a, b))

    def says(self, ones: Sequence[bytes], twos: Sequence[bytes]) -> Evidence:
        """What all pairs between two groups of records say for clusters in which they are."""
        return sum(self._said(one, two) for one in ones for two in twos)

    def _said(self, a: bytes, b: bytes) -> Evidence:
        pair = (a, b) if a < b else (b, a)
        known = self._cache.get(pair)
        if known is None:
            if len(self._cache) >= CACHE_MAX:
                self._cache.clear()
            known = self._cache[pair] = self._scorer.weigh(self.prepared[a], self.prepared[b])[1]
        return known

    def joint(self, key: bytes, others: Sequence[bytes]) -> float:
        """The match weight of a record and a cluster, in bits."""
        return self._scorer.joint.weight(self.says((key,), others), 1)[0]

    def matches(self, accept: float) -> list[Match]:
        """The candidate pairs of at least that match probability."""
        if self._matches is None:
            least = scoring.weight(min(self._settings.review, 0.5))
            self._matches = [match for match in self.candidates() if match.weight >= least]
        least = scoring.weight(accept)
        return [match for match in self._matches if match.weight >= least]

    def _barred(self, a: bytes, b: bytes) -> bool:
        """Whether a link counts for nothing, whatever its weight: it is unlinked by hand, or of a device that identifies nobody."""
        return (a, b) in self._void or a in self._shared or b in self._shared

    def decisions(self, accept: float) -> list[Decision]:
        """The links of at least that match probability, and which of them stand."""
        records = {key: person.record for key, person in self._people.items()}
        joining = Joining(accept, self._settings.support, self._scorer.joint, self.says)
        return decide(records, self.matches(accept), self._rules, joining)

    def clusters(self, accept: float) -> list[list[bytes]]:
        """The clusters of records, by the hashes of their leads."""
        return members(self._people, self.decisions(accept))
