"""A data folder of another version: what `skep state info` says of it, and `skep state migrate`, killed in the middle and run again."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from operators.people.meaning import MEANING
from skep.project.migration import OURS, Standing, needed, needs
from skep.project.process import take_lock
from skep.project.settings import Settings
from skep.project.spaces import open_view, shard_path
from state.shard import Shard
from tests.promises.project import asked, dump, environment, ran
from tests.promises.test_meaning import OLDER
from tests.skep.test_cli import refused, skep

DATA = Path(__file__).parent.parent / "promises/data"
"""A small shop with the data folder that the commit 4a8421a has made of it, its dump and its change log (``before``); more of its
events, repeats of the first among them, and the dump and change log that the same commit made of all (``after``)."""
_KILLED = """
import os, signal, sys
from skep.cli.main import main
from state.shard import Shard
commit, left = Shard.commit, int(sys.argv[1])
def killed(shard):
    global left
    if left:
        commit(shard)
        left -= 1
    if not left:
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
    """What the folder is and needs; what it takes is in tests/skep/test_state_upkeep.py."""
    (row,) = asked(folder, "state", "info")
    row.pop("stored", None)
    return dict(row)


@pytest.mark.parametrize(("commits", "left"), [(0, ["rows", "meaning"]), (1, ["meaning"]), (2, [])])
def test_a_killed_migration_comes_to_the_same_end(older: Path, commits: int, left: list[str]) -> None:
    """Each step is one commit: before it nothing of it is there, behind it all of it. One that is not killed is the measure."""
    fresh = older.with_name("fresh")
    shutil.copytree(older, fresh)
    killed = subprocess.run([sys.executable, "-P", "-c", _KILLED, str(commits)], env=environment(older), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert info(older)["steps"] == left
    done = skep("state", "migrate", project=older)
    assert (done.returncode, "nothing to do" in done.stdout) == (0, not left)
    expected = {"space": "shop", "format": OURS, "meaning": MEANING, "events": 168, "steps": [], "fits": True, "needs": "nothing"}
    assert info(older) == expected
    assert skep("state", "migrate", project=fresh).returncode == 0
    assert (dump(older), changes(older)) == (dump(fresh), changes(fresh))


def changes(folder: Path) -> bytes:
    view = open_view(Settings.load(folder), "shop")
    try:
        return b"".join(row + b"\n" for _, row in view.changes(0))
    finally:
        view.close()


@pytest.mark.parametrize(("number", "steps"), [(3, ["rows", "meaning"]), (4, ["traits"])])
def test_rows_of_a_format_before_are_read_and_gone_on_with(tmp_path: Path, number: int, steps: list[str]) -> None:
    """The dump and the change log are those of the version that wrote it; so they are after more events, of which some
    take the place of stored ones and some claim them."""
    with tarfile.open(DATA / f"format_{number}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    shop = tmp_path / "shop"
    assert f"state of format {number}" in refused(skep("run", "--once", project=shop))
    found = info(shop)
    assert (found["format"], found["fits"], found["steps"]) == (number, False, steps)
    done = skep("state", "migrate", project=shop)
    assert done.returncode == 0, done.stderr
    assert info(shop)["fits"]
    assert (dump(shop), changes(shop)) == ((shop / "before.dump").read_text(), (shop / "before.changes").read_bytes())
    with (shop / "events.jsonl").open("ab") as events:
        events.write((shop / "more.jsonl").read_bytes())
    ran(shop)
    assert dump(shop) == (shop / "after.dump").read_text()
    assert _told(changes(shop)) == _told((shop / "after.changes").read_bytes())


def _told(lines: bytes) -> list[dict[str, Any]]:
    """Changes as a version tells them that did not say when somebody is called otherwise: that has a number and a version of its own."""
    told: list[dict[str, Any]] = []
    more = Counter[str]()
    for change in map(orjson.loads, lines.splitlines()):
        if change["type"] == "identity.identifiers":
            more[change["profile"]] += 1
            continue
        change["id"] = f"shop-0-{len(told) + 1}"
        if change["version"] is not None:
            change["version"] -= more[change["profile"]]
        evidence = change["evidence"]
        if isinstance(evidence, dict) and "version" in evidence:
            evidence["version"] -= more[evidence.get("merged") or evidence.get("split") or evidence.get("from")]
        told.append(change)
    return told


def test_a_format_that_this_version_does_not_read_is_named(older: Path) -> None:
    shard = Shard(shard_path(Settings.load(older), "shop"), formats={b"3"})
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
