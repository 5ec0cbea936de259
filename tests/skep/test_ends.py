"""How a flow ends: over what people can repair in one line of its own, over a mistake of ours with everything about it."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from connectors.errors import SourceError
from contracts.text.problems import ContractErrors, Problem
from skep.runtime.ends import words_of
from state.errors import StateError
from tests.processes import completed, plain_environment

FLOW = """
import sys
import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import TestingSource, run_main
from skep.runtime import ends
from state.errors import StateError

ends.plain_ends()
error = StateError("cannot be: \\x1b[31m") if sys.argv[2] == "ours" else ValueError("a mistake")

class Part(StatelessSinkPartition):
    def write_batch(self, items):
        if sys.argv[1] == "sink":
            raise error

class Sink(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Part()

class Logic(StatefulBatchLogic):
    def on_batch(self, values):
        if sys.argv[1] == "logic":
            raise error
        return values, False
    def snapshot(self):
        return None

def step(items):
    if sys.argv[1] == "step":
        raise error
    return items

flow = Dataflow("f")
stream = op.input("in", flow, ends.plain(TestingSource([1])))
stream = op.flat_map_batch("step", stream, ends.ended(step))
stream = op.stateful_batch("logic", op.key_on("key", stream, str), ends.built(lambda _: Logic()))
op.output("out", stream, ends.plain(Sink()))
run_main(flow)
"""


def ends_with(place: str, error: str, **environment: str) -> str:
    """What a flow says that ends with an error in one of its steps."""
    command = [sys.executable, "-c", FLOW, place, error]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "", **environment})
    assert (done.returncode, done.stdout) == (1, ""), done
    return done.stderr


@pytest.mark.parametrize("place", ["step", "sink"])
def test_what_people_can_repair_is_one_line(place: str) -> None:
    assert ends_with(place, "ours") == "cannot be: \\x1b[31m\n"


def test_the_log_at_debug_level_says_where_it_arose() -> None:
    said = ends_with("logic", "ours", SKEP_LOG_LEVEL="debug")
    assert "what is behind the error" in said
    assert "in on_batch" in said
    assert "\x1b" not in said
    assert said.endswith("\ncannot be: \\x1b[31m\n")


def test_a_mistake_of_ours_leaves_its_traceback() -> None:
    said = ends_with("sink", "other")
    assert "in write_batch" in said
    assert "ValueError: a mistake" in said


def test_what_people_can_repair() -> None:
    problem = Problem("a.yaml", 1, "", "this", "that")
    assert words_of(ContractErrors([problem])) == str(problem)
    assert [words_of(kind("said")) for kind in (StateError, ValueError, KeyError)] == ["said", "", ""]
    stopped = SourceError("events", "cannot be read")
    assert words_of(stopped) == str(stopped)
    assert words_of(OSError(errno.ENOSPC, "No space", "/data/x")).startswith("the disk of /data/x is full; nothing is lost.")
    forbidden = words_of(OSError(errno.EROFS, "Read-only file system", "/data/x"))
    assert forbidden.startswith("/data/x: expected a file or folder that can be used, found: Read-only")
    assert words_of(OSError(errno.EINVAL, "Invalid argument", "/data/x")) == ""


@pytest.mark.parametrize("level", ["", "debug"])
def test_what_is_behind_an_error_at_the_start_is_in_the_log_for_those_who_ask(tmp_path: Path, level: str) -> None:
    (tmp_path / "skep.yaml").write_text("horizonn: 3d\n")
    environment = plain_environment(SKEP_PROJECT=str(tmp_path), SKEP_LOG_LEVEL=level)
    done = completed("bytewax.run", "flows.cdp", env=environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("skep.yaml:1: horizonn: expected")
    assert ("in load" in done.stderr) == (len(done.stderr.splitlines()) > 1) == (level == "debug")
