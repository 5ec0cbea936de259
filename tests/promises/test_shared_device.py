"""A device that many people share costs the same at every login, and gives what the model says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from contracts import load
from operators.judge import Judge
from tests import model
from tests.engine import HASHER, Engine

START = datetime(2026, 1, 1, tzinfo=UTC)


def _kiosk(people: int, seed: int) -> list[bytes]:
    """Logins of random people on one device, a few minutes apart, with anonymous events between them."""
    rng = random.Random(seed)
    at = START
    lines = []
    for number in range(people * 3):
        at += timedelta(seconds=rng.randrange(20, 300))
        event: dict[str, object] = {"type": "page", "messageId": f"m{number:05d}", "timestamp": at.isoformat(), "anonymousId": "kiosk"}
        if number == 0 or rng.random() < 0.7:
            event["userId"] = f"u{rng.randrange(people)}"
        if rng.random() < 0.1:
            event["anonymousId"] = f"own-{event.get('userId', 'x')}"
        lines.append(orjson.dumps(event))
    return lines


@pytest.mark.parametrize("seed", range(4))
def test_it_equals_the_model_and_rebuilds_almost_nobody(tmp_path: Path, seed: int) -> None:
    definitions = load({})
    lines = _kiosk(40, seed)
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    for start in range(0, len(lines), 30):
        engine.feed("p", lines[start : start + 30])
    judge = Judge(definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)
    events = judge.judge_many(lines, 1, 0)[0]
    clock = engine.space.meta.clock
    assert clock is not None
    assert engine.dump() == model.dump(events, [], definitions, clock, hasher=HASHER)
    assert engine.space.work.cost.rebuilds <= 2
