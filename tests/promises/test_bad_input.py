"""Bad input, end to end: nothing stops the flow, every record is accounted for, and a repair gives what would have been."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.promises.project import Json, asked, dump, flow, project, ran, write_contract
from tests.skep.test_cli import skep

ORDER = "events/order_completed/1-0-0.json"
STRICT = {"type": "object", "properties": {"amount": {"type": "number"}}, "required": ["amount"], "additionalProperties": False}
BUYERS = {"segment": "buyers", "who": {"did": "order_completed", "sum": "amount", "gte": 10}}
CONTRACTS: Json = {ORDER: STRICT, "segments/buyers.yaml": BUYERS}


def event(number: int, **more: Any) -> Json:
    """A good order of user ``u<number>``, a minute after the one before."""
    body: Json = {"type": "track", "event": "Order Completed", "messageId": f"m{number}", "userId": f"u{number}"}
    return {**body, "timestamp": f"2026-01-02T10:{number:02d}:00Z", "properties": {"amount": 20}, **more}


def line(body: Json) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()


def without(body: Json, *keys: str) -> Json:
    return {key: value for key, value in body.items() if key not in keys}


GOOD = [line(event(number)) for number in range(3)]
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "not UTF-8": (b'{"type":"track","event":"caf\xe9"}', "undecodable", "UTF-8"),
    "not JSON": (b'{"type": "track", ', "undecodable", "JSON"),
    "not an object": (b"[1, 2]", "undecodable", "object"),
    "5 MB": (line(event(20, properties={"amount": 1, "note": "x" * 5_000_000})), "too_large", "1000000"),
    "500 levels": (line(event(21))[:-1] + b', "deep": ' + b"[" * 500 + b"]" * 500 + b"}", "undecodable", "100 levels"),
    "NaN": (line(event(22)).replace(b": 20}", b": NaN}"), "undecodable", "JSON"),
    "no such call": (line(event(23, type="click")), "envelope", "click"),
    "a list as user": (line(event(24, userId=["u"])), "envelope", "userId"),
    "20 digits": (line(event(19, properties={"amount": 89014103211118511001})), "envelope", "properties.amount"),
    "no time": (line(without(event(25), "timestamp")), "envelope", "timestamp"),
    "no time that can be read": (line(event(26, timestamp="last Tuesday")), "envelope", "last Tuesday"),
    "year 0": (line(event(27, timestamp="0000-01-01T00:00:00Z")), "envelope", "0000"),
    "year 1": (line(event(28, timestamp="0001-01-01T00:00:00Z")), "too_late", "0001-01-01"),
    "year 9999": (line(event(29, timestamp="9999-12-31T23:59:59Z")), "future", "9999-12-31"),
    "unknown event": (line(event(30, event="Coffee Spilled")), "unknown_event", "coffee_spilled"),
    "against its contract": (line(event(31, properties={"amount": "20"})), "invalid", "amount"),
    "another content": (line(event(1, properties={"amount": 21})), "conflict", "m1"),
}  # fmt: skip
TIMES = {
    "2026-01-02T10:30:00.123456Z": "10:30:00.123456", "2026-01-02 10:30:00+02:00": "08:30:00", "2026-01-02": "00:00:00",
    1767349800: "10:30:00", 1767349800500: "10:30:00.5", "2026-01-02T10:30:00": "10:30:00",
    "2026-01-02 10:30:00 UTC": "10:30:00",
}  # fmt: skip
REPAIRED: list[Json] = [
    event(40, userId=40),
    without(event(41), "messageId"),
    *(event(42 + at, timestamp=said) for at, said in enumerate(TIMES)),
    event(58, sentAt=0, receivedAt="2026-01-02T10:58:00Z", context=[]),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow that has met all of it, each between good ones; the retry without a message id comes twice."""
    lines = [*GOOD, *(raw for raw, _, _ in REFUSED.values()), *map(line, REPAIRED), line(REPAIRED[1]), line(event(59))]
    folder = project(tmp_path_factory.mktemp("bad") / "shop", CONTRACTS, lines)
    done = skep("run", "--once", project=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_everything_is_counted_once(shop: Path) -> None:
    """received = applied + duplicate + conflict + quarantined; a conflict counts only as one."""
    found = asked(shop, "status")
    assert found["received"] == len(GOOD) + len(REFUSED) + len(REPAIRED) + 2
    assert found["applied"] == len(GOOD) + len(REPAIRED) + 1
    assert (found["duplicate"], found["conflict"]) == (1, 1)
    assert found["quarantined"] == len(REFUSED) - 1
    assert found["received"] == sum(found[key] for key in ("applied", "duplicate", "conflict", "quarantined"))
    assert sum(found["quarantine"].values()) == len(REFUSED)


@pytest.mark.parametrize("what", list(REFUSED))
def test_quarantine_keeps_reason_detail_and_the_bytes(shop: Path, what: str) -> None:
    """Each under its reason, with words that name the trouble, and as received to the byte."""
    raw, reason, says = REFUSED[what]
    position = len(GOOD) + list(REFUSED).index(what) + 1
    [row] = [row for row in asked(shop, "quarantine", "list") if row["position"] == position]
    [row] = asked(shop, "quarantine", "show", row["id"])
    kept = base64.b64decode(row["raw_base64"]) if "raw_base64" in row else row["raw"].encode()
    assert (row["reason"], kept) == (reason, raw)
    assert says in row["detail"], row["detail"]
    assert bool(row["schema_path"]) == (reason == "invalid")


def test_repairs_are_the_documented_ones(shop: Path) -> None:
    """A number as user id, a made-up message id, ways to write a time, a clock that nobody has set."""
    lines = [json.loads(one) for one in dump(shop).splitlines()]
    seen = {one["value"]: one["first_seen"] for one in lines if one["kind"] == "identifier"}
    assert "40" in seen
    assert len([one for one in lines if one["kind"] == "message" and one["id"].startswith("m_")]) == 1
    for at, told in enumerate(TIMES.values()):
        assert seen[f"u{42 + at}"].startswith(f"2026-01-02T{told}")
    assert (seen["u58"], asked(shop, "status")["uncorrected"]) == ("2026-01-02T10:58:00.000000Z", 1)
    assert "1 events say that they were sent more than a day before they happened" in skep("status", project=shop).stdout


def test_reading_on_after_the_end_changes_nothing(shop: Path) -> None:
    before, counted = dump(shop), without(asked(shop, "status"), "snapshot")
    ran(shop)
    assert dump(shop) == before
    assert without(asked(shop, "status"), "snapshot") == counted


# ── a contract fixed afterwards ─────────────────────────────────────────────────────────────────────────────────────
LOOSE = {**STRICT, "properties": {"amount": {"type": ["number", "string"]}, "coupon": {"type": "string"}}}
BROKEN = [
    line(event(1)),
    line(event(2, properties={"amount": 5, "coupon": "A"}, anonymousId="d")),
    line(event(3, properties={"amount": "many"})),
    line(event(1, properties={"amount": 7, "coupon": "B"})),
    line(event(4, userId="u2", anonymousId="e")),
    line(event(9, userId="u2", anonymousId="d")),
]


def test_a_replay_after_the_fix_gives_what_would_have_been(tmp_path: Path) -> None:
    """As if the contract had been right from the start; a conflict stays one; with no flow running the next one does it."""
    late = project(tmp_path / "late", CONTRACTS, BROKEN)
    ran(late)
    # Judged by the first contract the second content is not even an event.
    assert asked(late, "status")["quarantine"] == {"invalid": 3}
    write_contract(late, ORDER, LOOSE)
    done = skep("quarantine", "replay", "--apply", project=late)
    assert done.returncode == 0, done.stderr
    assert "no flow is running, the next one will do it" in done.stdout
    ran(late)
    right = project(tmp_path / "right", {**CONTRACTS, ORDER: LOOSE}, BROKEN)
    ran(right)
    assert dump(late) == dump(right)
    told = ("received", "applied", "duplicate", "conflict", "quarantined", "unidentified", "clock", "segments", "quarantine")
    ours, theirs = asked(late, "status"), asked(right, "status")
    assert {key: ours[key] for key in told} == {key: theirs[key] for key in told}
    assert (ours["conflict"], ours["quarantined"]) == (1, 0)
    assert skep("quarantine", "replay", project=late).returncode == 0
    ran(late)
    assert asked(late, "status")["quarantine"] == {"conflict": 1}
    assert dump(late) == dump(right)
    snapshot = "SELECT message_id, profile_id FROM attributions ORDER BY ALL", "SELECT message_id FROM events ORDER BY ALL"
    for folder in (late, right):
        assert skep("snapshot", project=folder).returncode == 0
    for query in snapshot:
        assert asked(late, "sql", query) == asked(right, "sql", query)


# ── broken definitions ──────────────────────────────────────────────────────────────────────────────────────────────
SEGMENT = "segments/buyers.yaml"
BROKEN_FILES: dict[str, tuple[str, Any, str, str]] = {
    "broken YAML": (SEGMENT, "segment: buyers\nwho: [unclosed\n", f"{SEGMENT}:", ""),
    "unknown key": (SEGMENT, "segment: buyers\nwhom: {did: order_completed}\n", f"{SEGMENT}:2", "whom"),
    "no schema": (ORDER, {"type": "objekt"}, ORDER, "type"),
    "unknown event": (SEGMENT, "segment: buyers\nwho:\n  did: order_finished\n", f"{SEGMENT}:3", "did"),
    "unknown property": (SEGMENT, "segment: buyers\nwho:\n  did: order_completed\n  sum: amuont\n  gte: 3\n", f"{SEGMENT}:4", "sum"),
    "two files for one version": ("events/Order Completed/1-0-0.json", STRICT, "1-0-0.json", "order_completed"),
    "a Python file": ("segments/buyers.py", "print('hello')\n", "segments/buyers.py", ""),
}


@pytest.mark.parametrize("what", list(BROKEN_FILES))
def test_broken_definitions_start_nothing(tmp_path: Path, what: str) -> None:
    """`skep check` and both flows name file, line and key, exit with 1, and leave no state behind."""
    path, content, place, key = BROKEN_FILES[what]
    folder = project(tmp_path / "shop", {**CONTRACTS, path: content}, GOOD)
    checked = skep("check", project=folder)
    assert checked.returncode == 1
    assert place in checked.stderr, checked.stderr
    assert key in checked.stderr
    for name in ("flows.cdp", "flows.activation"):
        done = flow(folder, name)
        assert done.returncode == 1, (name, done.stderr)
        assert checked.stderr.strip() in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
    nothing, _, why = skep("run", "--once", project=folder).stderr.partition("\n")
    assert nothing == "nothing was read: files are broken, and nothing is in force yet in shop"
    assert why == checked.stderr
    assert not (folder / "data").exists()
