"""A data folder of another version: what `skep state info` says of it, and `skep state migrate`, killed in the middle and run again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from operators.people.meaning import MEANING
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import shard_path
from skep.tools.migration import OURS, Standing, needed, needs
from state.shard import Shard
from tests.promises.project import asked, dump, environment, ran
from tests.promises.test_meaning import OLDER
from tests.skep.test_cli import refused, skep

_KILLED = """
import os, signal, sys
from skep.cli.main import main
from state.shard import Shard
commit, moment = Shard.commit, sys.argv[1]
def killed(shard):
    if moment == "after":
        commit(shard)
    os.kill(os.getpid(), signal.SIGKILL)
Shard.commit = killed
sys.argv = ["skep", "state", "migrate"]
main()
"""


@pytest.fixture
def older(tmp_path: Path) -> Path:
    with tarfile.open(OLDER) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "shop"


def info(folder: Path) -> dict[str, Any]:
    (row,) = asked(folder, "state", "info")
    return dict(row)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_migration_comes_to_the_same_end(older: Path, moment: str) -> None:
    """Before the step's commit nothing of it is there, behind it all of it; a folder that a flow has brought up is the measure."""
    fresh = older.with_name("fresh")
    shutil.copytree(older, fresh)
    killed = subprocess.run([sys.executable, "-P", "-c", _KILLED, moment], env=environment(older), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert info(older)["steps"] == (["meaning"] if moment == "before" else [])
    done = skep("state", "migrate", project=older)
    assert (done.returncode, "nothing to do" in done.stdout) == (0, moment == "after")
    expected = {"space": "shop", "format": OURS, "meaning": MEANING, "events": 168, "steps": [], "fits": True, "needs": "nothing"}
    assert info(older) == expected
    if moment == "before":
        ran(fresh)
        assert dump(older) == dump(fresh)


def test_a_format_that_this_version_does_not_read_is_named(older: Path) -> None:
    shard = Shard(shard_path(Settings.load(older), "shop"))
    shard.db.get_column_family("meta").put(b"format", b"2")
    shard.close()
    assert "skep state info" in refused(skep("status", project=older))
    found = info(older)
    assert (found["format"], found["fits"], found["steps"]) == (2, False, [])
    assert "the version that wrote it" in refused(skep("state", "migrate", project=older))


def test_a_running_flow_is_not_disturbed(older: Path) -> None:
    with take_lock(Settings.load(older)):
        assert "written by another flow" in refused(skep("state", "migrate", project=older))


def test_what_stands_says_what_it_needs() -> None:
    """Also a folder that a newer version has left: going back is no step."""
    assert needs(Standing("shop", OURS, MEANING, 1)) == "nothing"
    assert [step.name for step in needed(Standing("shop", OURS, 0, 1))] == ["meaning"]
    for newer in (Standing("shop", OURS + 1, 0, 0), Standing("shop", OURS, MEANING + 1, 1)):
        assert newer.is_newer
        assert needed(newer) == []
        assert "newer version" in needs(newer)


def test_before_the_first_run_there_is_nothing(tmp_path: Path) -> None:
    skep("init", str(tmp_path / "p"))
    assert "nothing has run here yet" in refused(skep("state", "info", project=tmp_path / "p"))
