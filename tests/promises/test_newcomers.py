"""Somebody of whom nothing was known takes a way of its own through the people step: the rows are those of the general way."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from operators.people import rebuilds
from state.shard import FAMILIES
from tests.engine import Engine, judge_of
from tests.generator import START_US, scenario, text_of, written

Rows = dict[str, list[tuple[bytes, bytes]]]
SIZES = (1, 2, 5, 20)
RULES: tuple[dict[str, Any], ...] = (
    {},
    {"stitching": {"owner": "device"}},
    {"limits": {"identifiers": 2, "links": 1000}},
    {"limits": {"identifiers": 1000, "links": 1}},
    {"conflict": "oldest"},
)


def rows(engine: Engine, batches: list[list[bytes]], *, asked: bool) -> Rows:
    """What is stored of the records. ``asked``: of each event whether a denial waits for it, which the way of newcomers does not ask."""
    engine.start(["p"])
    engine.space.work.store.denials.some = asked
    for records in batches:
        engine.feed("p", records)
    # What rebuilds have cost is told in time.
    return {name: [row for row in engine.shard.rows(name) if (name, row[0]) != ("meta", rebuilds.KEY)] for name in FAMILIES}


def same(engine: Engine, definitions: Definitions, records: list[bytes], seed: int) -> Rows:
    rng, batches = Random(seed), []
    while records:
        size = rng.choice(SIZES)
        batches.append(records[:size])
        records = records[size:]
    found = []
    for asked in (False, True):
        engine.clear(definitions)
        found.append(rows(engine, batches, asked=asked))
    for name in FAMILIES:
        assert found[0][name] == found[1][name], (seed, name)
    return found[0]


def strangers(rng: Random, count: int) -> list[bytes]:
    """People who come with one to five new identifiers, in any mixture of kinds, now and then with one that somebody has or a decision."""
    found = []
    for number in range(count):
        ids = {"userId": f"u{number}", "anonymousId": f"d{number}", "previousId": f"e{number}", "email": f"{number}@example.com"}
        event: dict[str, Any] = {key: ids[key] for key in rng.sample(sorted(ids), rng.choice([1, 1, 2, 2, 3, 4]))}
        if rng.random() < 0.2:
            event |= {"anonymousId": f"d{rng.randrange(number + 1)}"}
        context: dict[str, Any] = {"email": event.pop("email", None)}
        if rng.random() < 0.2:
            context["second"] = f"{number}@example.org"
        if rng.random() < 0.3:
            context["consent"] = {"categoryPreferences": {"marketing": rng.random() < 0.5}}
        event |= {"type": "identify", "traits": {"plan": rng.choice(["a", "b"])}, "context": context, "messageId": f"m{number}"}
        found.append(orjson.dumps(event | {"timestamp": text_of(START_US + rng.randrange(count) * 60_000_000)}))
    return found


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("newcomers") / "shard", load({}))


@pytest.mark.parametrize("seed", range(30))
def test_a_stream_of_newcomers_leaves_the_rows_of_the_general_way(engine: Engine, seed: int) -> None:
    rng = Random(seed)
    namespaces = [
        {"name": "user_id", "from": "userId", "unique": True},
        {"name": "email", "from": ["context.email", "context.second"], **rng.choice([{}, {"limit": 1}])},
        {"name": "anonymous_id", "from": "anonymousId", "scope": "device", **rng.choice([{}, {"shared_after": 1}, {"shared_after": 2}])},
        {"name": "previous_id", "from": "previousId", "scope": "device"},
    ]
    rng.shuffle(namespaces)
    identity = {"namespaces": namespaces, **RULES[seed % len(RULES)]}
    purposes = {"purposes": [{"name": "marketing", "default": "denied"}]}
    definitions = load({"identity.yaml": orjson.dumps(identity).decode(), "consent.yaml": orjson.dumps(purposes).decode()})
    found = same(engine, definitions, strangers(rng, 60), seed)
    assert len(found["people"]) > 20


@pytest.mark.parametrize("seed", range(12_000, 12_030))
def test_so_does_any_stream(engine: Engine, seed: int) -> None:
    drawn = scenario(seed, 40)
    same(engine, load(drawn.definitions_files), [written(body) for part in drawn.partitions for body in part], seed)


def test_who_is_new_takes_it(tmp_path: Path) -> None:
    """By new identifiers; not with one that is known, and not where a denial may wait for one of them or somebody may have ruled."""
    definitions = load({})
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    judge, work = judge_of(definitions), engine.space.work

    def taken(*bodies: dict[str, str]) -> list[bool]:
        said = {"type": "track", "event": "seen", "timestamp": text_of(START_US)}
        events, _ = judge.judge_many([orjson.dumps(said | body | {"messageId": f"m{at}"}) for at, body in enumerate(bodies)], 1, 0)
        return [work.stitcher.newcomer(event) is not None for event in events]

    known = {"userId": "u3", "anonymousId": "d1"}
    assert taken({"userId": "u1", "anonymousId": "d1"}, {"anonymousId": "d2"}, {"userId": "u2"}, known) == [True, True, True, False]
    work.store.denials.some = True
    assert taken({"userId": "u9"}) == [False]
    work.store.denials.some = False
    ends = {"a": {"namespace": "user_id", "value": "u4"}, "b": {"namespace": "anonymous_id", "value": "d4"}}
    engine.control([{"type": "unlink", **ends, "timestamp": text_of(START_US), "messageId": "c", "why": "test"}])
    assert taken({"userId": "u4", "anonymousId": "d4"}) == [False]
    engine.shard.close()
