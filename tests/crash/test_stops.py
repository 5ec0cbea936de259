"""SIGTERM drains and resumes exactly; a supervisor killed with -9 leaves nobody behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import psutil
import pytest

from skep.project.process import flow_is_running
from skep.project.settings import Settings
from tests.crash.harness import ACTIVATION, FLOW, OUTBOX, command, environment, finish, start, wait_for_commits
from tests.crash.outcome import Outcome, broken_rules, delivery_problems, differences
from tests.crash.round import reference
from tests.crash.shop import make_lines, make_project, write_partitions
from tests.patience import PATIENCE_S

SEED = 21


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return make_lines(8_000, SEED)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> tuple[Outcome, int]:
    _, outcome, size = reference(tmp_path_factory.mktemp("stops"), lines)
    return outcome, size


@pytest.fixture
def project(tmp_path: Path, lines: list[bytes]) -> Path:
    folder = make_project(tmp_path / "stopped")
    write_partitions(folder / "events", lines, 1)
    return folder


def skep_run(project: Path, *words: str) -> subprocess.Popen[bytes]:
    with (project / "process.log").open("ab") as said:
        command_line = [sys.executable, "-P", "-m", "skep.cli", "run", *words]
        return subprocess.Popen(command_line, cwd="/", env=environment(project), stdout=said, stderr=said)


def family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def test_sigterm_drains_and_resumes_exactly(project: Path, undisturbed: tuple[Outcome, int]) -> None:
    wanted, size = undisturbed
    rng = Random(SEED)
    for _ in range(3):
        process = start(project, FLOW)
        assert wait_for_commits(project, process, int(rng.uniform(0, size / 4)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, (project / "process.log").read_text()[-3000:]
        stopped = Outcome.of(project)
        assert 0 < stopped.counters["received"] < wanted.counters["received"]
        assert not stopped.counters["partitions"]["shop/part-0.jsonl"]["finished"]
        assert not broken_rules(stopped)
    finish(project, FLOW)
    assert differences(wanted, Outcome.of(project), in_order=True) == []


def test_sigterm_of_skep_run_drains_and_resumes_exactly(project: Path, undisturbed: tuple[Outcome, int]) -> None:
    """In follow mode, with activation and the publisher beside it; then once to the end."""
    wanted, size = undisturbed
    supervisor = skep_run(project)
    assert wait_for_commits(project, supervisor, size // 3)
    children = family(supervisor)
    supervisor.send_signal(signal.SIGTERM)
    assert supervisor.wait(PATIENCE_S) == 0, (project / "process.log").read_text()[-3000:]
    assert not [child for child in children if child.is_running()]
    assert 0 < Outcome.of(project).counters["received"] < wanted.counters["received"]
    again = skep_run(project, "--once")
    assert again.wait(PATIENCE_S) == 0, (project / "process.log").read_text()[-3000:]
    found = Outcome.of(project)
    assert differences(wanted, found, in_order=True) == []
    assert delivery_problems(project / OUTBOX, found) == []


def test_killing_the_supervisor_leaves_no_orphan(project: Path, undisturbed: tuple[Outcome, int]) -> None:
    wanted, size = undisturbed
    supervisor = skep_run(project)
    assert wait_for_commits(project, supervisor, size // 3)
    children = family(supervisor)
    assert any("flows.cdp" in child.cmdline() for child in children)
    supervisor.kill()
    supervisor.wait()
    _, alive = psutil.wait_procs(children, PATIENCE_S)
    assert not alive
    assert not flow_is_running(Settings.load(project))
    finish(project, FLOW)
    finish(project, ACTIVATION)
    found = Outcome.of(project)
    assert differences(wanted, found, in_order=True) == []
    assert delivery_problems(project / OUTBOX, found) == []


def test_the_flow_killed_under_its_supervisor(project: Path, undisturbed: tuple[Outcome, int]) -> None:
    """The supervisor cannot go on without it: it stops the others, and says so by its exit code."""
    _, size = undisturbed
    supervisor = skep_run(project)
    assert wait_for_commits(project, supervisor, size // 3)
    flow = next(child for child in family(supervisor) if "flows.cdp" in child.cmdline())
    children = family(supervisor)
    os.kill(flow.pid, signal.SIGKILL)
    assert supervisor.wait(PATIENCE_S) != 0
    assert not psutil.wait_procs(children, PATIENCE_S)[1]


def test_a_second_process_is_refused(project: Path) -> None:
    """While the first one writes; it is told which folder is in use and what to do, and disturbs nothing."""
    first = start(project, FLOW, SKEP_FOLLOW="1")
    try:
        assert wait_for_commits(project, first, 1)
        second = command(project, "bytewax.run", FLOW)
        assert second.returncode == 1, second
        assert "is written by another flow" in second.stderr
        assert "Stop that one" in second.stderr
        assert "Traceback" not in second.stderr
        once = command(project, "skep.cli", "run", "--once")
        assert (once.returncode, "is written by another flow" in once.stderr) == (1, True), once
        time.sleep(0.2)
        assert first.poll() is None
    finally:
        first.terminate()
        assert first.wait(PATIENCE_S) == 0
