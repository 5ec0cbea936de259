"""An analyst's first hour: a notebook's connection, a list to join, views of the project's own."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

import skep as package
from contracts.model.hashing import Hasher
from skep.answers.hashing import HashedColumn, Hashing
from skep.cli.console import cell, json_bytes
from skep.project.errors import CommandError
from skep.project.settings import Settings, load_definitions
from skep.project.views import view_problems
from skep.tools.starter import create
from state.snapshot.publish import NoSnapshot, publish
from tests.skep.test_cli import skep
from tests.state.test_snapshot import FakeRows

HASHER = Hasher("my secret", "shop")
ANN = HASHER.personal("email", "ann@example.org")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analysts") / "shop"
    create(folder)
    with (folder / "skep.yaml").open("a") as stream:
        stream.write("secret: my secret\n")
    return folder


def hashing(project: Path, **settings: str) -> Hashing:
    chosen = Settings.load(project, **settings)
    return Hashing(chosen, load_definitions(chosen), "shop")


def snapshot(path: Path, clock: int) -> None:
    publish(path, archives={}, rows={"shop": FakeRows(clock_us=clock)}, personal=None)


def test_a_connection_reads_the_snapshot_that_was_there_and_the_next_one_the_newest(project: Path) -> None:
    target = project / "data" / "skep.duckdb"
    with pytest.raises(NoSnapshot, match="skep snapshot"):
        package.connect(project)
    clock = "select epoch_us(clock) from spaces"
    snapshot(target, 1)
    before = package.connect(project)
    snapshot(target, 2)
    after = package.connect(target)
    assert (before.execute(clock).fetchall(), after.execute(clock).fetchall()) == ([(1,)], [(2,)])
    with pytest.raises(duckdb.Error, match="read-only"):
        after.execute("create table mine (n int)")
    after.execute("create temp table mine as from segment_sizes()")
    assert after.execute("select count(*) from timeline").fetchall() == [(0,)]
    before.close()
    after.close()


def test_no_command_pays_for_a_notebook() -> None:
    code = "import sys, skep; print(sorted({'duckdb', 'skep.project.settings', 'pydantic'} & set(sys.modules)), skep.connect.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] connect\n"


def test_a_hash_is_that_of_the_snapshot(project: Path) -> None:
    """Written in any way that the flow takes for the same; what is not personal is its normalised value."""
    found = hashing(project)
    assert {found.named(f"email:{text}") for text in ("ann@example.org", " Ann@Example.ORG ")} == {ANN}
    assert found.named("user_id: 42 ") == "42"
    assert hashing(project, snapshot_personal="clear").named("email:Ann@example.org") == "ann@example.org"


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("ann@example.org", "expected NAMESPACE:VALUE"), ("mail:ann@example.org", "found mail → did you mean email"),
        ("email:unknown", "one that the flow drops"), ("phone:12", "contracts/identity.yaml"),
    ],
)  # fmt: skip
def test_what_is_no_identifier_says_what_is(project: Path, identifier: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        hashing(project).named(identifier)


def test_a_column_of_a_file_is_hashed_and_nothing_else(project: Path, tmp_path: Path) -> None:
    rows = [["mail", "note"], ["Ann@example.org", 'a;"b"\nc'], ["n/a", ""], ["", "x"]]
    for delimiter, mark in ((",", ""), (";", "\ufeff"), ("\t", "")):
        with (tmp_path / "list.csv").open("w", encoding="utf-8", newline="") as stream:
            stream.write(mark)
            csv.writer(stream, delimiter=delimiter).writerows(rows)
            stream.write("\n")
        hashed = HashedColumn(hashing(project), "email", "mail")
        assert list(hashed.of(tmp_path / "list.csv")) == [["mail", "note"], [ANN, rows[1][1]], ["", ""], ["", "x"]]
        assert (hashed.rows, hashed.dropped) == (3, 2)
    (tmp_path / "short.csv").write_text("name,mail,note\nAnn\n")
    assert list(HashedColumn(hashing(project), "email", "mail").of(tmp_path / "short.csv"))[1:] == [["Ann", ""]]


def test_a_file_that_cannot_be_hashed_is_an_error(project: Path, tmp_path: Path) -> None:
    def refused(content: bytes | None, column: str = "mail") -> str:
        path = tmp_path / "some.csv"
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CommandError) as error:
            list(HashedColumn(hashing(project), "email", column).of(path))
        return str(error.value)

    assert "found nothing at" in refused(None)
    assert "some.csv:1: expected one column e-mail, found mail, name" in refused(b"mail,name\n", "e-mail")
    assert "found nothing" in refused(b"")
    assert "found mail, mail" in refused(b"mail,mail\n")
    assert "expected CSV in UTF-8" in refused("mail\nj\xf6rg@x.org\n".encode("latin-1"))


def test_a_decimal_is_printed_to_the_digit() -> None:
    assert json_bytes([Decimal("365093.41"), Decimal("1E-7")]) == b"[365093.41,0.0000001]"
    assert (cell(Decimal("12.50")), cell(Decimal("1E-7"))) == ("12.50", "0.0000001")


def test_the_commands(project: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("who,mail\nAnn,ann@example.org\nBen,none\n")
    done = skep("hash", "--namespace", "email", "--csv", str(tmp_path / "list.csv"), "--column", "mail", project=project)
    assert done.stdout == f"who,mail\nAnn,{ANN}\nBen,\n"
    assert "1 of 2 are identifiers of email; the others are empty" in done.stderr
    done = skep("hash", "--json", "email:ann@example.org", "user_id:7", project=project)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"identifier": "email:ann@example.org", "hash": ANN}, {"identifier": "user_id:7", "hash": "7"},
    ]  # fmt: skip


def test_check_names_a_view_that_the_snapshot_would_miss(project: Path) -> None:
    """Also columns of contracts; what is right is said by nobody."""
    (project / "views").mkdir(exist_ok=True)
    (project / "views" / "good.sql").write_text("select sum(revenue) as revenue from typed.order_completed")
    settings = Settings.load(project)
    assert view_problems(settings, load_definitions(settings)) == []
    (project / "views" / "bad.sql").write_text("-- by day\nselect day,\n  sum(revenu)\nfrom typed.order_completed")
    done = skep("check", project=project)
    assert done.returncode == 1
    assert "views/bad.sql:2: Binder Error" in done.stderr
