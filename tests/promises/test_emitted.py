"""An emitted trait is told when it changes, also by time alone: what was told last is what the trait is, at every moment."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts import load
from contracts.text.times import iso
from state.keys import time_of
from tests.engine import Engine, steps
from tests.generator import scenario
from tests.promises.change_log import Json, changes_of
from tests.promises.test_timers import SECOND_US, START_US, page, tick

TRAITS = {
    "traits": [
        {"name": "recent", "count": True, "did": "page_viewed", "within": "10s", "emit": True},
        {"name": "before", "count": True, "did": "page_viewed", "ago": ["30s", "10s"], "emit": True},
        {"name": "unread", "count": True, "did": "page_viewed", "within": "20s"},
    ]
}


def told(engine: Engine) -> list[tuple[str, object, str]]:
    """The changes of traits: name, value and when."""
    changes = [orjson.loads(row) for _, row in changes_of(engine)]
    return [(change["trait"], change["value"], change["clock"]) for change in changes if change["type"] == "profile.updated"]


@pytest.mark.parametrize("restart", [False, True])
def test_what_time_changes_is_told_at_its_moment(tmp_path: Path, restart: bool) -> None:
    """Ten seconds after a page view, and not before, without an event; a trait that nobody is told of wakes nobody."""
    shop = Engine(tmp_path / "shard", load({"traits.yaml": json.dumps(TRAITS)}))
    shop.start(["p0"])
    shop.feed("p0", [page("d", START_US)])
    if restart:
        shop.restart()
    tick(shop, START_US + 15 * SECOND_US)
    assert [time_of(key[:8]) for key, _ in shop.shard.timers.committed(b"")] == [START_US + 30 * SECOND_US]
    tick(shop, START_US + 60 * SECOND_US)
    later, last = iso(START_US + 10 * SECOND_US), iso(START_US + 30 * SECOND_US)
    assert told(shop)[-3:] == [("recent", 0, later), ("before", 1, later), ("before", 0, last)]
    shop.shard.close()


MADE = {
    "traits": [
        {"name": "recent", "count": True, "did": "page_viewed", "within": "10s"},
        {"name": "all", "count": True, "did": "page_viewed"},
        {"name": "share", "ratio": {"of": "recent", "to": "all"}, "emit": True},
        {"name": "active", "expression": "share > 0.4", "emit": True},
    ]
}


def test_what_is_made_of_traits_is_told_when_time_changes_these(tmp_path: Path) -> None:
    """A ratio of what has a window, and what is made of that; the window's trait itself is told to nobody."""
    segments = {"segments/lively.yaml": "segment: lively\nwho: {trait: share, gte: 0.4}\n"}
    shop = Engine(tmp_path / "shard", load({"traits.yaml": json.dumps(MADE), **segments}))
    shop.start(["p0"])
    shop.feed("p0", [page("d", START_US), page("d", START_US + 4 * SECOND_US)])
    tick(shop, START_US + 60 * SECOND_US)
    first, last = (iso(START_US + after * SECOND_US) for after in (10, 14))
    assert told(shop)[-3:] == [("share", 0.5, first), ("share", 0, last), ("active", False, last)]
    left = [orjson.loads(row) for _, row in changes_of(shop)][-1]
    assert (left["type"], left["segment"], left["clock"]) == ("segment.exited", "lively", last)
    shop.shard.close()


@pytest.mark.parametrize("seed", range(8000, 8020))
def test_what_was_told_last_is_what_is(tmp_path: Path, seed: int) -> None:
    """Of everybody, after every batch, by generated definitions: windows, merges, splits, late events."""
    drawn = scenario(seed, 25)
    definitions = load(drawn.definitions_files)
    emitted = [trait.name for trait in definitions.traits if trait.emit]
    engine, plan = Engine(tmp_path / "shard", definitions), list(steps(drawn, Random(seed)))
    engine.start(sorted({name for name, _ in plan} - {"control"}))
    for name, records in plan:
        engine.take(name, records)
        if engine.space.meta.clock is not None:
            people = [line for line in map(orjson.loads, engine.dump(engine.space.meta.clock)) if line["kind"] == "profile"]
            known = folded(engine)
            assert {line["id"]: known.get(line["id"], {}) for line in people} == {
                line["id"]: {trait: line["traits"][trait] for trait in emitted if trait in line["traits"]} for line in people
            }
    engine.shard.close()


def folded(engine: Engine) -> dict[str, Json]:
    """By profile what somebody knows who only reads the log."""
    known: dict[str, Json] = {}
    for change in (orjson.loads(row) for _, row in changes_of(engine)):
        if change["type"] == "profile.updated":
            known.setdefault(change["profile"], {})[change["trait"]] = change["value"]
        elif change["type"] == "identity.merged":
            known.pop(change["evidence"]["merged"], None)
        elif change["type"] == "profile.erased":
            known.pop(change["profile"], None)
    return {profile: {trait: value for trait, value in traits.items() if value is not None} for profile, traits in known.items()}
