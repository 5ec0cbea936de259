"""What `traits.yaml` says of a trait beside what it is: shown where one looks, stricter than contracts, and of no consequence else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from skep.project.settings import Settings
from skep.project.spaces import open_view
from skep.runtime.snapshots import publish_snapshot
from tests.promises.project import Json, asked, project, ran, write_contract
from tests.skep.test_cli import skep

SECRET = "ann the unseen"
RULES: Json = {"version": 1, "namespaces": [{"name": "user_id", "from": "userId", "unique": True}]}
SPENT = {
    "name": "spent", "sum": "total", "did": "paid", "type": "number", "title": "Spent", "description": "in euro", "owner": "crm",
    "retention": "30d", "searchable": True,
}  # fmt: skip
TRAITS: Json = {
    "traits": [
        {"name": "nickname", "personal": "direct", "emit": True, "title": "Nickname"},
        {"name": "address", "personal": "direct", "merge": "union", "emit": True},
        SPENT,
        {"name": "last_note", "last": "note", "did": "paid", "personal": "sensitive", "purpose": "marketing"},
        {"name": "city"},
        {"name": "noted", "expression": "exists(last_note)"},
        {"name": "called", "expression": "nickname = 'ann' or noted"},
    ]
}
LINES = [
    {"type": "identify", "traits": {"nickname": SECRET, "address": SECRET, "city": "Bonn"}},
    {"type": "track", "event": "paid", "properties": {"total": 7, "note": "at night"}},
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("words") / "shop"
    files = {"identity.yaml": RULES, "traits.yaml": TRAITS, "events/paid/1-0-0.json": {"type": "object"},
             "consent.yaml": {"purposes": [{"name": "marketing", "default": "denied"}]}}  # fmt: skip
    head = {"userId": "ann", "timestamp": "2026-01-01T12:00:00Z"}
    project(folder, files, [orjson.dumps({**head, "messageId": f"m{at}", **line}) for at, line in enumerate(LINES)])
    ran(folder)
    publish_snapshot(Settings.load(folder))
    return folder


def entry(shop: Path, name: str) -> Any:
    return next(one for one in asked(shop, "catalog") if (one["kind"], one["name"]) == ("trait", name))


def test_the_catalog_says_it(shop: Path) -> None:
    spent, note = entry(shop, "spent"), entry(shop, "last_note")
    assert (spent["title"], spent["description"], spent["owner"]) == ("Spent", "in euro", "crm")
    assert spent["facts"] == {
        "how": "sum of total over paid", "changes are told": "no", "people are found by it": "yes", "kept at most": "30d",
    }  # fmt: skip
    assert (note["personal"], note["purposes"]) == ("sensitive", ["marketing"])
    assert entry(shop, "nickname")["personal"] == "direct"


def test_profile_explain_says_it(shop: Path) -> None:
    (found,) = asked(shop, "profile", "explain", "user_id:ann", "spent")
    assert (found["title"], found["description"], found["owner"]) == ("Spent", "in euro", "crm")
    assert "Spent: in euro  (crm)" in skep("profile", "explain", "user_id:ann", "spent", project=shop).stdout


def test_what_is_said_to_be_personal_leaves_as_a_hash(shop: Path) -> None:
    """A trait that identify calls write in the snapshot, the event that wrote it, and the change log; a computed one likewise."""
    view = open_view(Settings.load(shop), "shop")
    changes = [orjson.loads(body) for _, body in view.changes()]
    view.close()
    assert [change["value"][:2] for change in changes if change.get("trait") == "nickname"] == ["h_"]
    with duckdb.connect(str(shop / "data" / "skep.duckdb"), read_only=True) as con:
        ((traits,),) = con.execute("SELECT traits FROM profiles").fetchall()
        written = str(con.execute("SELECT * FROM events").fetchall())
        said = dict(con.execute("SELECT name, (personal, description) FROM fields WHERE kind = 'trait'").fetchall())
    assert {name: str(value)[:2] for name, value in json.loads(traits).items()} == {
        "address": "['", "city": "Bo", "nickname": "h_", "spent": "7", "last_note": "h_", "noted": "h_", "called": "h_",
    }  # fmt: skip
    assert SECRET not in traits + written + json.dumps(changes)
    assert said["nickname"] == ("direct", "Nickname")
    assert said["spent"] == ("none", "Spent: in euro")
    assert said["last_note"][0] == said["noted"][0] == said["called"][0] == "sensitive"


def test_another_title_computes_nothing(shop: Path) -> None:
    write_contract(shop, "traits.yaml", {"traits": [{**each, "title": "Another", "owner": "shop"} for each in TRAITS["traits"]]})
    (planned,) = asked(shop, "plan")
    assert planned["recomputed"] is False
