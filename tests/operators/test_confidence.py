"""How sure it is that an identifier is the person's after whom the profile is named."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from operators.match.confidence import confidences
from operators.match.scoring import probability, weight
from operators.records import Identifier, Link, Person


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def person(size: int, links: list[tuple[int, int, float | None]], confidence: float = 0.5) -> Person:
    """Identifiers 0 (the lead) to size - 1; links with their probability, None for those that are certain."""
    made = {}
    for a, b, sure in links:
        made[key(a) + key(b)] = Link(key(a), key(b), manual=False, first=0, last=0, weight=None if sure is None else weight(sure))
    return Person(key(0), [Identifier(0, str(at), key(at), 0, 0) for at in range(size)], made, {}, confidence=confidence)


def test_the_strongest_way_counts_and_its_weakest_link() -> None:
    found = confidences(person(5, [(0, 1, 0.96), (1, 2, 0.99), (0, 2, 0.97), (2, 3, None), (3, 4, 0.95)]))
    assert {int.from_bytes(one): round(sure, 9) for one, sure in found.items()} == {0: 1.0, 1: 0.97, 2: 0.97, 3: 0.97, 4: 0.95}


def test_without_likeness_everything_is_certain() -> None:
    assert set(confidences(person(3, [(0, 1, None), (1, 2, None)], confidence=1.0)).values()) == {1.0}
    assert confidences(Person(key(7), [], {}, {})) == {}


@pytest.mark.parametrize("seed", range(30))
def test_it_is_the_best_over_all_ways(seed: int) -> None:
    """Beside a search of every way without repeats."""
    rng = random.Random(seed)
    size = rng.randrange(2, 7)
    links = [(a, b, rng.choice([None, 0.95, 0.96, 0.97, 0.99])) for a, b in pairwise(range(size))]
    links += [(a, b, rng.choice([None, 0.95, 0.96, 0.97, 0.99])) for a in range(size) for b in range(a + 2, size) if rng.random() < 0.4]
    one = person(size, links)
    strength = {pair: 1.0 if sure is None else probability(weight(sure)) for a, b, sure in links for pair in ((a, b), (b, a))}

    def best(here: int, target: int, seen: frozenset[int]) -> float:
        if here == target:
            return 1.0
        steps = [(way, strength[way]) for way in strength if way[0] == here and way[1] not in seen]
        return max((min(sure, best(way[1], target, seen | {way[1]})) for way, sure in steps), default=0.0)

    found = confidences(one)
    assert {at: found[key(at)] for at in range(size)} == {at: best(0, at, frozenset({0})) for at in range(size)}
