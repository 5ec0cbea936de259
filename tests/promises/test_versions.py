"""A new model changes nothing about people: what senders of the old one send is as if they had sent the new one."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.text.names import event_name
from tests import model
from tests.drawn_definitions import PROPERTIES, definitions_files
from tests.engine import HASHER, Engine, difference
from tests.generator import scenario
from tests.promises.project import asked, dump, project, ran, write_contract

Json = dict[str, Any]
OLD = "was_"
"""What the names of the old model begin with."""
TRAITS = ("plan", "age", "since", "address", "email", "total")


def two_models(seed: int) -> dict[str, str]:
    """The definitions of a seed, in which every contract has an older model with other names."""
    files = definitions_files(seed)
    for event, known in {**PROPERTIES, "identify": TRAITS}.items():
        # Any event may carry one more, of any kind.
        names = dict.fromkeys((*known, "value"))
        now: Json = {"type": "object", "not": {"required": ["model"]}}
        if event != "identify":
            now["properties"] = {name: {} for name in names}
        before = {"model": {"const": 1}, **{OLD + name: {} for name in names}}
        files[f"events/{event}/1-0-0.json"] = json.dumps({"type": "object", "required": ["model"], "properties": before})
        files[f"events/{event}/2-0-0.json"] = json.dumps(now)
        steps = [{"rename": {OLD + name: name for name in names}}, {"drop": ["model"]}]
        files[f"events/{event}/1-0-0-to-2-0-0.yaml"] = json.dumps({"upcast": "1-0-0 to 2-0-0", "steps": steps})
    return files


def as_of_old(event: Json) -> Json:
    """The event as a sender of the old model sends it."""
    place = "traits" if event["type"] == "identify" else "properties"
    if (event["type"] == "track" and event_name(event["event"]) not in PROPERTIES) or event["type"] in {"page", "screen"}:
        return event
    return {**event, place: {"model": 1, **{OLD + name: value for name, value in (event.get(place) or {}).items()}}}


@pytest.mark.parametrize("seed", range(4000, 4040))
def test_old_senders_and_new_ones_make_the_same_people(seed: int) -> None:
    """Half of the messages in the old model, in any order and with restarts, against the model of the new ones alone."""
    rng = Random(seed)
    drawn = scenario(seed, 25)
    definitions = load(two_models(seed))
    sent = {event["messageId"]: rng.random() < 0.5 for event in drawn.events}
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", definitions)
        engine.start([f"p{at}" for at in range(len(drawn.partitions))])
        judged = []
        for at, partition in enumerate(drawn.partitions):
            judged += engine._judge.judge_many([orjson.dumps(event) for event in partition], 1, 0)[0]
            mixed = [orjson.dumps(as_of_old(event) if sent[event["messageId"]] else event) for event in partition]
            engine.feed(f"p{at}", mixed, finished=True)
            if rng.random() < 0.3:
                engine.restart()
        engine.control(drawn.control)
        at_us = max(engine.space.meta.clock or 0, drawn.at(judged))
        found, expected = engine.dump(at_us), model.dump(judged, drawn.control, definitions, at_us, hasher=HASHER)
        assert engine.space.meta.quarantine == {}
        assert found == expected, difference(found, expected, seed)
        engine.shard.close()


def test_a_new_model_in_force_is_as_if_it_had_always_been(tmp_path: Path) -> None:
    """Events first, the new model and its upcast later: the same bytes as with both from the start, and SQL sees the new names."""
    drawn = scenario(7, 40)
    lines = [orjson.dumps(as_of_old(event)) for event in drawn.events]
    both = two_models(7)
    only_old = {path: text for path, text in both.items() if "2-0-0" not in path}
    for path in only_old:
        if path.startswith("segments/"):
            only_old[path] = json.dumps({"segment": Path(path).stem, "who": {"did": "page_viewed"}})
    only_old["traits.yaml"] = "{}"
    always = project(tmp_path / "always", both, lines, "unknown_events: accept\n")
    later = project(tmp_path / "later", only_old, lines, "unknown_events: accept\n")
    ran(always)
    ran(later)
    for path, text in both.items():
        write_contract(later, path, text)
    assert asked(later, "apply")[0]["running"] is False
    ran(later)
    assert dump(later) == dump(always)
    asked(later, "snapshot")
    rows = asked(later, "sql", "select distinct unnest(json_keys(properties)) as name, contract from events where event = 'product_viewed'")
    assert {row["name"] for row in rows} == {"sku", "amount"}
    assert {row["contract"] for row in rows} == {"product_viewed/1-0-0"}
