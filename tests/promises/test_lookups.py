"""What lookups find is a matter of positions: whatever comes in which order, is repeated, or read again, judges alike."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import Event, SourceBatch
from contracts.model.definitions import Definitions
from contracts.model.lookup import Lookup
from operators.epochs import CONTROL, Epoch
from operators.lookups.found import Look, LookupTable
from operators.lookups.lookup_epochs import LookupEpochs
from operators.people.space import Space
from operators.people.work import Work
from operators.segments.sql.twin import twin
from operators.validate import Validate
from operators.view.snapshot import SnapshotRows
from operators.view.space import View
from state.archive import Archive
from state.lookup_data import put_table, read_table
from state.shard import Shard
from state.snapshot.publish import publish, sql
from tests import model
from tests.engine import HASHER, HORIZON_US, SPACE, difference, judge_of
from tests.model_lookups import enriched

Json = dict[str, Any]
FILES = {
    "identity.yaml": "namespaces:\n  - {name: user_id, from: userId}\n  - {name: anonymous_id, from: anonymousId, scope: device}\n",
    "lookups/region.yaml": """\
kind: csv
path: regions.csv
column: postcode
key: [properties.postcode, context.postcode, traits.postcode]
normalize: digits
on_error: mark
""",
    "lookups/margin.yaml": """\
kind: parquet
path: margins.parquet
column: sku
key: properties.products[].sku
values: {eur: margin, kind: kind}
normalize: lower
on_error: mark
""",
    "lookups/late.yaml": """\
kind: csv
path: late.csv
column: sku
key: properties.late
on_error: quarantine
""",
    "traits.yaml": """\
traits:
  - {name: saxons, count: true, did: paid, where: {context.lookup.region.region: Saxony}}
  - {name: unknown, count: true, did: paid, where: {context.lookup.region.region: {exists: false}}}
  - {name: untold, count: true, did: paid, where: {context.lookup.region.error: unavailable}}
  - {name: rich, sum: total, did: "*", where: {"context.lookup.margin[].eur": {gte: 3}}}
""",
    "segments/rich.yaml": """\
segment: rich
who: {did: paid, where: {"context.lookup.margin[].eur": {gt: 2.5}, context.lookup.region.people: {gt: 10}}, within: 30d}
""",
    "segments/late.yaml": "segment: late\nwho: {did: paid, where: {context.lookup.late.size: {exists: true}}}\n",
}
REGIONS = ["Saxony", "Berlin", "Hamburg"]
KEYS: list[object] = [
    "01067",
    " 01067",
    "D-01067",
    10115,
    "10115",
    10115.0,
    "10 115",
    "99999",
    "",
    True,
    None,
    {"a": 1},
    "x" * 2000,
    ["01067"],
    1e300,
]
SKUS: list[object] = ["A1", "a1", " A1 ", "B2", "ß", "SS", 7, 7.5, None, {}, "zz", False]


class Flow:
    """Validate, the people step and an archive, which can be closed at any moment and go on from what is stored."""

    def __init__(self, folder: Path, definitions: Definitions) -> None:
        self.folder, self.definitions = folder, definitions
        self.open()

    def open(self) -> None:
        self.shard = Shard(self.folder / "shard")
        judge = judge_of(self.definitions)
        load = {self.definitions.digest: self.definitions}.__getitem__
        self.space = Space(Work(SPACE, self.shard, HASHER, load=load, judge=lambda _: judge, horizon_us=HORIZON_US))
        meta = self.space.meta
        epochs: dict[str, list[Epoch]] = {SPACE: list(meta.epochs) or [(self.definitions.digest, {})]}
        self.archive = Archive(self.folder / "archive", SPACE, 7, 1 << 60)
        stored = {name: max(meta.applied.get(name, 0), self.archive.positions.get(name, 0)) + 1 for name in meta.applied if name != CONTROL}
        self.validate = Validate(
            load, epochs, {SPACE: stored}, versions=LookupEpochs(self.table, {SPACE: list(meta.lookups)}),
            unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000,
        )  # fmt: skip
        self.space.start(["p0", "p1"])
        self.view = View(self.shard, SPACE, HASHER, load)

    def table(self, lookup: Lookup, version: str) -> Look:
        return LookupTable(lookup, version, *read_table(self.folder / lookup.name, version)).look

    def keep(self, name: str, rows: dict[str, Json]) -> str:
        """A version of a lookup's data."""
        return put_table(self.folder / name, sorted(rows), [orjson.dumps(rows[key], option=orjson.OPT_SORT_KEYS) for key in sorted(rows)])

    def feed(self, name: str, first: int, records: list[bytes]) -> None:
        """Records from a position on; what a store has already it drops."""
        for part in self.validate.batch(SourceBatch(SPACE, name, name, first, first + len(records) - 1, records, 0)):
            self.archive.append(part)
            self.space.apply(part)

    def position(self, name: str) -> int:
        """The last record that every store has."""
        return min(self.space.meta.applied.get(name, 0), self.archive.positions.get(name, 0))

    def close(self) -> None:
        self.archive._wait()  # What waits in memory is lost, as in a crash.
        self.shard.close()


def data(rng: random.Random) -> dict[str, dict[str, Json]]:
    """Rows of some lookups, others each time."""
    found: dict[str, dict[str, Json]] = {}
    if rng.random() < 0.8:
        found["region"] = {
            key: {"region": rng.choice(REGIONS), "people": rng.randrange(20)} for key in ("01067", "10115") if rng.random() < 0.8
        }
    if rng.random() < 0.8:
        found["margin"] = {
            key: {"margin": rng.choice([1, 2.5, 3, 4.25]), "other": 1} for key in ("A1", "B2", "SS", "7", "7.5") if rng.random() < 0.8
        }
    if rng.random() < 0.3:
        found["late"] = {"a": {"size": rng.randrange(3)}}
    return found


def events(rng: random.Random, count: int) -> Iterator[bytes]:
    for number in range(count):
        properties: Json = {"total": rng.randrange(9)}
        context: Json = {"ip": "1.2.3.4"} if rng.random() < 0.3 else {}
        if rng.random() < 0.7:
            properties["postcode"] = rng.choice(KEYS)
        if rng.random() < 0.2:
            context["postcode"] = rng.choice(KEYS)
        if rng.random() < 0.6:
            properties["products"] = [{"sku": rng.choice(SKUS)} if rng.random() < 0.9 else {} for _ in range(rng.randrange(4))]
        if rng.random() < 0.1:
            properties["late"] = rng.choice(["a", "b"])
        if rng.random() < 0.3:
            context["lookup"] = rng.choice(
                [{"region": {"region": "Saxony", "people": 99}, "margin": [{"eur": 9}]}, "mine", None, {"late": {"size": 1}}]
            )
        body: Json = {"messageId": f"m{rng.randrange(count)}", "event": "paid", "type": "track", "properties": properties}
        body["timestamp"] = f"2026-01-{1 + number // 10:02}T10:00:{number % 10:02}Z"
        body["userId" if rng.random() < 0.7 else "anonymousId"] = f"u{rng.randrange(4)}"
        if context or rng.random() < 0.2:
            body["context"] = context or rng.choice([{}, [], None])
        if rng.random() < 0.1:
            body = {
                "messageId": body["messageId"],
                "type": "identify",
                "traits": {"postcode": rng.choice(KEYS)},
                "userId": "u1",
                "timestamp": body["timestamp"],
            }
        yield orjson.dumps(body)


def repeated(rng: random.Random, records: list[bytes]) -> list[bytes]:
    """With some delivered again later, perhaps behind other data, from elsewhere and written otherwise."""
    found = list(records)
    for record in rng.sample(records, len(records) // 3):
        body = orjson.loads(record)
        if rng.random() < 0.5 and isinstance(body.get("context"), dict):
            body["context"] = {**body["context"], "ip": "9.9.9.9"}
        again = orjson.dumps(body, option=rng.choice([0, orjson.OPT_SORT_KEYS]))
        found.insert(rng.randrange(len(found) + 1), again)
    return found


@pytest.mark.parametrize("seed", range(12))
def test_what_is_found_is_what_the_model_says(tmp_path: Path, seed: int) -> None:
    """After every step, and in SQL at the end; repeats meet other data, and everything starts again from what is stored."""
    rng = random.Random(f"lookups {seed}")
    definitions = load(FILES, unknown_events_ok=True)
    flow = Flow(tmp_path, definitions)
    judge = judge_of(definitions)
    parts: dict[str, list[bytes]] = {"p0": [], "p1": []}
    for record in repeated(rng, list(events(rng, 60))):
        parts[rng.choice(["p0", "p1"])].append(record)
    control: list[bytes] = [orjson.dumps({"type": "definitions", "digest": definitions.digest, "from": {}, "messageId": "d"})]
    flow.feed(CONTROL, 1, control)
    known: dict[str, dict[str, Json]] = {}
    versions: dict[str, str] = {}
    given: dict[str, int] = {"p0": 0, "p1": 0}
    taken: list[Event] = []
    while any(given[name] < len(parts[name]) for name in parts):
        if rng.random() < 0.3:
            rows = data(rng)
            made = {name: flow.keep(name, each) for name, each in rows.items()}
            known |= {made[name]: each for name, each in rows.items()}
            versions |= made
            said = {name: {"version": version, "rows": 1, "source": "x"} for name, version in made.items()}
            control.append(orjson.dumps({"type": "lookups", "versions": said, "messageId": f"l{len(control)}"}))
            flow.feed(CONTROL, len(control), control[-1:])
        name = rng.choice([name for name in parts if given[name] < len(parts[name])])
        size = rng.choice([1, 2, 7])
        records = parts[name][given[name] : given[name] + size]
        flow.feed(name, given[name] + 1, records)
        fresh = judge.judge_many(records, given[name] + 1, 0)[0]
        taken += [each for event in fresh if (each := enriched(definitions, event, versions, known)) is not None]
        given[name] += size
        if rng.random() < 0.25:
            flow.close()
            flow.open()
            # Everything that not every store has is read again, by positions, whatever is in force by now.
            for each in (CONTROL, *sorted(parts)):
                whole = control if each == CONTROL else parts[each][: given[each]]
                done = flow.position(each)
                if len(whole) > done:
                    flow.feed(each, done + 1, whole[done:])
        clock = flow.space.meta.clock
        if clock is not None:
            expected = model.dump(taken, [], definitions, clock, hasher=HASHER)
            found = list(flow.view.dump(clock))
            assert found == expected, difference(found, expected, seed, given, name)
    assert known
    flow.archive.flush()
    target = tmp_path / "skep.duckdb"
    publish(target, archives={SPACE: tmp_path / "archive" / SPACE}, rows={SPACE: SnapshotRows(flow.view)}, personal=None)
    clock = flow.space.meta.clock
    assert clock is not None
    told = {
        (name, line["id"]) for line in map(orjson.loads, flow.view.dump(clock)) if line["kind"] == "profile" for name in line["segments"]
    }
    assert told == set(sql(target, twin(definitions), {"at": clock})[1]), seed
    shown = {row[0]: orjson.loads(row[1] or "{}").get("lookup") for row in sql(target, "SELECT message_id, context FROM events")[1]}
    stored = {event.message_id: event.body["context"].get("lookup") for event in model.accepted(taken)}
    assert shown == stored, seed
    flow.archive.close()
    flow.shard.close()
