"""Clusters that are kept while records come, change and go, beside clusters that begin anew."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from math import log2
from pathlib import Path

import orjson

from contracts import load
from contracts.model.definitions import IdentityRules, Namespace
from operators.match.clusters import decide, members
from operators.match.growth import Growth
from operators.match.joint import Joint, said
from operators.match.links import Joining, Match, Record
from operators.match.scoring import probability
from operators.records import Identifier
from operators.stitch.rules import Rules
from tests.engine import Engine
from tests.generator import written
from tests.graphs import likenesses

SPACES = (Namespace("user", ("u",), unique=True), Namespace("mail", ("m",), limit=4), Namespace("device", ("d",)))
PRIOR = -3.0
LEVELS = ((None, -9.0, -2.0, 5.0, 9.0), (None, -4.0, 3.0, 6.0))


class World:
    """Records that come, change and go, what each pair says, and the rules."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        links = self.rng.choice((2, 5, 1000, 1000, 1000))
        self.rules = Rules(IdentityRules(1, SPACES, frozenset(), (), limit_identifiers=self.rng.choice((9, 40)), limit_links=links))
        self.accept, self.support = self.rng.choice((0.8, 0.95)), self.rng.choice((0, 0.1, 0.6))
        self.sparse = self.rng.choice((0.1, 0.3, 0.7))
        self.records: dict[bytes, Record] = {}
        self.bits: dict[frozenset[bytes], tuple[float | None, ...]] = {}
        self.linked: set[frozenset[bytes]] = set()
        """Only candidates have a link, whatever a pair weighs."""

        @cache
        def evidence(pair: tuple[float | None, ...]) -> int:
            return sum(said(at, each) for at, each in enumerate(pair) if each is not None) + said(2, log2(probability(weight(pair))))

        def says(ones: Sequence[bytes], twos: Sequence[bytes]) -> int:
            return sum(evidence(self.bits[frozenset((a, b))]) for a in ones for b in twos)

        self.joining = Joining(self.accept, self.support, Joint(PRIOR, 2), says)

    def put(self, key: bytes) -> None:
        """A record that is new or another one."""
        first, rng = self.rng.choice((0, 2, 2, 2, 2)), self.rng
        held = Counter({first: 1}) + Counter(rng.choices((1, 2), k=rng.choice((0, 0, 1))))
        self.records[key] = Record(Identifier(first, f"v{key[0]:02}", key, 0, 0), dict(held), rng.randint(0, 3))
        for other in self.records:
            if other != key:
                pair = frozenset((key, other))
                self.bits[pair] = tuple(map(rng.choice, LEVELS))
                (self.linked.add if rng.random() < self.sparse else self.linked.discard)(pair)

    def links(self, key: bytes) -> list[tuple[bytes, float]]:
        found = []
        for other in self.records:
            if other != key and frozenset((key, other)) in self.linked:
                bits = weight(self.bits[frozenset((key, other))])
                if probability(bits) >= self.accept:
                    found.append((other, bits))
        return found

    def anew(self) -> list[list[bytes]]:
        """The clusters of all records, begun anew."""
        pairs = [Match(a, b, bits) for a in self.records for b, bits in self.links(a) if a < b]
        return members(self.records, decide(self.records, pairs, self.rules, self.joining))


def weight(pair: tuple[float | None, ...]) -> float:
    return sum((each for each in pair if each is not None), PRIOR)


def weakest(world: World, cluster: frozenset[bytes], counted: set[frozenset[bytes]]) -> float | None:
    """The highest bar over which links lead from any of its records to any other."""
    for bar in sorted({weight(world.bits[pair]) for pair in counted}, reverse=True):
        reached = {min(cluster)}
        ways = [pair for pair in counted if weight(world.bits[pair]) >= bar]
        for _ in cluster:
            reached.update(end for pair in ways if pair & reached for end in pair)
        if reached >= cluster:
            return bar
    return None


def test_what_is_kept_is_what_begins_anew() -> None:
    """400 worlds of up to 20 records in 30 steps each. Told of are those clusters that have changed, and none that has not."""
    spared = 0
    for seed in range(400):
        world = World(seed)
        growth, rng = Growth(world.rules, world.joining), world.rng
        known: dict[bytes, frozenset[bytes]] = {}
        links: dict[frozenset[bytes], set[frozenset[bytes]]] = {}
        for step in range(30):
            touched = set()
            for _ in range(rng.choice((1, 1, 1, 2, 4))):
                key = bytes([rng.randrange(20)])
                touched.add(key)
                if key in world.records and rng.random() < 0.4:
                    del world.records[key]
                    world.linked = {pair for pair in world.linked if key not in pair}
                    growth.drop(key)
                else:
                    world.put(key)
                    growth.put(key, world.records[key], world.links(key))
            found = growth.grow()
            now = {frozenset(cluster) for cluster in world.anew()}
            told = {frozenset(each.leads): each for each in found}
            at = {key: cluster for cluster in now for key in cluster}
            assert len(told) == len(found)
            assert told.keys() <= now, (seed, step)
            for cluster in now - told.keys():
                assert not cluster & touched, (seed, step)
                assert all(known[key] == cluster for key in cluster), (seed, step)
            spared += len(now - told.keys())
            for cluster, each in told.items():
                stands = {frozenset((a, b)) for a, b, _ in growth.ties(cluster)}
                assert each.weakest == (weakest(world, cluster, stands) if len(cluster) > 1 else None), (seed, step)
                assert {frozenset(match[:2]) for match in each.ties} == {pair for pair in stands if pair & each.moved}, (seed, step)
                rest = cluster - each.moved
                if rest:
                    assert rest in links, (seed, step)
                    assert {pair for pair in stands if pair <= rest} == links[rest], (seed, step)
                assert each.moved >= cluster & touched
                ranks = [(world.records[key].lead.namespace, world.records[key].lead.value) for key in each.leads]
                assert ranks == sorted(ranks)
                links[cluster] = stands
            known = at
            pairs = [Match(a, b, bits) for a in world.records for b, bits in world.links(a) if a < b]
            assert growth.decisions(world.records) == decide(world.records, pairs, world.rules, world.joining), (seed, step)
        growth.clear()
    assert spared > 5_000


def test_what_clusters_have_said_is_not_asked_again() -> None:
    """Records of one person, each most like the first: one that is more like it than any other joins it before all others, so that
    every later cluster is made anew. What each of those said of the next record is known, but for the one
    that has come; two records alone are not asked, they have their link."""
    rules, asked, size = Rules(IdentityRules(1, SPACES[2:], frozenset(), ())), list[int](), 30
    each = said(0, 9.0) + said(1, -0.01)

    def says(ones: Sequence[bytes], twos: Sequence[bytes]) -> int:
        asked.append(len(ones) * len(twos))
        return each * asked[-1]

    growth = Growth(rules, Joining(0.9, 0.1, Joint(PRIOR, 1), says))
    keys = [bytes([at]) for at in range(size)]
    for key in [*keys[:1], *reversed(keys[1:])]:
        asked.clear()
        record = Record(Identifier(0, f"v{key[0]:02}", key, 0, 0), {0: 1})
        growth.put(key, record, [] if key == keys[0] else [(keys[0], 50.0 - key[0])])
        (cluster,) = growth.grow()
    assert len(cluster.leads) == size
    assert sum(asked) == size - 1
    growth.clear()


def test_what_is_kept_of_clusters_goes_with_the_definitions_that_made_them(tmp_path: Path) -> None:
    """A flow collects no rings: what refers to each other in one would stay for good."""
    drawn = likenesses(3)
    definitions = load(drawn.definitions_files)
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    engine.feed("p", [written(body) for part in drawn.partitions for body in part])
    before = engine.space.work.matcher
    assert before is not None
    assert before._growth._leaves
    rules = orjson.loads(drawn.definitions_files["identity.yaml"])
    engine.define(load({**drawn.definitions_files, "identity.yaml": orjson.dumps({**rules, "version": 9}).decode()}))
    assert engine.space.work.matcher is not before
    assert not before._growth._leaves
    engine.shard.close()
