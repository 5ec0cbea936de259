"""A snapshot opens in the oldest DuckDB that the documentation promises, with its views, comments and macros."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from state.snapshot import publish
from tests.state.test_snapshot import FakeRows

OLDEST = "1.2.0"
READ = """
import json, sys
sys.path.insert(0, sys.argv[1])
import duckdb
con = duckdb.connect(sys.argv[2], read_only=True)
names = con.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
rows = {f"{schema}.{name}": con.execute(f'SELECT count(*) FROM "{schema}"."{name}"').fetchone()[0] for schema, name in names}
macros = [name for name, in con.execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE NOT internal").fetchall()]
con.execute("FROM segment_sizes()").fetchall()
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
    report = publish(tmp_path / "skep.duckdb", archives={}, rows={"shop": FakeRows()}, personal=None)
    command = [sys.executable, "-c", READ, str(oldest_client), str(report.target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, rows, macros, comments = json.loads(done.stdout)
    assert version == OLDEST
    assert {name: rows[f"main.{name}"] for name in report.rows} == report.rows
    assert {"funnel", "members_at", "segment_sizes"} <= set(macros)
    assert comments > 50
