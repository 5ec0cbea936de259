"""The model itself: hand-made examples, and that it is a function of the set of events."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import contracts
from contracts.model.batches import Event
from contracts.model.definitions import Definitions, Predicate
from contracts.model.hashing import Hasher, profile_id
from operators.judge import Judge
from tests.drawn_definitions import PROPERTIES
from tests.generator import DAY_US, Scenario, scenario, scenarios, to_events
from tests.model import dump
from tests.model_links import accepted, content, instant
from tests.model_segments import Exact, satisfies, some_value, values_at

HASHER = Hasher("secret", "shop")
NOW = "2026-01-31T12:00:00Z"


def load(**files: Any) -> Definitions:
    """Definitions of a small shop; ``segments`` by name, other files by the name of the file."""
    texts: dict[str, Any] = {f"events/{name}/1-0-0.json": {"properties": {p: {} for p in names}} for name, names in PROPERTIES.items()}
    for name, who in files.pop("segments", {}).items():
        texts[f"segments/{name}.yaml"] = {"segment": name, **(who if "who" in who else {"who": who})}
    texts |= {f"{name}.yaml": content for name, content in files.items()}
    return contracts.load({path: json.dumps(content) for path, content in texts.items()})


def track(message_id: str, time: str, name: str = "order_completed", user: str = "u", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": name, "messageId": message_id, "timestamp": time, "userId": user, **more}


def order(message_id: str, time: str, **properties: Any) -> dict[str, Any]:
    return track(message_id, time, properties=properties)


def lines_of(definitions: Definitions, *bodies: dict[str, Any], at: str = NOW, control: list[Any] | None = None) -> list[dict[str, Any]]:
    lines = dump(to_events(bodies, definitions), control or [], definitions, instant(at), hasher=HASHER)
    return [orjson.loads(line) for line in lines]


def profile(definitions: Definitions, *bodies: dict[str, Any], user: str = "u", at: str = NOW) -> dict[str, Any]:
    """The profile line of one user id."""
    wanted = profile_id(HASHER.identifier("user_id", user))
    return next(line for line in lines_of(definitions, *bodies, at=at) if line["kind"] == "profile" and line["id"] == wanted)


# ── events and lines ────────────────────────────────────────────────────────────────────────────────────────────────
def test_lines() -> None:
    """One line of each kind, to the byte."""
    definitions = load(segments={"buyers": {"did": "order_completed"}})
    body = {**order("m1", "2026-01-31T10:00:00.5Z"), "anonymousId": "d"}
    pid = profile_id(HASHER.identifier("user_id", "u"))
    seen = '"first_seen":"2026-01-31T10:00:00.500000Z"', '"last_seen":"2026-01-31T10:00:00.500000Z"'
    key = json.dumps(next(iter(definitions.features)))
    assert [line.decode() for line in dump(to_events([body], definitions), [], definitions, instant(NOW), hasher=HASHER)] == [
        f'{{"a":["user_id","u"],"b":["anonymous_id","d"],"count":1,{seen[0]},"kind":"link",{seen[1]},"message":"m1","space":"shop","type":"deterministic"}}',
        f'{{"confidence":1.0,"consents":{{}},"features":{{{key}:1}},"id":"{pid}","kind":"profile","segments":["buyers"],"space":"shop","traits":{{}}}}',
        f'{{{seen[0]},"kind":"identifier",{seen[1]},"namespace":"anonymous_id","profile":"{pid}","space":"shop","value":"d"}}',
        f'{{{seen[0]},"kind":"identifier",{seen[1]},"namespace":"user_id","profile":"{pid}","space":"shop","value":"u"}}',
        f'{{"id":"m1","kind":"message","profile":"{pid}","space":"shop"}}',
    ]


def test_repeats() -> None:
    """The first content of a message id stands, and the smallest time of its repeats."""
    first = order("m", "2026-01-10T10:00:00Z", amount=1)
    earlier = {**first, "sentAt": "2026-01-10T10:00:00Z", "receivedAt": "2026-01-10T09:00:00Z"}
    other = {**order("m", "2026-01-10T08:00:00Z", amount=1), "userId": "v"}
    (event,) = accepted(to_events([first, other, earlier], load()))
    assert (event.time_us, event.body["userId"]) == (instant("2026-01-10T09:00:00Z"), "u")


def test_numbers_that_python_takes_for_one_are_another_content() -> None:
    """``true`` and ``1`` are not the same content."""
    events = to_events([order("m", "2026-01-10T10:00:00Z", amount=1), order("m", "2026-01-10T08:00:00Z", amount=True)], load())
    assert accepted(events) == events[:1]


# ── traits and features ─────────────────────────────────────────────────────────────────────────────────────────────
def identify(message_id: str, time: str, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "messageId": message_id, "timestamp": time, "userId": "u", "traits": traits}


def test_plain_traits() -> None:
    """The last write by time, then by message id, stands; null hides."""
    calls = [
        identify("b", "2026-01-02T00:00:00Z", plan="gold", city="Berlin", tier=1),
        identify("a", "2026-01-02T00:00:00Z", plan="free", tier=2.50),
        identify("c", "2026-01-01T00:00:00Z", plan="old", tier=3),
        identify("d", "2026-01-03T00:00:00Z", city=None),
    ]
    assert profile(load(), *calls)["traits"] == {"plan": "gold", "tier": 1}


@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ({"count": True}, 4),
        ({"sum": "amount"}, 0.3),
        ({"first": "sku"}, "B"),
        ({"last": "sku"}, "A"),
        ({"set": "sku"}, ["A", "B", "C"]),
        ({"set": "sku", "limit": 2}, ["A", "C"]),
        ({"last": "currency"}, None),
    ],
)
def test_computed_traits(how: dict[str, Any], shown: object) -> None:
    """Equal times are ordered by message id; a set keeps its newest values, of equal times the larger."""
    orders = [
        order("m2", "2026-01-02T00:00:00Z", sku="A", amount=0.2),
        order("m1", "2026-01-02T00:00:00Z", sku="C", amount=0.1),
        order("m3", "2026-01-01T00:00:00Z", sku="B", amount="5"),
        order("m4", "2026-01-03T00:00:00Z", sku=None, amount=None),
    ]
    definitions = load(traits={"traits": [{"name": "t", "did": "order_completed", **how}]})
    found = profile(definitions, *orders, identify("i", "2026-01-09T00:00:00Z", t="hidden"))
    assert found["traits"] == ({} if shown is None else {"t": shown})


@pytest.mark.parametrize(
    ("condition", "member"),
    [
        ({"times": {"eq": 3}}, True),
        ({"within": "1h", "times": {"eq": 1}}, True),  # 11:00:00 has just left, 12:00:00 belongs
        ({"within": "3601s", "times": {"eq": 2}}, True),
        ({"sum": "amount", "eq": 0.3}, True),
        ({"sum": "amount", "within": "1h", "eq": 0}, True),
        ({"distinct": "sku", "eq": 2}, True),  # 1 and 1.0 are one value, "1" another, null none
        ({"times": {"eq": 1}, "where": {"items[].sku": "A"}}, True),
        ({"times": {"eq": 0}, "where": {"items[].sku": {"starts_with": "A", "ends_with": "B"}}}, True),
        ({"times": {"eq": 2}, "where": {"context.channel": ["web", "app"]}}, True),
        ({"times": {"eq": 2}, "where": {"context.channel": {"exists": True}}}, True),
        ({"times": {"eq": 1}, "where": {"context.channel": {"exists": False}}}, True),
    ],
)
def test_did(condition: dict[str, Any], member: bool) -> None:
    """Windows leave out their start and hold their end; sums are exact."""
    orders = [
        order("m1", "2026-01-31T11:00:00Z", sku=1, amount=0.1, items=[{"sku": "A"}, {"sku": "B"}]) | {"context": {"channel": "web"}},
        order("m2", "2026-01-31T12:00:00Z", sku="1", amount="7") | {"context": {"channel": "app"}},
        order("m3", "2026-01-30T12:00:00Z", sku=1.0, amount=0.2),
    ]
    definitions = load(segments={"s": {"did": "order_*", **condition}})
    assert (profile(definitions, *orders)["segments"] == ["s"]) is member


# ── predicates ──────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("value", "op", "operand", "holds"),
    [
        (5, "eq", 5.0, True), (5, "eq", "5", False), (True, "eq", 1, False), (0.1, "eq", 0.1000000001, True), ([1], "eq", [1.0], True),
        ("a", "ne", 5, True), ("a", "not_in", ["b"], True), ("A", "eq", "a", False), ("x", "in", ["y", "x"], True),
        (2, "gt", 1.999999, True), ("2", "gt", 1, False), ("b", "gt", "a", True), ("Z", "lt", "a", True), (True, "gte", 0, False),
        (3, "between", [3, 4], True), (Exact(300_000), "eq", 0.3, True), (Exact(0), "lt", 0.000001, True),
        ("abc", "contains", "b", True),
        (5, "not_contains", "b", False), ("abc", "not_starts_with", "b", True), ("abc", "ends_with", "bc", True),
        ("abc", "not_ends_with", "c", False), ("", "is", "empty", True), ([], "is", "empty", True), (0, "is", "empty", False),
        (0, "exists", True, True), (0, "exists", False, False), (False, "is", "boolean", True), (1.5, "is", "number", True),
    ],
)  # fmt: skip
def test_predicates(value: object, op: str, operand: object, holds: bool) -> None:
    """Only values of one kind are equal or ordered."""
    assert satisfies(value, Predicate(op, operand), "UTC") is holds


@pytest.mark.parametrize(
    ("value", "op", "operand", "holds"),
    [
        ("2026-01-10T22:59:59Z", "gt", "2026-01-10", False),  # Berlin's 10 January ends at 23:00 UTC
        ("2026-01-10T23:00:00Z", "gt", "2026-01-10", True),
        ("2026-01-09T23:00:00Z", "gte", "2026-01-10", True),
        ("2026-01-09T22:59:59Z", "lt", "2026-01-10", True),
        ("2026-01-10", "lt", "2026-01-10T12:00:00Z", False),
        ("2026-01-10", "lte", "2026-01-10", True),
        ("2026-01-10", "between", ["2026-01-10", "2026-01-12"], True),
        ("2026-01-10T10:00:00+01:00", "gte", "2026-01-10T09:00:00Z", True),
        ("soon", "gt", "2026-01-10", False),
        ("2026-02-31", "gt", "2026-01-10", False),
        (20260111, "gt", "2026-01-10", False),
        ("2026-01-10", "gt", "2026", True),  # no date: texts
    ],
)
def test_dates(value: object, op: str, operand: object, holds: bool) -> None:
    """A date alone is its whole day in the time zone."""
    assert satisfies(value, Predicate(op, operand), "Europe/Berlin") is holds


@pytest.mark.parametrize("predicate", [("ne", 1), ("not_in", [1]), ("not_contains", "a"), ("is", "number"), ("gte", 0)])
@pytest.mark.parametrize("root", [{}, {"a": None}, {"a": []}, {"a": {"b": None}}])
def test_missing_values_satisfy_nothing(root: object, predicate: tuple[str, Any]) -> None:
    """Only `exists: false` and `is: empty` hold of what is not there."""
    assert not some_value(root, "a.b", [Predicate(*predicate)], "UTC")
    assert some_value(root, "a.b", [Predicate("exists", False), Predicate("is", "empty")], "UTC")


def test_paths() -> None:
    """Names, indexes, some item, and keys that hold a dot."""
    root = {"a": [{"b": 1}, {"b": 2}, 3], "x.y": {"z": 4}}
    assert values_at(root, "a[1].b") == [2]
    assert values_at(root, "a[].b")[:2] == [1, 2]
    assert values_at(root, '["x.y"].z') == [4]
    assert values_at({"a": []}, "a[].b") == []


# ── segments and consent ────────────────────────────────────────────────────────────────────────────────────────────
CONSENT = {"purposes": [{"name": "marketing", "default": "denied"}, {"name": "analytics", "default": "granted"}]}


def decide(message_id: str, time: str, granted: bool, **who: str) -> dict[str, Any]:
    preferences = {"categoryPreferences": {"marketing": granted}}
    return {"type": "track", "event": "Consent Updated", "messageId": message_id, "timestamp": time, "properties": preferences, **who}


@pytest.mark.parametrize(
    ("login", "granted"),
    [
        ("2026-01-02T10:00:00Z", True),  # the two were joined when the grant came: it overrides
        ("2026-01-04T10:00:00Z", False),  # they were strangers then: denial wins
    ],
)
def test_consent_overrides_only_when_joined(login: str, granted: bool) -> None:
    """A decision overrides an earlier one of another identifier if links first seen by its time joined both."""
    bodies = [
        decide("m1", "2026-01-01T10:00:00Z", False, anonymousId="d"),
        track("m2", login, anonymousId="d"),
        decide("m3", "2026-01-03T10:00:00Z", True, userId="u"),
    ]
    definitions = load(consent=CONSENT, segments={"s": {"who": {"consent": "analytics"}, "purpose": "marketing"}})
    found = profile(definitions, *bodies)
    assert (found["consents"], found["segments"]) == ({"marketing": granted}, ["s"] if granted else [])


def test_segments_name_segments() -> None:
    """all, any, not, segment and consent defaults."""
    segments = {
        "a": {"not": {"segment": "z"}},
        "b": {"all": [{"segment": "z"}, {"consent": "analytics"}]},
        "c": {"any": [{"segment": "a"}, {"consent": "marketing"}]},
        "z": {"trait": "plan", "eq": "gold"},
    }
    definitions = load(consent=CONSENT, segments=segments)
    assert profile(definitions, identify("m", "2026-01-01T00:00:00Z", plan="gold"))["segments"] == ["b", "z"]
    assert profile(definitions, identify("m", "2026-01-01T00:00:00Z", plan="free"))["segments"] == ["a", "c"]


# ── generated ───────────────────────────────────────────────────────────────────────────────────────────────────────
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios(), st.randoms(use_true_random=False))
def test_order_and_repeats_do_not_matter(found: Scenario, rng: Any) -> None:
    """Any order of the same events and entries, each any number of times, gives the same bytes."""
    definitions = contracts.load(found.definitions_files)
    events = to_events(found.events, definitions)
    at = found.at(events)
    expected = dump(events, found.control, definitions, at, hasher=HASHER)
    again = events + rng.sample(events, len(events) // 2)
    rng.shuffle(again)
    control = rng.sample(found.control, len(found.control)) + found.control[:1]
    assert dump(again, control, definitions, at, hasher=HASHER) == expected


@pytest.mark.parametrize("seed", range(20))
def test_events_are_what_validate_makes_of_them(seed: int) -> None:
    """Every generated body is accepted, as the event that the plain conversion gives."""
    found = scenario(seed, 30)
    definitions = contracts.load(found.definitions_files)
    judge = Judge(definitions, unknown_ok=False, future_skew_us=DAY_US, max_event_bytes=10**6)
    for event in to_events(found.events, definitions):
        judged = judge.judge(event.raw, event.position, instant("2027-01-01T00:00:00Z"))
        assert isinstance(judged, Event), judged
        expected = orjson.loads(event.raw)
        for name in ("time_us", "message_id", "type", "name", "identifiers", "properties", "traits", "consents", "received_at_us"):
            assert getattr(judged, name) == getattr(event, name), (name, expected)
        assert judged.body == expected


def test_smaller_scenarios_are_prefixes() -> None:
    """Shrinking the size keeps the events of the smaller scenario."""
    large, small = scenario(7, 30), scenario(7, 10)
    assert {e["messageId"] for e in small.events} < {e["messageId"] for e in large.events}
    assert small.definitions_files == large.definitions_files
    assert small.control == large.control


def test_conflicting_contents_on_demand() -> None:
    """Only the flag brings a second content of a message id."""
    for conflicting in (False, True):
        drawn = [scenario(seed, 20, conflicting=conflicting) for seed in range(20)]
        events = [(one.seed, event) for one in drawn for event in to_events(one.events, contracts.load(one.definitions_files))]
        contents = {(seed, event.message_id, content(event)) for seed, event in events}
        assert (len(contents) > 20 * 20) is conflicting
