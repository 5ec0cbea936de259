"""Definitions that come, in commits of bounded size while events go on: segments and traits are brought to people, other rules make
everybody anew beside who is there. At every step the state is what the model says of the definitions in force, and in the end the change
log says the same; whoever is killed when."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from operators.people import anew, change, told_anew
from tests import model
from tests.drawn_definitions import TRAITS, definitions_files
from tests.engine import HASHER, Engine, difference, judge_of, steps
from tests.generator import Json, Scenario, scenario
from tests.promises.change_log import Folded, changes_of, dumped
from tests.tallies import check

GROUPS, SEEDS, RULES = 8, 8, 4
MORE: list[Json] = [
    {"name": "views", "count": True, "did": "product_viewed"},
    {"name": "spent", "sum": "amount", "did": ["order_completed", "order_refunded"], "emit": True},
    {"name": "places", "set": "name", "did": "page_viewed", "limit": 3},
]
"""Traits that come and go."""
OFTEN = "segments/often.yaml"


def often(rng: Random) -> str:
    """A segment that stays, with another window or number: its cell may be taken over from a wider one, and from no other."""
    who = {"did": "order_*", "times": {"gte": rng.choice([1, 2, 4])}, "within": rng.choice(["1d", "5d", "20d"])}
    return json.dumps({"segment": "often", "who": who})


class KilledError(Exception):
    """In the place of a commit."""


PURPOSES = [
    {"name": "marketing", "default": "denied"},
    {"name": "analytics", "default": "granted"},
    {"name": "profiling", "default": "denied"},
]


def edited(drawn: Scenario, rng: Random, *, rules: bool) -> Definitions:
    """The scenario's definitions with other segments and traits; ``rules``: mostly with other rules of identity or other purposes, too."""
    files, others = dict(drawn.definitions_files), definitions_files(rng.randrange(10**6))
    kept, taken = rng.random(), set[str]()
    for path in sorted(files.keys() | others.keys()):
        if path.startswith("segments/") and rng.random() > kept:
            files.pop(path, None)
            taken.add(path)
            if path in others and "account" not in others[path]:
                files[path] = others[path]
    if all("account" not in text for path, text in files.items() if path.startswith("segments/")) and rng.random() < 0.5:
        files.pop("accounts.yaml", None)
        files |= {path: text for path, text in others.items() if path == "accounts.yaml" or re.match(r"segments/w", path)}
    said = [{each["name"]: each for each in json.loads(of["traits.yaml"])["traits"]} for of in (drawn.definitions_files, others)]
    mine = {name: each for name, each in said[0].items() if f"segments/{name}.yaml" not in taken}
    mine |= {name: each for name, each in said[1].items() if f"segments/{name}.yaml" in taken}
    mine |= {each["name"]: each for each in [*TRAITS, *rng.sample(MORE, rng.randrange(len(MORE) + 1))]}
    traits = [dict(each) for each in mine.values()]
    for each in traits:
        each.update({"orders": {"emit": rng.random() < 0.5}, "skus": {"limit": rng.choice([1, 2, 4])}}.get(each["name"], {}))
    files["traits.yaml"] = json.dumps({"traits": traits})
    if rules and rng.random() < 0.8:
        theirs = json.loads(others["identity.yaml"])
        for namespace in theirs["namespaces"]:
            # What was said by hand comes to other identifiers then.
            if namespace["name"] in {"user_id", "email"} and rng.random() < 0.4:
                namespace["normalize"] = rng.choice(["trim", "email"])
        files["identity.yaml"] = json.dumps(theirs)
    if rules and rng.random() < 0.4:
        defaults = [{**each, "default": rng.choice(["denied", "granted"])} for each in PURPOSES]
        files["consent.yaml"] = json.dumps({"purposes": defaults[: rng.choice([2, 3])]})
    return load(_named({**files, OFTEN: often(rng)}))


def _named(files: dict[str, str]) -> dict[str, str]:
    """Without segments that name one that is gone."""
    names = {path[len("segments/") : -len(".yaml")] for path in files if path.startswith("segments/")}
    for path in [path for path in files if path.startswith("segments/")]:
        asked = {name for name in (f"s{number}" for number in range(20)) if f'"segment": "{name}"' in files[path].split('"who"')[1]}
        if not asked <= names or any(int(name[1:]) >= int(path[len("segments/s") : -len(".yaml")]) for name in asked):
            files[path] = json.dumps({**json.loads(files[path]), "who": {"did": "order_*"}})
    return files


@contextmanager
def killing(engine: Engine, rng: Random, share: float) -> Iterator[None]:
    """Some commits never happen: what had been committed before is all that is left."""
    commit = engine.shard.commit

    def perhaps() -> int:
        if rng.random() < share:
            raise KilledError
        return commit()

    engine.shard.commit = perhaps  # type: ignore[method-assign]
    try:
        yield
    finally:
        engine.shard.commit = commit  # type: ignore[method-assign]


def until_done(engine: Engine, rng: Random, share: float, doing: Any) -> None:
    """Do it again and again until nobody is killed."""
    while True:
        try:
            with killing(engine, rng, share):
                doing()
        except KilledError:
            for family in engine.shard.families.values():
                family.pending = {}
            engine.restart(reopen=False)
        else:
            return


def understood(events: list[Event], definitions: Definitions) -> list[Event]:
    """Accepted events as other definitions read them."""
    judge, found = judge_of(definitions), []
    for event in events:
        again = judge.reread(event.raw, event.contract)
        again.position, again.time_us, again.message_id = event.position, event.time_us, event.message_id
        found.append(again)
    return found


def lived(seed: int, engine: Engine, *, rules: bool = False) -> tuple[int, int]:
    """How many times the state was compared, and how many of these while definitions were on their way."""
    rng = Random(f"{seed}:definitions:rules" if rules else f"{seed}:definitions")
    drawn = scenario(seed, rng.choice([12, 25, 60]))
    if rules and rng.random() < 0.5:
        drawn.control.clear()
    first = load({**drawn.definitions_files, OFTEN: often(rng)})
    engine.clear(first, cache_bytes=rng.choice([10_000, 512_000_000]))
    plan: list[tuple[str, Any]] = list(steps(drawn, rng, (1, 2, 5, 20)))
    for _ in range(rng.choice([1, 2, 3])):
        plan.insert(rng.randint(1, len(plan)), ("definitions", edited(drawn, rng, rules=rules)))
    share = rng.choice([0.0, 0.0, 0.2])
    engine.start(sorted({name for name, _ in plan} - {"control", "definitions"}))
    judge = judge_of(first)
    events: list[Event] = []
    control: list[Json] = []
    compared = meanwhile = 0
    for number, (name, what) in enumerate(plan):
        if name == "definitions":
            until_done(engine, rng, share, lambda what=what, at=number: engine.define(what, whole=False, begun=at % 8 > 0))
        elif name == "control":
            control += (entries := [orjson.loads(record) for record in what])
            until_done(engine, rng, share, lambda entries=entries: engine.control(entries))
        else:
            events += judge.judge_many(what, 1, 0)[0]
            until_done(engine, rng, share, lambda name=name, what=what: engine.feed(name, what))
        if rng.random() < share:
            engine.restart(reopen=False)
        meta = engine.space.meta
        if meta.clock is not None:
            definitions = engine.known[meta.digest]
            at = meta.clock + rng.choice([0, 0, 3_600_000_000, 20 * 86_400_000_000])
            read = understood(events, definitions) if rules else events
            expected = model.dump(read, control, definitions, at, hasher=HASHER, denials=engine.denials)
            found = engine.dump(at)
            assert found == expected, difference(found, expected, seed, number, name, meta.change)
            compared, meanwhile = compared + 1, meanwhile + (meta.change is not None)
    until_done(engine, rng, share, engine.bring_along)
    if engine.space.meta.clock is not None:
        assert Folded().read(changes_of(engine)).told() == dumped(engine.dump()), seed
        check(engine, seed)
    return compared, meanwhile


@pytest.mark.parametrize("group", range(GROUPS))
def test_people_are_what_the_model_says_while_definitions_come(group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change, "SLICE_PEOPLE", 1 + group % 3)
    monkeypatch.setattr(change, "FIRST_PEOPLE", 1 + group % 3)
    engine = Engine(tmp_path / "shard", load({}))
    counts = [lived(seed, engine) for seed in range(group * SEEDS, (group + 1) * SEEDS)]
    assert sum(compared for compared, _ in counts) > SEEDS
    assert sum(meanwhile for _, meanwhile in counts) > 0


@pytest.mark.parametrize("group", range(GROUPS))
def test_people_made_anew_are_what_the_model_says(group: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits of one event or person, and of so many that events come before the switch, and behind it while is told of people."""
    few = (1, 3, 20, 60)[group % 4]
    monkeypatch.setattr(anew, "PEOPLE", few)
    monkeypatch.setattr(anew, "MOMENTS", few)
    monkeypatch.setattr(told_anew, "PEOPLE", 1 + group % 3)
    engine = Engine(tmp_path / "shard", load({}))
    counts = [lived(seed, engine, rules=True) for seed in range(group * RULES, (group + 1) * RULES)]
    assert sum(compared for compared, _ in counts) > RULES
    assert sum(meanwhile for _, meanwhile in counts) > 0
    assert engine.shard.generation > 0
    assert not engine.shard.other
