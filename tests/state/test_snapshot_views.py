"""A project's own views: those that can be made are in the snapshot, the others are named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.snapshot.defined import Defined
from state.snapshot.own_views import OwnView
from state.snapshot.publish import publish, rehearse, sql
from tests.state.test_snapshot import FakeRows

GOOD = {
    "above": "from views.base",
    "base": "-- How far each space is.\n--\n-- One row a space.\nselect space, clock\nfrom spaces; -- the end\n",
    "commented": "select 1 as one -- a remark; with a semicolon",
    "blocked": "/* In\n   blocks, */ -- and lines.\nselect 1 as one",
    "of_macros": "with known as (from segment_sizes()) select count(*) as n from known",
}
BAD = {
    "column": ("-- what\n\nselect space,\n  clok\nfrom spaces", 4, "clok"),
    "syntax": ("-- what\nselec space", 2, "selec"),
    "unknown": ("from views.nowhere", 1, "nowhere"),
    "on_a_bad_one": ("from views.unknown", 1, "unknown"),
    "two": ("select 1; select 2", 1, "expected one SELECT, found SELECT and SELECT"),
    "change": ("drop table events", 1, "expected one SELECT, found DROP"),
    "created": ("create view x as select 1", 1, "expected one SELECT, found CREATE"),
    "closing": ("select 1) ; drop table events; --", 1, "syntax error"),
    "empty": ("", 1, "expected one SELECT, found nothing"),
    "parameter": ("from spaces where space = $space", 1, "parameter"),
    "outside": ("select 1 as one,\n  * from read_csv('/etc/passwd')", 2, "/etc/passwd"),
    "python": ("from GOOD", 1, "GOOD"),
    "pivot": ("pivot spaces on space", 1, "expected one SELECT"),
    "zero": ("select '\0", 1, ""),
    "unreadable": (None, 1, "can be read"),
    "Large": ("select 1", 1, "small letters"),
}


def own(texts: dict[str, str | None]) -> list[OwnView]:
    return [OwnView(name, f"views/{name}.sql", text) for name, text in texts.items()]


@pytest.fixture(scope="module")
def defined() -> Defined:
    return Defined(views=own(GOOD | {name: text for name, (text, _, _) in BAD.items()}))


def test_what_is_wrong_with_one_costs_no_other(tmp_path: Path, defined: Defined) -> None:
    report = publish(tmp_path / "skep.duckdb", archives={}, rows={"shop": FakeRows()}, personal=None, defined=defined)
    found = {Path(one.file).stem: one for one in report.problems}
    assert {name: one.line for name, one in found.items()} == {name: line for name, (_, line, _) in BAD.items()}
    assert [name for name, (_, _, words) in BAD.items() if words not in str(found[name]) or "\n" in str(found[name])] == []
    made = sql(tmp_path / "skep.duckdb", "select view_name from duckdb_views() where schema_name = 'views' order by 1")[1]
    assert [name for (name,) in made] == sorted(GOOD)
    for name in GOOD:
        assert len(sql(tmp_path / "skep.duckdb", f"from views.{name}")[1]) == 1
    assert report.rows["spaces"] == 1


def test_the_comment_before_the_select_is_that_of_the_view(tmp_path: Path, defined: Defined) -> None:
    publish(tmp_path / "skep.duckdb", archives={}, rows={"shop": FakeRows()}, personal=None, defined=defined)
    comments = dict(sql(tmp_path / "skep.duckdb", "select view_name, comment from duckdb_views() where schema_name = 'views'")[1])
    assert comments["base"] == "How far each space is. One row a space."
    assert comments["blocked"] == "In blocks, and lines."
    assert comments["above"] == "From views/above.sql"


def test_a_rehearsal_without_data_finds_the_same(tmp_path: Path, defined: Defined) -> None:
    report = publish(tmp_path / "skep.duckdb", archives={}, rows={"shop": FakeRows()}, personal=None, defined=defined)
    assert rehearse(defined, clear=False) == report.problems
