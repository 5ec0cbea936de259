"""The index of candidates, beside a search through all pairs."""

from __future__ import annotations

import random
from collections import defaultdict

from contracts.probabilistic import BlockField, BlockLine, Compare, Probabilistic
from operators.match.blocking import Blocks, Index, blocks_of, shown, sightings_of

HOUR_US = 3_600_000_000
RULES = Probabilistic(
    block=(
        BlockLine((BlockField("last"), BlockField("born"))),
        BlockLine((BlockField("first", 2),)),
        BlockLine((BlockField("context.ip"), BlockField("context.userAgent")), HOUR_US),
    ),
    compare=(Compare("last"),),
    block_limit=4,
)


def _blocks(rng: random.Random) -> Blocks:
    traits = {name: rng.choice(values) for name, values in (("last", "AB "), ("born", "12"), ("first", ("anna", "ANTON", "bo", "")))}
    seen = [
        sighting
        for _ in range(rng.randint(0, 2))
        for sighting in sightings_of({"context": {"ip": rng.choice("xy"), "userAgent": "z"}}, rng.randint(0, 6) * HOUR_US // 2, RULES)
    ]
    return Blocks(blocks_of(traits, RULES), tuple(dict.fromkeys(seen)))


def _naive(records: dict[int, Blocks], key: int) -> set[int]:
    """The definition: a block with at most four records in common, or two sightings within an hour, neither of them crowded."""
    fixed = defaultdict(set)
    for one, blocks in records.items():
        for block in blocks.fixed:
            fixed[block].add(one)
    seen = [(one, each) for one, blocks in records.items() for each in blocks.seen]

    def near(each: object) -> set[int]:
        return {one for one, other in seen if other.block == each.block and abs(other.time_us - each.time_us) <= HOUR_US}  # type: ignore[attr-defined]

    found = {one for block in records[key].fixed if len(fixed[block]) <= 4 for one in fixed[block]}
    for mine in records[key].seen:
        for one, other in seen:
            together = other.block == mine.block and abs(other.time_us - mine.time_us) <= HOUR_US
            if together and len(near(mine)) <= 4 and len(near(other)) <= 4:
                found.add(one)
    return found - {key}


def test_candidates_are_those_of_the_definition_while_records_come_and_go() -> None:
    """200 random histories of adding and removing records; the index equals a search through everything."""
    for seed in range(200):
        rng = random.Random(seed)
        index: Index[int] = Index(RULES)
        records: dict[int, Blocks] = {}
        for key in range(14):
            records[key] = _blocks(rng)
            index.add(key, records[key])
            if rng.random() < 0.3:
                gone = rng.choice(list(records))
                index.remove(gone, records.pop(gone))
        for key, blocks in records.items():
            assert index.candidates(key, blocks) == _naive(records, key), seed


def test_large_blocks_are_skipped_and_told() -> None:
    index: Index[int] = Index(RULES)
    for key in range(5):
        index.add(key, Blocks(blocks_of({"first": "Anna"}, RULES)))
    (block,) = index.skipped()
    assert shown(block, RULES) == "[first[:2]] = an"
    assert index.candidates(0, Blocks((block,))) == set()


def test_a_line_needs_all_of_its_fields() -> None:
    assert blocks_of({"last": "Smith", "born": None}, RULES) == ()
