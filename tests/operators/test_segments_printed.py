"""The printed query of a segment: every golden file in plain DuckDB, beside another space; how it is laid out."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import duckdb
import orjson
import pytest

from contracts.model.hashing import profile_id
from operators.segments.sql.layout import WIDTH, laid_out
from operators.segments.sql.printed import segment_query
from operators.segments.sql.twin import twin
from tests.engine import HASHER, steps
from tests.generator import scenario
from tests.golden.cases import FOLDER, Case, read
from tests.golden.test_segments import by_model
from tests.model_links import instant
from tests.operators.test_segments_sql import store_of
from tests.promises.test_one_meaning import shop

FILES = sorted(FOLDER.glob("*.txt"))


def two_spaces(con: duckdb.DuckDBPyConnection, clock: int) -> None:
    """The tables as those of the space `shop`, with another space that has the same rows and all consents turned round."""
    for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        con.execute(f"ALTER TABLE {name} ADD COLUMN space VARCHAR DEFAULT 'shop'")
        con.execute(f"INSERT INTO {name} SELECT * REPLACE ('o''ther' AS space) FROM {name}")
    con.execute("UPDATE consents SET granted = NOT granted WHERE space <> 'shop'")
    con.execute("CREATE TABLE spaces (space VARCHAR, clock TIMESTAMP)")
    con.execute("INSERT INTO spaces VALUES ('shop', make_timestamp(?)), ('o''ther', NULL)", [clock])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_file_in_plain_duckdb(path: Path) -> None:
    """At the clock and at a moment that is named; the time zone of the client changes nothing."""
    case: Case = read(path)
    time = case.times[-1]
    lines = [orjson.loads(line) for line in by_model(case, time)]
    computed = {trait.name for trait in case.definitions.traits if trait.kind != "plain"}
    con = store_of(case.events(time), lines, computed)
    two_spaces(con, instant(time))
    con.execute("SET TimeZone = 'America/New_York'")
    people = {profile_id(HASHER.identifier("user_id", person)): person for person in case.people}
    profiles = [line for line in lines if line["kind"] == "profile"]
    expected = {name: {line["id"] for line in profiles if name in line["segments"]} for name in case.given.get("segments", {})}
    for name, inside in expected.items():
        for at in (None, instant(time)):
            found = {profile for (profile,) in con.execute(segment_query(case.definitions, name, "shop", at)).fetchall()}
            assert {people[one] for one in found} == {people[one] for one in inside}, (name, at)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_what_stands_between_the_words_is_changed(path: Path) -> None:
    """Of the query of all segments; a line is wide only where a text or a word in it is."""
    query = twin(read(path).definitions)
    laid = laid_out(query)
    assert re.sub(r"\s+", "", laid) == re.sub(r"\s+", "", query)
    longest = max(laid.splitlines(), key=len)
    assert len(longest) <= 3 * WIDTH, longest


def test_literals_keep_their_blanks_and_parentheses() -> None:
    query = "SELECT  'a  (  b',  \"x  y\", " + ", ".join(f"column_{at}" for at in range(20))
    words = " FROM t WHERE a BETWEEN 1 AND 2 AND b = ')' OR 'FROM' = c"
    assert laid_out(query + words).splitlines()[-4:] == ["FROM t", "WHERE a BETWEEN 1 AND 2", "AND b = ')'", "OR 'FROM' = c"]
    assert laid_out(query + words).startswith("SELECT\n  'a  (  b',\n  \"x  y\",\n  column_0")


def test_a_published_snapshot_opened_and_attached(tmp_path: Path) -> None:
    """What the change log has announced, at the clock, by the file itself and by one that is attached under another name."""
    drawn = scenario(9000, 40)
    with shop(tmp_path, drawn) as one:
        for name, records in steps(drawn, Random(0)):
            one.feed(name, records)
        target = one.publish()
        told: dict[str, set[str]] = {}
        for segment, profile in one.stored():
            told.setdefault(segment, set()).add(profile)
        opened, attached = duckdb.connect(str(target), read_only=True), duckdb.connect()
        queries = {segment.name: segment_query(one.definitions, segment.name, "shop", None) for segment in one.definitions.segments}
        assert any(told.values())
        for segment, query in queries.items():
            assert {row[0] for row in opened.execute(query).fetchall()} == told.get(segment, set()), segment
        opened.close()
        attached.execute(f"ATTACH '{target}' AS skep (READ_ONLY); USE skep")
        for segment, query in queries.items():
            assert {row[0] for row in attached.execute(query).fetchall()} == told.get(segment, set()), segment
