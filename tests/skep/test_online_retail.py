"""The retail example on the real file: what DuckDB counts in the CSV is what Skep has in its snapshot."""

from __future__ import annotations

import json
import shlex
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests import samples
from tests.skep.test_cli import skep

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "online_retail"
FILES = sorted((EXAMPLE / "../../../shared/data/uci_online_retail").resolve().glob("*.csv.gz"))
pytestmark = pytest.mark.skipif(not FILES, reason="the UCI Online Retail file is not beside the checkout")

SEGMENTS = """
    WITH lines AS (
        SELECT *, starts_with(InvoiceNo, 'C') AS cancelled, max(InvoiceDate) OVER () AS now
        FROM read_csv(?, header = true, types = {'InvoiceNo': 'VARCHAR', 'CustomerID': 'VARCHAR', 'UnitPrice': 'DECIMAL(18,4)'})
    ), customers AS (
        SELECT CustomerID,
               sum(Quantity * UnitPrice) AS pounds,
               count(DISTINCT InvoiceNo) FILTER (InvoiceDate > now - INTERVAL 30 DAY) AS recent,
               count(*) FILTER (NOT cancelled) AS bought,
               count(*) FILTER (NOT cancelled AND InvoiceDate > now - INTERVAL 60 DAY) AS bought_lately,
               count(*) FILTER (cancelled) AS returned
        FROM lines WHERE CustomerID IS NOT NULL GROUP BY ALL
    )
    SELECT count(*) FILTER (pounds > 1000) AS big_spenders, count(*) FILTER (bought > 0 AND bought_lately = 0) AS lapsed,
           count(*) FILTER (recent >= 2) AS repeat_buyers, count(*) FILTER (returned > 0) AS returners
    FROM customers"""
TOTALS = """
    SELECT count(*) AS lines, count(DISTINCT properties->>'InvoiceNo') AS invoices, count(DISTINCT user_id) AS customers,
           CAST(sum(CAST(properties->>'Quantity' AS INT) * CAST(properties->>'UnitPrice' AS DECIMAL(18,4))) AS DECIMAL(18,2)) AS pounds
    FROM events"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, run once in a folder of its own."""
    folder = tmp_path_factory.mktemp("retail") / "project"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("data"))
    done = skep("run", "--once", "--source-path", str(FILES[0]), project=folder, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


def _sql(project: Path, query: str) -> list[dict[str, Any]]:
    # Decimals are compared digit by digit.
    found: list[dict[str, Any]] = json.loads(skep("sql", "--json", query, project=project).stdout, parse_float=str)
    return found


def _only(query: str) -> dict[str, Any]:
    with duckdb.connect() as con:
        result = con.execute(query, [str(FILES[0])])
        return dict(zip([column[0] for column in result.description or ()], result.fetchone() or (), strict=True))


def test_totals(project: Path) -> None:
    assert _sql(project, TOTALS) == [{"lines": 209_029, "invoices": 10_783, "customers": 2_767, "pounds": "3706827.64"}]


def test_everything_is_accounted_for(project: Path) -> None:
    """Equal lines are lines of their own; lines without a customer belong to nobody."""
    found = json.loads(skep("status", "--json", project=project).stdout)
    counts = {key: found[key] for key in ("applied", "duplicate", "conflict", "quarantined", "unidentified", "people")}
    assert counts == {"applied": 209_029, "duplicate": 0, "conflict": 0, "quarantined": 0, "unidentified": 59_976, "people": 2_767}


def test_segments_equal_sql_over_the_file(project: Path) -> None:
    expected = _only(SEGMENTS)
    assert json.loads(skep("status", "--json", project=project).stdout)["segments"] == expected
    members = _sql(project, "SELECT segment, count(*) AS n FROM memberships WHERE exited_at IS NULL GROUP BY 1")
    assert {row["segment"]: row["n"] for row in members} == expected


def test_what_the_page_says_is_what_comes_out(project: Path) -> None:
    """Its queries, with the place of the file here."""
    page = (EXAMPLE / "README.md").read_text().replace("/path/to/online_retail.csv.gz", str(FILES[0]))
    asked = [(samples.commands(block), behind) for block, behind in pairwise(samples.blocks(page)) if behind.language == "text"]
    assert len(asked) == 2
    for (command,), sample in asked:
        words = shlex.split(command)[3:]
        assert samples.difference(sample.text, skep(*words, project=project).stdout, f"README.md:{sample.line}") == ""
