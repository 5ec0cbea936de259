"""The snapshot: what of the shard and the archive is in it, and what of personal values is not."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contracts.model.hashing import Hasher
from operators.view.snapshot import SnapshotRows
from skep.project.defined import defined
from skep.project.settings import Settings, load_definitions
from skep.project.views import own_views
from state.archive import SCHEMA
from state.archive_files import archive_files
from state.errors import StateError
from state.snapshot.personal import Hider
from state.snapshot.publish import NoSnapshot, Personal, open_snapshot, publish, sql
from state.snapshot.questions import Macro, macros, views
from state.snapshot.schema import TABLES
from state.snapshot.table import Table, columns

SECOND = 1_000_000
YEAR_1 = -62_135_596_800 * SECOND
YEAR_9999 = 253_402_300_800 * SECOND - 1
HASHER = Hasher("secret", "shop")


def utc(*parts: int) -> datetime:
    """A time as the snapshot's TIMESTAMP columns give it: in UTC, without a zone."""
    year, month, day, *rest = parts
    return datetime(year, month, day, *rest)  # noqa: DTZ001


@dataclass
class FakeRows:
    """Lists in the place of a shard."""

    clock_us: int | None = 100 * SECOND
    applied_to: dict[str, int] = field(default_factory=lambda: {"web": 100, "control": 100})
    rows: dict[str, list[Any]] = field(default_factory=dict)
    space: str = "shop"

    def applied(self) -> dict[str, int]:
        return self.applied_to

    def settled(self) -> list[Any]:
        return self.rows.get("settled", [])

    def tables(self) -> dict[str, list[Any]]:
        """Rows may leave out their space, and what is NULL at their end."""
        return {table.name: [self._whole(table, row) for row in self.rows.get(table.name, [])] for table in TABLES}

    def _whole(self, table: Table, row: tuple[Any, ...]) -> tuple[Any, ...]:
        kind = table.given or table.row
        names = [one.name for one in columns(kind)]
        at = names.index("space")
        return kind(*row[:at], self.space, *row[at:], *[None] * (len(names) - len(row) - 1))

    def readings(self) -> dict[str, Any]:
        return {}


def personal() -> Personal:
    paths = {"email": (("traits", "email"), ("context", "traits", "email"), ("properties", "emails", None)), "login": (("userId",),)}
    return Personal(
        paths, lambda _, text: text.strip().lower(), lambda _, namespace, value: HASHER.personal(namespace, value), {"last": "email"}
    )


def archived(position: int, message_id: str, body: dict[str, Any], *, at: int = 10, **more: Any) -> dict[str, Any]:
    row = {
        "message_id": message_id, "type": "track", "event": "order_completed", "event_time": at * SECOND, "received_at": None,
        "space": "shop", "source": "web", "partition": "web", "position": position, "raw": orjson.dumps(body).decode(),
        "contract": "order_completed/1-0-0", "definitions": "d1", "replay_of": None,
    }  # fmt: skip
    return {**row, **more}


def write_archive(folder: Path, *rows: dict[str, Any], name: str = "web~1-9") -> Path:
    day = folder / "day=1970-01-01"
    day.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), day / f"{name}.parquet")
    return folder


def change(sequence: int, kind: str, segment: str, clock: str, cause: str = "message", *, profile: str = "p_1") -> tuple[int, bytes]:
    body = {
        "id": f"shop-0-{sequence}", "type": kind, "profile": profile, "version": sequence, "clock": clock, "segment": segment,
        "cause": {"type": cause}, "evidence": {"segment_version": 3},
    }  # fmt: skip
    return sequence, orjson.dumps(body)


def test_without_archive_and_rows_every_table_is_there_and_empty(tmp_path: Path) -> None:
    report = publish(tmp_path / "skep.duckdb", archives={"shop": tmp_path / "none"}, rows={"shop": FakeRows()}, personal=None)
    assert report.rows == {table.name: int(table.name == "spaces") for table in TABLES}
    assert [p.name for p in tmp_path.iterdir()] == ["skep.duckdb"]


def test_no_snapshot_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoSnapshot, match="skep snapshot"):
        sql(tmp_path / "skep.duckdb", "select 1")


def test_a_query_may_have_parameters_and_give_times_with_a_zone(tmp_path: Path) -> None:
    target = tmp_path / "skep.duckdb"
    publish(target, archives={}, rows={"shop": FakeRows()}, personal=None)
    names, rows = sql(target, "select $n + 1 as n, timezone('UTC', clock) as zoned from spaces", {"n": 41})
    assert names == ["n", "zoned"]
    assert (rows[0][0], rows[0][1].timestamp()) == (42, 100)


def test_every_table_column_and_macro_has_a_comment(tmp_path: Path) -> None:
    target = tmp_path / "skep.duckdb"
    publish(target, archives={}, rows={"shop": FakeRows()}, personal=None)
    assert sql(target, "select table_name from duckdb_tables() where comment is null")[1] == []
    assert sql(target, "select table_name, column_name from duckdb_columns() where not internal and comment is null")[1] == []
    named = sql(target, "select function_name from duckdb_functions() where not internal and comment is not null")[1]
    assert {name for (name,) in named} == {macro.name for macro in macros()}
    kinds = dict(sql(target, "select column_name, data_type from duckdb_columns() where table_name = 'events'")[1])
    assert kinds["properties"] == "JSON"
    assert kinds["event_time"] == "TIMESTAMP"


def test_the_reference_names_every_column_and_macro_and_its_queries_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What one of the queries joins.
    (tmp_path / "hashed.csv").write_text("mail\nh_1\n")
    monkeypatch.chdir(tmp_path)
    docs = Path(__file__).parents[2] / "docs"
    tables, questions = ((docs / name).read_text() for name in ("tables.md", "analytics.md"))
    target = tmp_path / "skep.duckdb"
    shop = Settings.load(docs.parent)
    publish(target, archives={}, rows={"shop": FakeRows()}, personal=None, defined=defined([load_definitions(shop)], own_views(shop)))
    rows = [f"| `{name}` | {kind} | {comment} |" for table in (*TABLES, *views()) for name, kind, comment in table.columns]
    assert sorted(re.findall(r"^\| `\w+` \| [A-Z]+(?:\[\])? \| .+ \|$", tables, re.MULTILINE)) == sorted(rows)
    rows = [f"| `{macro.name}({macro.arguments})` | {macro.comment} | {_gives(target, macro)} |" for macro in macros()]
    assert sorted(re.findall(r"^\| `\w+\([^`]*\)` \| .+ \| .+ \|$", questions, re.MULTILINE)) == sorted(rows)
    queries = re.findall(r"```sql\n(.+?)```", tables + questions, re.DOTALL)
    assert len(queries) > 10
    with open_snapshot(target) as con:
        for query in queries:
            con.execute(query)


def _gives(target: Path, macro: Macro) -> str:
    """The columns of a macro, or the type of a scalar one."""
    found = sql(target, f"DESCRIBE {macro.example}")[1]
    if macro.example.startswith("FROM"):
        return ", ".join(f"{name} {kind}" for name, kind, *_ in found)
    return str(found[-1][1])


def test_dropped_and_edited_records_stand_for_no_event(tmp_path: Path) -> None:
    """Of a dropped record nothing of the archive is shown; of an edited one only what its last replay applied."""
    archive = write_archive(
        tmp_path / "archive",
        archived(1, "good", {}),
        archived(2, "too late, dropped", {}),
        archived(3, "before the edit", {}),
        archived(4, "replayed, refused, dropped", {}, partition="control", replay_of="q0"),
        archived(5, "first edit, refused", {}, partition="control", replay_of="q1"),
        archived(6, "second edit", {}, partition="control", replay_of="q1"),
    )
    settled = [("q0", "web", 2, None), ("q1", "web", 3, 6)]
    target = tmp_path / "skep.duckdb"
    publish(target, archives={"shop": archive}, rows={"shop": FakeRows(rows={"settled": settled})}, personal=None)
    assert sql(target, "select message_id from events order by 1")[1] == [("good",), ("second edit",)]


def test_events_holds_each_applied_message_once(tmp_path: Path) -> None:
    body = {"userId": 42, "anonymousId": None, "properties": {"total": 12.5, "note": None}, "context": {"ip": "1"}}
    archive = write_archive(
        tmp_path / "archive",
        archived(1, "a", body, at=20),
        archived(2, "a", body, at=10),
        archived(3, "late", body),
        archived(101, "not yet applied", body),
        archived(4, "other partition", body, partition="app"),
        archived(5, "replayed", body, partition="control", replay_of="q1"),
        archived(6, "refused again", body, partition="control", replay_of="q2"),
        archived(7, "p", {"name": "Home", "properties": {"x": 1, "name": None, "y": None}}, type="page", event="page_viewed"),
        archived(8, "q", {"name": "Home", "properties": {"name": "Own"}}, type="page", event="page_viewed"),
        archived(9, "r", {"name": "Home", "properties": {}}, type="screen", event="screen_viewed"),
        archived(10, "i", {"traits": {"a": 1}}, type="identify", event="", event_time=YEAR_1),
    )
    write_archive(tmp_path / "archive", archived(1, "a", body, at=20), name="again")
    refused = [("q2", "invalid", "", None, None, "web", 50, None, b"{}"), ("q3", "too_late", "", None, None, "web", 3, None, b"{}")]
    target = tmp_path / "skep.duckdb"
    publish(target, archives={"shop": archive}, rows={"shop": FakeRows(rows={"quarantine": refused})}, personal=None)
    names, rows = sql(target, "select * from events order by message_id")
    found = {row[0]: dict(zip(names, row, strict=True)) for row in rows}
    assert sorted(found) == ["a", "i", "p", "q", "r", "replayed"]
    assert len(rows) == 6
    assert found["a"]["event_time"] == utc(1970, 1, 1, 0, 0, 10)
    assert (found["a"]["user_id"], found["a"]["anonymous_id"]) == ("42", None)
    assert orjson.loads(found["a"]["properties"]) == {"total": 12.5, "note": None}
    assert orjson.loads(found["p"]["properties"]) == {"name": "Home", "x": 1, "y": None}
    assert orjson.loads(found["q"]["properties"]) == {"name": "Own"}
    assert orjson.loads(found["r"]["properties"]) == {"name": "Home"}
    assert (found["i"]["event"], found["i"]["event_time"], found["i"]["properties"]) == (None, utc(1, 1, 1), None)


def test_of_a_key_that_stands_twice_the_last_value_is_shown(tmp_path: Path) -> None:
    """Also deep inside, written with escapes, as a whole object; and what is personal in the last one is hidden."""
    twice = {
        "a": b'{"userId":"v","properties":{"x":1,"x":2},"user\\u0049d":"w"}',
        "b": b'{"properties":{"l":[{"k":1,"\\u006b":[]}],"n":9.5},"properties":{"l":[[{"k":1,"k":{"z":1}}]]}}',
        "c": b'{"context":{"traits":{"plan":"x"},"traits":{"email":"ann@x.org"}}}',
        "d": b'{"name":"Home","properties":[],"name":"Cart"}',
    }
    more = {"a": {}, "b": {}, "c": {}, "d": {"type": "page", "event": "page_viewed"}}
    rows = [{**archived(at, key, {}, **more[key]), "raw": raw} for at, (key, raw) in enumerate(twice.items(), 1)]
    archive = write_archive(tmp_path / "archive", *rows)
    target = tmp_path / "skep.duckdb"
    publish(target, archives={"shop": archive}, rows={"shop": FakeRows()}, personal={"shop": personal()})
    shown = {row[0]: row[1:] for row in sql(target, "select message_id, user_id, properties, context from events")[1]}
    assert shown["a"][:2] == (HASHER.personal("login", "w"), '{"x":2}')
    assert shown["b"][1] == '{"l":[[{"k":{"z":1}}]]}'
    assert orjson.loads(shown["c"][2]) == {"traits": {"email": HASHER.personal("email", "ann@x.org")}}
    assert shown["d"][1] == '{"name":"Cart"}'


def test_phps_empty_list_is_an_empty_object(tmp_path: Path) -> None:
    empty = {"properties": [], "traits": [], "context": [], "name": "Home"}
    archive = write_archive(
        tmp_path / "archive",
        archived(1, "a", empty),
        archived(2, "b", empty, type="page", event="page_viewed"),
        archived(3, "c", {"context": [1]}),
    )
    publish(tmp_path / "skep.duckdb", archives={"shop": archive}, rows={"shop": FakeRows()}, personal=None)
    shown = sql(tmp_path / "skep.duckdb", "select properties, traits, context from events order by message_id")[1]
    assert shown == [("{}", "{}", "{}"), ('{"name":"Home"}', "{}", "{}"), (None, None, "[1]")]


def test_times_do_not_depend_on_the_zone_of_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        archive = write_archive(tmp_path / "archive", archived(1, "a", {}, received_at=YEAR_9999))
        publish(tmp_path / "skep.duckdb", archives={"shop": archive}, rows={"shop": FakeRows()}, personal=None)
        ((moment, received),) = sql(tmp_path / "skep.duckdb", "select event_time, received_at from events")[1]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert (moment, received) == (utc(1970, 1, 1, 0, 0, 10), utc(9999, 12, 31, 23, 59, 59, 999999))


def test_an_archive_file_that_vanishes_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "archive", archived(1, "a", {}))
    listings = [[archive / "day=1970-01-01" / "gone.parquet"], archive_files(archive)]
    monkeypatch.setattr("state.snapshot.publish.archive_files", lambda _: listings.pop(0))
    report = publish(tmp_path / "skep.duckdb", archives={"shop": archive}, rows={"shop": FakeRows()}, personal=None)
    assert report.rows["events"] == 1


def test_a_broken_archive_file_is_named(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive", archived(1, "a", {}))
    (archive / "day=1970-01-01" / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(StateError, match=r"broken\.parquet"):
        publish(tmp_path / "skep.duckdb", archives={"shop": archive}, rows={"shop": FakeRows()}, personal=None)
    assert not (tmp_path / "skep.duckdb").exists()


def test_a_stay_opens_with_an_entry_and_closes_with_the_exit(tmp_path: Path) -> None:
    changes = [
        change(1, "segment.entered", "vips", "2026-01-01T00:00:00.000000Z"),
        change(2, "segment.entered", "new", "2026-01-01T00:00:00.000000Z"),
        change(3, "segment.exited", "vips", "2026-01-03T00:00:00.000000Z", "timer"),
        change(4, "segment.entered", "vips", "2026-01-05T00:00:00.000000Z", "link"),
        change(5, "segment.exited", "never entered", "2026-01-05T00:00:00.000000Z"),
    ]
    target = tmp_path / "skep.duckdb"
    publish(target, archives={}, rows={"shop": FakeRows(rows={"changes": changes})}, personal=None)
    query = "select segment, version, day(entered_at), day(exited_at), cause, exit_cause from memberships order by 1, 3"
    assert sql(target, query)[1] == [
        ("new", 3, 1, None, "message", None), ("vips", 3, 1, 3, "message", "timer"), ("vips", 3, 5, None, "link", None),
    ]  # fmt: skip
    assert sql(target, "select profile_id from members('vips')")[1] == [("p_1",)]
    assert sql(target, "from members_at('vips', '2026-01-04')")[1] == []
    assert len(sql(target, "from members_at('vips', timestamp '2026-01-02')")[1]) == 1
    assert sql(target, "select segment, members, stays from segment_sizes()")[1] == [("new", 1, 1), ("vips", 1, 2)]
    assert sql(target, "from segment_overlap('vips', 'new')")[1] == [(1, 1, 1)]
    assert len(sql(target, "from journey('p_1')")[1]) == 5


def test_rows_of_the_shard_come_in_whole_also_beyond_one_batch(tmp_path: Path) -> None:
    rows = {
        "identifiers": [("user_id", f"u{n}", f"p_{n}", YEAR_1, YEAR_9999, 1.0) for n in range(120_000)],
        "profiles": [("p_1", None, None, {"big": 2**80, "list": [1, None]}, 1.0), ("p_2", 1, 2, {}, 0.96)],
        "identity_links": [("user_id", "1", "device", "d", "manual", "accepted", 1, 2, "c1", 1, 3, None)],
        "consents": [("p_1", "marketing", True, 5)],
    }
    target = tmp_path / "skep.duckdb"
    report = publish(target, archives={}, rows={"shop": FakeRows(rows=rows)}, personal=None)
    assert report.rows["identifiers"] == 120_000
    assert sql(target, "select min(first_seen), max(last_seen) from identifiers")[1] == [
        (utc(1, 1, 1), utc(9999, 12, 31, 23, 59, 59, 999999))
    ]
    assert sql(target, "select traits ->> '$.big' from profiles where profile_id = 'p_1'")[1] == [(str(2**80),)]
    assert sql(target, "select purpose, granted from consents")[1] == [("marketing", True)]
    assert sql(target, "select kind, state, message_id, events, rules, space from identity_links")[1] == [
        ("manual", "accepted", "c1", 1, 3, "shop")
    ]


def test_a_reader_is_never_disturbed(tmp_path: Path) -> None:
    target = tmp_path / "skep.duckdb"
    publish(target, archives={}, rows={"shop": FakeRows(clock_us=1)}, personal=None)
    failures: list[Exception] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            try:
                sql(target, "select clock from spaces")
            except duckdb.Error as error:
                failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for clock in range(2, 6):
        publish(target, archives={}, rows={"shop": FakeRows(clock_us=clock)}, personal=None)
    done.set()
    reader.join()
    assert failures == []
    assert sql(target, "select epoch_us(clock) from spaces")[1] == [(5,)]


def test_a_failed_build_leaves_the_old_snapshot(tmp_path: Path) -> None:
    target = tmp_path / "skep.duckdb"
    publish(target, archives={}, rows={"shop": FakeRows(clock_us=1)}, personal=None)
    (tmp_path / ".skep.duckdb.99999999.building").write_text("abandoned")
    with pytest.raises(StateError, match="last snapshot stays"):
        publish(target, archives={}, rows={"shop": FakeRows(rows={"changes": [(1, b"no json")]})}, personal=None)
    assert sql(target, "select epoch_us(clock) from spaces")[1] == [(1,)]
    assert [p.name for p in tmp_path.iterdir()] == ["skep.duckdb"]


def test_personal_values_are_nowhere_in_the_clear(tmp_path: Path) -> None:
    raw = {"userId": "Ann@x.org", "traits": {"email": "Ann@x.org", "plan": "pro"}, "properties": {"emails": ["ann@x.org", None], "n": 1.5}}
    archive = write_archive(
        tmp_path / "archive",
        archived(1, "a", {**raw, "context": {"traits": {"email": " ANN@x.org"}, "ip": "1"}}),
        archived(2, "b", {"properties": {"n": 1}}),
    )
    rows = {
        "identifiers": [("email", "ann@x.org", "p_1", 1, 2, 1.0), ("device", "d", "p_1", 1, 2, 0.96)],
        "identity_history": [("p_1", 1, None, 5, "created", None, ["email:ann@x.org", "device:d", "h_0"], "message", "m1", 1)],
        "identity_links": [("email", "ann@x.org", "device", "d", "probabilistic", "candidate", 1, 2, "", 1, 1, 3.25)],
        "profiles": [("p_1", 1, 2, {"email": "Ann@x.org", "last": "ann@x.org", "plan": "pro"}, 0.96)],
        "quarantine": [
            ("q1", "invalid", "expected a number, found 'Ann@x.org' at /email", "", "", "web", 7, None, orjson.dumps(raw)),
            ("q2", "undecodable", "not JSON", "", "", "web", 8, None, b'{"traits":{"email":"ann@x.org"'),
            ("q3", "invalid", "fine", "", "", "web", 9, None, b'{"event" : 1}'),
            ("q4", "invalid", "found 'ann@x…", "", "", "web", 10, None, b'{"traits":{"\\u0065mail":"ann@x.org"}}'),
        ],
    }
    target = tmp_path / "skep.duckdb"
    publish(target, archives={"shop": archive}, rows={"shop": FakeRows(rows=rows)}, personal={"shop": personal()})
    hashed = HASHER.personal("email", "ann@x.org")
    everything = [str(row) for table in TABLES for row in sql(target, f"from {table.name}")[1]]
    assert [row for row in everything if "ann@" in row.lower()] == []
    assert sql(target, "select value from identifiers order by 1")[1] == [("d",), (hashed,)]
    assert sql(target, "select a_value, b_value from identity_links")[1] == [(hashed, "d")]
    assert sql(target, "select identifiers, cause_id from identity_history")[1] == [([f"email:{hashed}", "device:d", "h_0"], "m1")]
    ((user, props, traits, context),) = sql(target, "select user_id, properties, traits, context from events where message_id = 'a'")[1]
    assert user == HASHER.personal("login", "ann@x.org")
    assert orjson.loads(props) == {"emails": [hashed, None], "n": 1.5}
    assert orjson.loads(traits) == {"email": hashed, "plan": "pro"}
    assert orjson.loads(context) == {"traits": {"email": hashed}, "ip": "1"}
    assert sql(target, "select properties from events where message_id = 'b'")[1] == [('{"n":1}',)]
    ((profile,),) = sql(target, "select traits from profiles")[1]
    assert orjson.loads(profile) == {"email": hashed, "last": hashed, "plan": "pro"}
    refused = dict(sql(target, "select id, raw from quarantine")[1])
    assert refused["q2"] is None
    assert refused["q3"] == b'{"event" : 1}'
    assert orjson.loads(refused["q1"])["traits"]["email"] == hashed
    assert sql(target, "select detail from quarantine where id = 'q4'")[1] == [(f"found '{hashed}",)]


def test_a_personal_value_of_any_kind_is_hidden() -> None:
    hider = Hider(personal(), "shop")
    body = {"traits": {"email": {"home": "ann@x.org", "n": 5}}}
    raw, detail = hider.record(orjson.dumps(body), "{'home': 'ann@x.org', 'n': 5} is not of type 'string'")
    assert raw is not None
    assert b"ann" not in raw
    assert "ann" not in detail
    assert hider.record(b"[1]", "no object") == (None, "no object")


def test_of_repeats_the_one_that_stands_is_shown(tmp_path: Path) -> None:
    """What a contract accepted, then the smallest time, then the smallest canonical bytes, whichever came first."""
    body = {"userId": "u", "properties": {"total": 5}}
    turned = {"properties": {"total": 5}, "userId": "u"}
    text = {"userId": "u", "properties": {"total": "5"}}
    rows = [
        archived(1, "a", body, at=5, contract=""), archived(2, "a", text, at=9), archived(3, "a", body, at=7),
        archived(4, "b", body), archived(5, "b", text), archived(6, "b", turned), archived(7, "b", body),
        archived(8, "c", body), archived(9, "c", body),
    ]  # fmt: skip
    folder = write_archive(tmp_path / "archive", *rows)
    publish(tmp_path / "skep.duckdb", archives={"shop": folder}, rows={"shop": FakeRows()}, personal=None)
    _, shown = sql(tmp_path / "skep.duckdb", "SELECT message_id, epoch(event_time), properties FROM events ORDER BY ALL")
    assert [(one[0], int(one[1]), orjson.loads(one[2])["total"]) for one in shown] == [("a", 7, 5), ("b", 10, "5"), ("c", 10, 5)]


def test_what_was_told_before_it_was_personal_is_hidden() -> None:
    hider = Hider(personal(), "shop")
    told = {"type": "profile.updated", "trait": "email", "value": "Ann@x.org", "evidence": {"trait": "email", "value": "Ann@x.org"}}
    sure = {"type": "identity.confidence", "evidence": {"confidence": 0.9, "traits": {"last": "Ann@x.org", "plan": "pro"}}}
    hashed = HASHER.personal("email", "ann@x.org")
    once = hider.change(orjson.dumps(told))
    assert orjson.loads(once) == {**told, "value": hashed, "evidence": {"trait": "email", "value": hashed}}
    assert hider.change(once) == once
    assert orjson.loads(hider.change(orjson.dumps(sure)))["evidence"]["traits"] == {"last": hashed, "plan": "pro"}


def test_a_refused_record_is_hidden_wherever_it_has_its_values() -> None:
    """Misspelt, of another shape, in a frame; and no word about what cannot be read repeats it."""
    hider = Hider(personal(), "shop")
    records = [{"properties": {"eMail": "ann@x.org"}}, {"properties": [{"a": {"email": ["ann@x.org"]}}]}, {"EMAIL": {"of": "ann@x.org"}}]
    for record in records:
        raw, detail = hider.record(orjson.dumps(record), "properties: found 'ann@x.org', so 'ann@x.")
        assert raw is not None
        assert b"ann" not in raw
        assert "ann" not in detail
    framed = hider.record(b"\0\0\0\0\7" + orjson.dumps({"email": "ann@x.org"}), 'email: "ann@x.org" is too short')
    assert framed[0] is None
    assert "ann" not in framed[1]
    assert hider.record(b'["ann@x.org"]', "row 2: 'ann@x.org' has no column, found ann") == (None, "row 2: … has no column, …")
    assert hider.record(b'{"a": "\\/"}', "as it was") == (b'{"a": "\\/"}', "as it was")


def test_where_every_trait_is_personal_names_are_hidden_too() -> None:
    everything = Personal({}, personal().normalise, personal().hashed, tagged={"identify": [(":tagged", ("traits",))]})
    hider = Hider(everything, "shop")
    shown = hider.traits({"ann@x.org": [1, "Zoe"], "none": None})
    assert "ann" not in str(shown) + hider.trait("plan", "ann@x.org")
    assert list(shown.values()) == [hider.value(":tagged", [1, "Zoe"]), None]


def test_every_table_has_somebody_who_fills_it() -> None:
    """A space's rows by the names of tables, or what is made of files and of other tables."""
    made = {"events", "segments", "memberships", "purposes", "fields", "spaces"}
    rows = SnapshotRows(MagicMock()).tables()
    assert sorted([*rows, *made]) == sorted(table.name for table in TABLES)
