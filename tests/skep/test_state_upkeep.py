"""What is stored, seen and kept small beside a flow that goes on: `skep state info` and `skep state compact`."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.destinations.destination import Cursor
from skep.project import asking
from skep.project.asking import ask, folder_of_questions, give, taken
from skep.project.errors import CommandError
from skep.project.process import run_lock, take_lock
from skep.project.settings import Settings
from skep.project.spaces import archive_path
from state.archive_files import archive_files
from tests.crash.harness import FLOW, finish, start, wait_for_received
from tests.crash.outcome import Outcome
from tests.crash.shop import make_lines, make_project
from tests.crash.test_live import HOUR_US, dump_at
from tests.patience import PATIENCE_S
from tests.processes import Process
from tests.promises.project import asked
from tests.skep.test_cli import refused, skep

EVENTS = 3_000
SEED = 21


@contextmanager
def following(project: Path) -> Iterator[Process]:
    """A flow that follows its files, and ends well when it is asked to."""
    process = start(project, FLOW, SKEP_FOLLOW="1", SKEP_ARCHIVE_INTERVAL="0.1s")
    try:
        yield process
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, (project / "process.log").read_text()[-4000:]
    finally:
        process.kill()
        process.wait()


def append(project: Path, lines: list[bytes]) -> None:
    with (project / "events/part-0.jsonl").open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines))


def info(project: Path) -> dict[str, Any]:
    (row,) = asked(project, "state", "info")
    return dict(row)


def test_a_flow_is_compacted_while_it_goes_on(tmp_path: Path) -> None:
    """It ends where one ends that nobody has disturbed, and its archive has the same rows, in fewer files."""
    lines = make_lines(EVENTS, SEED)
    undisturbed, project = (make_project(tmp_path / name, horizon="3650d") for name in ("undisturbed", "compacted"))
    for folder in (undisturbed, project):
        (folder / "events").mkdir(exist_ok=True)
    append(undisturbed, lines)
    finish(undisturbed, FLOW)
    append(project, lines[:1000])
    seen: list[dict[str, Any]] = []
    with following(project):
        wait_for_received(project, 1000)
        for begin, end in ((1000, 2000), (2000, len(lines))):
            append(project, lines[begin:end])
            seen += asked(project, "state", "compact")
            wait_for_received(project, end)
        stored = info(project)["stored"]
    assert all(found["by_flow"] for found in seen)
    assert any(found["archive_files_now"] < found["archive_files"] for found in seen)
    assert stored["stalls"] == {"stopped": False, "delayed": 0, "delays": 0, "stops": 0, "compactions": 0, "waiting": 0}
    finish(project, FLOW)
    (last,) = asked(project, "state", "compact")
    assert last["by_flow"] is False
    found, wanted = Outcome.of(project), Outcome.of(undisturbed)
    at_us = time.time_ns() // 1000 + HOUR_US
    assert dump_at(project, at_us) == dump_at(undisturbed, at_us)
    assert (found.archive, [row[1:] for row in found.quarantine]) == (wanted.archive, [row[1:] for row in wanted.quarantine])
    stored = info(project)["stored"]
    # The days of all events, in one file each.
    files = archive_files(archive_path(Settings.load(project), "shop"))
    assert last["archive_files_now"] == len(files) == stored["archive"]["days"]
    assert stored["stalls"] is None
    assert asked(project, "state", "verify", "--sample", "1000")["sound"] is True
    assert sum(family["rows"] for family in stored["shard"]["families"] if family["family"] == "changes") == stored["changes"]
    assert stored["shard"]["bytes"] == sum(level["bytes"] for level in stored["shard"]["levels"]) > 0
    assert min(stored[name] for name in ("bytes_per_profile", "bytes_per_event", "archive_bytes_per_event")) > 0
    assert {(told["sequence"], told["behind"]) for told in stored["told"]} == {(0, stored["changes"])}
    # What a destination hears while somebody looks is not less than nothing.
    for told in stored["told"]:
        Cursor(project / f"data/cursors/{told['destination']}@shop.json").store(stored["changes"] + 1)
    assert {told["behind"] for told in info(project)["stored"]["told"]} == {0}


def test_before_the_first_run_there_is_nothing_to_compact(tmp_path: Path) -> None:
    skep("init", str(tmp_path / "p"))
    assert "nothing has run here yet" in refused(skep("state", "compact", project=tmp_path / "p"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "skep.yaml").write_text("spaces: [shop]\n")
    return Settings.load(tmp_path)


def test_a_question_is_answered_once_and_leaves_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(settings, {"what": "stalls"}) is None
    with take_lock(settings):
        with pytest.raises(CommandError, match="the flow has not begun with it"):
            ask(settings, {"what": "stalls"}, 0.0)
        answers: list[dict[str, Any]] = [{"shop": 1}, {"error": "it cannot"}]
        read = asking.os.pread

        def answering(handle: int, size: int, at: int) -> bytes:
            """The flow's turn comes while somebody waits."""
            found = taken(folder_of_questions(settings))
            if found is not None:
                assert found[1] == {"what": "stalls"}
                give(found[0], answers.pop(0))
            return read(handle, size, at)

        monkeypatch.setattr(asking.os, "pread", answering)
        assert ask(settings, {"what": "stalls"}) == {"shop": 1}
        with pytest.raises(CommandError, match="it cannot"):
            ask(settings, {"what": "stalls"})
    assert list(folder_of_questions(settings).iterdir()) == []


def test_a_flow_that_ends_over_a_question_is_told(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = take_lock(settings)
    read = asking.os.pread

    def ending(handle: int, size: int, at: int) -> bytes:
        found = taken(folder_of_questions(settings))
        if found is not None:
            found[0].close()
            fcntl.flock(lock, fcntl.LOCK_UN)
        return read(handle, size, at)

    monkeypatch.setattr(asking.os, "pread", ending)
    with lock, pytest.raises(CommandError, match="ended before it was done"):
        ask(settings, {"what": "compact"})
    assert run_lock(settings).exists()


def test_what_nobody_waits_for_is_not_done(settings: Settings) -> None:
    folder = folder_of_questions(settings)
    folder.mkdir(parents=True)
    (folder / "left.json").write_bytes(orjson.dumps({"what": "compact"}) + b"\n")
    assert taken(folder) is None
    assert list(folder.iterdir()) == []
