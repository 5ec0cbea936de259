"""Accounts are what the model says, however their calls arrive; and the change log tells who joins and leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import Refused
from operators import meta as meta_row
from operators.records import decode_person, encode
from operators.stays import call, is_unsure, join, stays
from tests.engine import Engine, compare_orders, judge_of, steps
from tests.generator import ACCOUNTS, Json, Scenario, scenario
from tests.promises.change_log import Folded, changes_of, dumped

GROUPS, SEEDS = 4, 4
FILES = {"identity.yaml": json.dumps({"namespaces": [
    {"name": "user_id", "from": "userId"}, {"name": "anonymous_id", "from": "anonymousId", "scope": "device"},
]})}  # fmt: skip


def crowded(seed: int) -> Scenario:
    """Most events are group calls, of few accounts, and every third says that somebody leaves."""
    drawn = scenario(seed, 40)
    return replace(drawn, partitions=[[_called(event) for event in part] for part in drawn.partitions])


def _called(event: Json) -> Json:
    rng = Random(f"{event['messageId']}:crowded")
    if event["type"] == "group" or rng.random() < 0.3:
        return event
    kept = {key: value for key, value in event.items() if key not in {"event", "name", "properties", "traits"}}
    traits: Json = {"plan": rng.choice(["gold", "free", None])} | ({"left": True} if rng.random() < 0.3 else {})
    return {**kept, "type": "group", "groupId": rng.choice(ACCOUNTS[:5]), "traits": traits}


@pytest.mark.parametrize("group", range(GROUPS))
def test_engine_is_the_model(group: int, tmp_path: Path) -> None:
    engine = Engine(tmp_path, load(crowded(0).definitions_files))
    for seed in range(group * SEEDS, (group + 1) * SEEDS):
        compare_orders(crowded, seed, engine)
        folded = Folded().read(changes_of(engine))
        assert folded.told() == dumped(engine.dump()), seed
        assert not engine.space.work.accounts.waiting, seed
    engine.shard.close()


def test_stays_of_any_order_are_those_of_the_order_of_time() -> None:
    """Joined as they come, unless they say themselves that they have to be gone through again."""
    unsure = 0
    for seed in range(2_000):
        rng = Random(seed)
        calls = [call(rng.randrange(20), f"m{at}", left=rng.random() < rng.choice([0.1, 0.5])) for at in range(rng.choice([1, 3, 8, 20]))]
        in_order = sorted(each[0] for each in calls)
        expected: list[list[int | None]] = []
        for time, _, left in in_order:
            inside = bool(expected) and expected[-1][1] is None
            if left and inside:
                expected[-1][1] = time
            elif not left and not inside:
                expected.append([time, None])
        while len(calls) > 1:
            one, other = (calls.pop(rng.randrange(len(calls))) for _ in range(2))
            calls.append(join(one, other))
        (found,) = calls
        assert (found[-1][0], found[-1][2] & 1) == (in_order[-1][0], in_order[-1][2]), seed
        unsure += is_unsure(found)
        assert is_unsure(found) or [list(each) for each in stays(found)] == expected, seed
    assert 100 < unsure < 1_900


def group(message_id: str, day: int, account: Any = "acme", user: str = "u", **traits: Any) -> Json:
    return {
        "type": "group", "messageId": message_id, "timestamp": f"2026-01-{day:02}T00:00:00Z", "userId": user, "groupId": account,
        "traits": traits,
    }  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Engine:
    engine = Engine(tmp_path, load(FILES))
    engine.start(["p"])
    return engine


def feed(engine: Engine, *bodies: Json) -> list[Json]:
    """What is told of these."""
    before = engine.space.meta.changes
    engine.feed("p", [orjson.dumps(body) for body in bodies])
    return [orjson.loads(row) for _, row in engine.view.changes(before)]


def lines(engine: Engine, kind: str) -> list[Json]:
    return [line for line in map(orjson.loads, engine.dump()) if line["kind"] == kind]


def test_joining_and_leaving(shop: Engine) -> None:
    told = feed(shop, group("1", 1, plan="gold", seats=5), group("2", 2, plan="free"))
    assert [(one["type"], one.get("account"), one["evidence"]) for one in told[1:]] == [
        ("account.joined", "acme", {"since": "2026-01-01T00:00:00.000000Z"})
    ]
    told = feed(shop, group("3", 4, left=True), group("4", 5, left=True))
    assert [(one["type"], one["evidence"]) for one in told] == [("account.left", {"until": "2026-01-04T00:00:00.000000Z"})]
    assert lines(shop, "account")[0]["traits"] == {"plan": "free", "seats": 5}
    (member,) = lines(shop, "member")
    assert member["stays"] == [["2026-01-01T00:00:00.000000Z", "2026-01-04T00:00:00.000000Z"]]


def test_one_who_left_between_calls_that_are_kept_no_more(shop: Engine) -> None:
    """A late call that says so: the calls are gone through again."""
    feed(shop, *(group(str(day), day) for day in range(1, 9)))
    assert feed(shop, group("late", 3, left=True)) == []
    day = "2026-01-0{}T00:00:00.000000Z".format
    # Of one moment, the message id decides.
    assert lines(shop, "member")[0]["stays"] == [[day(1), day(3)], [day(4), None]]


def test_a_call_that_no_identifier_comes_with_says_what_the_account_is(shop: Engine) -> None:
    feed(shop, {**group("1", 1, plan="gold"), "userId": None})
    assert [line["traits"] for line in lines(shop, "account")] == [{"plan": "gold"}]
    assert lines(shop, "member") == []


def test_a_repeat_with_an_earlier_time_takes_its_register_back(shop: Engine) -> None:
    feed(shop, group("1", 2, plan="gold"), group("2", 1, plan="free"))
    moved = {**group("1", 2, plan="gold"), "sentAt": "2026-01-12T00:00:00Z", "receivedAt": "2026-01-10T00:00:00Z"}
    feed(shop, moved)
    assert lines(shop, "account")[0]["traits"] == {"plan": "free"}
    assert lines(shop, "member")[0]["stays"] == [["2025-12-31T00:00:00.000000Z", None]]


@pytest.mark.parametrize("seed", range(6))
def test_state_of_before_there_were_accounts(seed: int, tmp_path: Path) -> None:
    """Group calls that an earlier version took in make accounts at the next start."""
    drawn = crowded(seed)
    engine = Engine(tmp_path, load(drawn.definitions_files))
    rng = Random(seed)
    for name, records in steps(drawn, rng):
        if not engine.partitions:
            engine.start(["p0", "p1", "p2"])
        engine.take(name, records)
    expected = engine.dump()
    for name in ("accounts", "calls", "members", "shares"):
        for key, _ in engine.shard.rows(name):
            engine.shard.families[name].delete(key)
    for key, row in engine.shard.rows("people"):
        person = decode_person(row)
        person.accounts, person.told = {}, {name: said for name, said in person.told.items() if name[:1] != "\0"}
        engine.shard.people.put(key, encode(person))
    engine.space.meta.meaning = 3
    engine.shard.meta.put(meta_row.KEY, meta_row.encode(engine.space.meta))
    engine.shard.commit()
    engine.restart()
    assert engine.dump() == expected
    engine.shard.close()


NAMELESS = (None, "", "  ", True, [], {"id": "acme"}, 1.5, "x" * 10_001)


def test_a_group_call_without_an_account_is_refused() -> None:
    judge = judge_of(load(FILES))
    for account in NAMELESS:
        found = judge.judge(json.dumps(group("1", 1, account)).encode(), 1, 0)
        assert isinstance(found, Refused), account
        assert (found.reason, found.detail[:39]) == ("envelope", "groupId: expected the id of an account,"), account
    bare = group("1", 1)
    del bare["groupId"]
    assert isinstance(judge.judge(json.dumps(bare).encode(), 1, 0), Refused)


def test_one_that_was_accepted_before_names_none(shop: Engine) -> None:
    """What an earlier version took in stays somebody's event."""
    assert judge_of(load(FILES)).reread(b'{"type":"group","userId":"u"}', "").group is None


@pytest.mark.parametrize(("said", "account"), [(7, "7"), (7.0, "7"), (" acme ", "acme"), ("Acme", "Acme")])
def test_how_an_account_may_be_written(said: Any, account: str, shop: Engine) -> None:
    feed(shop, group("1", 1, said))
    assert [line["id"] for line in lines(shop, "account")] == [account]
