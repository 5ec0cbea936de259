"""History: folding it gives who holds what, now and at every earlier moment, whatever happened, through restarts and new rules."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from operators.people.turns import COMES, ERASED, MERGED_INTO, TYPES
from operators.view.history import HistoryReader
from tests.engine import Engine, steps
from tests.generator import Scenario, scenario
from tests.graphs import graph, likenesses

DRAWN = {"scenario": lambda seed: scenario(seed, (8, 20, 40)[seed % 3]), "graph": graph, "likenesses": likenesses}
"""What is played: with everything, with identifiers only, with probabilistic links."""
SEEDS = 16

Holders = dict[bytes, bytes]
"""Identifier → the key of the profile that holds it."""


def holders(people: dict[bytes, set[bytes]]) -> Holders:
    return {identifier: profile for profile, identifiers in people.items() for identifier in identifiers}


def folded(engine: Engine) -> tuple[Holders, set[bytes]]:
    """Who holds what, and which profiles there are, of the rows alone, in their order."""
    held: Holders = {}
    there: set[bytes] = set()
    for profile, _, turn in sorted(engine.view.history.everything(), key=lambda row: row[1]):
        for identifier in turn.hashes():
            if turn.kind in COMES:
                held[identifier] = profile
            elif not turn.other:
                assert held.pop(identifier) == profile
        if turn.kind in {MERGED_INTO, ERASED}:
            there.remove(profile)
        else:
            assert turn.kind in COMES or profile in there
            there.add(profile)
    return held, there


def other_rules(files: dict[str, str], rng: Random) -> Definitions:
    """The same definitions with a namespace less, if there are several; what asks for identifiers asks for nothing of it then."""
    rules = orjson.loads(files["identity.yaml"])
    rules["version"] = rules.get("version", 1) + 1
    kept = {path: text for path, text in files.items() if path != "identity.yaml"}
    if len(rules["namespaces"]) > 1:
        gone = rules["namespaces"].pop(rng.randrange(len(rules["namespaces"])))["name"]
        other = rules["namespaces"][0]["name"]
        for path, text in kept.items():
            if path.startswith("lists/"):
                kept[path] = text.replace(f"\n{gone},", f"\n{other},")
            elif path.startswith("segments/"):
                kept[path] = re.sub(rf'"(has|by)": "{gone}"', rf'"\1": "{other}"', text)
    return load({**kept, "identity.yaml": orjson.dumps(rules).decode()})


def played(engine: Engine, drawn: Scenario, rng: Random) -> Iterator[int]:
    """Feed the scenario record by record; other rules take effect on the way, and the first ones again. Yields after every step."""
    definitions = load(drawn.definitions_files)
    plan = [(name, record) for name, records in steps(drawn, rng) for record in records]
    first, second = sorted(rng.choices(range(len(plan)), k=2))
    edits = {first: other_rules(drawn.definitions_files, rng), second: definitions}
    for number, (name, record) in enumerate(plan):
        if number in edits:
            engine.define(edits[number])
            yield number
        if name == "control":
            engine.control([orjson.loads(record)])
        else:
            engine.feed(name, [record])
        if rng.random() < 0.05:
            engine.restart()
        yield number


@cache
def remembers(kind: str, seed: int) -> set[str]:
    """Play a scenario and look back from its end; returns the kinds of what happened."""
    rng = Random(seed)
    drawn = DRAWN[kind](seed)
    believed: dict[int, dict[bytes, set[bytes]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", load(drawn.definitions_files), cache_bytes=rng.choice([10_000, 512_000_000]))
        engine.start([f"p{at}" for at in range(len(drawn.partitions))])
        for number in played(engine, drawn, rng):
            people = {person.key: {each.hash for each in person.identifiers} for person in engine.view.people()}
            assert folded(engine) == (holders(people), set(people)), (seed, number)
            clock = engine.space.meta.clock
            if clock is not None:
                believed[clock] = people
        looked_back(engine.view.history, believed)
        kinds = {TYPES[turn.kind] for _, _, turn in engine.view.history.everything()}
        engine.shard.close()
    return kinds


def looked_back(past: HistoryReader, believed: dict[int, dict[bytes, set[bytes]]]) -> None:
    """What the history says of each moment is what was so."""
    profiles = {profile for people in believed.values() for profile in people}
    identifiers = {identifier for people in believed.values() for identifier in holders(people)}
    for clock, people in believed.items():
        held = holders(people)
        assert {each: past.holder(each, clock) for each in identifiers} == {each: held.get(each) for each in identifiers}, clock
        for profile in profiles:
            was = past.was(profile, clock)
            assert (was.there, was.identifiers) == (profile in people, people.get(profile, set())), clock
            into = past.became(profile, clock)
            assert into in people or (into is None and not was.there)


@pytest.mark.parametrize("group", range(3))
@pytest.mark.parametrize("kind", DRAWN)
def test_the_history_folds_into_the_people(kind: str, group: int) -> None:
    """After every step, and asked afterwards for every moment that was."""
    for seed in range(group * SEEDS, (group + 1) * SEEDS):
        remembers(kind, seed)


def test_everything_that_can_happen_happens() -> None:
    """The scenarios above show each kind of row."""
    assert set().union(*(remembers("scenario", seed) for seed in range(3 * SEEDS))) == set(TYPES) - {"released"}
