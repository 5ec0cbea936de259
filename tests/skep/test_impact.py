"""What a change of a contract touches, with counts of the snapshot; and what tags hide and say there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.skep.test_run import skep

ORDER = {
    "type": "object",
    "properties": {
        "revenue": {"type": "number", "description": "without shipping", "x-unit": "EUR", "examples": [12.5]},
        "card": {"type": "object", "x-personal": "sensitive", "x-purpose": ["analytics"], "properties": {"number": {"type": "string"}}},
        "buyer": {"type": "string", "x-personal": "direct", "x-identifier": "email"},
        "space": {"type": "string"},
        "note": {"type": "string"},
    },
}
FILES = {
    "skep.yaml": "spaces: [shop]\nsources: [{name: e, kind: jsonl, path: e.jsonl}]\n",
    "contracts/events/order_completed/1-0-0.json": json.dumps(ORDER),
    "contracts/events/note_left/1-0-0.json": json.dumps({"properties": {"buyer": {"type": "string"}}}),
    "contracts/events/identify/1-0-0.json": json.dumps({"properties": {"phone": {"type": "string", "x-personal": "direct"}}}),
    "contracts/consent.yaml": "purposes: [{name: analytics, default: granted}]\n",
    "contracts/traits.yaml": """traits:
  - {name: spent, sum: revenue, did: order_completed, emit: true}
  - {name: last_card, last: card.number, did: order_completed}
  - {name: buyers, set: buyer, did: order_completed}
""",
    "contracts/segments/rich.yaml": "segment: rich\nwho: {trait: spent, gte: 50}\nactivate: [file]\n",
    "contracts/segments/noted.yaml": "segment: noted\nwho: {did: order_completed, where: {note: {exists: true}}}\n",
    "contracts/destinations/file.yaml": "kind: file\npath: out.jsonl\nchanges: [segment.entered]\n",
}


def event(person: str, name: str, **properties: Any) -> str:
    said = {"type": "track", "event": name, "userId": person, "timestamp": "2026-01-01T10:00:00Z", "properties": properties}
    return json.dumps({**said, "messageId": f"{person}-{name}-{len(properties)}"})


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three orders of three people, and a snapshot of it."""
    folder = tmp_path_factory.mktemp("impact")
    lines = [
        event("1", "order_completed", revenue=100, card={"number": "4711"}, buyer="Ann@x.org ", space="left"),
        event("2", "order_completed", revenue=20, note="soon"),
        event("3", "order_completed", revenue=60),
        event("3", "note_left", buyer="Ann@x.org"),
        json.dumps({"type": "identify", "userId": "4", "traits": {"email": "ann@x.org", "phone": "+491711234567"}, "messageId": "i",
                    "timestamp": "2026-01-01T11:00:00Z"}),
    ]  # fmt: skip
    for path, text in {**FILES, "e.jsonl": "\n".join(lines) + "\n"}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    assert skep("run", "--once", project=folder).returncode == 0
    assert skep("snapshot", project=folder).returncode == 0
    return folder


def rows(project: Path, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(skep("sql", query, "--json", project=project).stdout)
    return found


def changed(folder: Path, **parts: Any) -> Path:
    """The order's contract with other properties; None takes one away."""
    properties = {**ORDER["properties"], **parts}  # type: ignore[dict-item]
    path = folder / "new.json"
    path.write_text(json.dumps({**ORDER, "properties": {name: part for name, part in properties.items() if part is not None}}))
    return path


COMMENT = "without shipping. Unit: EUR. Such as: 12.5. Used by: segment rich, destination file, trait spent"
OLD = "contracts/events/order_completed/1-0-0.json"


def test_what_a_change_touches_is_listed_with_its_profiles(project: Path, tmp_path: Path) -> None:
    """A trait, the segment that rests on it and who is told of that; the segment of another property, which would break."""
    new = changed(tmp_path, revenue={"type": "number", "minimum": 0, "x-unit": "GBP"}, note=None)
    found = json.loads(skep("contracts", "impact", str(project / OLD), str(new), "--json", project=project).stdout)
    assert (found["event"], found["profiles"]) == ("order_completed", 3)
    assert [(one["path"], one["what"]) for one in found["changes"]] == [
        ("revenue", "narrowed"),
        ("revenue", "tagged"),
        ("note", "removed"),
    ]
    touched = {(one["kind"], one["name"]): (one["through"], one["profiles"]) for one in found["touched"]}
    assert touched[("trait", "spent")] == (["revenue"], 3)
    assert touched[("segment", "rich")] == (["revenue"], 2)
    assert touched[("destination", "file")] == (["revenue"], 2)
    assert touched[("segment", "noted")] == (["note"], 1)
    assert touched[("trait", "last_card")] == ([], 1)
    assert any("segments/noted.yaml:2: who.where.note" in one and "removed in 2-0-0" in one for one in found["problems"])


def test_a_wider_property_touches_only_who_reads_it(project: Path, tmp_path: Path) -> None:
    """Nothing that was accepted is refused, so that nobody else is concerned."""
    new = changed(tmp_path, revenue={"type": ["number", "null"], "x-unit": "EUR"})
    shown = skep("contracts", "impact", str(project / OLD), str(new), project=project).stdout
    assert "a number → a number or null" in shown
    assert "rich" in shown
    assert "noted" not in shown
    assert "3 profiles have an event order_completed" in shown


def test_without_a_snapshot_nothing_is_counted(tmp_path: Path) -> None:
    """The listing is there all the same, and says how to get the counts."""
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    shown = skep("contracts", "impact", str(tmp_path / OLD), str(changed(tmp_path, note=None)), project=tmp_path).stdout
    assert "there is no snapshot yet" in shown
    assert "–" in next(line for line in shown.splitlines() if line.startswith("segment  ")), shown


def test_an_event_must_be_told_if_no_folder_does(project: Path, tmp_path: Path) -> None:
    """Two files somewhere need --event; with it they are compared."""
    new = changed(tmp_path)
    refused = skep("contracts", "impact", str(new), str(new), project=project)
    assert refused.returncode == 1
    assert "--event" in refused.stderr
    assert "no property changes" in skep("contracts", "impact", str(new), str(new), "--event", "Order Completed", project=project).stdout


def test_tagged_values_are_hashes_in_the_snapshot(project: Path) -> None:
    """Personal properties of this event alone, whole objects, plain traits, and what is computed from them."""
    (order,) = rows(project, "select properties from events where user_id = '1' and event = 'order_completed'")
    properties = json.loads(order["properties"]) if isinstance(order["properties"], str) else order["properties"]
    assert properties["revenue"] == 100
    assert properties["card"].startswith("h_")
    (email,) = rows(project, "select value from identifiers where namespace = 'email'")
    assert properties["buyer"] == email["value"]
    (note,) = rows(project, "select properties ->> '$.buyer' as buyer from events where event = 'note_left'")
    assert note["buyer"] == "Ann@x.org"
    everything = "".join(map(str, rows(project, "from profiles"))) + "".join(map(str, rows(project, "from typed.traits")))
    everything += "".join(map(str, rows(project, "from typed.order_completed")))
    assert "4711" not in everything
    assert "1711234567" not in everything
    assert "Ann@x.org" not in everything
    (phone,) = rows(project, "select count(*) as n from identifiers where namespace = 'phone' and value like 'h\\_%' escape '\\'")
    assert phone["n"] == 1


def test_the_snapshot_says_what_the_contracts_say(project: Path) -> None:
    """A typed column for each property with a comment, and table fields with every tag and who uses it."""
    columns = {
        one["column_name"]: (one["data_type"], one["comment"])
        for one in rows(project, "select * from duckdb_columns() where schema_name = 'typed' and table_name = 'order_completed'")
    }
    assert columns["revenue"] == (
        "DECIMAL(18,2)",
        COMMENT,
    )
    assert columns["card"][0] == "VARCHAR"
    assert columns["properties_space"][0] == "VARCHAR"
    (spent,) = rows(project, "select revenue, properties_space from typed.order_completed where revenue = 100")
    assert spent == {"revenue": 100.0, "properties_space": "left"}
    (last,) = rows(project, "select personal, purposes, used_by from fields where kind = 'trait' and name = 'last_card'")
    assert (last["personal"], last["purposes"], last["used_by"]) == ("sensitive", ["analytics"], [])
    (comment,) = rows(project, "select comment from duckdb_columns() where table_name = 'events' and column_name = 'properties'")
    assert "order_completed.buyer (direct)" in comment["comment"]
