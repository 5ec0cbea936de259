"""The typed views: whatever a property, a trait or an example is called, its value can be asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from contracts.reading.loading import load
from skep.project.fields import fields
from state.snapshot.defined import Defined
from state.snapshot.literals import pointer
from state.snapshot.publish import publish
from tests.state.test_snapshot import FakeRows, archived, write_archive

NAMES = [
    "", "_", "*", "**", 'a"b', "a'b", "a.b", "[0]", "$", "/", "~1", "\n", "\x00", "\x1b]8;;http://x\x07", "\u202e",
    "total", "Total", "TOTAL", "message_id", "SPACE", "properties_space", "traits_total", "select", "É",
    "é", "e\u0301", "0", "[#-1]", "x" * 2_000,
]  # fmt: skip
VALUES = {name: f"value {at}" for at, name in enumerate(NAMES)}
HUGE = 2**64 + 1


def contract(**more: Any) -> str:
    """A contract that has a property of every name."""
    said = {"type": "string", "description": 'it\'s "so"', "examples": ["\x00'"]}
    return json.dumps({"type": "object", "properties": dict.fromkeys(NAMES, said) | more})


def published(folder: Path) -> Path:
    """A snapshot of one event and one person that have a value under every name."""
    files = {
        "events/paid/1-0-0.json": contract(sim={"type": "integer", "examples": [HUGE]}),
        "events/identify/1-0-0.json": contract(),
    }
    body = {"properties": VALUES | {"sim": 7}}
    archive = write_archive(folder / "archive", archived(1, "m-1", body, event="paid"))
    rows = FakeRows(rows={"profiles": [("p_1", None, None, dict(VALUES), 1.0)]})
    defined = Defined(fields=fields(load(files)))
    publish(folder / "skep.duckdb", archives={"shop": archive}, rows={"shop": rows}, personal=None, defined=defined)
    return folder / "skep.duckdb"


def test_any_name_can_be_asked_for(tmp_path: Path) -> None:
    with duckdb.connect(str(published(tmp_path)), read_only=True) as con:
        for view, fixed in (("typed.paid", 4), ("typed.traits", 2)):
            row = con.execute(f"FROM {view}").fetchone()
            assert row is not None
            assert row[fixed : fixed + len(NAMES)] == tuple(VALUES.values()), view
        assert con.execute("SELECT sim FROM typed.paid").fetchone() == ("7",)
        examples = con.execute("SELECT DISTINCT examples FROM fields WHERE path = 'sim'").fetchall()
        comment = con.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'sim'").fetchone()
    assert [json.loads(text) for (text,) in examples] == [[HUGE]]
    assert comment == (f"Such as: {HUGE}",)


def test_a_pointer_finds_any_key() -> None:
    with duckdb.connect() as con:
        for name in NAMES:
            document = json.dumps({"x": {name: 1}, "other": 2})
            query = f"SELECT json_extract($document, {pointer(('x', name, None, 'y'))})"
            assert con.execute(query, {"document": document}).fetchone() == ("1",), name
