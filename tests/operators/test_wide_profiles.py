"""Profiles of many sent traits: what is stored of them is what the model says, and an event writes only what it touches."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from operators.apart import NARROW, chunk_key, decode_whole
from operators.records import WIDE
from tests import model
from tests.engine import HASHER, Engine, compare_steps, difference, judge_of

IDENTITY = "version: 1\nnamespaces:\n  - {name: user_id, from: userId}\n  - {name: email, from: properties.email}\n"
FILES = {"identity.yaml": IDENTITY, "traits.yaml": "traits:\n  - {name: city, type: text, merge: latest, emit: true}\n"}
NAMES = [f"k{number}" for number in range(150)]


def _event(rng: Random, number: int) -> bytes:
    """Somebody says a few or many traits, at any time, now and then with an e-mail that is somebody else's, too."""
    said = rng.sample(NAMES, rng.choice([1, 2, 40, 120]))
    values: list[Any] = ["x", None, {"a": {"b": [number]}}, [1, {"c": number}], number]
    body: dict[str, Any] = {
        "type": "identify", "messageId": f"m{number}", "userId": rng.choice(["u1", "u2", "u3"]),
        "timestamp": f"2026-01-{rng.randrange(1, 28):02d}T10:00:00Z", "traits": {name: rng.choice(values) for name in said},
    }  # fmt: skip
    if rng.random() < 0.2:
        body |= {"type": "track", "event": "Signed Up", "properties": {"email": rng.choice(["a@x.org", "b@x.org"])}}
    return orjson.dumps(body)


def _entry(rng: Random, number: int) -> bytes:
    pair = [{"namespace": "user_id", "value": value} for value in rng.sample(["u1", "u2", "u3"], 2)]
    kind = rng.choice(["link", "unlink"])
    return orjson.dumps(
        {"type": kind, "a": pair[0], "b": pair[1], "timestamp": "2026-02-01T00:00:00Z", "messageId": f"c{number}", "why": "x"}
    )


@pytest.mark.parametrize("seed", range(4))
def test_wide_profiles_are_what_the_model_says(tmp_path: Path, seed: int) -> None:
    """Joined, split, restarted, forgotten by the cache, in any order; no chunk is anybody's but a wide profile's."""
    rng = Random(seed)
    definitions = load(FILES, unknown_events_ok=True)
    engine = Engine(tmp_path / "shard", definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
    plan = [("control", [_entry(rng, at)]) if rng.random() < 0.2 else ("p0", [_event(rng, at)]) for at in range(60)]
    compare_steps(engine, definitions, plan, rng, seed=seed, restarts=0.1, reopen=False)
    _made_anew(engine, plan, seed)
    rows = dict(engine.shard.people.committed(b""))
    wide = {key: decode_whole(row, engine.shard.traits.get) for key, row in rows.items() if row[:1] == WIDE}
    assert all(len(person.traits) > NARROW for person in wide.values())
    assert wide
    named = {chunk_key(key, at) for key in wide for at in range(int.from_bytes(rows[key][1:3], "big"))}
    assert {key for key, _ in engine.shard.traits.committed(b"")} == named
    engine.shard.close()


def _made_anew(engine: Engine, plan: list[tuple[str, list[bytes]]], seed: int) -> None:
    """Everybody is made anew for another namespace, and keeps all traits."""
    other = load({**FILES, "identity.yaml": f"{IDENTITY}  - {{name: card, from: properties.card}}\n"}, unknown_events_ok=True)
    engine.define(other)
    events = judge_of(other).judge_many([record for name, what in plan if name != "control" for record in what], 1, 0)[0]
    control = [orjson.loads(record) for name, what in plan if name == "control" for record in what]
    clock = engine.space.meta.clock
    assert clock is not None
    expected, found = model.dump(events, control, other, clock, hasher=HASHER), engine.dump(clock)
    assert found == expected, difference(found, expected, seed)


def test_an_event_writes_the_chunk_that_it_touches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of hundreds, and a row without traits; an event without traits writes no chunk."""
    engine = Engine(tmp_path / "shard", load(FILES, unknown_events_ok=True))
    engine.start(["p0"])

    def told(number: int, kind: str, traits: dict[str, Any]) -> bytes:
        body = {"type": kind, "event": "Seen", "messageId": f"m{number}", "userId": "u1", "timestamp": f"2026-01-01T00:00:{number:02d}Z"}
        return orjson.dumps(body | ({"traits": traits} if traits else {}))

    engine.feed("p0", [told(0, "identify", {f"k{number}": "x" * 50 for number in range(2_000)})])
    written: list[tuple[int, int]] = []
    commit = type(engine.shard).commit

    def counted(shard: Any) -> int:
        written.append((len(shard.traits.pending), sum(len(row or b"") for row in shard.people.pending.values())))
        return commit(shard)

    monkeypatch.setattr(type(engine.shard), "commit", counted)
    engine.feed("p0", [told(1, "identify", {"k7": "y"})])
    engine.feed("p0", [told(2, "track", {})])
    assert [chunks for chunks, _ in written] == [1, 0]
    assert all(0 < size < 500 for _, size in written)
    engine.shard.close()
