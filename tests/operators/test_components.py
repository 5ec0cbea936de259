"""Connected components, beside a search that knows nothing of union–find."""

from __future__ import annotations

import random
from itertools import pairwise

from operators.components import Components


def _reached(start: bytes, links: list[tuple[bytes, bytes]]) -> set[bytes]:
    found: set[bytes] = set()
    edge = {start}
    while edge:
        found |= edge
        edge = {end for link in links if edge & set(link) for end in link} - found
    return found


def test_parts_are_what_a_search_reaches_in_the_order_of_keys() -> None:
    """300 random graphs, chains and stars among them, with links whose ends are no keys."""
    for seed in range(300):
        rng = random.Random(seed)
        keys = [bytes([at]) for at in range(rng.randint(0, 30))]
        rng.shuffle(keys)
        ends = [*keys, b"stranger"]
        links = [(rng.choice(ends), rng.choice(ends)) for _ in range(rng.randint(0, 30))]
        links += list(pairwise(keys)) * (seed % 5 == 0) + [(keys[0], each) for each in keys] * (seed % 7 == 0)
        joined = Components(keys, links)
        parts, told = joined.parts(), list(dict.fromkeys([*keys, *(end for link in links for end in link)]))
        assert {frozenset(part) for part in parts} == {frozenset(_reached(key, links)) for key in told}
        assert [part[0] for part in parts] == sorted((part[0] for part in parts), key=told.index)
        assert all(part == sorted(part, key=told.index) for part in parts)
        assert len({joined.root(key) for key in told}) == len(parts)


def test_it_grows() -> None:
    """The root of the first is that of both; who was never named is alone; a long chain is no deep recursion."""
    joined = Components()
    assert joined.root(b"a") == b"a"
    joined.join(b"a", b"b")
    joined.join(b"c", b"a")
    assert {joined.root(key) for key in (b"a", b"b", b"c")} == {b"c"}
    assert joined.parts() == [[b"a", b"b", b"c"]]
    keys = [at.to_bytes(4, "big") for at in range(100_000)]
    assert len(Components(keys, zip(keys[1:], keys, strict=False)).parts()) == 1
