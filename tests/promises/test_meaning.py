"""A data folder of an older version opens: everybody is computed anew once by today's meaning, and the differences are told."""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.envelope import event_time
from operators import meta as meta_row
from operators import normalize
from operators.moment_row import moment_raw
from operators.people.meaning import MEANING
from operators.records import decode_moments, decode_person, encode
from skep.project.settings import Settings
from skep.project.spaces import open_view
from state import shard
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of, steps
from tests.generator import MINUTE_US, scenario
from tests.promises.change_log import Folded, dumped
from tests.promises.project import asked, dump, ran
from tests.skep.test_cli import skep

OLDER = Path(__file__).parent / "data" / "older_folder.tar.gz"
"""A small shop with the data folder that the commit 5add8fc has made of it: sealed days, a zero-width blank in an address, a
placeholder as phone, event names with combining marks, consents as texts, a sender's clock that nobody believes."""


# ── the mechanism ───────────────────────────────────────────────────────────────────────────────────────────────────
def _older(engine: Engine) -> None:
    """As if an older version had stored what is stored."""
    engine.space.meta.meaning = 0
    engine.shard.meta.put(meta_row.KEY, meta_row.encode(engine.space.meta))
    for key, row in list(engine.shard.seen.committed(b"")):
        if len(row) > 24:
            engine.shard.seen.delete(key)
            engine.space.meta.remembered -= 1
    engine.shard.meta.put(meta_row.KEY, meta_row.encode(engine.space.meta))
    engine.shard.commit()


def _minutes(body: dict[str, Any]) -> tuple[int, int | None, bool]:
    """A time as an older version might have read it: in whole minutes."""
    time_us, *rest = event_time(body)
    return (time_us // MINUTE_US * MINUTE_US, *rest)


@pytest.mark.parametrize("seed", range(9100, 9106))
def test_everybody_is_computed_anew_by_todays_meaning(engine: Engine, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Addresses kept their case, and the times of some events were others; only once, and told like any other change."""
    rng, drawn = Random(seed), replace(scenario(seed, 30), refused=[])
    definitions = load(drawn.definitions_files)
    engine.clear(definitions)
    given: list[bytes] = []
    control: list[Any] = []
    with monkeypatch.context() as older:
        older.setattr(normalize, "email", str.strip)
        older.setattr("operators.judge.event_time", _minutes)
        engine.clear(definitions)
        engine.start(["p0", "p1", "p2"])
        for name, records in steps(drawn, rng):
            if name == "control":
                control += map(orjson.loads, records)
                engine.control([orjson.loads(record) for record in records])
            else:
                given += records
                engine.feed(name, records)
    before = engine.dump()
    _older(engine)
    engine._judge = judge_of(definitions)
    engine.restart(reopen=False)
    clock = engine.space.meta.clock
    assert clock is not None
    assert engine.space.meta.meaning == MEANING
    kept = [event for event in judge_of(definitions).judge_many(given, 1, 0)[0] if event.raw in _stored(engine)]
    expected = model.dump(kept, control, definitions, clock, hasher=HASHER)
    found = engine.dump(clock)
    assert found == expected, difference(found, expected, seed)
    told = [orjson.loads(row) for _, row in engine.view.changes(0)]
    if dumped(found) != dumped(before):
        assert told[-1]["cause"] == {"type": "meaning", "id": str(MEANING)}
    assert Folded().read(engine.view.changes(0)).told() == dumped(found)
    was, now = _holders(before), _holders(found)
    for one in told:
        if one["type"] == "identity.merged" and one["cause"]["type"] == "meaning" and one["merged"] in was.values():
            # Not anybody, where the identifier that a profile is named after is none any more.
            assert one["profile"] in {now.get(identifier) for identifier, profile in was.items() if profile == one["merged"]}
    engine.restart(reopen=False)
    assert len(told) == engine.space.meta.changes


@pytest.mark.parametrize("path", ["items[].qty", "qty"])
def test_from_meaning_2_only_items_of_lists_are_counted_again(engine: Engine, path: str) -> None:
    """Where no measure reads any, what was computed stands: a cell that is wrong stays so, and nothing is told."""
    traits = json.dumps({"traits": [{"name": "bought", "sum": path, "did": "paid"}]})
    engine.clear(load({"traits.yaml": traits}, unknown_events_ok=True))
    engine.start(["p0"])
    said = {"items": [{"qty": 2}, {"qty": 3}], "qty": 5}
    head = {"type": "track", "event": "paid", "userId": "u1", "messageId": "m", "timestamp": "2026-01-01T12:00:00Z"}
    engine.feed("p0", [orjson.dumps({**head, "properties": said})])
    ((key, row),) = engine.shard.people.committed(b"")
    person = decode_person(row)
    person.cells[0] = 1_000_000
    engine.shard.people.put(key, encode(person))
    engine.space.meta.meaning = 2
    engine.shard.meta.put(meta_row.KEY, meta_row.encode(engine.space.meta))
    engine.shard.commit()
    engine.restart(reopen=False)
    (found,) = [line["traits"]["bought"] for line in map(orjson.loads, engine.dump()) if line["kind"] == "profile"]
    assert (found, engine.space.meta.meaning) == (5 if "[]" in path else 1, MEANING)


def _holders(rows: list[bytes]) -> dict[tuple[str, str], str]:
    """Identifier → profile, of a dump."""
    found = (one for one in map(orjson.loads, rows) if one["kind"] == "identifier")
    return {(one["namespace"], one["value"]): one["profile"] for one in found}


def _stored(engine: Engine) -> set[bytes]:
    """The bytes of the accepted events; of repeats those that stood by the older meaning."""
    return {moment_raw(each.row) for key, row in engine.shard.moments.committed(b"") for each in decode_moments(key, row)}


# ── a folder of an older version ────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The folder in today's format, of the meaning that it has."""
    with tarfile.open(OLDER) as archive:
        archive.extractall(tmp_path, filter="data")
    folder = tmp_path / "shop"
    written = shard.Shard(folder / "data/shards/shop", formats={b"3"})
    written.commit()
    written.close()
    return folder


def test_an_older_folder_is_what_a_new_run_would_have_made(older: Path) -> None:
    """Reading works before; then people are those of a fresh run, under the message ids that were stored."""
    ids = {one["id"] for one in map(orjson.loads, dump(older).splitlines()) if one["kind"] == "message"}
    found = asked(older, "status")
    assert (found["received"], found["remembered"]) == (171, 46)
    [plan] = asked(older, "plan")
    assert plan["older"]
    ran(older)
    fresh = older.with_name("fresh")
    shutil.copytree(older, fresh, ignore=lambda _, names: {"data"} & set(names))
    ran(fresh)
    assert {one["id"] for one in map(orjson.loads, dump(older).splitlines()) if one["kind"] == "message"} == ids
    found = asked(older, "status")
    assert (found["received"], found["applied"], found["late"][0]["too_late"], found["late"][0]["received"]) == (171, 168, 1, 171)
    # 15 events of nobody are found again, in pages too.
    assert found["remembered"] > 46
    view = open_view(Settings.load(older), "shop")
    assert Folded().read(view.changes(0)).told() == dumped(list(view.dump()))
    assert view.meta.meaning == MEANING
    changes = view.meta.changes
    view.close()
    # What was refused stays refused until it is replayed, also what would be accepted today.
    ran(older)
    assert asked(older, "status")["changes"] == changes
    assert skep("quarantine", "replay", "--reason", "future", project=older).returncode == 0
    ran(older)
    assert dump(older) == dump(fresh)
    assert "older version" not in skep("plan", project=older).stderr


def test_an_older_folder_can_be_read_without_the_families_of_today(older: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it does not have is empty, until a flow makes it."""
    monkeypatch.setattr(shard, "FAMILIES", (*shard.FAMILIES, "not_there_yet"))
    read = shard.SecondaryShard(older / "data/shards/shop")
    assert read.row("not_there_yet", b"x") is None
    assert list(read.rows("not_there_yet")) == []
    assert read.row("meta", b"format") == shard.FORMAT
    read.close()
    written = shard.Shard(older / "data/shards/shop")
    assert written.row("not_there_yet", b"x") is None
    written.close()
