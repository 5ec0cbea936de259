"""`skep sql`: exact values in every form, streams, tables that fit, errors with their place, and nothing that is written."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from skep.cli import console
from skep.cli.main import app
from skep.cli.sql import screen
from skep.cli.sql.asked import Wanted, ask, text_of
from skep.cli.sql.output import ENDINGS
from skep.cli.sql.session import ROWS_AT_ONCE, Session
from skep.project.errors import CommandError
from skep.project.settings import Settings
from tests.processes import plain_environment, started
from tests.skep.test_cli import refused, skep

ROWS = 5 * ROWS_AT_ONCE + 1
EXACT = """select 'a"b,é' || chr(10) || chr(27) as t, null::text as none, '' as empty, 12.50::decimal(18, 2) as money,
    '{"x": 0.10,\n "y":18446744073709551617.5000}'::json as j, 18446744073709551617::hugeint as big,
    timestamp '2026-05-01 10:00:00.125' as at,
    [1.10, null] as list, {'k': ['{"in": 1.0}'::json], 'deep': [[1.5::decimal(3, 2)]]} as s, map {'m"': date '2026-05-01'} as m,
    'nan'::double as nan, encode('é') as raw, true as yes, 'again' as t, null::int[] as nl, []::int[] as el, 1e300 as large"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose snapshot has a table of more rows than are in memory at a time."""
    folder = tmp_path_factory.mktemp("sql") / "shop"
    (folder / "data").mkdir(parents=True)
    (folder / "skep.yaml").write_text("spaces: [shop]\n")
    with duckdb.connect(str(folder / "data" / "skep.duckdb")) as con:
        con.execute(
            "create table events as select i as n, 'm' || i as message_id, '{\"total\": 1.10}'::json as properties,"
            f" timestamp '2026-05-01' + to_hours(i::int) as at, i / 4 as quarter from range({ROWS}) t(i)"
        )
        con.execute('create schema typed; create view typed.paid as select n as "Odd name", n as plain from events')
        con.execute("create macro sizes() as table select count(*) as members from events; comment on table events is 'All of them'")
    return folder


@pytest.fixture
def settings(shop: Path) -> Settings:
    return Settings.load(shop)


@pytest.fixture
def session(shop: Path) -> Iterator[Session]:
    with Session(shop / "data" / "skep.duckdb") as opened:
        yield opened


def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on stdout is a terminal of 80 columns."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(console.out, "width", 80)


def printed(settings: Settings, capfd: pytest.CaptureFixture[str], text: str, wanted: Wanted | None = None) -> str:
    ask(settings, text, wanted or Wanted())
    sys.stdout.flush()
    return capfd.readouterr().out


def test_json_holds_what_the_snapshot_holds(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """JSON columns are JSON, numbers stand to the digit, a name stands once."""
    line = printed(settings, capfd, EXACT, Wanted("jsonl"))
    assert line.startswith('{"t":"a\\"b,é\\n\\u001B","none":null,"empty":"","money":12.50,"j":{"x": 0.10,  "y":18446744073709551617.5000},')
    assert '"big":18446744073709551617,"at":"2026-05-01T10:00:00.125","list":[1.10,null]' in line
    assert '"s":{"k":[{"in": 1.0}],"deep":[[1.50]]},"m":{"m\\"":"2026-05-01"},"nan":null,"raw":"é","yes":true,"t_1":"again"' in line
    assert json.loads(line)["nl"] is None
    assert (json.loads(line)["el"], json.loads(line)["large"]) == ([], 1e300)
    assert printed(settings, capfd, EXACT, Wanted("json")) == f"[{line[:-1]}]\n"


def test_csv_is_read_back_as_it_was(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    header, row = csv.reader(io.StringIO(printed(settings, capfd, EXACT, Wanted("csv"))))
    assert header[:4] == ["t", "none", "empty", "money"]
    assert row[:4] == ['a"b,é\n\x1b', "", "", "12.50"]
    assert row[6:8] == ["2026-05-01 10:00:00.125", "[1.10,null]"]
    assert printed(settings, capfd, "select null as a", Wanted("csv")) == 'a\n""\n'
    assert printed(settings, capfd, "select 1 as \"a,b\", '' as c, null as d", Wanted("csv")) == '"a,b",c,d\n1,"",\n'


@pytest.mark.parametrize("form", ["", "csv", "json", "jsonl"])
def test_every_row_is_there_once_and_in_order(settings: Settings, capfd: pytest.CaptureFixture[str], form: str) -> None:
    """Across the chunks in which rows are streamed."""
    said = printed(settings, capfd, "select n, message_id from events order by n desc", Wanted(form)).splitlines()
    lines = said if form in {"json", "jsonl"} else said[1:]
    assert len(lines) == ROWS
    assert f"m{ROWS - 1}" in lines[0]
    assert "m0" in lines[-1]


@pytest.mark.parametrize(("form", "said"), [("", "n\n"), ("csv", "n\n"), ("json", "[]\n"), ("jsonl", "")])
def test_no_rows(settings: Settings, capfd: pytest.CaptureFixture[str], form: str, said: str) -> None:
    assert printed(settings, capfd, "select n from events where n < 0", Wanted(form)) == said


def test_a_pipe_shows_whole_values_and_nothing_that_is_obeyed(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    text = printed(settings, capfd, "select repeat('x', 300) || chr(27) || chr(9) as t, 1234567.50::decimal(12,2) as v, null as n")
    header, row = text.splitlines()
    assert header == "t" + " " * 59 + "           v  n"
    assert row == "x" * 300 + r"\x1b\t  1234567.50  –"


def test_a_terminal_shows_the_first_rows_and_how_many_there_are(
    settings: Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(monkeypatch)
    ask(settings, "select n, message_id, repeat('long ', 60) as t from events", Wanted())
    said = capfd.readouterr()
    lines = said.out.splitlines()
    assert (len(lines), max(map(len, lines))) == (screen.ROWS + 1, 80)
    assert lines[1].endswith("…")
    assert f"40 of {ROWS:,} rows" in said.err
    assert "--out" in said.err
    ask(settings, "from events", Wanted(rows=3))
    said = capfd.readouterr()
    assert (len(said.out.splitlines()), f"3 of {ROWS:,} rows" in said.err) == (4, True)
    ask(settings, "from sizes()", Wanted())
    assert capfd.readouterr().err == ""


def test_columns_that_do_not_fit_become_records(
    settings: Settings, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(monkeypatch)
    wide = ", ".join(f"'value {at} {'x' * 90}' as column_{at}" for at in range(9))
    lines = printed(settings, capfd, f"select {wide} from events").splitlines()
    assert len(lines) == screen.RECORDS * 10
    assert lines[:2] == ["row 1", "column_0  value 0 " + "x" * 61 + "…"]


def test_widths() -> None:
    assert screen.fitting([5, 200, 10], 80) == [5, 61, 10]
    assert screen.fitting([100] * 9, 80) == []
    assert screen.fitting([], 80) == []
    assert (screen.fit("日本語", 5), screen.fit("7", 3, right=True)) == ("日本…", "  7")


@pytest.mark.parametrize("form", ENDINGS)
def test_files(settings: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str], form: str) -> None:
    path = tmp_path / f"o'ut.{form}"
    path.write_text("old")
    assert printed(settings, capfd, "create temp table t as from events; select n, properties from t order by n", Wanted(to=path)) == ""
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    if form == "parquet":
        assert pq.read_table(path).column("n").to_pylist() == list(range(ROWS))
    else:
        assert path.read_text() == printed(settings, capfd, "select n, properties from events order by n", Wanted(form))


@pytest.mark.parametrize(
    ("query", "wanted", "says"),
    [
        ("select 1;\n\nselect mesage_id\nfrom events", Wanted(), 'LINE 3: select mesage_id\n               ^^^^^^^^^'),
        ("select 1 +", Wanted(), "LINE 1: select 1 +"), ("from evnts", Wanted(), 'Did you mean "events"?'),
        ("select 'a'::int as x", Wanted("csv"), "Could not convert"),
        ("select message_id::int from events", Wanted("json"), "Could not convert"),
        ("insert into events (n) values (1)", Wanted(), "the snapshot is only read"), ("drop table events", Wanted(), "only read"),
        (" -- nothing\n", Wanted(), "expected a statement"), ("select 1", Wanted(to=Path("x.xlsx")), "a spreadsheet opens .csv"),
        ("select 1; select 2", Wanted(to=Path("x.csv")), "found 2"), ("select 1", Wanted(to=Path("/nowhere/x.csv")), "No such file"),
        ("select 1", Wanted(to=Path("/nowhere/x.parquet")), "No such file"), ("select 'a' as t", Wanted(plot="bar"), "a column of numbers"),
        ("select n from events where n < 0", Wanted(plot="auto"), "expected rows"), ("set threads = 1", Wanted(plot="auto"), "found 0"),
    ],
)  # fmt: skip
def test_errors(settings: Settings, capfd: pytest.CaptureFixture[str], query: str, wanted: Wanted, says: str) -> None:
    """An error says where it is and what to do, and nothing has been written."""
    with pytest.raises(CommandError) as error:
        ask(settings, query, wanted)
    assert says in str(error.value)
    assert "skep_answer" not in str(error.value)
    if not query.startswith("select 1;"):
        assert capfd.readouterr().out == ""


def test_a_file_that_fails_leaves_the_old_one(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(CommandError):
        ask(settings, f"select if(n = {ROWS - 1}, 'x', '1')::int as v from events", Wanted(to=path))
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("old", 1)


def test_times_in_json_have_one_form(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """Also in another zone, before the year 1, and where there is no time at all."""
    query = """set TimeZone = 'Asia/Kolkata'; select timestamptz '2026-05-06 07:08:09.1+02' as t, timestamptz 'infinity' as never,
        date '0044-03-15 (BC)' as ides, timestamptz '2026-05-06 07:08:09+02' at time zone 'UTC' as utc"""
    said = '{"t":"2026-05-06T10:38:09.1+05:30","never":"infinity","ides":"0044-03-15 (BC)","utc":"2026-05-06T05:08:09"}'
    assert printed(settings, capfd, query, Wanted(form="jsonl")).splitlines() == [said]


def test_several_statements(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """Settings and temporary tables say nothing; each answer follows the one before."""
    text = "create temp table few as from range(2); set threads = 1; select count(*) as c from few; delete from few; from few"
    assert printed(settings, capfd, text) == "c\n2\n\nrange\n"
    assert printed(settings, capfd, text, Wanted("json")) == '[{"c":2}]\n[]\n'
    assert "PROJECTION" in printed(settings, capfd, "explain select n from events").upper()


def test_a_text_comes_from_a_file_or_stdin(tmp_path: Path) -> None:
    path = tmp_path / "q.sql"
    path.write_bytes(b"\xef\xbb\xbfselect 1")
    assert text_of(None, path) == "select 1"
    path.write_bytes("select 'é'".encode("latin-1"))
    with pytest.raises(CommandError, match=r"q\.sql: expected SQL in UTF-8"):
        text_of(None, path)
    with pytest.raises(CommandError, match="found both"):
        text_of("select 1", path)


def test_a_new_snapshot_is_seen_once(tmp_path: Path) -> None:
    """Between two statements; one that has gone is read on."""

    def publish(value: int) -> None:
        with duckdb.connect(str(tmp_path / "new")) as con:
            con.execute(f"create table t as select {value} as v")
        (tmp_path / "new").replace(tmp_path / "snapshot")

    publish(1)
    with Session(tmp_path / "snapshot") as session:
        assert session.renewed() == ""
        publish(2)
        assert session.ask("from t").rows("from {answer}") == [(1,)]
        assert session.renewed()
        assert (session.renewed(), session.ask("from t").rows("from {answer}")) == ("", [(2,)])
        (tmp_path / "snapshot").unlink()
        assert (session.renewed(), session.ask("from t").rows("from {answer}")) == ("", [(2,)])


def test_a_reader_that_has_enough_ends_it_quietly(shop: Path) -> None:
    """`skep sql … | head -1`: the query stops, and nothing is said."""
    words = ["--project", str(shop), "sql", "--csv", "from range(1000000000)"]
    process = started("skep.cli", *words, env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"range\n"
    process.stdout.close()
    process.wait(30)
    assert process.stderr.read() == b""
    process.stderr.close()


def test_the_command(shop: Path, tmp_path: Path) -> None:
    """Its options, stdin and exit codes."""
    runner, before = CliRunner(), ["--project", str(shop), "sql"]
    done = runner.invoke(app, [*before, "--plot"], input="select 'a' as x, 3 as n")
    assert (done.exit_code, done.stdout) == (0, "a  " + "█" * 115 + " 3\n")
    (tmp_path / "q.sql").write_text("select 7 as seven")
    assert runner.invoke(app, [*before, "-f", str(tmp_path / "q.sql"), "--csv"]).stdout == "seven\n7\n"
    assert runner.invoke(app, [*before, "--jsonl", "-"], input="select 8 as n").stdout == '{"n":8}\n'
    for words in (["--csv", "--json", "select 1"], ["--out", "x.csv", "--csv", "select 1"], ["--rows", "0", "select 1"]):
        assert runner.invoke(app, [*before, *words]).exit_code == 2, words
    assert "LINE 1" in refused(skep("sql", "select 1 +", project=shop))
