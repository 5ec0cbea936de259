"""A message that a server delivers again with other times and types is one message, and which of them stands depends on no order."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.envelope import content
from tests import model
from tests.engine import HASHER, Engine, difference, judge_of
from tests.promises.project import Json, applied, asked, dump, project, ran, write_contract
from tests.skep.test_cli import skep

EVENT: Json = {
    "type": "track", "event": "Paid", "messageId": "m", "userId": "u", "anonymousId": "d", "timestamp": "2026-01-02T10:00:00Z",
    "properties": {"age": 28, "total": 12.5, "tags": ["1", 2], "paid": True}, "context": {"ip": "10.0.0.1", "library": {"name": "web"}},
}  # fmt: skip
EQUAL: dict[str, Json] = {
    "a number as a text": {"properties": {"age": "28", "total": "12.50", "tags": [1.0, "2"], "paid": True}},
    "with an exponent": {"properties": {"age": "2.8e1", "total": 125e-1, "tags": ["1", 2], "paid": True}},
    "restamped": {"timestamp": "2026-02-02T10:00:00Z", "originalTimestamp": "2026-01-02T10:00:00Z", "sentAt": 1, "receivedAt": 1767348000},
    "from another place": {"context": {"ip": "10.0.0.2", "library": {"name": "server", "version": 2}}},
    "without a context": {"context": None},
    "with empty traits": {"traits": {}},
}
DIFFERENT: dict[str, Json] = {
    "another number": {"properties": EVENT["properties"] | {"age": 28.000000001}},
    "no JSON number": {"properties": EVENT["properties"] | {"age": "028"}},
    "a sign": {"properties": EVENT["properties"] | {"age": "+28"}},
    "a blank": {"properties": EVENT["properties"] | {"age": "28 "}},
    "a boolean as a number": {"properties": EVENT["properties"] | {"paid": 1}},
    "a boolean as a text": {"properties": EVENT["properties"] | {"paid": "true"}},
    "null": {"properties": EVENT["properties"] | {"age": None}},
    "another order of a list": {"properties": EVENT["properties"] | {"tags": [2, "1"]}},
    "another place that counts": {"context": EVENT["context"] | {"channel": "app"}},
    "another user": {"userId": "v"},
}


@pytest.mark.parametrize("what", list(EQUAL))
def test_what_a_server_rewrites_is_no_other_content(what: str) -> None:
    assert content(EVENT | EQUAL[what]) == content(EVENT)


@pytest.mark.parametrize("what", list(DIFFERENT))
def test_anything_else_is(what: str) -> None:
    assert content(EVENT | DIFFERENT[what]) != content(EVENT)


# ── which one stands ────────────────────────────────────────────────────────────────────────────────────────────────
NAMESPACES = [{"name": "account", "from": "properties.account"}, {"name": "device", "from": "anonymousId", "scope": "device"}]
FILES = {"identity.yaml": orjson.dumps({"version": 1, "namespaces": NAMESPACES}).decode()}
LATER = "2026-01-02T11:00:00Z"


def _paid(number: int, **more: Any) -> Json:
    return {"type": "track", "event": "Paid", "messageId": f"m{number}", "timestamp": f"2026-01-02T10:{number:02d}:00Z", **more}


REPEATS: list[Json] = [
    _paid(1, anonymousId="d", properties={"account": 7}),
    _paid(1, anonymousId="d", properties={"account": "7.0"}),
    _paid(1, anonymousId="d", properties={"account": 7}, timestamp=LATER),
    _paid(1, anonymousId="d", properties={"account": 7}, context={"ip": "::1"}),
]
OTHERS = [_paid(2, anonymousId="d"), _paid(3, anonymousId="d", properties={"account": "7.0"}), _paid(4)]


@pytest.mark.parametrize("order", list(permutations(range(len(REPEATS)))))
def test_in_any_order_the_same_one_stands(engine: Engine, order: tuple[int, ...]) -> None:
    """Also where it has another identifier than the one that came first, and that one is named by nothing any more."""
    definitions = load(FILES)
    engine.clear(definitions)
    engine.start(["p"])
    records = [orjson.dumps(REPEATS[at]) for at in order]
    given = [*map(orjson.dumps, OTHERS[:2]), *records, orjson.dumps(OTHERS[2])]
    for record in given:
        engine.feed("p", [record])
    clock = engine.space.meta.clock
    assert clock is not None
    events = judge_of(definitions).judge_many(given, 1, 0)[0]
    expected = model.dump(events, [], definitions, clock, hasher=HASHER)
    assert engine.dump(clock) == expected, difference(engine.dump(clock), expected, order)
    meta = engine.space.meta
    assert (meta.events, meta.duplicate, meta.unidentified, meta.conflict) == (4, 3, 1, 0)
    first = [line for line in engine.dump() if b'"7.0"' in line]
    assert len(first) == 1 + 1 * any(b'"link"' in line for line in first)


# ── as a person meets it ────────────────────────────────────────────────────────────────────────────────────────────
STRICT = {"type": "object", "properties": {"age": {"type": "integer"}}, "additionalProperties": False}
LOOSE = {"type": "object"}
SHOWN = "SELECT message_id, event_time, properties, contract FROM events ORDER BY ALL"


def _shop(folder: Path, redelivered: list[Json]) -> Path:
    """Two days: on the first there is no contract, on the second there is."""
    shop = project(
        folder, {"events/other/1-0-0.json": LOOSE}, [orjson.dumps(_body(body)) for body in redelivered], "unknown_events: accept"
    )
    ran(shop)
    write_contract(shop, "events/paid/1-0-0.json", STRICT)
    applied(shop)
    return shop


def _body(more: Json) -> Json:
    return {"type": "track", "event": "Paid", "messageId": "m", "userId": "u", "timestamp": "2026-01-02T10:00:00Z", **more}


def test_what_its_contract_accepts_stands_and_sql_shows_it(tmp_path: Path) -> None:
    """A text came before there was a contract; the number that the contract takes replaces it, though it is later."""
    shop = _shop(tmp_path / "shop", [{"properties": {"age": "28"}}, {"messageId": "n", "properties": {"age": "5"}}])
    more = [{"properties": {"age": 28}, "timestamp": "2026-01-02T12:00:00Z"}, {"properties": {"age": 28.0}, "timestamp": LATER}]
    with (shop / "events.jsonl").open("ab") as file:
        file.write(b"".join(orjson.dumps(_body(body)) + b"\n" for body in more))
    ran(shop)
    found = asked(shop, "status")
    assert (found["applied"], found["duplicate"], found["conflict"]) == (2, 2, 0)
    [user] = [one for one in map(orjson.loads, dump(shop).splitlines()) if one["kind"] == "identifier"]
    assert (user["first_seen"], user["last_seen"]) == ("2026-01-02T10:00:00.000000Z", "2026-01-02T11:00:00.000000Z")
    assert skep("snapshot", project=shop).returncode == 0
    shown = {one["message_id"]: one for one in asked(shop, "sql", SHOWN)}
    assert shown["m"]["contract"] == "paid/1-0-0"
    assert str(shown["m"]["event_time"]).replace("T", " ").startswith("2026-01-02 11:00:00")
    assert shown["n"]["contract"] in ("", None)
