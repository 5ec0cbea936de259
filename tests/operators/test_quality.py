"""Scores of quality: what is counted, once and whatever the batches, and what expectations make of it."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import orjson
import pytest
from prometheus_client import REGISTRY

from contracts import load
from contracts.model.batches import Event, JudgedBatch, Refused
from contracts.model.definitions import Definitions
from contracts.text.times import iso, parse_time
from operators import metrics
from operators.judge import Judge
from operators.people.step import standing, tell
from operators.quality import ledger as ledgers
from operators.quality.scorer import LOOK_EVERY, LOOK_FIRST, Scorer
from operators.quality.scores import HOUR_US, OTHER, UNKNOWN_MAX, UNNAMED, Scores, share, source_of
from schemalogic.declarations import declared
from tests.engine import SPACE, Engine

Json = dict[str, Any]
MONDAY = parse_time("2026-03-02T00:00:00Z") or 0
HOUR = MONDAY // HOUR_US
ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "examples": ["o-1"]},
        "coupon": {"type": "string", "examples": ["SPRING", "VIP"]},
        "note": {"type": ["string", "null"]},
        "total": {"type": "number"},
        "items": {
            "type": "array",
            "items": {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number", "examples": [1, 100]}}},
        },
    },
    "required": ["id"],
}
FILES = {
    "events/order/1-0-0.json": json.dumps(ORDER),
    "events/strict/1-0-0.json": '{"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false}',
    "events/identify/1-0-0.json": '{"type": "object", "properties": {"plan": {"type": "string"}, "city": {"type": "string"}}}',
    "events/page_viewed/1-0-0.json": '{"type": "object", "properties": {"name": {"type": "string"}, "url": {"type": "string"}}}',
    "quality.yaml": "ranges: {order: {total: {gte: 0, lte: 500}}}\n",
}


def project(expectations: str = "", **more: str) -> Definitions:
    """The definitions, with these lines of ``expectations:``."""
    return load({**FILES, **more, "quality.yaml": FILES["quality.yaml"] + f"expectations: [{expectations}]\n"})


def judge(definitions: Definitions) -> Judge:
    return Judge(definitions, unknown_ok=False, future_skew_us=1 << 60, max_event_bytes=100_000)


class Shop:
    """Makes records, one after the other, each with a message id of its own."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, hours: float, event: str | None = "order", *, properties: Json | None = None, **more: Any) -> bytes:
        self.number += 1
        time = iso(MONDAY + int(hours * HOUR_US))
        known = {"id": "1"} if event == "order" and properties is None else properties or {}
        body = {"type": "track", "event": event, "userId": "u", "messageId": f"m{self.number}", "timestamp": time, "properties": known}
        return orjson.dumps({**body, **more})


@pytest.fixture
def shop() -> Shop:
    return Shop()


def scored(definitions: Definitions, records: list[bytes]) -> dict[tuple[int, str], Scores]:
    events, refused = judge(definitions).judge_many(records, 1, MONDAY)
    return Scorer(definitions).score(events, refused, [MONDAY] * len(refused))


def only(found: dict[tuple[int, str], Scores]) -> Scores:
    [scores] = found.values()
    return scores


# ---- what is counted


def test_optional_properties_are_counted_and_null_is_not_there(shop: Shop) -> None:
    """Completeness is of what the contract declares and does not require; a null is missing."""
    records = [shop(0, properties={"id": "1", "coupon": "VIP", "note": None}), shop(0, properties={"id": "2", "note": "x"}), shop(0)]
    scores = only(scored(project(), records))
    assert scores.events == 3
    assert scores.present == {"coupon": [1, 3], "note": [1, 3], "total": [0, 3], "items": [0, 3]}
    assert share(scores.carried("coupon")) == pytest.approx(1 / 3)
    assert share(scores.carried()) == pytest.approx(2 / 12)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("nullable", [True, False])
def test_counts_are_those_of_one_event_after_the_other(shop: Shop, *, closed: bool, nullable: bool) -> None:
    """Whatever the mixture: all properties, some, others, null; in a closed contract and an open one."""
    kind: Json = {"type": ["integer", "null"] if nullable else "integer"}
    schema = {"type": "object", "properties": {"id": kind, **dict.fromkeys("abc", kind)}, "required": ["id"]}
    definitions = project(**{"events/mix/1-0-0.json": json.dumps(schema | ({"additionalProperties": False} if closed else {}))})
    rng = random.Random(5)
    full: list[Json] = [{"id": 1, "a": 1, "b": 1, "c": 1} for _ in range(20)]
    names = "abc" if closed else "abcxyz"
    mixed: list[Json] = [
        {"id": 1, **{name: rng.choice([1, None]) if nullable else 1 for name in names if rng.random() < 0.5}} for _ in range(80)
    ]
    odd: list[Json] = [] if closed else [{"id": 1, "x": 1, "y": 1, "z": 1}]
    for sent in (full, mixed, full + mixed, mixed[:1], full + odd, odd + full, *filter(None, [odd])):
        scores = only(scored(definitions, [shop(0, "mix", properties=one) for one in sent]))
        carried = [{name for name, value in one.items() if value is not None} for one in sent]
        assert scores.present == {name: [sum(name in one for one in carried), len(sent)] for name in "abc"}
        unknown = {name: sum(name in one for one in carried) for name in "xyz"}
        assert scores.unknown == {name: count for name, count in unknown.items() if count}
        assert scores.unknown_events == sum(not one.isdisjoint("xyz") for one in carried)


def test_nested_properties_are_counted_by_the_objects_that_could_carry_them(shop: Shop) -> None:
    """Two of three items have a price."""
    items = [{"sku": "a", "price": 5}, {"price": 500}, {"sku": "b"}]
    scores = only(scored(project(), [shop(0, properties={"id": "1", "items": items})]))
    assert (scores.present["items[].sku"], scores.present["items[].price"]) == ([2, 3], [2, 3])
    assert scores.outside["items[].price"] == [1, 2]


def test_values_outside_of_examples_and_ranges_are_counted(shop: Shop) -> None:
    """A text that is no example, a number outside of the range of quality.yaml."""
    sent: list[Json] = [{"coupon": "SPRING", "total": 0}, {"coupon": "HACK", "total": 500.5}, {"total": -1}, {}]
    scores = only(scored(project(), [shop(0, properties={"id": "1", **one}) for one in sent]))
    assert scores.outside == {"coupon": [1, 2], "total": [2, 3]}
    assert share(scores.strayed("total")) == pytest.approx(2 / 3)
    assert (scores.looked, share(scores.strayed("items[].price"))) == (4, None)


def test_values_are_looked_at_on_a_sample_that_says_how_large_it_was(shop: Shop) -> None:
    """The first of an hour and then every so-manieth, whatever the batches; shares stay those of the sample."""
    definitions = project()
    events, _ = judge(definitions).judge_many([shop(0, properties={"id": "1", "total": -1}) for _ in range(200)], 1, MONDAY)
    expected = sum(1 for number in range(200) if number < LOOK_FIRST or number % LOOK_EVERY == 0)
    for size in (1, 7, 33, 200):
        total, scorer = Scores(), Scorer(definitions)
        for start in range(0, 200, size):
            found = scorer.score(events[start : start + size], counted=lambda hour, event, total=total: total.events)  # type: ignore[misc]
            total.add(found[HOUR, "order"])
        assert (total.events, total.looked, total.outside) == (200, expected, {"total": [expected, expected]})


def test_undeclared_properties_are_counted_by_name_also_of_refused_records(shop: Shop) -> None:
    """An open contract lets them pass, a closed one does not: both are told of."""
    records = [shop(0, properties={"id": "1", "cupon": "x", "b": 1}), shop(0, properties={"id": "1", "cupon": "x"}), shop(0)]
    found = scored(project(), [*records, shop(0, "strict", properties={"a": 1, "z": 1})])
    assert (found[HOUR, "order"].unknown, found[HOUR, "order"].unknown_events) == ({"b": 1, "cupon": 2}, 2)
    strict = found[HOUR, "strict"]
    assert (strict.events, strict.refused, strict.unknown, share(strict.undeclared())) == (0, {"invalid": 1}, {"z": 1}, 1.0)


def test_unknown_names_are_bounded_and_the_rest_is_counted() -> None:
    """The most frequent names stay."""
    total = Scores()
    for number in range(UNKNOWN_MAX + 20):
        total.add(Scores(unknown={f"n{number}": 1, "often": 2}))
    assert (len(total.unknown), total.unknown["often"]) == (UNKNOWN_MAX, 2 * (UNKNOWN_MAX + 20))
    assert sum(total.unknown.values()) + total.unknown_more == 3 * (UNKNOWN_MAX + 20)


def test_traits_and_titles_of_pages_are_scored_as_they_were_sent(shop: Shop) -> None:
    """identify by its traits; the name of a page is one of its properties, as its contract sees it."""
    identify = shop(0, type="identify", event=None, traits={"plan": "free"})
    page = shop(0, type="page", event=None, name="Home", properties={"url": "/"})
    found = scored(project(), [identify, page])
    assert found[HOUR, "identify"].present == {"plan": [1, 1], "city": [0, 1]}
    assert found[HOUR, "page_viewed"].present == {"name": [1, 1], "url": [1, 1]}


def test_what_was_sent_counts_and_not_what_an_upcast_makes_of_it(shop: Shop) -> None:
    """An event of the old model lacks what the old model declares, under the old names."""
    new = '{"type": "object", "properties": {"number": {"type": "string"}, "voucher": {"type": "string"}}, "required": ["number"]}'
    upcast = "upcast: 1-0-0 to 2-0-0\nsteps: [rename: {id: number}, rename: {coupon: voucher}]\n"
    more = {"events/order/2-0-0.json": new, "events/order/1-0-0-to-2-0-0.yaml": upcast}
    definitions = load({key: text for key, text in {**FILES, **more}.items() if key != "quality.yaml"})
    scores = only(scored(definitions, [shop(0, properties={"id": "1", "coupon": "VIP"}), shop(0, properties={"number": "2"})]))
    assert (scores.present["coupon"], scores.present["voucher"]) == ([1, 1], [0, 1])


def test_refused_records_count_by_reason_name_and_the_hour_in_which_they_came(shop: Shop) -> None:
    """Without a time they count at the clock; without a name as unnamed."""
    records = [shop(2, properties={}), shop(2, "no such"), shop(2, receivedAt=iso(MONDAY + 5 * HOUR_US), properties={}), b"{", b"[]"]
    found = scored(project(), records)
    assert {key: scores.refused for key, scores in found.items()} == {
        (HOUR + 2, "order"): {"invalid": 1},
        (HOUR + 5, "order"): {"invalid": 1},
        (HOUR + 2, "no_such"): {"unknown_event": 1},
        (HOUR, UNNAMED): {"undecodable": 2},
    }


def test_events_of_several_hours_are_counted_in_theirs(shop: Shop) -> None:
    """The hour of an accepted event is that of its own time."""
    found = scored(project(), [shop(hours) for hours in (0.1, 2.5, 0.9, 2.6)])
    newest = {key: (scores.events, scores.newest_us) for key, scores in found.items()}
    assert newest == {(HOUR, "order"): (2, MONDAY + int(0.9 * HOUR_US)), (HOUR + 2, "order"): (2, MONDAY + int(2.6 * HOUR_US))}


def test_declared_follows_references_and_branches() -> None:
    """Properties of $ref and allOf are declared; those of a branch are known, and nothing is expected of them."""
    types = {"money": {"$defs": {"amount": {"type": "object", "properties": {"cents": {"type": "integer"}}}}}}
    schema = {
        "$defs": {"base": {"properties": {"a": {"type": "string"}}, "required": ["a"]}},
        "allOf": [{"$ref": "#/$defs/base"}],
        "properties": {"price": {"$ref": "../../types/money.json#/$defs/amount"}, "x.y": {}},
        "if": {"properties": {"kind": {"const": "b"}}},
        "then": {"properties": {"b": {"type": "string"}}},
    }
    found = declared(schema, types)
    assert [(one.path, one.required, one.nullable, one.number) for one in found.properties] == [
        ("price", False, False, False),
        ("price.cents", False, False, True),
        ('["x.y"]', False, True, True),
        ("a", True, False, False),
    ]
    assert set(found.names or ()) == {"a", "price", "x.y", "kind", "b"}
    assert declared({"properties": {"a": {}}, "patternProperties": {"^x-": {}}}, {}).names is None
    assert declared({"$ref": "#"}, {}).names is None


# ---- in the engine


class Watched(Engine):
    """An engine that refuses unknown events, as a flow does."""

    def _know(self, definitions: Definitions) -> None:
        super()._know(definitions)
        self._judge = judge(definitions)

    def put_in_force(self, definitions: Definitions) -> None:
        """New definitions, by a control entry."""
        self._know(definitions)
        self.control([{"type": "definitions", "digest": definitions.digest, "messageId": definitions.digest}])

    def judged(self, partition: str, records: list[bytes], first: int) -> JudgedBatch:
        events, refused = self._judge.judge_many(records, first, MONDAY)
        return JudgedBatch(SPACE, source_of(partition), partition, first, first + len(records) - 1, "", events, refused, [], MONDAY)

    def feed(self, partition: str, records: list[bytes], *, finished: bool = False) -> None:
        batch = self.judged(partition, records, self.space.meta.applied.get(partition, 0) + 1)
        batch.finished = finished
        self.space.apply(batch)

    def rows(self) -> list[tuple[int, str, str, Scores]]:
        return list(self.view.quality.scores())

    def told(self) -> list[Json]:
        """The change events of quality."""
        return [change for _, row in self.view.changes() if (change := orjson.loads(row))["type"].startswith("quality.")]


def engine(folder: Path, definitions: Definitions, **options: Any) -> Watched:
    made = Watched(folder / "shard", definitions, **options)
    made.start(["shop/a"])
    return made


def mixed(shop: Shop, count: int) -> list[bytes]:
    """Good, broken, unknown, repeated and late records over some days."""
    rng = random.Random(7)
    records: list[bytes] = []
    for number in range(count):
        hours = number / 3 - rng.choice([0, 0, 0, 1.5, 60])
        kind = rng.randrange(8)
        if kind == 0:
            records.append(shop(hours, properties={"id": 5}))
        elif kind == 1:
            records.append(shop(hours, f"unknown {rng.randrange(3)}"))
        elif kind == 2 and records:
            records.append(rng.choice(records))
        elif kind == 3:
            records.append(shop(hours, messageId="same", properties={"id": str(number)}))
        elif kind == 4:
            records.append(b"no json")
        else:
            sent = {"id": "1", "coupon": rng.choice(["VIP", "x"]), "total": rng.choice([1, 900]), rng.choice(["items", "extra"]): []}
            records.append(shop(hours, properties=sent))
    return records


NOISY = (
    "{event: order, quarantined: {lte: 0.3}, unknown_properties: {lte: 0.4}}, {event: order, out_of_range: {total: {lte: 0.5}}, within: 6h}"
)


def test_every_record_is_counted_once_however_often_it_is_read(tmp_path: Path, shop: Shop) -> None:
    """Batches of any size, read again from anywhere after a restart: the same rows, and the same change log."""
    definitions, records = project(NOISY), mixed(shop, 400)
    whole = engine(tmp_path / "whole", definitions, horizon_us=40 * HOUR_US)
    whole.feed("shop/a", records)
    rng = random.Random(3)
    parts = engine(tmp_path / "parts", definitions, horizon_us=40 * HOUR_US)
    done = 0
    while done < len(records):
        first, done = max(0, done - rng.choice([0, 0, 5, 40])), min(len(records), done + rng.choice([1, 3, 30]))
        parts.space.apply(parts.judged("shop/a", records[first:done], first + 1))
        if rng.random() < 0.2:
            parts.restart()
    assert parts.rows() == whole.rows()
    assert parts.view.quality.names() == whole.view.quality.names()
    assert parts.told() == whole.told() != []
    assert [row for _, row in parts.view.changes()] == [row for _, row in whole.view.changes()]
    counted = sum(scores.records for *_, scores in whole.rows())
    assert counted == whole.space.meta.received == len(records)
    refused = sum(scores.records - scores.events for *_, scores in whole.rows())
    assert refused == sum(whole.space.meta.quarantine.values())
    assert {"too_late", "conflict"} <= {reason for *_, scores in whole.rows() for reason in scores.refused}


def test_a_replayed_record_counts_as_accepted_and_stays_counted_as_refused(tmp_path: Path, shop: Shop) -> None:
    """What was refused was refused then; the replay adds the event under its own time."""
    made = engine(tmp_path, project())
    made.feed("shop/a", [shop(0.5, "later"), shop(0.6)])
    made.put_in_force(project(**{"events/later/1-0-0.json": "{}"}))
    entry = {"type": "replay", "entries": [{"id": "q-0", "raw": ""}], "messageId": "r"}
    row = next(made.view.quarantine.entries())
    outcome = made._judge.judge(row.raw, 1, MONDAY)
    batch = made.judged("control", [], made.space.meta.applied["control"] + 1)
    batch.last, batch.source = batch.first, "control"
    from contracts.model.batches import ControlEntry  # noqa: PLC0415

    batch.control = [ControlEntry(batch.first, entry, [("q-0", outcome)])]
    made.space.apply(batch)
    later = {source: scores for _, source, event, scores in made.rows() if event == "later"}
    assert (later["shop"].events, later["shop"].refused) == (1, {"unknown_event": 1})


def test_event_names_are_bounded_and_the_rest_counts_as_other(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that come after the limit share one row."""
    monkeypatch.setattr(ledgers, "NAMES_MAX", 3)
    made = engine(tmp_path, project())
    made.feed("shop/a", [shop(0.1), *(shop(0.2, f"name {number}") for number in range(5)), shop(0.3), b"x"])
    made.restart()
    made.feed("shop/a", [shop(0.4, "name 4"), shop(0.4, "name 1")])
    counts = {event: scores.records for _, _, event, scores in made.rows()}
    assert counts == {"order": 2, "name_0": 1, "name_1": 2, OTHER: 4, UNNAMED: 1}


def test_hours_are_dropped_when_they_are_no_longer_needed(tmp_path: Path, shop: Shop) -> None:
    """35 days behind the clock, in the commits that move it."""
    made = engine(tmp_path, project())
    made.feed("shop/a", [shop(hours) for hours in (0.5, 24, 24 * 34)])
    assert [hour - HOUR for hour, *_ in made.rows()] == [0, 24, 816]
    made.feed("shop/a", [shop(24 * 35 + 1.5)])
    assert [hour - HOUR for hour, *_ in made.rows()] == [24, 816, 841]


# ---- expectations


def test_what_is_broken_is_told_once_and_again_when_it_is_restored(tmp_path: Path, shop: Shop) -> None:
    """When the clock enters the next hour; also across a restart."""
    made = engine(tmp_path, project("{event: order, source: shop, quarantined: {lte: 0.25}}"))
    made.feed("shop/a", [shop(0.1), shop(0.2, properties={})])
    assert made.told() == []
    made.feed("shop/a", [shop(1.1, properties={}), shop(1.2)])
    [broken] = made.told()
    assert {
        key: broken[key] for key in ("type", "profile", "version", "source", "event", "expectation", "value", "expected", "severity")
    } == {
        "type": "quality.broken",
        "profile": None,
        "version": None,
        "source": "shop",
        "event": "order",
        "expectation": "order.quarantined",
        "value": 0.5,
        "expected": {"lte": 0.25},
        "severity": "warn",
    }
    assert (broken["clock"], broken["cause"]) == (iso(MONDAY + int(1.2 * HOUR_US)), {"type": "clock"})
    made.restart()
    made.feed("shop/a", [shop(2.1)])
    made.feed("shop/a", [shop(3.1)])
    assert [(one["type"], one["value"]) for one in made.told()] == [("quality.broken", 0.5), ("quality.restored", 0.0)]
    assert made.view.status()["broken"] == []


def test_an_hour_without_records_says_nothing(tmp_path: Path, shop: Shop) -> None:
    """A share of nothing neither breaks nor restores."""
    made = engine(tmp_path, project("{event: order, quarantined: {lte: 0}}"))
    made.feed("shop/a", [shop(0.1), shop(0.2, properties={}), shop(1.1, "strict"), shop(5.1, "strict"), shop(6.1, "strict")])
    assert [one["type"] for one in made.told()] == ["quality.broken"]


def test_completeness_volume_and_prefixes(tmp_path: Path, shop: Shop) -> None:
    """Volume is held against the median of the same hour of the last weeks."""
    wanted = "{event: ord*, completeness: {coupon: {gte: 0.5}}}, {event: order, volume: {gte: 0.5, lte: 2}}"
    made = engine(tmp_path, project(wanted), horizon_us=10 * HOUR_US)
    week = 7 * 24
    for number, count in enumerate((2, 4, 6, 1, 9)):
        made.feed("shop/a", [shop(number * week + 0.1 + each / 100, properties={"id": "1", "coupon": "VIP"}) for each in range(count)])
        made.feed("shop/a", [shop(number * week + 1.1, "strict")])
    told = [(one["type"], one["expectation"], one["value"]) for one in made.told()]
    # Week 3 has 1 of the usual 4 (2, 4, 6), week 4 has 9 of the usual 3 (2, 4, 6, 1): broken as well, which is told once.
    assert told == [("quality.broken", "order.volume", 0.25)]
    made.feed("shop/a", [shop(5 * week + 0.1), shop(5 * week + 1.1, "strict")])
    assert ("quality.broken", "ord*.completeness.coupon", 0.0) in [(one["type"], one["expectation"], one["value"]) for one in made.told()]


def test_a_name_without_a_contract_is_held_against_nothing(tmp_path: Path, shop: Shop) -> None:
    """A misspelt name must not stop its source, whatever the prefix."""
    made = engine(tmp_path, project('{event: "*", quarantined: {lte: 0.5}, severity: stop-source}'))
    made.feed("shop/a", [shop(0.1, "ordr"), shop(0.2), shop(1.1)])
    assert made.told() == []


def test_freshness_is_seen_at_the_wall_clock(tmp_path: Path, shop: Shop) -> None:
    """In a flow that has caught up, ticks find out who is silent, and who is back."""
    made = engine(tmp_path, project("{event: order, freshness: {lte: 30m}, severity: stop-source}"))

    def tick(hours: float) -> None:
        first = made.space.meta.applied["shop/a"] + 1
        made.space.apply(
            JudgedBatch(SPACE, "shop", "shop/a", first, first - 1, "", [], [], [], MONDAY + int(hours * HOUR_US), caught_up=True)
        )

    made.feed("shop/a", [shop(0.1)])
    for hours in (0.2, 0.5, 0.65, 0.7):
        tick(hours)
    [broken] = made.told()
    assert (broken["value"], broken["severity"], made.space.work.quality.stopped) == (1980.0, "warn", frozenset())
    made.feed("shop/a", [shop(0.75)])
    tick(0.8)
    assert [one["type"] for one in made.told()] == ["quality.broken", "quality.restored"]


def test_a_changed_expectation_restores_what_the_old_one_broke(tmp_path: Path, shop: Shop) -> None:
    """Another bound is another expectation, and its own hours judge it; so is none at all."""
    made = engine(tmp_path, project("{event: order, quarantined: {lte: 0.25}, severity: stop-source}"))
    made.feed("shop/a", [shop(0.1), shop(0.2, properties={}), shop(1.1)])
    assert (made.space.work.quality.stopped, made.view.status()["stopped"]) == (frozenset({"shop"}), ["shop"])
    made.put_in_force(project("{event: order, quarantined: {lte: 0.5}, severity: stop-source}"))
    assert made.space.work.quality.stopped == frozenset()
    [_, restored] = made.told()
    assert (restored["type"], restored["value"], restored["cause"]["type"]) == ("quality.restored", None, "definition")
    made.restart()
    assert made.space.work.quality.stopped == frozenset()


def test_a_stopped_source_rests_until_it_is_resumed(tmp_path: Path, shop: Shop) -> None:
    """Its expectations rest, too; a decision to read it on survives a restart and holds until it breaks anew."""
    made = engine(tmp_path, project("{event: order, quarantined: {lte: 0.25}, severity: stop-source}"))
    made.feed("shop/a", [shop(0.1), shop(0.2, properties={}), shop(1.1)])
    made.restart()
    assert made.space.work.quality.stopped == frozenset({"shop"})
    made.feed("other/a", [shop(3.1, "strict")])
    made.control(
        [{"type": "resume", "source": "none", "messageId": "r0"}, {"type": "resume", "source": "shop", "why": "x", "messageId": "r1"}]
    )
    assert [made.view.answer(name)["applied"] for name in ("r0", "r1")] == [False, True]  # type: ignore[index]
    made.restart()
    assert (made.space.work.quality.stopped, len(made.view.status()["broken"])) == (frozenset(), 1)
    made.feed("shop/a", [shop(3.2), shop(4.1), shop(5.1, properties={}), shop(6.1)])
    assert [one["type"] for one in made.told()] == ["quality.broken", "quality.restored", "quality.broken"]
    assert made.space.work.quality.stopped == frozenset({"shop"})


def test_a_resting_partition_does_not_hold_the_clock(tmp_path: Path, shop: Shop) -> None:
    """A stopped source counts as ended until it goes on."""
    made = Watched(tmp_path / "shard", project())
    made.start(["shop/a", "web/a"])
    made.feed("shop/a", [shop(1)])
    made.feed("web/a", [shop(5, "strict")])
    assert made.space.meta.clock == MONDAY + HOUR_US
    made.feed("shop/a", [], finished=True)
    assert made.space.meta.clock == MONDAY + 5 * HOUR_US
    made.feed("shop/a", [shop(6)])
    made.feed("web/a", [shop(7, "strict")])
    assert (made.space.meta.clock, made.space.meta.finished) == (MONDAY + 6 * HOUR_US, [])


def test_metrics_by_source_and_event(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted once a commit; beyond the limit of labels as another event; a stopped source is 1 until it goes on."""
    monkeypatch.setattr(metrics, "QUALITY_LABELS_MAX", 2)
    made = engine(tmp_path, project("{event: order, quarantined: {lte: 0.25}, severity: stop-source}"))
    told = metrics.SpaceMetrics(SPACE, standing(made.space))

    def value(name: str, event: str | None = "order") -> float | None:
        labels = {"space": SPACE, "source": "shop", **({"event": event} if event else {})}
        return REGISTRY.get_sample_value(name, labels)

    before = value("skep_quality_events_total") or 0
    made.feed("shop/a", [shop(0.1), shop(0.2, properties={}), shop(0.3, properties={"id": "1", "coupon": "VIP"}), shop(1.5, "strict")])
    made.feed("shop/a", [shop(1.6, "identity"), shop(1.7, "another")])
    tell(told, made.space)
    told.quality.measured(made.space.work.quality.scores())
    tell(told, made.space)
    assert ((value("skep_quality_events_total") or 0) - before, value("skep_quality_refused_total")) == (2, 1)
    assert value("skep_quality_completeness") == 1 / 8
    assert value("skep_quality_freshness_seconds") == pytest.approx(1.2 * 3600)
    assert (value("skep_quality_broken"), value("skep_source_stopped", None)) == (1, 1)
    assert (value("skep_quality_refused_total", OTHER), value("skep_quality_refused_total", "another")) == (2, None)
    made.control([{"type": "resume", "source": "shop", "messageId": "r"}])
    tell(told, made.space)
    assert (value("skep_quality_broken"), value("skep_source_stopped", None)) == (1, 0)


def test_an_event_that_the_state_turns_away_is_refused_in_the_scores() -> None:
    """`Refused` carries the name that the score needs."""
    record = Refused(1, "too_late", "", "", None, b"{}", "order", "order/1-0-0")
    found = Scorer(project()).score([], [record], [MONDAY + HOUR_US])
    assert {key: scores.refused for key, scores in found.items()} == {(HOUR + 1, "order"): {"too_late": 1}}
    assert isinstance(record, Refused)
    assert not isinstance(record, Event)
