"""How a run ends: each exit code of the table is what happens, and the report says what came of decisions made between runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from skep.cli.main import app
from skep.cli.options import fail_if_refused
from skep.project.entries import Submitted
from skep.project.exits import Exit
from skep.project.permissions import must_write
from skep.runtime import supervisor as running_module
from skep.tools.demo.events import write_demo
from state.errors import StateError
from tests.patience import until
from tests.processes import Process, plain_environment, started
from tests.promises.project import applied
from tests.skep.test_cli import skep

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 10001
OLD = '{"type":"track","event":"Product Viewed","messageId":"old-%d","userId":"1","timestamp":"2020-01-01T00:00:00Z",%s}\n'
PROPERTIES = '"properties":{"product_id":"p1","name":"Comb","category":"honey","price":1,"currency":"EUR"}'


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with events that nobody has read."""
    folder = tmp_path_factory.mktemp("exits") / "shop"
    assert skep("init", str(folder)).returncode == 0
    write_demo(folder / "events", 40, 1_500, 5)
    return folder


@contextmanager
def running(project: Path, *words: str, **settings: str) -> Iterator[Process]:
    """A process of ours that says what it says into said.log, from which it is waited for."""
    with (project / "said.log").open("wb") as said:
        environment = plain_environment(SKEP_PROJECT=str(project), **settings)
        process = started(*words, env=environment, stdout=said, stderr=said)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(project: Path, word: str) -> None:
    until((project / "said.log").read_text, lambda said: word in said)


def test_the_table_and_the_help_name_every_code() -> None:
    table = re.findall(r"^\| (\d) \|", (ROOT / "docs" / "operations.md").read_text(), flags=re.MULTILINE)
    told = re.findall(r"(\d)\s+[a-z]", skep("run", "--help").stdout.partition("Exit codes:")[2].partition("Example")[0])
    assert table == told == [str(code.value) for code in Exit]


def test_a_run_that_is_interrupted_says_how_far_it_came_and_the_next_one_goes_on(shop: Path) -> None:
    with running(shop, "skep.cli", "run", "--once") as process:
        wait_for(shop, "started")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == Exit.INTERRUPTED
    said = (shop / "said.log").read_text()
    assert "INTERRUPTED" in said
    assert "Traceback" not in said
    done = skep("run", "--once", project=shop)
    assert (done.returncode, json.loads(skep("status", "--json", project=shop).stdout)["received"]) == (Exit.DONE, 1_500), done.stderr


def test_a_run_names_replays_what_it_computes_anew_and_who_has_not_been_told(shop: Path) -> None:
    """Behind the run before: a replay, a segment that is another one, and a destination that cannot be written until it is repaired."""
    assert skep("quarantine", "replay", "--reason", "invalid", project=shop).returncode == 0
    segment = shop / "contracts" / "segments" / "big_spenders.yaml"
    segment.write_text(segment.read_text().replace("gt: 250", "gt: 100"))
    applied(shop)
    outbox = shop / "data" / "outbox" / "changes.jsonl"
    outbox.unlink()
    outbox.mkdir()
    done = skep("run", "--once", project=shop)
    assert done.returncode == Exit.PENDING, done.stderr
    assert re.search(r"^replayed: 0 applied, 0 duplicate, \d refused, 0 gone$", done.stdout, flags=re.MULTILINE), done.stdout
    assert "nothing new to read" in done.stdout
    assert re.search(r" recomputing .*differ in segments", done.stderr), done.stderr
    assert " recomputed " in done.stderr
    assert re.search(r"DESTINATION changes_file@shop HAS NOT BEEN TOLD [1-9]\d* changes", done.stderr)
    outbox.rmdir()
    again = skep("run", "--once", project=shop)
    assert (again.returncode, "replayed" in again.stdout, outbox.read_text().count("\n") > 0) == (Exit.DONE, False, True)


def test_wrong_words_and_errors_have_codes_of_their_own(shop: Path) -> None:
    assert skep("run", "--never", project=shop).returncode == Exit.USAGE
    assert skep("run", "--once", project=shop / "events").returncode == Exit.ERROR


def test_a_flow_that_follows_says_what_happens_as_one_object_a_line(shop: Path) -> None:
    late = shop / "events" / "late.jsonl"
    with running(shop, "bytewax.run", "flows.cdp", SKEP_FOLLOW="1", SKEP_LOG="json") as process:
        wait_for(shop, '"event": "caught up"')
        assert skep("health", project=shop).returncode == Exit.DONE
        late.write_text("".join(OLD % (number, PROPERTIES) for number in range(20)))
        wait_for(shop, '"event": "too late"')
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == Exit.DONE
    said: list[dict[str, Any]] = [json.loads(line) for line in (shop / "said.log").read_text().splitlines()]
    told = {one["event"]: one for one in said}
    assert [said[0]["event"], said[-1]["event"]] == ["started", "stopped"]
    assert {"caught up", "clock goes on without events", "quarantine grows"} <= told.keys()
    assert (told["too late"]["too_late"], "history: true" in told["too late"]["remedy"]) == (20, True)
    assert "SIGTERM" in told["stopped"]["because"]


def test_all_that_a_run_says_is_json_where_its_log_is(shop: Path, tmp_path: Path) -> None:
    """What is said to people, and the last words over an error."""
    project = tmp_path / "shop"
    shutil.copytree(shop, project, ignore=shutil.ignore_patterns("data"))
    (project / "events" / "last.jsonl").write_text('{"type":')
    done = skep("run", "--once", project=project, SKEP_LOG="json")
    assert "1 unfinished record" in " ".join(json.loads(line)["event"] for line in done.stderr.splitlines())
    (project / "contracts" / "segments" / "x.yaml").write_text("who: [")
    last = [json.loads(line) for line in skep("run", "--once", project=project, SKEP_LOG="json").stderr.splitlines()][-1]
    assert (last["level"], "contracts/segments/x.yaml" in last["because"]) == ("error", True)


def test_a_space_with_nothing_in_force_says_so_over_broken_files(tmp_path: Path) -> None:
    assert skep("init", str(tmp_path / "shop")).returncode == 0
    (tmp_path / "shop" / "contracts" / "segments" / "x.yaml").write_text("who: [")
    done = skep("run", "--once", "--in-force", project=tmp_path / "shop")
    assert (done.returncode, "nothing is in force yet in shop" in done.stderr) == (Exit.ERROR, True)


@pytest.mark.parametrize(("words", "code"), [(("run", "--once"), Exit.INTERRUPTED), (("run",), Exit.DONE)])
def test_asked_to_stop_before_the_flow_runs(shop: Path, words: tuple[str, ...], code: Exit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is still looking at its files has the same codes."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(running_module, "prepare", lambda *_, **__: os.kill(os.getpid(), signal.SIGTERM))
    try:
        assert CliRunner().invoke(app, ["--project", str(shop), *words]).exit_code == code
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_health_of_a_container_is_that_a_flow_holds_the_data(shop: Path) -> None:
    service = YAML(typ="safe").load((ROOT / "docker" / "compose.yaml").read_text())["services"]["skep"]
    command = 'CMD ["skep", "health"]'
    assert service["healthcheck"]["test"] == ["CMD", "skep", "health"]
    assert command in (ROOT / "docker" / "Dockerfile").read_text()
    done = skep("health", project=shop)
    assert (done.returncode, "no flow is running" in done.stderr) == (Exit.ERROR, True)


def test_a_data_folder_of_somebody_else_is_one_line_with_its_cure(tmp_path: Path) -> None:
    """As user 10001, who is the container's, where tests run as root; as anybody else the folder is closed to ourselves."""
    data = tmp_path / "project" / "data"
    (data / "shards").mkdir(parents=True)
    below = [folder for folder in tmp_path.parents if folder.is_relative_to(gettempdir()) and folder != Path(gettempdir())]
    for folder in [*below, tmp_path, data.parent]:
        folder.chmod(0o755)
    (data / "shards").chmod(0o555)
    must_write(tmp_path)
    script = (
        "import os, sys; from pathlib import Path; from skep.project.permissions import must_write\n"
        f"os.getuid() or os.setresuid({NOBODY}, {NOBODY}, {NOBODY})\nmust_write(Path(sys.argv[1]))"
    )
    for folder, cure in ((data, f"chown -R UID {data}"), (data.parent / "new", f"mkdir -p {data.parent / 'new'} && chown UID")):
        data.parent.chmod(0o555)
        done = subprocess.run([sys.executable, "-c", script, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)
        user = NOBODY if os.getuid() == 0 else os.getuid()
        said = done.stderr.splitlines()[-1]
        data.parent.chmod(0o755)
        assert said.startswith(f"state.errors.{StateError.__name__}: {tmp_path}"), said
        assert f"expected what user {user} can write" in said
        assert cure.replace("UID", str(user)) in said


def test_an_entry_that_the_flow_refuses_is_a_failure() -> None:
    """In every form of output alike; one that waits for a flow is none."""
    taken, waits = Submitted("1", 1, True, {"ok": True}), Submitted("2", 2, False, None)
    fail_if_refused([taken, waits])
    with pytest.raises(SystemExit) as ended:
        fail_if_refused([taken, Submitted("3", 3, True, {"ok": False})])
    assert ended.value.code == 1
