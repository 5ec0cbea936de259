"""Why somebody is in a segment: the tree says what the stream says, and when it turns by itself."""

from __future__ import annotations

import json
import random
from pathlib import Path

import orjson
import pytest

from contracts import load, read_files
from contracts.text.times import MAX_US, parse_time
from operators.records import Person
from operators.segments.compile import Program
from operators.segments.explain import Reason, explain
from skep.tools.demo.events import write_demo
from tests.engine import Engine, steps
from tests.generator import scenario, written
from tests.golden.cases import definitions_of

ROOT = Path(__file__).parents[2]


def checked(engine: Engine) -> int:
    """Every person and segment, held against the memberships of the stream; returns how many turn by themselves."""
    program, at, turning = engine.view.program, engine.view.at(None), 0
    for person in engine.view.people():
        held = int.from_bytes(person.bits, "little")
        for segment in program.segments:
            reason = explain(person, program, segment.name, at)
            assert reason.holds is bool(held & program.bit(segment.name)), (segment.name, reason)
            sound(reason)
            turning += turns(reason, person, program, segment.name)
    return turning


def sound(reason: Reason) -> None:
    """What has parts is what its parts make of it."""
    parts = [part.holds for part in reason.of]
    if parts:
        least = int(reason.says.split()[2]) if reason.form == "at_least" else 0
        made = {"any": any(parts), "at_least": sum(parts) >= least, "not": not parts[0]}.get(reason.form, all(parts))
        assert reason.holds is made, reason
    for part in reason.of:
        sound(part)


def turns(reason: Reason, person: Person, program: Program, segment: str) -> bool:
    """Whether it turns by itself; at that moment it does, and a microsecond before it does not."""
    if reason.until is None:
        return False
    until = parse_time(reason.until)
    assert until is not None
    before, then = (bool(program.members(person, moment) & program.bit(segment)) for moment in (until - 1, until))
    assert (before, then) == (reason.holds, not reason.holds), reason
    return True


def test_generated_people(tmp_path: Path) -> None:
    """Adversarial input in random batches: the same answer as the stream's, all the time."""
    engine, turning = Engine(tmp_path / "shard", load(scenario(0, 1).definitions_files)), 0
    for seed in range(5):
        drawn = scenario(seed, 40)
        engine.clear(load(drawn.definitions_files))
        plan = list(steps(drawn, random.Random(seed), sizes=(20,)))
        engine.start(sorted({name for name, _ in plan} - {"control"}))
        for name, records in plan:
            engine.take(name, records)
            if engine.view.meta.clock is not None:
                turning += checked(engine)
    assert turning > 3, "some of them are members for a while only"
    engine.shard.close()


CART = {"sequence": [{"did": "added"}, {"did": "checkout", "within": "1h"}, {"not": {"did": "order"}, "within": "2h"}], "same": "cart"}
PAID = {"sequence": [{"did": "added"}, {"not": {"did": "removed"}}, {"did": "order"}], "same": "cart", "within": "7d", "span": "3d"}


@pytest.mark.parametrize(
    ("who", "events", "at", "expected"),
    [
        (CART, "", "12:00", "awaited, -, -"),
        (CART, "10:00 added a", "10:30", "10:00, awaited until 01T11:00, -"),
        (CART, "10:00 added a", "11:00", "10:00, -, -"),
        (CART, "10:00 added a, 10:20 added b, 10:30 checkout b", "11:00", "10:20, 10:30, awaited until 01T12:30"),
        (CART, "10:00 added a, 10:20 added a, 11:10 checkout a, 11:20 order b", "13:10", "10:20, 11:10, held"),
        (CART, "10:20 added a, 11:10 checkout a, 11:20 order a", "13:10", "10:20, 11:10, broken by 11:20"),
        (CART, "10:00 checkout a, 10:10 added a", "10:10", "10:10, awaited until 01T11:10, -"),
        (PAID, "10:00 added a, 10:05 removed b", "11:00", "10:00, held, awaited until 04T10:00"),
        (PAID, "10:00 added a, 10:05 removed a", "11:00", "10:00, broken by 10:05, -"),
        (PAID, "10:00 added a, 10:05 removed a, 10:10 added a, 10:15 order a", "11:00", "10:10, held, 10:15"),
    ],
)
def test_the_events_behind_each_step(who: dict[str, object], events: str, at: str, expected: str, tmp_path: Path) -> None:
    """The message id of an event is its time; what is waited for, until when."""
    definitions = definitions_of({"segments": {"s": who, "everybody": {"not": {"did": "nothing"}}}})
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p"])
    day, bodies = "2026-01-01T", [{"messageId": "0", "timestamp": "2026-01-01T00:00:00Z", "userId": "ada", "type": "identify"}]
    for time, name, cart in (one.split() for one in events.split(", ") if one):
        said = {"event": name, "properties": {"cart": cart}}
        bodies.append({"messageId": time, "timestamp": f"{day}{time}:00Z", "userId": "ada", "type": "track", **said})
    engine.feed("p", [written(body) for body in bodies], finished=True)
    (person,) = engine.view.people()
    moment = parse_time(f"{day}{at}:00Z")
    assert moment is not None
    (found,) = explain(person, engine.view.program, "s", moment).of
    sound(found)
    assert ", ".join(map(behind, found.of)) == expected
    engine.shard.close()


def behind(step: Reason) -> str:
    if step.form == "awaited":
        return f"awaited until {step.until[8:16]}" if step.until else "awaited"
    return f"{'' if step.holds else 'broken by '}{step.value['message_id']}" if step.value else "held" if step.holds else "-"


def test_the_people_of_the_demo(tmp_path: Path) -> None:
    written, _ = write_demo(tmp_path / "demo", 30, 1_500, 7, 0.1, 0.0)
    engine = Engine(tmp_path / "shard", load(read_files(ROOT / "contracts")))
    engine.start(["p0"])
    engine.feed("p0", Path(written).read_bytes().splitlines(), finished=True)
    assert engine.space.meta.people > 25
    assert checked(engine)
    engine.shard.close()


FILES = {
    "identity.yaml": "version: 1\nnamespaces: [{name: user_id, from: userId}]\n",
    "consent.yaml": "purposes: [{name: ads, default: denied}, {name: mails, default: granted}]\n",
    "traits.yaml": "traits:\n  - {name: spent, sum: revenue, did: paid}\n  - {name: seen, set: sku, did: viewed}\n",
    "segments/rich.yaml": "segment: rich\nwho: {trait: spent, gte: 50.5}\n",
    "segments/told.yaml": """segment: told
purpose: mails
confidence: {gte: 0.9}
who:
  all:
    - segment: rich
    - any:
        - {did: viewed, distinct: sku, gte: 2, within: 1h}
        - {did: [paid, refunded], where: {coupon: {exists: true}, "items[].sku": [A, B]}, sum: revenue, value: {between: [1, 20]}}
        - {consent: ads}
    - not: {trait: address.city, in: [Rome, Paris]}
    - {did: "pai*", times: {eq: 0}, within: 90m}
""",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = Engine(tmp_path_factory.mktemp("explain") / "shard", load(FILES, unknown_events_ok=True))
    engine.start(["p0"])

    def event(minute: int, **fields: object) -> bytes:
        said = {
            "type": "track",
            "userId": "ann",
            "timestamp": f"2026-01-01T{10 + minute // 60}:{minute % 60:02}:00Z",
            "messageId": f"m{minute}",
        }
        return orjson.dumps({**said, **fields})

    lines = [
        event(0, event="paid", properties={"revenue": 50.1, "coupon": "X", "items": [{"sku": "C"}]}),
        event(1, event="paid", properties={"revenue": 0.4, "coupon": "X", "items": [{"sku": "C"}, {"sku": "A"}]}),
        event(2, type="identify", traits={"address": {"city": "Rome"}}),
        event(30, event="viewed", properties={"sku": "A"}),
        event(40, event="viewed", properties={"sku": "B"}),
    ]
    engine.feed("p0", lines, finished=True)
    return engine


def told(reason: Reason) -> list[tuple[str, bool, object]]:
    """The tree as a list: form and words, whether it holds, the value."""
    value = orjson.loads(orjson.dumps(reason.value))
    return [(f"{reason.form} {reason.says}", reason.holds, value), *(line for part in reason.of for line in told(part))]


def test_every_form_in_words_with_values(shop: Engine) -> None:
    person = shop.view.profiles.holder("user_id", "ann")
    assert person is not None
    reason = explain(person, shop.view.program, "told", shop.view.at(None))
    assert told(reason) == [
        ("segment told", False, None),
        ("confidence confidence at least 0.9", True, 1.0),
        ("consent mails", True, True),
        ("all all of", False, None),
        ("segment rich", True, None),
        ("trait spent at least 50.5", True, 50.5),
        ("any any of", True, None),
        ("did viewed within 1h, distinct of sku at least 2", True, 2),
        ("did paid or refunded, where coupon is there, where items[].sku is one of A, B, sum of revenue from 1 to 20", False, 0.4),
        ("consent ads", False, False),
        ("not not", False, None),
        ("trait address.city is one of Rome, Paris", True, "Rome"),
        ("did pai* within 90m, times is 0", False, 1),
    ]
    views, consent, times = reason.of[2].of[1].of[0], reason.of[2].of[1].of[2], reason.of[2].of[3]
    assert (views.capped, views.until) == (True, "2026-01-01T11:30:00.000000Z")
    assert (consent.decided, consent.default) == (False, False)
    assert times.until == "2026-01-01T11:31:00.000000Z"
    assert reason.until is None, "she does not leave Rome by herself"


@pytest.mark.parametrize(
    ("who", "holds"),
    [
        ({"trait": "silence", "lt": 1e12}, True),
        ({"trait": "silence", "lt": 1e13}, True),
        ({"trait": "silence", "gt": -(10**20)}, True),
        ({"did": "seen", "decayed_sum": "n", "half_life": "36525d", "lt": 1e-5}, False),
        ({"trait": "until", "older_than": "30d"}, False),
        ({"trait": "until", "within": "30d"}, False),
    ],
)
def test_nothing_turns_after_the_year_9999(tmp_path: Path, who: dict[str, object], holds: bool) -> None:
    """No time is later, so no timer can be set for one, and none can be told."""
    files = {
        "traits.yaml": json.dumps({"traits": [{"name": "silence", "since_last": True, "did": "seen"}]}),
        "segments/far.yaml": json.dumps({"segment": "far", "who": who}),
    }
    engine = Engine(tmp_path / "shard", load(files, unknown_events_ok=True))
    engine.start(["p0"])
    said = {"userId": "ann", "timestamp": "2026-01-01T10:00:00Z"}
    seen = said | {"type": "track", "event": "seen", "messageId": "m1", "properties": {"n": 1e20}}
    knows = said | {"type": "identify", "traits": {"until": "9999-12-31T00:00:00Z"}, "messageId": "m2"}
    engine.feed("p0", [orjson.dumps(seen), orjson.dumps(knows)], finished=True)
    person = engine.view.profiles.holder("user_id", "ann")
    assert person is not None
    assert person.armed is None or person.armed <= MAX_US
    reason = explain(person, engine.view.program, "far", engine.view.at(None))
    assert reason.holds is holds
    assert (reason.until or "")[:4] in {"", "9999"}
    engine.shard.close()


def test_what_grows_for_ever_turns_no_more(tmp_path: Path) -> None:
    """Nothing ends a silence but an event, where no window does: not at any moment, however late."""
    who = {"quiet": {"did": "seen", "since_last": {"gte": "1h"}}, "new": {"did": "seen", "since_first": {"lt": "1h"}}}
    files = {f"segments/{name}.yaml": json.dumps({"segment": name, "who": condition}) for name, condition in who.items()}
    engine = Engine(tmp_path / "shard", load(files, unknown_events_ok=True))
    engine.start(["p0"])
    for hour in (10, 12):
        said = {"type": "track", "event": "seen", "userId": "ann" if hour == 10 else "bob", "messageId": f"m{hour}"}
        engine.feed("p0", [orjson.dumps(said | {"timestamp": f"2026-01-01T{hour}:00:00Z"})])
    reasons = {
        (each, name): explain(person, engine.view.program, name, engine.view.at(None))
        for each in ("ann", "bob")
        for person in [engine.view.profiles.holder("user_id", each)]
        if person is not None
        for name in who
    }
    assert {key: (reason.holds, reason.until) for key, reason in reasons.items()} == {
        ("ann", "quiet"): (True, None),
        ("ann", "new"): (False, None),
        ("bob", "quiet"): (False, "2026-01-01T13:00:00.000000Z"),
        ("bob", "new"): (True, "2026-01-01T13:00:00.000000Z"),
    }
    engine.shard.close()
