"""`skep sources`: a file with other content than when it was read, and what people and settings decide about it."""

from __future__ import annotations

import gc
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bytewax.testing import run_main

from flows.cdp import dataflow
from skep.answers import sources
from skep.answers.audit import audit
from skep.answers.status import status
from skep.cli.show.status import tell_files
from skep.project.errors import CommandError
from skep.project.exits import Exit
from skep.project.settings import Settings
from skep.project.spaces import open_views, shard_path
from skep.runtime import supervisor as running
from skep.runtime.flow import Runtime
from state.keys import MARKS, MARKS_END
from state.shard import Shard

SETTINGS = """\
horizon: 400d
unknown_events: accept
sources:
  - {name: till, kind: csv, path: orders.csv, mapping: rows, changed: CHANGED}
  - {name: web, kind: jsonl, path: "in/*.jsonl"}
"""
MAPPING = "columns: {userId: id, timestamp: at}\nconstants: {type: track, event: ordered}\n"
FILE = "till/orders.csv"


def rows(*days: int) -> str:
    return "id,at\n" + "".join(f"{day},2026-05-{day:02}\n" for day in days)


def ran(folder: Path) -> None:
    """The main flow, once, in this process."""
    settings = Settings.load(folder)
    runtime = Runtime(settings)
    run_main(dataflow(runtime))
    runtime.space("shop").shard.close()
    runtime._lock.close()
    gc.unfreeze()


def people(folder: Path) -> list[str]:
    with open_views(Settings.load(folder)) as views:
        return sorted(value for _, value, *_ in views["shop"].identity.identifiers())


def listed(folder: Path, source: str = "till") -> list[tuple[Any, ...]]:
    found = sources.report(Settings.load(folder), source)
    return [(row.partition, row.records, row.skipped, row.state) for row in found]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has read the rows 1 to 3."""
    folder = tmp_path_factory.mktemp("sources") / "shop"
    (folder / "contracts" / "sources").mkdir(parents=True)
    (folder / "in").mkdir()
    (folder / "skep.yaml").write_text(SETTINGS.replace("CHANGED", "stop"))
    (folder / "contracts" / "sources" / "rows.yaml").write_text(MAPPING)
    (folder / "orders.csv").write_text(rows(1, 2, 3))
    (folder / "in" / "отчет о продажах за первый квартал года.jsonl").write_text(
        '{"type":"track","event":"x","userId":"w","timestamp":"2026-05-01"}\n'
    )
    ran(folder)
    return folder


@pytest.fixture
def project(read: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(read, tmp_path / "shop [copy]")


def test_a_replaced_file_stops_until_somebody_decides(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, web = Settings.load(project), project / "in" / "b.jsonl"
    (project / "orders.csv").write_text(rows(4, 5, 1, 2, 3))
    web.write_text('{"type":"track","event":"x","userId":"v","timestamp":"2026-05-04"}\n{"type":')
    ran(project)
    found = status(settings)
    assert running.stopped(found) == Exit.STOPPED
    tell_files(found.files)
    said = capsys.readouterr().err
    assert f"FILE {FILE} IS STOPPED: {project / 'orders.csv'}: expected what was read of it before" in said
    assert f"skep sources reread {FILE};" in said
    assert f"1 unfinished record at the end of {web} (8 bytes)" in said
    assert people(project) == ["1", "2", "3", "v", "w"]
    assert listed(project) == [(FILE, 3, 0, "stopped")]
    assert found.partitions[FILE].stopped
    first, second = (sources.reread(settings, name, "a daily export") for name in ("till", FILE))
    assert (first.answer, "the next one will do it" in first.words()) == (None, True)
    ran(project)
    assert running.stopped(status(settings)) == Exit.DONE
    assert people(project) == ["1", "2", "3", "4", "5", "v", "w"]
    assert listed(project) == [(f"{FILE}/@2", 5, 0, "finished")]
    told = [row for row in audit(settings, "shop") if row.type == "reread"]
    assert [(row.what.file, row.why, (row.answer or {})["applied"]) for row in told] == [
        (FILE, "a daily export", True),
        (FILE, "a daily export", False),
    ]
    found = status(settings)
    assert (found.received, found.duplicate) == (4 + 5 + 1, 3)
    assert second.message_id == told[1].id


def test_what_is_skipped_is_not_read_and_what_comes_behind_it_is(project: Path) -> None:
    path = project / "orders.csv"
    path.write_text(rows(7, 8))
    sources.skip(Settings.load(project), FILE, "")
    with path.open("a") as stream:
        stream.write("9,2026-05-09\n")
    ran(project)
    assert (people(project), listed(project)) == (["1", "2", "3", "9", "w"], [(f"{FILE}/@2", 1, 2, "finished")])


def test_a_setting_reads_changed_files_anew(project: Path) -> None:
    """In the same run; the entry says that nobody was asked."""
    (project / "skep.yaml").write_text(SETTINGS.replace("CHANGED", "reread"))
    for days in ((4, 5, 6), (8,)):
        (project / "orders.csv").write_text(rows(*days))
        ran(project)
    assert (people(project), listed(project)) == (["1", "2", "3", "4", "5", "6", "8", "w"], [(f"{FILE}/@3", 1, 0, "finished")])
    told = [(row.by, (row.answer or {})["partition"]) for row in audit(Settings.load(project), "shop") if row.type == "reread"]
    assert told == [("skep.yaml: changed of source till", f"{FILE}/@{number}") for number in (2, 3)]


def forget_marks(project: Path) -> None:
    """As an earlier version has left it."""
    shard = Shard(shard_path(Settings.load(project), "shop"))
    for key, _ in list(shard.meta.committed(MARKS, MARKS_END)):
        shard.meta.delete(key)
    shard.commit()
    shard.close()


@pytest.mark.parametrize("setting", ["stop", "reread"])
def test_rows_that_an_earlier_version_has_read_are_not_read_anew(project: Path, setting: str) -> None:
    """Its message ids were others; what was read is taken on trust once, and has a mark from then on."""
    forget_marks(project)
    settings = Settings.load(project)
    with pytest.raises(CommandError, match="would be counted twice"):
        sources.reread(settings, FILE, "")
    (project / "skep.yaml").write_text(SETTINGS.replace("CHANGED", setting))
    (project / "orders.csv").write_text(rows(1, 2, 3, 4))
    ran(project)
    assert people(project) == ["1", "2", "3", "4", "w"]
    (project / "orders.csv").write_text(rows(5, 6, 7, 8))
    ran(project)
    assert (people(project), listed(project)) == (["1", "2", "3", "4", "w"], [(FILE, 4, 0, "stopped")])
    with pytest.raises(CommandError, match=r"3 rows of till/orders\.csv were read by an earlier version"):
        sources.reread(settings, "till", "")


@pytest.mark.parametrize(
    ("name", "said"),
    [("tll/orders.csv", "did you mean till/orders.csv?"), ("web", "name one of"), ("till/orders.csv/@7", "expected a file that")],
)
def test_a_name_that_is_no_file_is_said_in_a_line(project: Path, name: str, said: str) -> None:
    (project / "in" / "b.jsonl").touch()
    with pytest.raises(CommandError, match=said.replace("?", r"\?")):
        sources.reread(Settings.load(project), name, "")


def test_long_names_and_brackets_are_names(project: Path) -> None:
    """The first run of a copy begins with what the archive has, in a folder whose name is a pattern."""
    ran(project)
    with open_views(Settings.load(project)) as views:
        assert views["shop"].status()["received"] == 4
    names = [path.name for path in (project / "data" / "archive" / "shop").glob("day=*/*")]
    assert json.loads((project / "data/archive/shop/positions.json").read_text())[FILE] == 3
    assert max(map(len, names)) <= 200
