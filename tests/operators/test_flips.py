"""What is said to turn a membership does turn it: it is done to the engine, and the membership is another; too late, and it is not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.definitions import Definitions
from contracts.text.times import iso
from operators.records import Person
from operators.segments.fitting import fitting
from operators.segments.flips import Act, Way, ways
from tests.engine import HASHER, Engine, steps
from tests.generator import scenario

TRIED = 10
"""Ways of a seed that are tried out."""
BASE = {
    "events/order/1-0-0.json": '{"properties": {"total": {"type": "number", "minimum": 0}, "sku": {"enum": ["a", "b"]}}}',
    "events/page_viewed/1-0-0.json": "{}",
    "events/cart/1-0-0.json": "{}",
    "events/identify/1-0-0.json": '{"properties": {"city": {"type": "string"}, "plan": {"enum": ["free", "gold"]}}}',
    "consent.yaml": "purposes: [{name: mail, default: denied}]\n",
}
DAY = "2026-03-{:02}T12:00:00Z"


def raw(act: Act, user: str, time: int, message: str) -> bytes:
    """The record of an act, as a source would hand it over."""
    body: dict[str, Any] = {"messageId": message, "userId": user, "timestamp": iso(time)}
    if act.kind == "consent":
        said = {"categoryPreferences": {act.name: act.said}}
        return orjson.dumps({**body, "type": "track", "event": "something_else", "context": {"consent": said}})
    if act.kind == "trait":
        return orjson.dumps({**body, "type": "identify", "traits": {act.name: act.said}})
    context = {"context": act.said["context"]} if "context" in (act.said or {}) else {}
    return orjson.dumps({**body, "type": "track", "event": act.name, "properties": (act.said or {}).get("properties", {}), **context})


@contextmanager
def again(engine: Engine, folder: Path, definitions: Definitions) -> Iterator[Engine]:
    """Another engine that goes on from the same state."""
    engine.shard.checkpoint(folder)
    other = Engine(folder, definitions)
    other.partitions = engine.partitions
    other.space.start(engine.partitions)
    yield other
    other.shard.close()
    shutil.rmtree(folder)


def turned(other: Engine, way: Way, user: str, name: str, begin: int) -> bool:
    """Whether the user is a member behind the acts, done from a time on."""
    time = begin
    records = []
    for number, act in enumerate(way.acts):
        time = begin + number
        records += [raw(act, user, time, f"~{number}.{each}") for each in range(act.times)]
    other.feed("p0", records)
    program, person = other.view.program, other.view.profiles.holder("user_id", user)
    assert person is not None
    return bool(program.members(person, time) & program.bit(name))


def held_true(engine: Engine, folder: Path, user: str, name: str, way: Way) -> None:
    """At once, or from when it says on; not before that; and no longer when it says that it is too late."""
    definitions, at = engine.view.program.definitions, engine.view.at(None)
    person = engine.view.profiles.holder("user_id", user)
    assert person is not None
    program = engine.view.program
    wanted = not program.members(person, at) & program.bit(name)
    begin = (way.after_us or at) + 1
    with again(engine, folder, definitions) as other:
        assert turned(other, way, user, name, begin) is wanted, (name, way)
    if way.after_us is not None:
        with again(engine, folder, definitions) as other:
            assert turned(other, way, user, name, at + 1) is not wanted, (name, way)
    if way.before_us is not None:
        for late, expected in ((way.before_us, not wanted), (way.before_us - 1, wanted), ((begin + way.before_us) // 2, wanted)):
            if late > begin:
                with again(engine, folder, definitions) as other:
                    assert turned(other, way, user, name, late) is expected, (name, way, late)


@pytest.mark.parametrize("seed", range(7301, 7305))
def test_what_is_said_to_turn_it_turns_it(tmp_path: Path, seed: int) -> None:
    """Of drawn conditions on drawn events, everybody who has a user id."""
    drawn = scenario(seed, 30)
    definitions = load(drawn.definitions_files)
    engine = Engine(tmp_path / "shard", definitions)
    engine.start(["p0", "p1", "p2"])
    for name, records in steps(drawn, Random(seed)):
        engine.take(name, records)
    found = [(user, name, way) for user, person in users(engine) for name in names(definitions) for way in _ways(engine, person, name)]
    Random(seed).shuffle(found)
    assert found
    for number, (user, name, way) in enumerate(found[:TRIED]):
        held_true(engine, tmp_path / f"again-{number}", user, name, way)
    engine.shard.close()


def _ways(engine: Engine, person: Person, name: str) -> list[Way]:
    times = [stored.time_us for _, stored in engine.view.events.of(person)]
    return ways(person, engine.view.program, name, engine.view.at(None), times)


def names(definitions: Definitions) -> list[str]:
    return [one.name for one in definitions.segments]


def users(engine: Engine) -> Iterator[tuple[str, Person]]:
    """Those whose decisions hang on the one identifier that they are called by."""
    spaces = [each.name for each in engine.view.program.definitions.identity.namespaces]
    for person in engine.view.people():
        for each in person.identifiers:
            own = HASHER.identifier(spaces[each.namespace], each.value)
            if spaces[each.namespace] == "user_id" and all(set(told) <= {own} for told in person.consents.values()):
                yield each.value, person
                break


# ── what they are, in a shop that can be overlooked ─────────────────────────────────────────────────────────────────
def shop(folder: Path, who: str, *records: dict[str, Any], more: str = "") -> Engine:
    engine = Engine(folder / "shard", load({**BASE, "segments/s.yaml": f"segment: s\n{more}who: {who}\n"}))
    engine.start(["p0"])
    bodies = [{"messageId": f"m{at}", "userId": "1", "type": "track", **each} for at, each in enumerate(records)]
    engine.feed("p0", list(map(orjson.dumps, bodies)))
    return engine


def order(day: int, **said: Any) -> dict[str, Any]:
    return {"event": "order", "timestamp": DAY.format(day), "properties": said}


def told(folder: Path, engine: Engine) -> list[tuple[list[tuple[str, str, int, Any]], str | None, str | None]]:
    """Each way as its acts, from when on, until when; each held true."""
    person = engine.view.profiles.holder("user_id", "1")
    assert person is not None
    found = _ways(engine, person, "s")
    for number, way in enumerate(found):
        held_true(engine, folder / f"again-{number}", "1", "s", way)
    engine.shard.close()
    said = [[(act.kind, act.name, act.times, _said(act)) for act in way.acts] for way in found]
    return [
        (acts, *(None if each is None else iso(each)[:10] for each in (way.after_us, way.before_us)))
        for acts, way in zip(said, found, strict=True)
    ]


def _said(act: Act) -> Any:
    return act.said["properties"] if isinstance(act.said, dict) and "properties" in act.said else act.said


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ("{did: order, times: {gte: 3}, within: 7d}", [([("event", "order", 1, {})], None, "2026-03-08")]),
        ("{did: order, times: {gte: 5}}", [([("event", "order", 3, {})], None, None)]),
        ("{did: order, where: {sku: b}}", [([("event", "order", 1, {"sku": "b"})], None, None)]),
        ("{did: order, sum: total, gte: 100}", [([("event", "order", 1, {"total": 70})], None, None)]),
        ("{did: order, sum: total, lt: 20}", []),
        ("{did: order, times: {eq: 0}, within: 3d}", []),
        ("{trait: plan, eq: gold}", [([("trait", "plan", 1, "gold")], None, None)]),
        ("{not: {trait: city, eq: Rome}}", [([("trait", "city", 1, "other")], None, None)]),
        ("{all: [{did: page_viewed}, {trait: plan, eq: gold}]}",
         [([("event", "page_viewed", 1, {}), ("trait", "plan", 1, "gold")], None, None)]),
        ("{any: [{did: page_viewed}, {trait: plan, eq: gold}]}",
         [([("event", "page_viewed", 1, {})], None, None), ([("trait", "plan", 1, "gold")], None, None)]),
        ("{at_least: {n: 2, of: [{did: order}, {did: page_viewed}, {did: cart}]}}",
         [([("event", "page_viewed", 1, {})], None, None), ([("event", "cart", 1, {})], None, None)]),
        ("{sequence: [{did: order}, {did: cart, within: 3d}]}", [([("event", "cart", 1, {})], None, "2026-03-05")]),
        ("{all: [{not: {did: order, within: 3d}}, {did: cart}]}", [([("event", "cart", 1, {})], "2026-03-05", None)]),
    ],
)  # fmt: skip
def test_the_smallest_changes(tmp_path: Path, who: str, expected: list[Any]) -> None:
    """Two orders of 10 and 20, on the first and the second of March; the clock stands at the second."""
    city = {"type": "identify", "timestamp": DAY.format(1), "traits": {"city": "Rome"}}
    assert told(tmp_path, shop(tmp_path, who, city, order(1, total=10, sku="a"), order(2, total=20, sku="a"))) == expected


def test_consent_is_part_of_it(tmp_path: Path) -> None:
    engine = shop(tmp_path, "{did: order, times: {gte: 2}}", order(1), more="purpose: mail\n")
    assert told(tmp_path, engine) == [([("event", "order", 1, {}), ("consent", "mail", 1, True)], None, None)]


def test_what_ends_it(tmp_path: Path) -> None:
    granted = {"context": {"consent": {"categoryPreferences": {"mail": True}}}}
    engine = shop(tmp_path, "{not: {did: cart}}", {**order(1), **granted}, more="purpose: mail\n")
    assert told(tmp_path, engine) == [([("event", "cart", 1, {})], None, None), ([("consent", "mail", 1, False)], None, None)]


def test_values_that_fit() -> None:
    """Of every operator that somebody would set a value by, the operand or what lies beside it."""
    definitions = load(
        {
            "traits.yaml": "traits: [{name: x}]\n",
            "segments/s.yaml": "segment: s\nwho: {all: [{trait: x, gt: 5}, {trait: x, lt: 7}, {trait: x, ne: 6.5}]}\n",
        }
    )
    conditions = definitions.segments[0].who.parts
    predicates = tuple(one for condition in conditions for one in condition.predicates)  # type: ignore[union-attr]
    assert next(fitting(predicates, "UTC", 0)) == 6


def test_one_more_of_the_same_value(tmp_path: Path) -> None:
    """Of what each value counts for alone, the value that lacks least is said; any other would not do."""
    engine = shop(tmp_path, "{did: order, each: sku, times: {gte: 2}}", order(1, sku="a"), order(2, total=5))
    assert told(tmp_path, engine)[0][0] == [("event", "order", 1, {"sku": "a"})]


def test_what_context_says_is_measured(tmp_path: Path) -> None:
    """The value stands where the measure looks for it, in the context of an event as a source hands it over."""
    engine = shop(tmp_path, "{did: page_viewed, distinct: context.campaign.name, gte: 1}", order(1))
    [(acts, after, before)] = told(tmp_path, engine)
    assert [(name, times) for _, name, times, _ in acts] == [("page_viewed", 1)]
    assert (after, before) == (None, None)
