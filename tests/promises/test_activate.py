"""`activate:` chooses: of which memberships a destination is told, with a floor and without."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import MEMBERSHIPS, Definitions
from contracts.reading.lineage import uses
from operators.activation.audience import Audience
from operators.people.clock import BEFORE_ALL
from tests.contracts.project import GOOD
from tests.engine import Engine, steps
from tests.generator import Scenario, scenario
from tests.promises.test_floors import Cohorts, held, unsettle
from tests.skep.test_run import skep

FLOOR = 0.95
DESTINATIONS = {"chosen": None, "chosen_sure": FLOOR, "feed": None}


def drawn_definitions(drawn: Scenario, rng: Random) -> tuple[Definitions, frozenset[str]]:
    """The scenario's definitions with three destinations, and the segments that name two of them."""
    files = {path: orjson.loads(text) for path, text in drawn.definitions_files.items() if path.endswith(".yaml")}
    segments = sorted(path for path in files if path.startswith("segments/"))
    naming = rng.sample(segments, rng.randint(1, len(segments)))
    for path in naming:
        files[path]["activate"] = ["chosen", "chosen_sure"]
    for name, floor in DESTINATIONS.items():
        asked = {} if floor is None else {"confidence": {"gte": floor}}
        files[f"destinations/{name}.yaml"] = {"kind": "file", "path": f"{name}.jsonl", **asked}
    chosen = frozenset(files[path]["segment"] for path in naming)
    return load({**drawn.definitions_files, **{path: orjson.dumps(content).decode() for path, content in files.items()}}), chosen


@pytest.mark.parametrize("seed", range(7400, 7420))
def test_a_chosen_destination_knows_the_members_of_the_segments_that_chose_it(tmp_path: Path, seed: int) -> None:
    """After every commit, whatever merges, splits and falls below the floor; a feed is told the log as it is."""
    rng, drawn = Random(seed), scenario(seed, 30)
    definitions, chosen = drawn_definitions(drawn, rng)
    audiences = {each.name: Audience.of(each, definitions) for each in definitions.destinations}
    engine = Engine(tmp_path / "shard", definitions)
    engine.start([f"p{at}" for at in range(len(drawn.partitions))])
    members: dict[str, set[str]] = {}
    sure, before = Cohorts(FLOOR), 0
    for name, records in steps(drawn, rng):
        engine.take(name, records)
        if engine.space.work.clock.now == BEFORE_ALL:
            continue
        if rng.random() < 0.5:
            unsettle(engine, rng, 0.5)
        changes = list(engine.view.changes(before))
        before += len(changes)
        assert audiences["feed"].told(changes) == changes, seed
        told = [orjson.loads(line) for _, line in audiences["chosen"].told(changes)]
        everything = [orjson.loads(line) for _, line in changes]
        assert kinds(told, members=False) == kinds(everything, members=False), "other types of change are told as before"
        fold(members, told)
        sure.read(audiences["chosen_sure"].told(changes))
        people = [line for line in map(orjson.loads, engine.dump()) if line["kind"] == "profile"]
        expected = {one["id"]: {*one["segments"]} & chosen for one in people}
        assert {key: found for key, found in members.items() if found} == {key: found for key, found in expected.items() if found}, seed
        state = held(engine, FLOOR)
        named = {key: ([one for one in segments if one in chosen], *rest) for key, (segments, *rest) in state["named"].items()}
        cohorts = {segment: count for segment, count in state["cohorts"].items() if segment in chosen}
        assert sure.told() == {"named": named, "cohorts": cohorts}, seed
    engine.shard.close()


def kinds(changes: list[dict[str, Any]], *, members: bool) -> list[str]:
    return [one["type"] for one in changes if (one["type"] in MEMBERSHIPS) is members]


def fold(members: dict[str, set[str]], changes: list[dict[str, Any]]) -> None:
    for change in changes:
        if change["type"] == "segment.entered":
            members.setdefault(change["profile"], set()).add(change["segment"])
        elif change["type"] == "segment.exited":
            members[change["profile"]].remove(change["segment"])
        elif change["type"] == "identity.confidence":
            assert {one["segment"] for one in change["evidence"]["segments"]} == members.get(change["profile"], set()), change


TWO = {
    "segments/buyers.yaml": "segment: buyers\nwho: {did: order_completed}\nactivate: [crm]\n",
    "segments/others.yaml": "segment: others\nwho: {not: {did: order_completed}}\n",
    "destinations/crm.yaml": "kind: file\npath: crm.jsonl\n",
    "destinations/feed.yaml": "kind: file\npath: feed.jsonl\nchanges: [segment.entered]\n",
    "destinations/deaf.yaml": "kind: file\npath: deaf.jsonl\nchanges: [profile.created]\n",
}


def test_a_feed_rests_on_every_segment_and_a_chosen_one_on_those_that_name_it() -> None:
    """For the catalog and `skep contracts impact`; one that asks for no membership rests on none."""
    definitions = load({**GOOD, **TWO})
    named = {(use.name, use.path) for use in definitions.uses if use.kind == "destination" and use.of == "segment"}
    others = {one.name for one in definitions.segments if not one.activate}
    assert named >= {("crm", "buyers"), ("feed", "buyers"), ("feed", "others")}
    assert not {("crm", one) for one in others} & named
    assert not {one for one, _ in named} & {"deaf"}
    assert any(use.name == "feed" and use.file == "destinations/feed.yaml" for use in uses(definitions))


def test_destinations_of_a_project_are_told_what_their_segments_say(tmp_path: Path) -> None:
    """From files to files: the chosen one has one segment's members and everything else, the feed both segments'."""
    events = [
        {"type": "track", "event": "order_completed", "userId": "1", "messageId": "m1", "timestamp": "2026-01-01T10:00:00Z"},
        {"type": "track", "event": "seen", "userId": "2", "messageId": "m2", "timestamp": "2026-01-01T11:00:00Z"},
    ]
    files = {
        "skep.yaml": "spaces: [shop]\nunknown_events: accept\nsources: [{name: e, kind: jsonl, path: e.jsonl}]\n",
        "e.jsonl": "".join(orjson.dumps(event).decode() + "\n" for event in events),
        **{f"contracts/{path}": text for path, text in TWO.items()},
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    shown = skep("run", "--once", project=tmp_path)
    assert shown.returncode == 0, shown.stderr
    told = {name: [orjson.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()] for name in ("crm", "feed")}
    assert {one["segment"] for one in told["crm"]} - {None} == {"buyers"}
    assert "profile.created" in {one["type"] for one in told["crm"]}
    assert [one["segment"] for one in told["feed"]] == ["buyers", "others"]
