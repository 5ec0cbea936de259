"""A trait that counts by where it comes from: what the first of some sources says, whatever the order, and of repeats from several too."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts import load
from operators.segments.sql.twin import twin
from skep.answers.check import checked
from skep.project.settings import Settings
from state.snapshot.publish import sql
from tests import model
from tests.engine import HASHER, Engine, compare_steps, difference, from_source, judge_of, steps
from tests.generator import Scenario, scenario, written
from tests.lives import replay
from tests.promises.test_one_meaning import shop

WHO: dict[str, dict[str, object]] = {"age": {"gt": 3}, "plan": {"eq": "gold"}, "value": {"exists": True}}
NAMES = tuple(WHO)


def sourced(seed: int) -> Scenario:
    """A generated scenario in which `value` and `plan` count by their sources, and repeats come from others."""
    drawn, rng = scenario(seed, 25), Random(f"{seed}:sources")
    listed = rng.sample(["p0", "p1", "p2", "elsewhere"], rng.choice([1, 2, 3]))
    files = {path: text for path, text in drawn.definitions_files.items() if path.startswith(("identity", "consent", "events/"))}
    traits = [{"name": name, "merge": {"sources": listed}, "emit": True} for name in NAMES]
    files["traits.yaml"] = json.dumps({"traits": traits})
    for name in NAMES:
        files[f"segments/{name}.yaml"] = json.dumps({"segment": name, "who": {"trait": name, **WHO[name]}})
    for event in [event for part in drawn.partitions for event in part if event["type"] == "identify"]:
        if rng.random() < 0.4:
            part = rng.choice(drawn.partitions)
            part.insert(rng.randrange(len(part) + 1), event)
    return replace(drawn, definitions_files=files)


@pytest.mark.parametrize("group", range(4))
def test_engine_is_the_model(group: int, tmp_path: Path) -> None:
    """After every batch, with restarts."""
    compared = kept = 0
    for seed in range(group * 8, group * 8 + 8):
        drawn, rng = sourced(seed), Random(seed)
        definitions = load(drawn.definitions_files)
        engine = Engine(tmp_path / str(seed), definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        compared += compare_steps(engine, definitions, list(steps(drawn, rng)), rng, seed=seed, restarts=0.1)
        kept += sum("p0\np1" in origin for origin in engine.space.meta.contracts)
        engine.shard.close()
    assert compared > 8
    assert kept, "no call came from two sources"


@pytest.mark.parametrize("seed", range(6))
def test_what_came_before_the_trait_counts(seed: int, tmp_path: Path) -> None:
    """The trait is new when half of the records are there: their sources are known all the same."""
    drawn, rng = sourced(seed), Random(f"{seed}:later")
    after = load(drawn.definitions_files)
    before = load({path: text for path, text in drawn.definitions_files.items() if path.startswith(("identity", "consent", "events/"))})
    engine = Engine(tmp_path / "shard", before)
    engine.start([f"p{at}" for at in range(len(drawn.partitions))])
    plan = [one for one in steps(drawn, rng) if one[0] != "control"]
    events = []
    for number, (name, records) in enumerate(plan):
        if number == len(plan) // 2:
            engine.define(after)
        engine.feed(name, records)
        events += from_source(name, judge_of(after).judge_many(records, 1, 0)[0])
    engine.space.bring_along()
    clock = engine.space.meta.clock
    assert clock is not None
    expected = model.dump(events, [], after, clock, hasher=HASHER, denials=engine.denials)
    assert engine.dump(clock) == expected, difference(engine.dump(clock), expected, seed)
    engine.shard.close()


@pytest.mark.parametrize("seed", range(40, 44))
def test_sql_says_the_same(seed: int, tmp_path: Path) -> None:
    drawn = sourced(seed)
    with shop(tmp_path, drawn) as opened:
        for name, records in steps(drawn, Random(seed)):
            opened.feed(name, records)
        clock = opened.engine.space.meta.clock or 0
        found = set(sql(opened.publish(), twin(opened.definitions), {"at": clock})[1])
        assert found == opened.members(clock)
        assert found


def test_the_first_source_that_has_one_counts(tmp_path: Path) -> None:
    """Not the latest call; one that says nothing does not count; a repeat from a better source does, as soon as it is there."""
    definitions = load({"traits.yaml": "traits: [{name: plan, merge: {sources: [crm, web]}}]"})
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["crm", "web", "app"])

    def said(number: int, plan: str | None) -> bytes:
        body = {"type": "identify", "userId": "u", "messageId": f"m{number}", "traits": {"plan": plan}}
        return written({**body, "timestamp": f"2026-01-0{number}T00:00:00Z"})

    def plan() -> object:
        (line,) = (orjson.loads(line) for line in engine.dump(engine.space.meta.clock) if b'"kind":"profile"' in line)
        return line["traits"].get("plan")

    engine.feed("app", [said(1, "app")], finished=True)
    assert plan() is None
    engine.feed("web", [said(2, "web")])
    engine.feed("crm", [said(3, None)])
    assert plan() == "web"
    engine.feed("crm", [said(4, "crm")])
    engine.feed("web", [said(5, "web again")])
    assert plan() == "crm"
    engine.feed("crm", [said(5, "web again")])
    assert plan() == "web again"
    engine.restart()
    assert plan() == "web again"
    engine.shard.close()


def test_a_replayed_record_comes_from_where_it_came(tmp_path: Path) -> None:
    definitions = load({"traits.yaml": "traits: [{name: plan, merge: {sources: [crm, web]}}]"})
    engine = Engine(tmp_path / "shard", definitions, horizon_us=86_400_000_000)
    engine.start(["crm", "web"])
    said = {"type": "identify", "userId": "u"}
    for name, day, traits in (("web", 9, {"plan": "web"}), ("crm", 9, {}), ("crm", 1, {"plan": "crm"})):
        body = {**said, "messageId": f"{name}{day}", "timestamp": f"2026-01-0{day}T00:00:00Z", "traits": traits}
        engine.feed(name, [written(body)])
    assert engine.space.meta.quarantine == {"too_late": 1}
    replay(engine, definitions)
    (line,) = (orjson.loads(line) for line in engine.dump() if b'"kind":"profile"' in line)
    assert line["traits"]["plan"] == "crm"
    engine.shard.close()


def test_a_source_that_there_is_not_is_warned_of(tmp_path: Path) -> None:
    """One that is misspelt would never count."""
    (tmp_path / "contracts").mkdir()
    (tmp_path / "skep.yaml").write_text("sources: [{name: crm, kind: jsonl, path: crm.jsonl}]\n")
    (tmp_path / "contracts" / "traits.yaml").write_text("traits:\n  - {name: plan, merge: {sources: [crn]}}\n")
    (warning,) = checked(Settings.load(tmp_path))[1]
    said = "contracts/traits.yaml:2: traits[0].merge.sources: expected a source of skep.yaml, found crn (did you mean crm?)"
    assert str(warning) == said
    (tmp_path / "contracts" / "traits.yaml").write_text("traits:\n  - {name: plan, merge: {sources: [crm]}}\n")
    assert checked(Settings.load(tmp_path))[1] == []
