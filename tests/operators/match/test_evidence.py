"""What events say for probabilistic links, and the blocking index, beside naive statements of both."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from contracts.model.probabilistic import BlockField, BlockLine, Compare, Probabilistic
from operators.match.evidence import Evidence
from operators.meta import Meta
from operators.people.blocks import BlockIndex
from operators.records import Identifier
from state.shard import Shard

HOUR_US = 3_600_000_000
RULES = Probabilistic(
    block=(
        BlockLine((BlockField("last"), BlockField("born"))),
        BlockLine((BlockField("first", 2),)),
        BlockLine((BlockField("context.ip"),), HOUR_US),
    ),
    compare=(Compare("first"), Compare("address.city")),
)


def _identifier(name: str) -> Identifier:
    return Identifier(0, name, name.encode().rjust(16, b"\0"), 0, 0)


def _told(evidence: Evidence, identifiers: list[Identifier]) -> dict[str, object]:
    return {name: value for name, (_, _, value) in evidence.traits(identifiers).items()}


def test_the_newest_value_of_each_trait_stands_whatever_the_order() -> None:
    """By time and message id, over all identifiers of a record; a null takes the value away."""
    said = [((5, "b"), {"first": "Ann"}), ((5, "a"), {"first": "Bob", "last": "X"}), ((9, "c"), {"last": None}), ((2, "d"), {"other": 1})]
    for seed in range(10):
        rng = random.Random(seed)
        evidence, both = Evidence(RULES), [_identifier("one"), _identifier("two")]
        for at, traits in rng.sample(said, len(said)):
            evidence.tell(rng.choice(both), at, traits, {})
        assert _told(evidence, both) == {"first": "Ann", "last": None}, seed
        assert evidence.time(evidence.traits(both), evidence.texts(evidence.traits(both))) == 5
    assert evidence.tell(both[0], (1, "e"), {"first": "Zed"}, {}) in {True, False}
    assert _told(evidence, both)["first"] == "Ann"


def test_a_record_without_a_field_of_a_line_is_in_no_block_of_it() -> None:
    evidence, one = Evidence(RULES), _identifier("one")
    evidence.tell(one, (1, "m"), {"first": "Anna", "last": "Smith", "address": {"city": "Leeds"}}, {"context": {}})
    assert [block[0] for block in evidence.blocks(evidence.texts(evidence.traits([one])), [one])] == [1]
    evidence.tell(one, (2, "n"), {"born": "1971-06-24"}, {"context": {"ip": "10.0.0.1"}})
    assert sorted(block[0] for block in evidence.blocks(evidence.texts(evidence.traits([one])), [one])) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(30))
def test_sightings_are_near_as_the_single_ones_are(seed: int) -> None:
    """Intervals of sightings say what all pairs of single sightings say, in any order."""
    print("seed", seed)
    rng = random.Random(seed)
    evidence, ends = Evidence(RULES), [_identifier("one"), _identifier("two")]
    times = [[rng.randrange(0, 40 * HOUR_US, HOUR_US // 2) for _ in range(rng.randint(1, 12))] for _ in ends]
    for identifier, seen in zip(ends, times, strict=True):
        for number, time in enumerate(seen):
            evidence.tell(identifier, (time, f"m{number}"), None, {"context": {"ip": "10.0.0.1"}})
    (block,) = evidence.blocks({}, ends)
    near = any(abs(one - two) <= HOUR_US for one in times[0] for two in times[1])
    assert evidence.near(block, [ends[0]], [ends[1]]) is near
    assert sum(len(intervals) for intervals in ends[0].seen.values()) <= len(set(times[0]))


def test_the_index_counts_and_lists_as_a_dictionary_of_sets_does(tmp_path: Path) -> None:
    """Through commits, restarts and emptying; a block above the limit has no members to compare with."""
    rng = random.Random(7)
    blocks = [bytes((at,)) * 16 for at in range(5)]
    leads = [bytes((0, at)) * 8 for at in range(12)]
    naive: dict[bytes, set[bytes]] = {block: set() for block in blocks}
    shard = Shard(tmp_path / "shard")
    meta = Meta()
    index = BlockIndex(shard.blocks, 4, meta)
    for step in range(600):
        block, lead = rng.choice(blocks), rng.choice(leads)
        before = len(naive[block])
        if lead in naive[block]:
            naive[block].discard(lead)
            assert index.remove(block, lead) is (before == 5)
        else:
            naive[block].add(lead)
            assert index.add(block, lead) is (before == 4)
        if rng.random() < 0.2:
            shard.commit()
            index.committed()
        if rng.random() < 0.05:
            shard.commit()
            shard.close()
            shard = Shard(tmp_path / "shard")
            index = BlockIndex(shard.blocks, 4, meta)
        if step == 300:
            index.clear()
            naive = {block: set() for block in blocks}
        assert meta.large_blocks == sum(len(members) > 4 for members in naive.values())
        for each, members in naive.items():
            assert index.size(each) == len(members)
            assert index.members(each) == (members if len(members) <= 4 else None)
            assert rng.random() > 0.1 or index.everybody(each) == members
    shard.close()
