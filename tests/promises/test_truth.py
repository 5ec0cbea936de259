"""Promise 4: on demo data without conflicts, who belongs together is what truth.jsonl says."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import orjson
import pytest

import contracts
from skep.tools.demo.events import make_demo
from tests.engine import Engine

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.mark.parametrize(("seed", "batch"), [(1, 5000), (2, 500), (3, 37)])
def test_identity_equals_the_truth(tmp_path: Path, seed: int, batch: int) -> None:
    """Two identifiers are of one profile if and only if they are of one person, and none is missing or made up."""
    demo = make_demo(200, 6000, seed)
    engine = Engine(tmp_path / "shard", contracts.load(contracts.read_files(CONTRACTS)))
    engine.start(["p0"])
    for start in range(0, len(demo.lines), batch):
        engine.feed("p0", demo.lines[start : start + batch])
    people, profiles = defaultdict(set), defaultdict(set)
    for namespace, value, person in demo.truth:
        people[person].add((namespace, value))
    for line in map(orjson.loads, engine.dump()):
        if line["kind"] == "identifier":
            profiles[line["profile"]].add((line["namespace"], line["value"]))
    engine.shard.close()
    assert set(map(frozenset, profiles.values())) == set(map(frozenset, people.values()))
