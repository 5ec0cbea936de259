"""State that cannot be written: another format version, a full disk. A clear error, exit code 1, and nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rocksdict import Options, Rdict

from state.shard import FORMAT
from tests.crash.harness import FLOW, command, finish
from tests.crash.outcome import Outcome, broken_rules, differences
from tests.crash.round import reference
from tests.crash.shop import make_lines, make_project, write_partitions

SEED = 31


def refused(project: Path, *words: str) -> str:
    """What a process says that ends with exit code 1."""
    done = command(project, *words)
    assert done.returncode == 1, done
    return done.stderr


def stamp_format(project: Path, version: bytes) -> None:
    path = str(project / "data" / "shards" / "shop")
    families = {name: Options(raw_mode=True) for name in Rdict.list_cf(path)}
    shard = Rdict(path, Options(raw_mode=True), column_families=families)
    meta = shard.get_column_family("meta")
    meta.put(b"format", version)
    meta.close()
    shard.close()


def test_a_shard_of_another_format_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path / "shop")
    write_partitions(project / "events", make_lines(500, SEED), 1)
    finish(project, FLOW)
    before = Outcome.of(project)
    stamp_format(project, b"0")
    for words in (("bytewax.run", FLOW), ("skep.cli", "run", "--once"), ("skep.cli", "status"), ("skep.cli", "dump")):
        said = refused(project, *words)
        assert f"state of format 0, this version of Skep reads format {FORMAT.decode()}" in said, words
        assert "`skep state info` says what it needs" in said
        assert "Traceback" not in said, words
    stamp_format(project, FORMAT)
    finish(project, FLOW)
    assert differences(before, Outcome.of(project), in_order=True) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB that can be enlarged."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "skep", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def assert_full(said: str) -> None:
    """Lines of our log, the last of which says why, and no other: nothing of Rust's, nothing of Python's."""
    *_, last = [json.loads(line) for line in said.splitlines()]
    assert last["because"].startswith("the disk of "), said[-2000:]
    assert last["because"].endswith("Free some space and start the flow again.")


def enlarge(disk: Path, size: str) -> None:
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], Outcome]:
    """Lines, and what they leave where there is space."""
    lines = make_lines(8_000, SEED)
    _, outcome, _ = reference(tmp_path_factory.mktemp("refusals"), lines)
    return lines, outcome


def test_a_full_disk_loses_nothing(tmp_path: Path, small_disk: Path, undisturbed: tuple[list[bytes], Outcome]) -> None:
    """Wherever it fills up: the error says so, and with more space the run ends as if nothing had been."""
    lines, wanted = undisturbed
    project = make_project(tmp_path / "full")
    write_partitions(project / "events", lines, 1)
    (project / "data").symlink_to(small_disk)
    for size in ("2m", "3m", "4m"):
        enlarge(small_disk, size)
        assert_full(refused(project, "bytewax.run", FLOW))
    enlarge(small_disk, "100m")
    stopped = Outcome.of(project)
    assert 0 < stopped.counters["received"] < wanted.counters["received"]
    assert not broken_rules(stopped)
    finish(project, FLOW)
    assert differences(wanted, Outcome.of(project), in_order=True) == []


def test_a_disk_that_is_full_for_the_archive_loses_nothing(
    tmp_path: Path, small_disk: Path, undisturbed: tuple[list[bytes], Outcome]
) -> None:
    """Files half written are removed; the rows are read again."""
    lines, wanted = undisturbed
    project = make_project(tmp_path / "full")
    write_partitions(project / "events", lines, 1)
    (project / "data").mkdir()
    (project / "data" / "archive").symlink_to(small_disk)
    enlarge(small_disk, "200k")
    assert_full(refused(project, "bytewax.run", FLOW))
    enlarge(small_disk, "100m")
    assert shutil.disk_usage(small_disk).free > 1_000_000
    finish(project, FLOW)
    assert differences(wanted, Outcome.of(project), in_order=True) == []
