"""One identifier on ever more devices: what is computed stays what the model says, and costs no more as they become more."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from cProfile import Profile
from pathlib import Path
from typing import Any

import orjson
import pytest

import contracts
from operators.judge import Judge
from operators.people.linking import eviction
from tests import model
from tests.engine import HASHER, Engine
from tests.generator import START_US, text_of

MINUTE_US = 60_000_000


def seen(number: int, minute: float, **ids: Any) -> dict[str, Any]:
    time_us = START_US + int(minute * MINUTE_US)
    return {"type": "track", "event": "seen", "messageId": f"m{number}", "timestamp": text_of(time_us), **ids}


def visits(rng: random.Random, size: int) -> Iterator[dict[str, Any]]:
    """Few people on many devices, nearly in order, now and then anonymous, with an e-mail, or on a device that is known."""
    minute, device = 0.0, 0
    for number in range(size):
        minute += rng.choice([0, 1, 1, 1, 40])
        late = rng.choice([0, 0, 0, 0, 0, 0, 0, 30])
        ids: dict[str, Any] = {"userId": rng.choice(["hub", "hub", "hub", "u2", "u3"])}
        if rng.random() < 0.75:
            device += 1
            ids["anonymousId"] = f"d{device}"
        else:
            ids["anonymousId"] = f"d{rng.randrange(device + 1)}"
        chance = rng.random()
        if chance < 0.1:
            del ids["userId"]
        elif chance < 0.25:
            ids["context"] = {"email": rng.choice(["a", "b"])}
        elif chance < 0.3:
            ids["previousId"] = f"d{rng.randrange(device + 2)}"
        yield seen(number, minute - late, **ids)


def rules(rng: random.Random) -> dict[str, Any]:
    return {
        "namespaces": [
            {"name": "user_id", "from": "userId", "unique": rng.random() < 0.7},
            {"name": "email", "from": "context.email"},
            {"name": "anonymous_id", "from": ["anonymousId", "previousId"], "scope": "device", **rng.choice([{}, {"limit": 3}])},
        ],
        "conflict": rng.choice(["newest", "newest", "newest", "oldest"]),
        "limits": {"identifiers": rng.choice([3, 5, 1000]), "links": rng.choice([3, 4, 1000])},
    }


def rulings(rng: random.Random, at: int) -> list[dict[str, Any]]:
    """Now and then a manual entry about people, an e-mail and devices."""
    if rng.random() > 0.1:
        return []
    ends = [("user_id", "hub"), ("user_id", "u2"), ("email", "a"), ("email", "b")] + [("anonymous_id", f"d{n}") for n in range(8)]
    a, b = ({"namespace": namespace, "value": value} for namespace, value in rng.sample(ends, 2))
    when = text_of(START_US + rng.randrange(at + 1) * MINUTE_US)
    return [{"type": rng.choice(["link", "link", "unlink"]), "messageId": f"c{at}", "timestamp": when, "a": a, "b": b, "why": "a test"}]


@pytest.mark.parametrize("seed", range(80))
def test_hubs_are_what_the_model_says(seed: int, tmp_path: Path) -> None:
    """After every event: the dump of the engine is the model's."""
    rng = random.Random(seed)
    definitions = contracts.load({"identity.yaml": json.dumps(rules(rng))})
    judge = Judge(definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)
    records = [orjson.dumps(body) for body in visits(rng, 30)]
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    control: list[dict[str, Any]] = []
    for at in range(len(records)):
        engine.feed("p", [records[at]])
        said = rulings(rng, at) if seed % 2 else []
        control += said
        engine.control(said)
        clock = engine.space.meta.clock
        assert clock is not None
        events = judge.judge_many(records[: at + 1], 1, 0)[0]
        assert engine.dump(clock) == model.dump(events, control, definitions, clock, hasher=HASHER), (seed, at, records[at])
    engine.shard.close()


def test_devices_come_and_go_without_computing_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full cluster each new device takes the place of the oldest, and nobody is computed anew."""
    taken, take_in = [], eviction.take_in

    def counted(*given: Any) -> Any:
        found = take_in(*given)
        taken.extend([found] if found is not None else [])
        return found

    monkeypatch.setattr(eviction, "take_in", counted)
    for limits in ({"identifiers": 50}, {"links": 40}):
        taken.clear()
        engine = Engine(tmp_path / str(limits), contracts.load({"identity.yaml": json.dumps({"limits": limits})}))
        engine.start(["p"])
        engine.feed("p", [orjson.dumps(seen(n, n, userId="hub", anonymousId=f"d{n}")) for n in range(300)])
        hub = engine.view.profiles.holder("user_id", "hub")
        assert hub is not None
        assert len(hub.identifiers) == {"identifiers": 50, "links": 41}[next(iter(limits))]
        assert (engine.space.work.cost.rebuilds, len(taken)) == (0, 301 - len(hub.identifiers))
        engine.shard.close()


def test_a_hub_costs_in_proportion_to_its_devices(tmp_path: Path) -> None:
    """Twice the devices take about twice the calls of functions, far from four times."""
    calls = []
    for size in (500, 1_000, 2_000):
        engine = Engine(tmp_path / str(size), contracts.load({"identity.yaml": '{"limits": {"identifiers": 100}}'}))
        engine.start(["p"])
        records = [orjson.dumps(seen(n, n, userId="hub", anonymousId=f"d{n}")) for n in range(size)]
        with Profile() as profile:
            for at in range(0, size, 500):
                engine.feed("p", records[at : at + 500])
        calls.append(sum(entry.callcount for entry in profile.getstats()))
        engine.shard.close()
    assert calls[2] < 2.5 * calls[1] < 6.25 * calls[0], calls
