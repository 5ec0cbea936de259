"""Each numbered point of "Recovery" in docs/architecture.md, on real state that ``kill -9`` has left."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random

import orjson
import pytest

from skep.answers.quarantine.repairs import replay
from skep.answers.quarantine.selection import Selection
from skep.project.apply import apply
from skep.project.entries import submit
from skep.project.settings import Settings, load_definitions
from skep.project.spaces import archive_path
from tests.crash.harness import ACTIVATION, FLOW, OUTBOX, POLL_S, Killing, control_entries, finish, start, wait_for_commits
from tests.crash.outcome import Outcome, archive_rows, broken_rules, delivery_problems, differences
from tests.crash.round import reference
from tests.crash.shop import make_lines, make_project, replace, write_partitions
from tests.patience import until

SEED = 41
PART = "shop/part-0.jsonl"


@dataclass(frozen=True)
class Killed:
    """A project whose flow was killed twice; ``earlier`` is its shard as the first kill left it."""

    project: Path
    earlier: Path
    lines: list[bytes]
    wanted: Outcome
    size: int


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    folder = tmp_path_factory.mktemp("recovery")
    lines = make_lines(8_000, SEED)
    _, wanted, size = reference(folder, lines)
    project = make_project(folder / "killed")
    write_partitions(project / "events", lines, 1)
    # The second time nothing is flushed, so that the archive is certainly behind the shard.
    for share, keep, rows in ((0.2, folder / "earlier", "500"), (0.4, None, "1000000")):
        process = start(project, FLOW, SKEP_ARCHIVE_ROWS=rows, SKEP_ARCHIVE_INTERVAL="1h")
        assert wait_for_commits(project, process, int(size * share))
        positions = archive_path(Settings.load(project), "shop") / "positions.json"
        until(positions.exists, pause_s=POLL_S)
        assert process.poll() is None
        process.kill()
        process.wait()
        if keep:
            shutil.copytree(project / "data" / "shards", keep)
    return Killed(project, folder / "earlier", lines, wanted, size)


@pytest.fixture
def project(killed: Killed, tmp_path: Path) -> Path:
    """A copy of what the kills have left."""
    return Path(shutil.copytree(killed.project, tmp_path / "copy"))


def durable(project: Path) -> int:
    """What the archive's positions say of the only partition."""
    return int(orjson.loads((archive_path(Settings.load(project), "shop") / "positions.json").read_bytes())[PART])


def applied(outcome: Outcome) -> int:
    return int(outcome.counters["partitions"][PART]["position"])


def rows_up_to(rows: Counter[tuple[object, ...]], position: int) -> Counter[tuple[object, ...]]:
    """Archive rows, whose columns are sorted by name, of the positions up to one."""
    return Counter({row: count for row, count in rows.items() if isinstance(row[7], int) and row[7] <= position})


def test_point_1_what_was_applied_is_stored_with_its_position(project: Path, killed: Killed) -> None:
    """In the shard in one write: every count and every change belongs to the position. In the archive: nothing up to it is missing."""
    found = Outcome.of(project)
    assert 0 < applied(found) < len(killed.lines)
    assert broken_rules(found) == []
    assert found.changes == killed.wanted.changes[: len(found.changes)]
    position = durable(project)
    assert rows_up_to(found.archive, position) == rows_up_to(killed.wanted.archive, position)
    assert rows_up_to(found.archive, position)


def test_point_2_a_source_starts_behind_the_lowest_position(project: Path, killed: Killed) -> None:
    """Once with the archive behind the shard, as a kill leaves it, and once with the shard behind the archive."""
    assert 0 < durable(project) < applied(Outcome.of(project))
    other = Path(shutil.copytree(project, project.with_name("other")))
    finish(project, FLOW)
    assert differences(killed.wanted, Outcome.of(project), in_order=True) == []
    shutil.rmtree(other / "data" / "shards")
    shutil.copytree(killed.earlier, other / "data" / "shards")
    shutil.rmtree(other / "data" / "archive")
    shutil.copytree(project / "data" / "archive", other / "data" / "archive")
    assert 0 < applied(Outcome.of(other)) < durable(other) == len(killed.lines)
    finish(other, FLOW)
    assert differences(killed.wanted, Outcome.of(other), in_order=True) == []


def test_point_3_the_change_log_is_the_outbox(project: Path, killed: Killed) -> None:
    """It folds to what the same commit made true; a destination whose cursor is behind what it has hears nothing new twice."""
    found = Outcome.of(project)
    assert broken_rules(found) == []
    finish(project, ACTIVATION)
    assert delivery_problems(project / OUTBOX, found) == []
    cursor = project / "data" / "cursors" / "changes_file@shop.json"
    told = orjson.loads(cursor.read_bytes())["sequence"]
    assert told == len(found.changes)
    cursor.write_bytes(orjson.dumps({"sequence": told - 50}))
    with (project / OUTBOX).open("ab") as torn:
        torn.write(found.changes[-1][:30])
    finish(project, FLOW)
    finish(project, ACTIVATION)
    assert delivery_problems(project / OUTBOX, killed.wanted) == []
    assert len((project / OUTBOX).read_bytes().splitlines()) == len(killed.wanted.changes) + 50


def test_point_4_the_archive_removes_what_lies_beyond_its_positions(project: Path, killed: Killed) -> None:
    """Whole files of a flush whose positions were never written, and half a file; then each row is there once."""
    folder = archive_path(Settings.load(project), "shop")
    position = durable(project)
    some = max(folder.glob("day=*/*.parquet"))
    beyond = some.with_name(f"shop%2Fpart-0.jsonl~{position + 1}-{position + 900}.parquet")
    shutil.copy(some, beyond)
    half = some.with_name(some.name + ".new")
    half.write_bytes(some.read_bytes()[:100])
    process = start(project, FLOW)
    # The archive is opened behind the first commit of people, which may be there before.
    until(lambda: not (beyond.exists() or half.exists()) or process.poll() is not None)
    process.kill()
    process.wait()
    assert not beyond.exists()
    assert not half.exists()
    finish(project, FLOW)
    assert archive_rows(folder) == killed.wanted.archive


def test_point_5_everything_else_is_an_entry_of_control(project: Path, killed: Killed) -> None:
    """Links, an unlink and a replay, given while no flow runs, are applied once through kills: two runs from here are the same."""
    settings = Settings.load(project)
    ends = [{"namespace": "user_id", "value": str(number)} for number in range(1, 5)]
    device = next(line["value"] for line in map(orjson.loads, Outcome.of(project).dump) if line.get("namespace") == "anonymous_id")
    submit(settings, "shop", {"type": "link", "a": ends[0], "b": {"namespace": "email", "value": "new@example.com"}, "why": "ticket"})
    submit(settings, "shop", {"type": "unlink", "a": ends[1], "b": {"namespace": "anonymous_id", "value": device}, "why": "ticket"})
    count, _ = replay(settings, "shop", Selection())
    assert count > 10
    kinds = [entry["type"] for entry in control_entries(project)]
    assert kinds[:3] == ["definitions", "link", "unlink"]
    assert set(kinds[3:]) == {"replay"}
    undisturbed = Path(shutil.copytree(project, project.with_name("undisturbed")))
    finish(undisturbed, FLOW)
    wanted = Outcome.of(undisturbed)
    assert wanted.dump != killed.wanted.dump
    assert broken_rules(wanted) == []
    killing = Killing(project, Random(SEED), killed.size / 8)
    killing.through(4)
    assert killing.kills
    assert killing.checks == []
    assert differences(wanted, Outcome.of(project), in_order=True) == [], killing.kills


def test_point_6_a_record_is_judged_by_the_definitions_of_its_position(project: Path, killed: Killed) -> None:
    """Edited while the archive is behind the shard: what it reads again keeps the old digest, the next record has the new one."""
    before = Outcome.of(project)
    position, old = applied(before), load_definitions(Settings.load(project)).digest
    assert durable(project) < position
    edit(project)
    new = load_definitions(Settings.load(project)).digest
    assert new != old
    killing = Killing(project, Random(SEED), killed.size / 8)
    killing.through(3)
    found = Outcome.of(project)
    assert killing.checks == []
    assert broken_rules(found) == []
    assert [entry["digest"] for entry in control_entries(project)] == [old, new]
    assert control_entries(project)[1]["from"] == {PART: position + 1}
    assert rows_up_to(found.archive, position) == rows_up_to(killed.wanted.archive, position)
    assert {row[1] for row in rows_up_to(found.archive, position)} == {old}
    assert {row[1] for row in found.archive - rows_up_to(found.archive, position)} == {new}
    assert differences(edited_at(project.with_name("undisturbed"), killed.lines, position), found, in_order=True, told_alike=False) == []


def edit(project: Path) -> None:
    """Another limit of a segment, a new segment, and a revision of a contract that refuses what was accepted before; applied."""
    contracts = project / "contracts"
    replace(contracts / "segments" / "big_spenders.yaml", "gt: 250", "gt: 100")
    (contracts / "segments" / "frequent.yaml").write_text(
        "segment: frequent\nowner: crm\nwho: {did: page_viewed, times: {gte: 5}, within: 3d}\n"
    )
    (contracts / "segments" / "hive_keepers.yaml").unlink()
    schema = orjson.loads((contracts / "events" / "product_viewed" / "1-0-0.json").read_bytes())
    schema["properties"]["price"] = {"type": "number", "maximum": 20}
    (contracts / "events" / "product_viewed" / "1-1-0.json").write_bytes(orjson.dumps(schema))
    apply(Settings.load(project), ("shop",))


def edited_at(project: Path, lines: list[bytes], position: int) -> Outcome:
    """A run that nobody disturbed: to the position by the old definitions, behind it by the new ones."""
    make_project(project)
    write_partitions(project / "events", lines[:position], 1)
    finish(project, FLOW)
    edit(project)
    write_partitions(project / "events", lines, 1)
    finish(project, FLOW)
    return Outcome.of(project)
