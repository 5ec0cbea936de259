"""Durable replacement of a file: the order of its steps, a kill between every two of them, and who uses it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from state import files
from tests.house import ROOMS, ROOT

STEPS = ("write", "content synced", "in place", "folder synced")


def test_the_content_is_on_disk_before_its_name_and_the_name_before_anybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fsync of the file, rename, fsync of the folder."""
    seen, sync, rename = [], os.fsync, Path.replace

    def noted_sync(handle: int) -> None:
        seen.append("sync " + Path(f"/proc/self/fd/{handle}").readlink().name.split(".")[-1])
        sync(handle)

    def noted_rename(self: Path, target: Path) -> Path:
        seen.append(f"{target.name} in place")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_rename)
    files.replace(tmp_path / "folder" / "cursor", b"1")
    assert seen == ["sync new", "cursor in place", "sync folder"]


def test_a_file_that_is_removed_stays_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder is on disk, without it, before anybody is told."""
    path, seen, sync = tmp_path / "folder" / "gone", [], os.fsync

    def noted(handle: int) -> None:
        seen.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))
        sync(handle)

    files.replace(path, b"1")
    monkeypatch.setattr(os, "fsync", noted)
    files.remove(path)
    assert seen == [("folder", False)]


KILLED = """
import os, signal, sys
from pathlib import Path
from state import files

step, path = int(sys.argv[1]), Path(sys.argv[2])
def die_at(number):
    if step == number:
        os.kill(os.getpid(), signal.SIGKILL)
sync, count = os.fsync, iter(range(2))
def synced(handle):
    sync(handle)
    die_at(1 if next(count) == 0 else 3)
rename = Path.replace
def renamed(self, target):
    rename(self, target)
    die_at(2)
write = Path.write_bytes
def written(self, content):
    write(self, content[:3])
    die_at(0)
    write(self, content)
os.fsync, Path.replace, Path.write_bytes = synced, renamed, written
files.replace(path, b"new content")
"""


def test_a_kill_after_every_step_leaves_the_old_content_or_the_new(tmp_path: Path) -> None:
    """Half a write, too; and the next writer removes what the killed one left."""
    path = tmp_path / "cursor.json"
    for step, name in enumerate(STEPS):
        path.write_bytes(b"old content")
        killed = subprocess.run([sys.executable, "-c", KILLED, str(step), str(path)], cwd=ROOT, check=False)
        assert killed.returncode == -9, name
        assert path.read_bytes() == (b"old content" if step < STEPS.index("in place") else b"new content"), name
        files.replace(path, b"newest")
        assert [one.name for one in tmp_path.iterdir()] == ["cursor.json"], name
        assert path.read_bytes() == b"newest"


def test_an_error_leaves_what_was_there_and_nothing_beside_it(tmp_path: Path) -> None:
    """Whatever goes wrong while the new content is written."""
    path = tmp_path / "[a]*.json"
    files.replace(path, b"old")
    with pytest.raises(TypeError), files.replacing(path) as fresh:
        fresh.write_bytes(b"half" + None)  # type: ignore[operator]
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    """Two writers of one file do not remove each other's."""
    path = tmp_path / "cursor"
    other = tmp_path / f".cursor.{os.getppid()}.new"
    other.write_bytes(b"half")
    files.replace(path, b"1")
    assert other.exists()


def test_nobody_else_replaces_files() -> None:
    """fsync is for appended lines only; what is replaced is replaced by `state.files`."""
    appending = {"connectors/control.py", "connectors/destinations/file.py", "state/files.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ROOMS
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"os\.fsync|os\.replace|os\.rename", path.read_text())
    }
    assert found == appending
