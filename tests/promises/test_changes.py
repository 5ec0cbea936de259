"""The change log: dense, in order, without a wall clock, and enough to know who is in which segment."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.text.times import iso
from tests import model
from tests.engine import Engine, steps
from tests.generator import Scenario, scenario
from tests.graphs import graph
from tests.promises.change_log import Folded, changes_of, dumped

Json = dict[str, Any]


def opened(folder: Path, drawn: Scenario, partitions: int | None = None) -> Engine:
    engine = Engine(folder, load(drawn.definitions_files), cache_bytes=10_000 if drawn.seed % 2 else 512_000_000)
    engine.start([f"p{at}" for at in range(partitions or len(drawn.partitions))])
    return engine


@pytest.mark.parametrize("seed", range(7000, 7040))
def test_folding_gives_the_dump_after_every_commit(tmp_path: Path, seed: int) -> None:
    """Profile ids, memberships and consents; versions rise by one; a profile leaves its segments before it vanishes."""
    rng, drawn = Random(seed), scenario(seed, 30)
    engine, folded, read = opened(tmp_path / "shard", drawn), Folded(), 0
    for name, records in steps(drawn, rng):
        engine.take(name, records)
        if rng.random() < 0.1:
            engine.restart()
        folded.read(engine.view.changes(read))
        read = folded.sequence
        if engine.space.meta.clock is not None:
            assert folded.told() == dumped(engine.dump()), (seed, name)
    engine.shard.close()


@pytest.mark.parametrize("seed", range(7100, 7110))
def test_the_log_does_not_depend_on_batches_restarts_or_the_hour(tmp_path: Path, seed: int) -> None:
    """The same records in the same order: the same bytes. No change is later than what the events say."""
    drawn = scenario(seed, 40)
    records = [orjson.dumps(body) for body in drawn.events]
    logs = []
    for size in (1, 7, 10_000):
        engine = opened(tmp_path / f"shard{size}", drawn, 1)
        for start in range(0, len(records), size):
            engine.feed("p0", records[start : start + size])
            if start % 5 == 0:
                engine.restart()
        clock = engine.space.meta.clock
        assert clock is not None
        logs.append(changes_of(engine))
        assert all(orjson.loads(row)["clock"] <= iso(clock) for _, row in logs[-1])
        engine.shard.close()
    assert logs[0] == logs[1] == logs[2]
    assert logs[0]


@pytest.mark.parametrize(
    "drawn", [*(scenario(seed, 40) for seed in range(7200, 7220)), *(graph(seed) for seed in range(7220, 7230))], ids=str
)
def test_who_is_called_otherwise_is_told_record_by_record(tmp_path: Path, drawn: Scenario) -> None:
    """A namespace is named exactly where the model finds another value, of profiles that were there and still are; no value is told."""
    rng = Random(drawn.seed)
    engine = opened(tmp_path / "shard", drawn)
    before, read = model.called(engine.dump()), 0
    for name, records in steps(drawn, rng):
        for record in records:
            engine.take(name, [record])
            after, told = model.called(engine.dump()), []
            for _, row in engine.view.changes(read):
                change = orjson.loads(row)
                read += 1
                if change["type"] == "identity.identifiers":
                    assert change["evidence"] == {"namespaces": change["namespaces"]}
                    told.append((change["profile"], change["namespaces"]))
            assert sorted(told) == sorted(model.renamed(before, after).items()), (drawn.seed, record)
            before = after
    engine.shard.close()


def test_other_rules_tell_who_is_called_otherwise(tmp_path: Path) -> None:
    """Definitions that make everybody anew: a namespace less, so that another has its number."""
    spaces = [{"name": name, "from": path} for name, path in (("user_id", "userId"), ("email", "traits.email"), ("phone", "traits.phone"))]
    first, then = ({**_project(), "identity.yaml": json.dumps({"namespaces": some})} for some in (spaces, [spaces[0], spaces[2]]))
    engine = Engine(tmp_path / "shard", load(first))
    engine.start(["p0"])
    engine.feed("p0", [orjson.dumps({"type": "identify", "messageId": "m1", "userId": "u1", "timestamp": "2026-01-01T10:00:00Z",
                                     "traits": {"email": "a@example.com", "phone": "+441632960001"}})])  # fmt: skip
    before, read = model.called(engine.dump()), engine.space.meta.changes
    engine.define(load(then))
    told = [orjson.loads(row) for _, row in engine.view.changes(read)]
    named = {change["profile"]: change["namespaces"] for change in told if change["type"] == "identity.identifiers"}
    assert list(named.values()) == [["email"]]
    assert named == model.renamed(before, model.called(engine.dump()))
    engine.shard.close()


CONSENT = {"purposes": [{"name": "marketing", "default": "denied"}]}
BUYERS = {"segment": "buyers", "who": {"did": "order_completed"}, "purpose": "marketing"}
ORDER = {"properties": {"amount": {"type": "number"}}}


def _project() -> dict[str, str]:
    files = {"consent.yaml": CONSENT, "segments/buyers.yaml": BUYERS, "events/order_completed/1-0-0.json": ORDER}
    return {path: json.dumps(content) for path, content in files.items()}


def _event(minute: int, user: str, granted: bool | None = None, **more: Any) -> bytes:
    body: Json = {"type": "track", "event": "order_completed", "messageId": f"{user}{minute}", "userId": user, "properties": {}, **more}
    body["timestamp"] = f"2026-01-01T10:{minute:02d}:00Z"
    if granted is not None:
        body["context"] = {"consent": {"categoryPreferences": {"marketing": granted}}}
    return orjson.dumps(body)


def test_a_withdrawal_exits_in_the_same_commit(tmp_path: Path) -> None:
    """One record, one commit: the consent and the membership that hung on it."""
    engine = Engine(tmp_path / "shard", load(_project()))
    engine.start(["p0"])
    engine.feed("p0", [_event(0, "u1", True)])
    before = engine.space.meta.changes
    engine.feed("p0", [_event(1, "u1", False)])
    told = [orjson.loads(row) for _, row in engine.view.changes(before)]
    assert [change["type"] for change in told] == ["consent.changed", "segment.exited"]
    assert told[1]["segment"] == "buyers"
    assert told[1]["purpose"] == "marketing"
    assert {orjson.dumps(change["cause"]) for change in told} == {b'{"type":"message","id":"u11"}'}
    engine.shard.close()


def test_the_vanishing_profile_leaves_its_segments_first(tmp_path: Path) -> None:
    """A device with a life of its own logs in: out of the segment, then merged, under the version that its id had."""
    engine = Engine(tmp_path / "shard", load(_project()))
    engine.start(["p0"])
    anonymous = {"userId": None, "anonymousId": "d1"}
    engine.feed("p0", [_event(0, "d", True, **anonymous)])
    before = engine.space.meta.changes
    engine.feed("p0", [_event(1, "u1", None, anonymousId="d1")])
    told = [orjson.loads(row) for _, row in engine.view.changes(before)]
    kinds = [change["type"] for change in told]
    assert kinds.index("segment.exited") < kinds.index("identity.merged")
    merged = told[kinds.index("identity.merged")]
    assert merged["evidence"]["merged"] == told[kinds.index("segment.exited")]["profile"]
    assert Folded().read(changes_of(engine)).told() == dumped(engine.dump())
    engine.shard.close()


def test_late_evidence_tells_which_events_it_takes_from_whom(tmp_path: Path) -> None:
    """u1's anonymous events of a later session are nobody's as soon as it is known that u2 logged in there before it, too."""
    engine = Engine(tmp_path / "shard", load(_project()))
    engine.start(["p0"])
    anonymous = {"userId": None, "anonymousId": "d1"}
    engine.feed("p0", [_event(0, "u1", None, anonymousId="d1"), _event(45, "a", None, **anonymous), _event(46, "b", None, **anonymous)])
    before, owner = engine.space.meta.changes, dict(engine.view.events.attributions())["a45"]
    engine.feed("p0", [_event(5, "u2", None, anonymousId="d1")])
    told = [orjson.loads(row) for _, row in engine.view.changes(before)]
    (moved,) = (change for change in told if change["type"] == "events.reassigned")
    assert (moved["messages"], moved["from"]) == (["a45", "b46"], owner)
    assert {moved["profile"]} == {dict(engine.view.events.attributions())[message] for message in moved["messages"]} != {owner}
    engine.shard.close()


def test_a_sum_is_told_with_all_its_digits(tmp_path: Path) -> None:
    """Also one that neither 64 bits nor a double keep; after a restart it is not told again."""
    files = {
        **_project(),
        "traits.yaml": json.dumps({"traits": [{"name": "total", "sum": "amount", "did": "order_completed", "emit": True}]}),
    }
    engine = Engine(tmp_path / "shard", load(files))
    engine.start(["p0"])
    for minute, amount in enumerate((2**64 - 1, 2**64 - 1, 0.25, 0)):
        engine.feed("p0", [_event(minute, "u1", properties={"amount": amount})])
        engine.restart()
    told = [row.partition(b'"trait":"total","value":')[2].partition(b"}")[0].decode() for _, row in engine.view.changes(0)]
    assert [one for one in told if one] == ["18446744073709551615", "36893488147419103230", "36893488147419103230.25"]
    engine.shard.close()
