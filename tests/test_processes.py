"""A forked process is one like any other; and the command as it is installed says the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.patience import PATIENCE_S
from tests.processes import SERVERS, Process, completed, plain_environment, started

PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}


def telling(folder: Path) -> Process:
    return started("tests.telling", "a b", cwd=folder, env=plain_environment(SKEP_USER="ann"), **PIPES)


def real(folder: Path) -> Process:
    words = [sys.executable, "-P", "-m", "tests.telling", "a b"]
    return subprocess.Popen(words, cwd=folder, env=plain_environment(SKEP_USER="ann"), **PIPES)


def told(process: Process, said: str) -> tuple[dict[str, Any], str, int]:
    out, err = process.communicate(said, timeout=PATIENCE_S)
    return json.loads(out), err, process.returncode


@pytest.mark.parametrize("said", ["", "bad input\n"])
def test_it_is_given_and_gives_what_any_process_does(tmp_path: Path, said: str) -> None:
    """Folder, environment, words, the three streams, signals; exit codes and last words."""
    process, other = telling(tmp_path), real(tmp_path)
    found, wanted = told(process, said), told(other, said)
    assert found[0]["id"] == process.pid != os.getpid()
    for one in (found, wanted):
        assert one[0].pop("order")
        assert one[0].pop("id")
    assert found == wanted
    assert found[1:] == (("said\nbad input\n\n", 1) if said else ("said\n", 7))


def test_each_server_orders_sets_in_its_way(tmp_path: Path) -> None:
    assert len({told(telling(tmp_path), "")[0]["order"] for _ in range(SERVERS)}) == SERVERS


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    with telling(tmp_path) as process:
        assert process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == -number
        assert not psutil.pid_exists(process.pid)


def test_an_environment_that_imports_may_read_is_no_fork(tmp_path: Path) -> None:
    """Nor is a process on a terminal: the servers have imported everything without one."""
    done = completed("skep.cli", "--help", env=plain_environment(COLUMNS="60"))
    assert isinstance(done.args, list)
    assert sys.executable in done.args
    leader, terminal = os.openpty()
    with started("skep.cli", "--help", env=plain_environment(), stdout=terminal) as process:
        os.close(terminal)
        assert os.read(leader, 100).startswith(b"Usage:")
    os.close(leader)
    assert sys.executable in process.args


def test_the_installed_command(tmp_path: Path) -> None:
    """The console script and ``python -m skep.cli`` in full, imports and all: a project from nothing to its report."""
    script = str(Path(sys.executable).with_name("skep"))
    folder = str(tmp_path / "shop")
    for words in (
        ["init", folder],
        ["demo", "--people", "20", "--events", "300", "--out", f"{folder}/events"],
        ["--project", folder, "run", "--once"],
        ["--project", folder, "status", "--json"],
    ):
        done = subprocess.run([script, *words], env=plain_environment(), cwd="/", capture_output=True, text=True, check=True)
        assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["received"] == 300
    module = [sys.executable, "-P", "-m", "skep.cli", "--project", folder]
    forked = completed("skep.cli", "--project", folder, "dump", env=plain_environment())
    assert subprocess.run([*module, "dump"], env=plain_environment(), capture_output=True, text=True, check=True).stdout == forked.stdout
    wrong = subprocess.run([*module, "dmp"], env=plain_environment(), capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
