"""Every figure that a command prints about people, held against plain SQL on the snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from skep.answers.membership import membership
from skep.answers.planning.plan import plans
from skep.cli.main import app
from skep.project.definitions import proved
from skep.project.settings import Settings
from skep.project.spaces import open_views
from tests.skep.small_shop import SECRET

MEMBERS = "FROM memberships WHERE exited_at IS NULL"
ORDERED = """FROM attributions a JOIN events e ON e.space = a.space AND e.message_id = a.message_id
    WHERE coalesce(e.event, e.type) = """


@pytest.fixture(scope="module")
def sql(small_shop: Path) -> Any:
    """Rows of a query."""
    with duckdb.connect(small_shop / "data" / "skep.duckdb", read_only=True) as connection:
        yield lambda query: connection.execute(query).fetchall()


@pytest.fixture
def asked(small_shop: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints as JSON, or for people."""
    monkeypatch.chdir(small_shop)
    monkeypatch.setenv("SKEP_SECRET", SECRET)

    def ask(*words: str, json_lines: bool = True) -> Any:
        done = CliRunner().invoke(app, ["--project", str(small_shop), *words, *(["--json"] if json_lines else [])])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout) if json_lines else done.stdout

    return ask


def one(rows: list[tuple[Any, ...]]) -> Any:
    return rows[0][0]


def test_status(asked: Any, sql: Any) -> None:
    found = asked("status")
    assert found["people"] == one(sql("SELECT count(*) FROM profiles")) == one(sql("SELECT count(DISTINCT profile_id) FROM profiles"))
    assert found["changes"] == one(sql("SELECT count(*) FROM changes"))
    assert found["merges"] == one(sql("SELECT count(*) FROM changes WHERE type = 'identity.merged'"))
    assert found["splits"] == one(sql("SELECT count(*) FROM changes WHERE type = 'identity.split'"))
    assert {name: count for name, count in found["segments"].items() if count} == dict(
        sql(f"SELECT segment, count(*) {MEMBERS} GROUP BY 1")
    )
    assert dict(sql(f"SELECT segment, count(DISTINCT profile_id) {MEMBERS} GROUP BY 1")) == {"buyers": 3, "spenders": 2, "lapsing": 2}
    assert found["applied"] == one(sql("SELECT count(*) FROM events"))
    assert sum(found["quarantine"].values()) == one(sql("SELECT count(*) FROM quarantine"))


def test_what_people_read_of_status(asked: Any, sql: Any) -> None:
    said = asked("status", json_lines=False)
    people, changes = one(sql("SELECT count(*) FROM profiles")), one(sql("SELECT count(*) FROM changes"))
    assert f"{people:,} people, {changes:,} changes" in said


def test_impact_counts_every_profile_once(asked: Any, sql: Any, small_shop: Path, tmp_path: Path) -> None:
    """People order, look and are identified more than once, and have several identifiers."""
    orders = small_shop / "contracts/events/order_completed/1-0-0.json"
    order = json.loads(orders.read_text())
    changed = tmp_path / "new.json"
    changed.write_text(json.dumps({**order, "required": [*order["required"], "coupon"]}))
    found = asked("contracts", "impact", str(orders), str(changed), "--event", "order_completed")
    assert found["profiles"] == one(sql(f"SELECT count(DISTINCT a.profile_id) {ORDERED} 'order_completed'"))
    assert found["profiles"] < one(sql(f"SELECT count(*) {ORDERED} 'order_completed'")), "else the test would show nothing"
    touched = {(row["kind"], row["name"]): row["profiles"] for row in found["touched"]}
    assert touched == {
        ("trait", "spent"): one(sql("SELECT count(*) FROM profiles WHERE CAST(traits ->> 'spent' AS DOUBLE) <> 0")),
        ("trait", "orders"): one(sql("SELECT count(*) FROM profiles WHERE CAST(traits ->> 'orders' AS DOUBLE) <> 0")),
        ("trait", "last_order"): one(sql("SELECT count(*) FROM profiles WHERE traits ->> 'last_order' IS NOT NULL")),
        **{("segment", name): one(sql(f"SELECT count(DISTINCT profile_id) {MEMBERS} AND segment = '{name}'"))
           for name in ("buyers", "spenders", "lapsing")},
        ("destination", "file"): one(sql(f"""SELECT count(DISTINCT profile_id) FROM (
            SELECT profile_id {MEMBERS} AND segment IN ('buyers', 'lapsing')
            UNION ALL SELECT profile_id FROM profiles WHERE CAST(traits ->> 'spent' AS DOUBLE) <> 0)""")),
    }  # fmt: skip


def test_impact_of_what_identifies(asked: Any, sql: Any, small_shop: Path, tmp_path: Path) -> None:
    """One person has two addresses and counts once."""
    calls = small_shop / "contracts/events/identify/1-0-0.json"
    changed = tmp_path / "new.json"
    changed.write_text(json.dumps({"properties": {"city": {"type": "string"}}}))
    found = asked("contracts", "impact", str(calls), str(changed), "--event", "identify")
    touched = {(row["kind"], row["name"]): row["profiles"] for row in found["touched"]}
    held = "FROM identifiers WHERE namespace = 'email'"
    assert touched["namespace", "email"] == one(sql(f"SELECT count(DISTINCT profile_id) {held}")) < one(sql(f"SELECT count(*) {held}"))
    assert found["profiles"] == one(sql(f"SELECT count(DISTINCT a.profile_id) {ORDERED} 'identify'"))


def test_catalog(asked: Any, sql: Any) -> None:
    found = {(row["kind"], row["name"]): row["volume"] for row in asked("catalog")}
    for name in ("spent", "orders", "last_order", "city", "email"):
        assert found["trait", name] == one(sql(f"SELECT count(*) FROM profiles WHERE traits ->> '{name}' IS NOT NULL")), name
    for name in ("buyers", "spenders", "lapsing"):
        assert found["segment", name] == one(sql(f"SELECT count(DISTINCT profile_id) {MEMBERS} AND segment = '{name}'")), name
    for name in ("order_completed", "page_viewed", "identify"):
        assert found["event", name] == one(sql(f"SELECT count(*) FROM events WHERE coalesce(event, type) = '{name}'")), name


def test_doctor(asked: Any, sql: Any) -> None:
    (found,) = asked("identity", "doctor")
    assert found["profiles"] == one(sql("SELECT count(*) FROM profiles"))
    (kiosk,) = found["shared_devices"]
    links = "FROM identity_links WHERE 'd-kiosk' IN (a_value, b_value) AND state ="
    assert kiosk["accepted"] == one(sql(f"SELECT count(*) {links} 'accepted'"))
    assert kiosk["refused"] == one(sql(f"SELECT count(*) {links} 'rejected'"))
    persons = "SELECT DISTINCT e.user_id FROM events e WHERE e.anonymous_id = 'd-kiosk'"
    assert kiosk["persons"] == one(sql(f"SELECT count(*) FROM ({persons})"))
    held = f"SELECT DISTINCT profile_id FROM identifiers WHERE value IN ({persons}) OR value = 'd-kiosk'"
    assert kiosk["people"] == one(sql(f"SELECT count(*) FROM ({held})"))
    assert {row["effect"]["people"] for row in found["proposals"]} == {kiosk["people"]}


def test_quality(asked: Any, sql: Any) -> None:
    for row in asked("quality", "--since", "30d")["rows"]:
        counted = sql(f"SELECT sum(events), sum(refused) FROM quality WHERE source = '{row['source']}' AND event = '{row['event']}'")
        assert row["events"] == int(counted[0][0]), row


def test_segments_explain_and_profile_show(small_shop: Path, sql: Any) -> None:
    """Everybody and every segment: as in the memberships of the snapshot, since when too; and as the profile says."""
    settings = Settings.load(small_shop, secret=SECRET)
    entered = sql(f"SELECT segment, profile_id, strftime(entered_at, '%Y-%m-%dT%H:%M:%S') {MEMBERS}")
    since = {(segment, profile): moment for segment, profile, moment in entered}
    with open_views(settings) as views:
        view = views["shop"]
        for person in view.people():
            shown = view.profiles.show(person)
            for segment in ("buyers", "spenders", "lapsing"):
                found = membership(settings, view, person, segment)
                assert found.member is ((segment, found.profile) in since) is (segment in shown["segments"])
                assert not found.member or (found.since or "")[:19] == since[segment, found.profile]


def test_plan(edited_shop: Path, sql: Any) -> None:
    """How it is now; that it comes true as it says is for test_plan."""
    settings = Settings.load(edited_shop, secret=SECRET)
    (found,) = plans(settings, ("shop",), proved(settings), lambda *_: None, None)
    assert found.people.before == one(sql("SELECT count(*) FROM profiles"))
    for name, sizes in found.segments.items():
        assert sizes.before == one(sql(f"SELECT count(DISTINCT profile_id) {MEMBERS} AND segment = '{name}'"))
