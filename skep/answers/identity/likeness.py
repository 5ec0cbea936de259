"""What probabilistic rules say of people: their records side by side, which links they have, and why those stand or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from operators.match.model import model_of
from operators.match.scoring import Scorer, probability
from operators.match.values import value_at
from operators.people.compared import parts_of
from operators.people.work import Work
from operators.records import Link, Person
from operators.refusal import Refusal
from operators.view.space import View
from skep.answers.sandbox import sandbox
from skep.project.settings import Settings

CACHE_BYTES = 64_000_000


class Weighed(msgspec.Struct, frozen=True):
    """What one comparison adds to a match weight, in bits, of them for the frequency of the value, and the sum so far."""

    trait: str
    how: str
    level: str
    a: str | None
    b: str | None
    bits: float
    frequency: float
    sum: float


class Waterfall(msgspec.Struct, frozen=True):
    """How a match weight adds up, in bits, from the prior on, and the probability that it comes to."""

    prior: float
    prior_probability: float
    steps: list[Weighed]
    weight: float
    probability: float


class SideBySide(msgspec.Struct, frozen=True):
    """Two records side by side: the blocks they share, whether they are candidates by them, and in words what follows."""

    a: list[str]
    b: list[str]
    blocks: list[str]
    candidates: bool
    why: str
    waterfall: Waterfall


@contextmanager
def compared_view(settings: Settings, space: str) -> Iterator[tuple[View, Likeness | None]]:
    """A space as it was committed last, and what is compared in it; None without probabilistic rules. Raises `NoState`."""
    with sandbox(settings, space, cache_bytes=CACHE_BYTES) as box:
        likely = box.view.program.definitions.identity.probabilistic is not None
        yield box.view, Likeness(box.space.work) if likely else None


class Likeness:
    """The flow's own matcher over what is committed; nothing is written."""

    def __init__(self, work: Work) -> None:
        probabilistic = work.definitions.identity.probabilistic
        assert probabilistic is not None, "asked of probabilistic rules only"
        assert work.matcher is not None, "probabilistic rules have a matcher"
        self.settings, self._matcher = probabilistic, work.matcher
        self._scorer = Scorer(model_of(work.definitions))

    def links(self, people: Iterable[Person]) -> list[tuple[Link, Refusal | None]]:
        """Every probabilistic link of these people, and what refuses it if it does not stand."""
        return list(self._matcher.told(sorted({key for person in people for key in person.records})))

    def record(self, person: Person, identifier: bytes) -> bytes:
        """The lead of the record that holds an identifier of a person."""
        parts = parts_of(person)
        return next(key for key, held in parts.items() if any(each.hash == identifier for each in held))

    def matched(self, person: Person) -> Iterator[bytes]:
        """The leads of the records that a person has links with, whatever their state."""
        for row in person.records.values():
            yield from row.matches

    # ---- two records

    def waterfall(self, a: bytes, b: bytes) -> Waterfall:
        """How the match weight of two records adds up; both records by their leads."""
        ones, twos = self._traits(a), self._traits(b)
        total = self._scorer.prior
        steps = []
        for part in self._scorer.explain(self._scorer.prepare(ones), self._scorer.prepare(twos)):
            bits = part.weight + part.frequency
            total += bits
            values = value_at(ones, part.trait), value_at(twos, part.trait)
            steps.append(Weighed(part.trait, part.how, part.level, *values, round(bits, 6), round(part.frequency, 6), round(total, 6)))
        prior = self._scorer.prior
        return Waterfall(round(prior, 6), probability(prior), steps, round(total, 6), round(probability(total), 6))

    def compared(self, a: bytes, b: bytes, pair: Callable[[bytes], list[str]]) -> SideBySide:
        """The records of two leads side by side; ``pair`` gives the identifier of a hash."""
        ones, twos = self._matcher.compared.known(a), self._matcher.compared.known(b)
        shared = [block for block in ones.blocks if block in set(twos.blocks)]
        near = [block for block in shared if self._matcher.evidence.near(block, ones.identifiers, twos.identifiers)]
        good = [block for block in near if self._matcher.index.size(block) <= self.settings.block_limit]
        fall = self.waterfall(a, b)
        blocks = [self.settings.block[block[0]].text for block in shared]
        return SideBySide(pair(a), pair(b), blocks, bool(good), self._words(shared, near, good, fall), fall)

    def _words(self, shared: list[bytes], near: list[bytes], good: list[bytes], fall: Waterfall) -> str:
        weighed = f"{fall.weight:+.1f} bits, probability {fall.probability:.4f}"
        if not shared:
            return f"not compared: they share no block (they would weigh {weighed})"
        if not near:
            return f"not compared: they were not seen in one block within its time of each other (they would weigh {weighed})"
        if not good:
            limit = f"more than {self.settings.block_limit:,} records each, `block_limit`"
            return f"not compared: the blocks that they share hold {limit} (they would weigh {weighed})"
        for level, words in ((self.settings.accept, "from accept on"), (self.settings.review, "from review on")):
            if fall.probability >= level:
                return f"compared: {weighed}, {words}, {level:g}"
        return f"compared: {weighed}, below review, {self.settings.review:g}"

    def _traits(self, key: bytes) -> dict[str, Any]:
        said = self._matcher.evidence.traits(self._matcher.compared.known(key).identifiers)
        return {name: value for name, (_, _, value) in said.items()}
