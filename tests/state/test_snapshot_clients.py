"""A snapshot opens in the oldest DuckDB that the documentation promises, with its views, comments and macros."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.reading.loading import load
from skep.project.fields import fields
from state.snapshot.defined import Defined
from state.snapshot.own_views import OwnView
from state.snapshot.publish import publish
from state.snapshot.questions import macros
from tests.state.test_snapshot import FakeRows, archived, write_archive

OLDEST = "1.2.0"
READ = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
con = duckdb.connect(sys.argv[2], read_only=True)
names = con.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
rows = {f"{schema}.{name}": con.execute(f'SELECT count(*) FROM "{schema}"."{name}"').fetchone()[0] for schema, name in names}
macros = [name for name, in con.execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal").fetchall()]
for question in json.loads(sys.argv[3]):
    con.execute(question).fetchall()
try:
    con.execute("SELECT count(*) FROM members('vip')").fetchall()
    raise SystemExit("a segment that is none has no members")
except duckdb.Error as error:
    assert "they are: news, vips" in str(error), error
items = con.execute("SELECT position, sku, price FROM typed.order_completed__products").fetchall()
assert [(at, sku, f"{price:f}") for at, sku, price in items] == [(1, "a", "0.1000000"), (2, "b", "0.0000001")], items
assert con.execute("SELECT session FROM timeline").fetchall() == [(1,)]
comments = con.execute("SELECT count(*) FROM duckdb_columns() WHERE comment IS NOT NULL").fetchone()[0]
print(json.dumps([duckdb.__version__, rows, macros, comments]))
"""


@pytest.fixture(scope="module")
def oldest_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the oldest client, apart from the environment of the tests."""
    folder = tmp_path_factory.mktemp("oldest-duckdb")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), f"duckdb=={OLDEST}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"duckdb {OLDEST} cannot be installed here: {done.stderr.strip()[-200:]}")
    return folder


def test_the_oldest_client_reads_everything(tmp_path: Path, oldest_client: Path) -> None:
    item = {"type": "object", "properties": {"sku": {"type": "string"}, "price": {"type": "number", "x-unit": "EUR"}}}
    contract = json.dumps({"type": "object", "properties": {"products": {"type": "array", "items": item}}})
    body = {"properties": {"products": [{"sku": "a", "price": 0.1}, {"sku": "b", "price": 1e-07}]}}
    defined = Defined(
        fields=fields(load({"events/order_completed/1-0-0.json": contract})),
        segments=[("vips", 1, None, None, None), ("news", 1, None, None, None)],
        views=[OwnView("mine", "views/mine.sql", "from timeline")],
    )
    report = publish(
        tmp_path / "skep.duckdb",
        archives={"shop": write_archive(tmp_path / "archive", archived(1, "m", body))},
        rows={"shop": FakeRows(rows={"attributions": [("m", "p_1", 1.0)]})},
        personal=None,
        defined=defined,
    )
    questions = json.dumps([macro.example for macro in macros()])
    command = [sys.executable, "-c", READ, str(oldest_client), str(report.target), questions]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, rows, known, comments = json.loads(done.stdout)
    assert version == OLDEST
    assert {name: rows[f"main.{name}"] for name in report.rows} == report.rows
    assert {macro.name for macro in macros()} <= set(known)
    assert (rows["views.mine"], report.problems) == (1, [])
    assert comments > 50
