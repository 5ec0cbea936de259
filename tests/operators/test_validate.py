"""The envelope, contracts, epochs and replays: what becomes an event and what is refused, and why."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from contracts.model.batches import Event, Refused, SourceBatch
from contracts.model.definitions import Contract, Definitions, IdentityRules, Namespace, Purpose
from contracts.model.registered import Registered
from contracts.text.names import event_name
from contracts.text.times import MAX_US, MIN_US, iso, parse_time
from operators.judge import Judge
from operators.validate import Validate

NOW = parse_time("2026-02-01T00:00:00Z") or 0
NAMESPACES = (
    Namespace("user_id", ("userId",), unique=True),
    Namespace("email", ("traits.email", "properties.email"), normalize="email"),
    Namespace("phone", ("traits.phone",), normalize="phone"),
    Namespace("tag", ("properties.tags[]",)),
    Namespace("anonymous_id", ("anonymousId", "previousId"), scope="device"),
)
SCHEMA = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}


def definitions(digest: str = "one", schema: dict[str, Any] = SCHEMA) -> Definitions:
    rules = IdentityRules(1, NAMESPACES, frozenset({"", "null"}), ("^[0-]+$",))
    contracts = {
        "order_completed": (Contract("order_completed", (1, 0, 0), schema, "f"),),
        "identify": (Contract("identify", (1, 0, 0), {"properties": {"age": {"type": "integer"}}}, "f"),),
        "page_viewed": (Contract("page_viewed", (1, 0, 0), {"required": ["name"]}, "f"),),
        "consent_updated": (Contract("consent_updated", (1, 0, 0), {}, "f"),),
    }
    return Definitions(digest, {}, rules, contracts, purposes=(Purpose("marketing", False),))


def judge_of(*, unknown_ok: bool = False) -> Judge:
    return Judge(definitions(), unknown_ok=unknown_ok, future_skew_us=600_000_000, max_event_bytes=1_000_000)


def judge(record: dict[str, Any] | bytes, *, unknown_ok: bool = False) -> Event | Refused:
    raw = record if isinstance(record, bytes) else orjson.dumps(record)
    return judge_of(unknown_ok=unknown_ok).judge(raw, 7, NOW)


def order(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Order Completed", "timestamp": "2026-01-31T10:00:00.000Z", "properties": {"total": 1}, **more}


def event(record: dict[str, Any]) -> Event:
    found = judge(record)
    assert isinstance(found, Event), found
    return found


def refused(record: dict[str, Any] | bytes) -> Refused:
    found = judge(record)
    assert isinstance(found, Refused), found
    return found


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "undecodable"),
        (b"{", "undecodable"),
        (b"[1]", "undecodable"),
        (b'{"type":"track\xff"}', "undecodable"),
        (b'{"type":"track","properties":{"total":NaN}}', "undecodable"),
        (b'{"type":"track","userId":"\\ud800"}', "undecodable"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "undecodable"),
        (b"[" * 100_000, "undecodable"),
        (b'{"a":"' + b"x" * 5_000_000 + b'"}', "too_large"),
    ],
)
def test_records_that_are_no_json_object_are_undecodable_and_kept_as_received(raw: bytes, reason: str) -> None:
    found = refused(raw)
    assert (found.reason, found.raw, found.position) == (reason, raw, 7)


def test_a_hundred_levels_are_accepted_and_one_more_is_not() -> None:
    def nested(levels: int) -> dict[str, Any]:
        value: Any = 1
        for _ in range(levels):
            value = [value]
        return order(properties={"total": 1, "deep": value})

    assert event(nested(98))
    assert refused(nested(99)).reason == "undecodable"
    # Whatever it comes beside, and wherever: records are looked through several at once.
    for at in (0, 15, 16, 39):
        raws = [orjson.dumps(order(messageId=f"m{n}")) for n in range(40)]
        raws[at] = orjson.dumps(nested(99))
        events, (found,) = judge_of().judge_many(raws, 1, NOW)
        assert (len(events), found.position, found.reason) == (39, at + 1, "undecodable")


@pytest.mark.parametrize(
    "more",
    [
        {"type": "trak"},
        {"type": ["track"]},
        {"userId": True},
        {"userId": {"id": 1}},
        {"anonymousId": 1.5},
        {"messageId": []},
        {"timestamp": "yesterday"},
        {"timestamp": None},
        {"timestamp": "2026-02-30"},
        {"timestamp": "2026-01-31T24:00:00Z"},
        {"timestamp": "2026-01-31T23:59:60Z"},
        {"timestamp": "2026-01-31T10:00:00+01:00 UTC"},
        {"timestamp": "1769853600"},
        {"timestamp": 1769853600000000},
        {"timestamp": True},
        {"timestamp": "0001-01-01T00:00:00+01:00"},
        {"receivedAt": "soon"},
        {"event": None},
        {"event": "!!"},
        {"properties": [1]},
        {"timestamp": "0001-01-01T00:00:00Z", "receivedAt": "2026-01-01T00:00:00Z", "sentAt": "9999-12-30T10:00:00Z"},
    ],
)
def test_a_broken_envelope_is_refused(more: dict[str, Any]) -> None:
    assert refused(order(**more)).reason == "envelope"


def test_a_number_as_user_id_is_repaired() -> None:
    assert event(order(userId=42)).identifiers == ((0, "42"),)
    assert event(order(messageId=42)).message_id == "42"


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-01-31T10:00:00.000Z",
        "2026-01-31 10:00:00",
        "2026-01-31T12:00:00+02:00",
        "2026-01-31T10:00:00.000000999Z",
        1769853600,
        1769853600000,
        1769853600.0,
        "2026-01-31T10:00Z",
        "2026-01-31 10:00:00 UTC",
        "2026-01-31T10:00:00GMT",
        "2026-01-31 10:00:00.000 utc",
        "2026-01-31 10:00:00.000000999 +0000 UTC",
        "2026-01-31 11:00:00  +0100",
        " 2026-01-31T10:00:00Z\n",
    ],
)
def test_times_come_in_many_forms(timestamp: Any) -> None:
    assert iso(event(order(timestamp=timestamp)).time_us) == "2026-01-31T10:00:00.000000Z"


def test_the_years_1_and_9999_are_times() -> None:
    assert event(order(timestamp="0001-01-01")).time_us == MIN_US
    assert parse_time("9999-12-31T23:59:59.999999Z") == MAX_US
    assert refused(order(timestamp="9999-12-31T23:59:59.999Z")).reason == "future"
    assert parse_time("9999-12-31T23:59:59-01:00") is None


@pytest.mark.parametrize("time_us", [MIN_US, -1, 0, 3_599_999_999, 1_769_853_600_123_456, MAX_US])
def test_times_are_written_as_they_are_read(time_us: int) -> None:
    assert parse_time(iso(time_us)) == time_us
    assert iso(time_us) == f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us):%Y-%m-%dT%H:%M:%S.%fZ}".rjust(27, "0")


def test_time_is_corrected_by_the_senders_clock_unless_a_collector_did() -> None:
    clocks = {"sentAt": "2026-01-31T10:00:05Z", "receivedAt": "2026-01-31T11:00:05Z"}
    assert iso(event(order(**clocks)).time_us) == "2026-01-31T11:00:00.000000Z"
    collected = order(**clocks, originalTimestamp="2026-01-31T09:00:00Z")
    assert iso(event(collected).time_us) == "2026-01-31T10:00:00.000000Z"
    del collected["timestamp"]
    assert iso(event(collected).time_us) == "2026-01-31T10:00:00.000000Z"
    only_received = order(receivedAt="2026-01-31T11:00:05Z", timestamp=None)
    assert iso(event(only_received).time_us) == "2026-01-31T11:00:05.000000Z"


def test_the_future_is_judged_against_receipt_else_the_wall_clock() -> None:
    assert refused(order(timestamp="2026-02-01T00:10:01Z")).reason == "future"
    assert event(order(timestamp="2026-02-01T00:10:00Z"))
    assert event(order(timestamp="2030-01-01T00:00:00Z", receivedAt="2030-01-01T00:00:00Z"))
    late = refused(order(timestamp="2026-01-31T10:00:00Z", receivedAt="2026-01-31T09:00:00Z"))
    assert (late.reason, late.received_at_us) == ("future", parse_time("2026-01-31T09:00:00Z"))


def test_names_are_blind_to_case_and_separators() -> None:
    names = ["Order Completed", "order_completed", "OrderCompleted", " order--completed! ", "ORDER COMPLETED"]
    assert {event_name(name) for name in names} == {"order_completed"}
    assert event_name("Step2Done") == "step2_done"


def test_contracts_judge_properties_or_traits() -> None:
    found = refused(order(properties={"total": "much"}))
    assert (found.reason, found.schema_path) == ("invalid", "/properties/total/type")
    assert found.detail.startswith("properties.total: ")
    assert refused(order(event="Nobody Knows")).reason == "unknown_event"
    assert isinstance(judge(order(event="Nobody Knows"), unknown_ok=True), Event)
    assert refused({"type": "identify", "timestamp": 1, "traits": {"age": "x"}}).detail.startswith("traits.age")
    identify = event({"type": "identify", "timestamp": 1, "userId": "u", "traits": {"age": 3}})
    assert (identify.name, identify.contract, identify.traits) == ("", "identify/1-0-0", {"age": 3})
    page = event({"type": "page", "timestamp": 1, "name": "Home"})
    assert (page.name, page.properties) == ("page_viewed", {"name": "Home"})
    assert event({"type": "alias", "timestamp": 1, "userId": "u", "previousId": "p"}).identifiers == ((0, "u"), (4, "p"))


def test_a_missing_message_id_is_made_of_the_content_so_that_retries_agree() -> None:
    first = event(order(sentAt="2026-01-31T10:00:00Z"))
    again = event(dict(reversed(order(sentAt="2026-01-31T10:00:09Z").items())))
    assert first.message_id == again.message_id
    assert first.message_id.startswith("m_")
    assert event(order(userId="u")).message_id != first.message_id


def test_identifiers_are_normalised_ranked_unique_and_not_blocked() -> None:
    record = {
        "type": "identify",
        "timestamp": 1,
        "userId": " u1 ",
        "anonymousId": "000-000",
        "previousId": "d",
        "traits": {"email": " Ａnn@X.org ", "phone": 447911123456},
        "properties": {"email": "ann@x.org", "tags": ["b", "a", "null", {"no": 1}]},
    }
    assert event(record).identifiers == ((0, "u1"), (1, "ann@x.org"), (2, "+447911123456"), (3, "a"), (3, "b"), (4, "d"))
    assert event({"type": "identify", "timestamp": 1, "userId": "x" * 10_001, "traits": {"phone": "call me"}}).identifiers == ()


def test_consents_are_decisions_about_declared_purposes_and_an_update_wins() -> None:
    context = {"consent": {"categoryPreferences": {"marketing": False, "other": True}}}
    assert event(order(context=context)).consents == {"marketing": False}
    update = order(event="Consent Updated", context=context, properties={"categoryPreferences": {"marketing": True}})
    assert event(update).consents == {"marketing": True}
    assert event(order(context={"consent": {"categoryPreferences": {"marketing": "yes"}}})).consents == {"marketing": True}
    assert event(order(context={"consent": {"categoryPreferences": {"marketing": None}}})).consents is None
    assert event(order(context={"consent": {"categoryPreferences": {"marketing": {"granted": True}}}})).unread == ("marketing",)
    assert event(order(context="?")).consents is None


def test_a_number_beyond_64_bits_is_refused_alone() -> None:
    large = orjson.dumps(order()).replace(b'"total":1', b'"total":123456789012345678901234567890')
    text = orjson.dumps(order(userId="see: 123456789012345678901234567890"))
    records = [orjson.dumps(order()), large, text, b"[123456789012345678901234567890"]
    events, bad = Judge(definitions(), unknown_ok=False, future_skew_us=0, max_event_bytes=1_000_000).judge_many(records, 1, NOW)
    assert [one.position for one in events] == [1, 3]
    detail = "properties.total: expected a number that 64 bits can hold, found one of 30 digits; send it as a text"
    assert (bad[0].reason, bad[0].detail, bad[0].event) == ("envelope", detail, "order_completed")
    assert bad[1].reason == "undecodable"
    assert refused(large).detail == detail


def test_a_long_number_in_a_frame_is_refused_beside_whatever_it_comes() -> None:
    known = definitions()
    framed = replace(known.contracts["order_completed"][0], registered=Registered("orders", 1, 5, "event"))
    known = replace(known, contracts={"order_completed": (framed,)})
    large = b"\0" + (5).to_bytes(4, "big") + orjson.dumps(order()).replace(b'"total":1', b'"total":123456789012345678901234567890')
    for records in ([large], [large, large[5:]]):
        events, bad = Judge(known, unknown_ok=False, future_skew_us=0, max_event_bytes=1_000_000).judge_many(records, 1, NOW)
        assert (events, {one.reason for one in bad}) == ([], {"envelope"})


def test_phps_empty_list_is_an_empty_object() -> None:
    page = event({"type": "page", "name": "Home", "timestamp": 1, "properties": [], "context": [], "userId": "u"})
    assert (page.properties, page.consents, page.identifiers) == ({"name": "Home"}, None, ((0, "u"),))
    identify = event({"type": "identify", "timestamp": 1, "traits": []})
    assert identify.traits == {}
    again = Judge(definitions(), unknown_ok=False, future_skew_us=0, max_event_bytes=1_000).reread(page.raw, page.contract)
    assert again.properties == page.properties
    assert refused(order(properties=[])).detail.startswith('properties: "total" is a required property')


def batch(partition: str, records: list[Any], first: int = 1, **more: Any) -> SourceBatch:
    lines = [record if isinstance(record, bytes) else orjson.dumps(record) for record in records]
    return SourceBatch("shop", "s", partition, first, first + len(lines) - 1, lines, NOW, **more)


def validate(epochs: list[tuple[str, dict[str, int]]]) -> Validate:
    bundles = {"one": definitions(), "two": definitions("two", {})}
    return Validate(bundles.__getitem__, {"shop": epochs}, unknown_ok=False, future_skew_us=0, max_event_bytes=1_000_000)


def test_events_whose_clock_is_not_believed_are_named_by_their_part() -> None:
    doubted = order(sentAt=0, receivedAt="2026-01-31T10:00:00Z")
    refused_too = {**doubted, "properties": {}}
    step = validate([("one", {}), ("two", {"s/a": 5})])
    parts = step([batch("s/a", [order(), doubted, refused_too, doubted, refused_too]), batch("s/b", [order()])])
    assert [(part.digest, part.uncorrected) for part in parts] == [("one", [2, 4]), ("two", [5]), ("two", [])]


def test_a_batch_that_spans_two_definitions_is_split_where_the_second_holds() -> None:
    step = validate([("one", {})])
    bad = order(properties={})
    (before,) = step([batch("control", [{"type": "definitions", "digest": "two", "from": {"s/a": 3}}])])
    assert [entry.entry["type"] for entry in before.control] == ["definitions"]
    parts = step([batch("s/a", [bad] * 4, finished=True), batch("s/new", [bad])])
    assert [(part.digest, part.first, part.last, len(part.events), len(part.refused), part.finished) for part in parts] == [
        ("one", 1, 2, 0, 2, False),
        ("two", 3, 4, 2, 0, True),
        ("two", 1, 1, 1, 0, False),
    ]
    assert [event.position for event in parts[1].events] == [3, 4]


def test_reading_a_definitions_entry_again_adds_nothing() -> None:
    step = validate([])
    entry = batch("control", [{"type": "definitions", "digest": "one", "from": {}}])
    (first,) = step([entry])
    step([entry])
    assert first.digest == "one"
    assert step.epochs == {"shop": [("one", {"control": 2})]}


def test_a_tick_stays_one_empty_batch() -> None:
    (tick,) = validate([("one", {})])([batch("s/a", [], first=5, caught_up=True)])
    assert (tick.first, tick.last, tick.caught_up, tick.digest) == (5, 4, True, "one")


def test_a_replay_is_judged_by_the_definitions_in_force_at_its_turn() -> None:
    bad, raw = order(properties={}), b64encode(orjson.dumps(order(properties={}))).decode()
    replay = {"type": "replay", "timestamp": "2026-02-01T00:00:00Z", "entries": [{"id": "q1", "raw": raw, "received_at_us": None}]}
    change = {"type": "definitions", "digest": "two", "from": {}}
    link = {"type": "link", "a": {}, "b": {}}
    old, new = validate([("one", {})])([batch("control", [replay, change, replay, b"{torn", link, {"type": "replay"}])])
    assert isinstance(old.control[0].outcomes[0][1], Refused)
    (quarantined, outcome), entries = new.control[0].outcomes[0], [entry.entry["type"] for entry in new.control]
    assert quarantined == "q1"
    assert isinstance(outcome, Event)
    assert outcome.body == bad
    assert outcome.position == 3
    assert entries == ["replay", "broken", "link", "broken"]
    assert (old.first, old.last, new.first, new.last) == (1, 2, 3, 6)
