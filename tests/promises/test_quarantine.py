"""Quarantine converges: records that were refused, repaired and replayed give what the right contract would have given."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import load
from contracts.model.batches import SourceBatch
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.text.times import iso, parse_time
from operators.sandbox import Sandbox
from operators.validate import Validate
from skep.answers.quarantine.patches import apply_patch
from state.shard import Shard
from tests.promises.project import applied, asked, dump, project, ran, write_contract
from tests.skep.test_cli import skep

DAY_US = 86_400_000_000
START_US = parse_time("2026-03-01T00:00:00Z") or 0
HORIZON_US = 3 * DAY_US
END_US = START_US + 60 * DAY_US
ORDER = "events/order_completed/1-0-0.json"
FILES = {
    "identity.yaml": "namespaces:\n  - {name: user_id, from: userId}\n  - {name: device, from: anonymousId, scope: device}\n",
    "traits.yaml": "traits:\n  - {name: spent, did: order_completed, sum: amount}\n",
    "segments/buyers.yaml": "segment: buyers\nwho: {did: order_completed, sum: amount, gte: 10}\n",
    "segments/recent.yaml": "segment: recent\nwho: {did: order_completed, times: {gte: 2}, within: 45d}\n",
}
Json = dict[str, Any]


def schema(amount: Json) -> str:
    properties = {"amount": amount, "code": {"type": "string"}}
    return orjson.dumps({"type": "object", "properties": properties, "required": ["amount"], "additionalProperties": False}).decode()


STRICT = load({**FILES, ORDER: schema({"type": "number", "maximum": 5})})
RIGHT = load({**FILES, ORDER: schema({"type": "number"})})
BUNDLES = {one.digest: one for one in (STRICT, RIGHT)}


class Shop:
    """Validate and people of one space, in process, fed as the flow feeds them."""

    def __init__(self, folder: Path) -> None:
        hasher = Hasher("test", "shop")
        self.validate = Validate(BUNDLES.__getitem__, {}, unknown_ok=False, future_skew_us=1 << 60, max_event_bytes=100_000)
        self.shard = Shard(folder)
        box = Sandbox("shop", self.shard, hasher, load=BUNDLES.__getitem__, judge=self.validate.judge, horizon_us=HORIZON_US)
        self.space, self.view = box.space, box.view
        self.space.start(["web"])
        self._entries = 0

    def feed(self, *records: bytes, partition: str = "web", finished: bool = False) -> None:
        done = self.space.meta.applied.get(partition, 0)
        batch = SourceBatch("shop", partition, partition, done + 1, done + len(records), list(records), START_US, finished=finished)
        for part in self.validate.batch(batch):
            self.space.apply(part)

    def control(self, **entry: Any) -> Json:
        """Commit an entry; the answer."""
        self._entries += 1
        name = f"c{self._entries}"
        self.feed(orjson.dumps({**entry, "messageId": name, "timestamp": iso(START_US)}), partition="control")
        answer = self.view.answer(name)
        assert answer is not None
        assert answer["ok"]
        return answer

    def use(self, definitions: Definitions) -> None:
        self.control(type="definitions", digest=definitions.digest)

    def quarantine(self) -> list[Any]:
        return list(self.view.quarantine.entries())

    def replay(self, rows: list[Any]) -> Json:
        return self.control(type="replay", entries=[entry(row, row.raw) for row in rows])

    def edit(self, rows: list[Any], patch: list[Json], *, feed: bool = False) -> Json:
        entries = [entry(row, apply_patch(patch, row.raw)) for row in rows]
        return self.control(type="edit", entries=entries, patch=patch, why="cents", who="ann", replay=feed)

    def books(self) -> None:
        """Every record received is in exactly one place."""
        found = self.view.status()
        assert found["received"] == sum(found[key] for key in ("applied", "duplicate", "conflict", "quarantined", "dropped")), found
        assert sum(found["quarantine"].values()) == len(self.quarantine())


def entry(row: Any, raw: bytes) -> Json:
    return {"id": row.id, "raw": base64.b64encode(raw).decode(), "received_at_us": row.received_at_us}


@contextmanager
def shop(definitions: Definitions) -> Iterator[Shop]:
    with tempfile.TemporaryDirectory() as folder:
        one = Shop(Path(folder) / "shard")
        one.use(definitions)
        yield one
        one.shard.close()


@st.composite
def orders(draw: st.DrawFn) -> list[Json]:
    """Orders of few people over a month, in any order, some of them sent again by a clock that is right by then."""
    found: list[Json] = []
    for number in range(draw(st.integers(2, 12))):
        body: Json = {"type": "track", "event": "Order Completed", "messageId": f"m{number}"}
        body["properties"] = {"amount": draw(st.sampled_from([1, 4, 5, 6, 7.5, 40]))}
        body |= draw(st.sampled_from([{"userId": "u1"}, {"userId": "u2"}, {"anonymousId": "d"}, {"userId": "u2", "anonymousId": "d"}]))
        at = START_US + draw(st.integers(0, 30)) * DAY_US + number
        body["originalTimestamp"] = iso(at)
        sent = [iso(at + draw(st.integers(0, 2)) * 1_000_000) for _ in range(draw(st.integers(1, 2)))]
        found += [{**body, "sentAt": one, "receivedAt": iso(at + 9_000_000)} for one in sent]
    return draw(st.permutations(found))


def lines(bodies: list[Json]) -> list[bytes]:
    return [orjson.dumps(body) for body in bodies]


def wanted(bodies: list[Json]) -> list[bytes]:
    """The dump of a run with the right contract from the start, what came too late replayed."""
    with shop(RIGHT) as right:
        right.feed(*lines(bodies), finished=True)
        right.replay(right.quarantine())
        assert right.quarantine() == []
        return list(right.view.dump(END_US))


@settings(max_examples=60)
@given(orders(), st.integers(0, 1 << 30))
def test_replays_give_what_the_right_contract_would_have_given(bodies: list[Json], seed: int) -> None:
    """The contract is put right at any moment; the replays come in any order, in several parts, before and after others."""
    rng = Random(seed)
    with shop(STRICT) as found:
        cut = rng.randrange(len(bodies) + 1)
        found.feed(*lines(bodies[:cut]))
        if rng.random() < 0.5:
            found.replay(found.quarantine())
        found.use(RIGHT)
        rest = bodies[cut:]
        while rest:
            size = rng.randint(1, len(rest))
            found.feed(*lines(rest[:size]))
            rest = rest[size:]
            rows = found.quarantine()
            found.replay(rng.sample(rows, rng.randint(0, len(rows))))
            found.books()
        found.feed(finished=True)
        while rows := found.quarantine():
            answer = found.replay(rng.sample(rows, rng.randint(1, len(rows))))
            assert (answer["refused"], answer["gone"]) == (0, 0)
        found.books()
        assert list(found.view.dump(END_US)) == wanted(bodies)


@settings(max_examples=60)
@given(orders(), st.integers(0, 1 << 30))
def test_edits_give_what_right_records_would_have_given(bodies: list[Json], seed: int) -> None:
    """A producer adds a property that nobody knows to some records; it is taken out again, and they are replayed with it or later."""
    rng = Random(seed)
    broken = [{**one, "properties": {**one["properties"], "promo": "x"}} if rng.random() < 0.6 else one for one in bodies]
    patch: list[Json] = [{"op": "remove", "path": "/properties/promo"}]
    with shop(RIGHT) as found:
        found.feed(*lines(broken), finished=True)
        rows = [row for row in found.quarantine() if row.reason == "invalid"]
        rng.shuffle(rows)
        half = len(rows) // 2
        assert found.edit(rows[:half], patch, feed=True)["edited"] == half
        answer = found.edit(rows[half:], patch)
        assert answer["passing"] == answer["edited"] == len(rows) - half
        found.books()
        waiting = [row for row in found.quarantine() if row.reason == "edited"]
        assert len(waiting) == len(rows) - half
        assert all(b"promo" in row.original and b"promo" not in row.raw for row in waiting)
        assert [(edit.who, edit.why) for row in waiting for edit in row.edits] == [("ann", "cents")] * len(waiting)
        found.replay(found.quarantine())
        assert found.quarantine() == []
        found.books()
        assert list(found.view.dump(END_US)) == wanted(bodies)


ONE: Json = {"type": "track", "event": "Order Completed", "userId": "u", "timestamp": iso(START_US), "properties": {"amount": 4}}


def test_a_conflict_stays_one_until_its_message_id_is_another() -> None:
    """Neither a replay nor an edit of its content lets it in; under an id of its own it is an event."""
    first, second = {**ONE, "messageId": "m"}, {**ONE, "messageId": "m", "properties": {"amount": 5}}
    with shop(RIGHT) as found:
        found.feed(*lines([first, second]))
        [row] = found.quarantine()
        assert found.replay([row])["refused"] == 1
        replace: Json = {"op": "replace", "path": "/properties/amount", "value": 4}
        assert found.edit([row], [replace], feed=True)["refused"] == 1
        [row] = found.quarantine()
        assert (row.reason, found.view.status()["conflict"]) == ("conflict", 1)
        assert found.edit([row], [{**replace, "path": "/messageId", "value": "m2"}], feed=True)["applied"] == 1
        assert (found.quarantine(), found.view.status()["conflict"], found.view.status()["applied"]) == ([], 0, 2)
        assert list(found.view.quarantine.settled()) == [("q-0", "web", 2, found.space.meta.applied["control"])]
        found.books()


def test_a_repair_of_other_bytes_changes_nothing() -> None:
    """Two people edit one record at once: the second edit was made of what is no longer there."""
    with shop(STRICT) as found:
        found.feed(*lines([{**ONE, "messageId": "m", "properties": {"amount": 6}}]))
        [row] = found.quarantine()
        raw = apply_patch([{"op": "replace", "path": "/properties/amount", "value": 3}], row.raw)
        twice = {**entry(row, raw), "of": "0" * 16}
        assert found.control(type="edit", entries=[twice], patch=[], replay=True)["changed"] == 1
        assert found.quarantine() == [row]
        assert found.edit([row], [{"op": "replace", "path": "/properties/amount", "value": 2}], feed=True)["applied"] == 1


def test_dropped_records_leave_the_list_and_not_the_books() -> None:
    """Counted as dropped; what is dropped is neither replayed, edited nor dropped again."""
    with shop(STRICT) as found:
        found.feed(*lines([{**ONE, "messageId": f"m{at}", "properties": {"amount": 6}} for at in range(3)]), b"no JSON")
        rows = found.quarantine()
        assert found.control(type="drop", ids=["q-0", "q-3", "q-77", "x"], why="a test") == {
            "ok": True, "type": "drop", "dropped": 2, "gone": 2,
        }  # fmt: skip
        assert [row.id for row in found.quarantine()] == ["q-1", "q-2"]
        assert (found.view.quarantine.entry("q-0"), found.view.status()["dropped"]) == (None, 2)
        assert found.control(type="drop", ids=["q-0"], why="again")["gone"] == 1
        found.use(RIGHT)
        answer = found.replay(rows)
        assert (answer["applied"], answer["gone"]) == (2, 2)
        assert list(found.view.quarantine.settled()) == [("q-0", "web", 1, None), ("q-3", "web", 4, None)]
        found.books()


@pytest.mark.parametrize("broken", [{"type": "drop", "ids": "q-0"}, {"type": "drop"}, {"type": "edit"}, {"type": "edit", "entries": [{}]}])
def test_a_broken_repair_stops_nothing(broken: Json) -> None:
    """Written by hand and not as it should be, it is answered and changes nothing."""
    with shop(STRICT) as found:
        found.feed(b"no JSON")
        found.feed(orjson.dumps(broken), partition="control")
        assert len(found.quarantine()) == 1
        assert found.space.meta.applied["control"] == 2


# ── a contract that goes and comes back ─────────────────────────────────────────────────────────────────────────────
SCHEMA = orjson.loads(schema({"type": "number"}))


def test_a_contract_deleted_while_its_events_are_in_flight(tmp_path: Path) -> None:
    """They are quarantined, and come back when it returns: the state is that of a project that always had it."""
    bodies = [{**ONE, "messageId": f"m{at}", "userId": f"u{at % 3}", "timestamp": iso(START_US + at * 1_000_000)} for at in range(9)]
    contracts = {"events/order_completed/1-0-0.json": SCHEMA, "traits.yaml": "traits:\n  - {name: city}\n"}
    gone = project(tmp_path / "gone", contracts, lines(bodies[:3]))
    ran(gone)
    (gone / "contracts" / ORDER).unlink()
    applied(gone)
    with (gone / "events.jsonl").open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines(bodies[3:6])))
    ran(gone)
    assert asked(gone, "status")["quarantine"] == {"unknown_event": 3}
    [cause] = asked(gone, "quarantine", "list", "--grouped")
    assert (cause["reason"], cause["event"], cause["records"]) == ("unknown_event", "order_completed", 3)
    assert asked(gone, "quarantine", "replay", "--dry-run")["fail"] == 3
    write_contract(gone, ORDER, SCHEMA)
    applied(gone)
    assert asked(gone, "quarantine", "replay", "--dry-run")["pass"] == 3
    with (gone / "events.jsonl").open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines(bodies[6:])))
    assert skep("quarantine", "replay", project=gone).returncode == 0
    ran(gone)
    always = project(tmp_path / "always", contracts, lines(bodies))
    ran(always)
    assert dump(gone) == dump(always)
    assert asked(gone, "status")["quarantine"] == {}
    for folder in (gone, always):
        assert skep("snapshot", project=folder).returncode == 0
    query = "select message_id, event_time, contract, properties from events order by all"
    assert asked(gone, "sql", query) == asked(always, "sql", query)
