"""The commands that need no flow: what they print, and that every error is a line and not a traceback."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
from pathlib import Path
from threading import Thread

import orjson
import pytest
from msgspec.structs import replace

from skep.answers.changes import position
from skep.answers.profiles import parse
from skep.answers.status import Partition, SpaceStatus, summed
from skep.cli import console
from skep.compiled import form
from skep.project.entries import submit
from skep.project.errors import CommandError
from skep.project.exits import Exit
from skep.project.process import Child, Supervisor, flow_is_running, form_of_flow, run_lock, take_lock
from skep.project.settings import Settings
from tests import patience
from tests.patience import PATIENCE_S
from tests.processes import completed, plain_environment


def skep(*words: str, project: Path | None = None, timeout: float = PATIENCE_S, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, in no project folder."""
    before = ["--project", str(project)] if project else []
    return completed("skep.cli", *before, *words, env=plain_environment(**environment), timeout=timeout)


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The error of a command that failed as it should."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("projects") / "shop"
    assert skep("init", str(folder)).returncode == 0
    return folder


def test_init_makes_a_project_that_passes_check(project: Path) -> None:
    done = skep("check", project=project)
    assert (done.returncode, done.stdout[:19]) == (0, "contracts are good:")
    assert json.loads(skep("check", "--json", project=project).stdout) == []
    assert {path.name for path in project.iterdir()} == {"skep.yaml", "contracts", ".gitignore", ".skep", "README.md", "events"}


def test_init_leaves_a_project_alone(project: Path) -> None:
    assert "name another folder" in refused(skep("init", str(project)))


def test_check_names_file_line_and_key(tmp_path: Path) -> None:
    skep("init", str(tmp_path / "p"))
    segment = tmp_path / "p" / "contracts" / "segments" / "repeat_buyers.yaml"
    segment.write_text(segment.read_text().replace("within: 30d", "within: 3 months"))
    error = refused(skep("check", project=tmp_path / "p"))
    assert error.startswith("contracts/segments/repeat_buyers.yaml:")
    found = json.loads(skep("check", "--json", project=tmp_path / "p").stdout)
    assert {"file", "line", "key", "expected", "found", "hint"} == set(found[0])
    assert refused(skep("run", "--once", project=tmp_path / "p")).endswith(error)
    segment.write_text(segment.read_text().replace("within: 3 months", "within: 30d"))
    identity = tmp_path / "p" / "contracts" / "identity.yaml"
    identity.write_text(identity.read_text().replace("  patterns: [", "  patterns: ['^0*', '$x', "))
    places = [each.split(": expected")[0] for each in refused(skep("check", project=tmp_path / "p")).splitlines()]
    assert [place.split(": ")[1] for place in places] == ["blocked.patterns[0]", "blocked.patterns[1]"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("status",), "nothing has run here yet"),
        (("status", "--json"), "nothing has run here yet"),
        (("changes",), "nothing has run here yet"),
        (("dump",), "nothing has run here yet"),
        (("dump", "--at", "tomorrow"), "ISO 8601"),
        (("profile", "show", "user_id:42"), "nothing has run here yet"),
        (("profile", "show", "42"), "NAMESPACE:VALUE"),
        (("profile", "show", "userid:42"), "did you mean user_id?"),
        (("quarantine", "list"), "nothing has run here yet"),
        (("quarantine", "replay", "q-0"), "nothing has run here yet"),
        (("snapshot",), "nothing has run here yet"),
        (("sql", "select 1"), "no snapshot"),
        (("changes", "--since", "yesterday"), "shop-0-17"),
        (("changes", "--space", "market"), "expected one of shop"),
        (("identity", "link", "user_id:1", "user_id:1", "--why", "x"), "two different identifiers"),
    ],
)
def test_errors_say_what_to_do(project: Path, words: tuple[str, ...], says: str) -> None:
    assert says in refused(skep(*words, project=project))


def test_no_project() -> None:
    assert "`skep init DIR` makes a project" in refused(skep("status", project=Path("/nowhere")))


def test_project_by_environment(project: Path) -> None:
    assert skep("check", SKEP_PROJECT=str(project)).returncode == 0


def test_every_command_has_help_with_an_example() -> None:
    names = ["init", "demo", "check", "run", "status", "changes", "snapshot", "sql", "dump", "profile show", "quarantine list"]
    names += ["quarantine show", "quarantine replay", "quarantine edit", "quarantine drop", "identity link", "identity unlink"]
    names += ["quality", "quality resume"]
    for name in names:
        done = skep(*name.split(), "--help")
        assert done.returncode == 0
        assert f"Example: skep {name}" in done.stdout


def test_a_link_waits_for_the_next_flow(tmp_path: Path) -> None:
    """With no flow running the entry is recorded, and the command says so and succeeds."""
    skep("init", str(tmp_path / "p"))
    done = skep("identity", "link", "user_id:1", "user_id:2", "--why", "ticket 17", project=tmp_path / "p")
    assert (done.returncode, done.stdout) == (0, "recorded; no flow is running, the next one will do it\n")
    entry = orjson.loads((tmp_path / "p" / "data" / "control" / "shop.jsonl").read_bytes())
    assert (entry["type"], entry["a"], entry["why"]) == ("link", {"namespace": "user_id", "value": "1"}, "ticket 17")
    assert {"messageId", "timestamp"} <= set(entry)


def test_a_flow_is_running_while_the_lock_is_held(project: Path) -> None:
    settings = Settings.load(project)
    assert not flow_is_running(settings)
    run_lock(settings).parent.mkdir(parents=True, exist_ok=True)
    with run_lock(settings).open("w") as held:
        assert not flow_is_running(settings)
        fcntl.flock(held, fcntl.LOCK_EX)
        assert flow_is_running(settings)
        assert submit(settings, "shop", {"type": "link"}, wait_s=0.1).words().startswith("recorded; the flow has not answered")
        assert "a flow is running" in refused(skep("run", "--once", "--fresh", project=project))
    assert not flow_is_running(settings)


def test_the_form_of_a_flow_is_the_one_that_it_was_started_in(project: Path) -> None:
    """Whatever a command that looks runs in itself; a flow of a version that knew no other form says none."""
    settings, mine = Settings.load(project), form()
    other = "interpreted" if mine == "compiled" else "compiled"
    assert form_of_flow(settings) == mine
    with take_lock(settings):
        assert form_of_flow(settings) == run_lock(settings).read_text() == mine
        run_lock(settings).write_text(other)
        assert form_of_flow(settings) == other
        run_lock(settings).write_text("")
        assert form_of_flow(settings) == "interpreted"
        run_lock(settings).write_text(other)
    assert form_of_flow(settings) == mine
    with take_lock(settings):
        assert form_of_flow(settings) == mine


def test_identifiers_and_positions_as_people_write_them() -> None:
    assert parse("email:a:b@c") == ("email", "a:b@c")
    assert position("shop-0-17", ("shop",)) == ("shop", 17)
    assert position("my-shop-0-17", ("my-shop",)) == ("my-shop", 17)
    assert position("17", ("shop",)) == (None, 17)
    assert position(None, ("shop",)) == (None, -1)
    with pytest.raises(CommandError):
        position("shop-17", ("shop",))


def test_status_of_several_spaces_adds_up() -> None:
    one = SpaceStatus("a", received=2, applied=1, quarantined=1, clock="2026-01-02T00:00:00.000000Z", segments={"s": 1})
    one = replace(one, partitions={"p": Partition(1, None, finished=True, stopped=False)}, quarantine={"invalid": 1})
    total = summed([one, replace(one, space="b", clock="2026-01-01T00:00:00.000000Z")])
    assert (total.received, total.clock, total.quarantine) == (4, "2026-01-01T00:00:00.000000Z", {"invalid": 2})
    assert total.segments == {"a/s": 1, "b/s": 1}
    assert summed([one]).segments == {"s": 1}
    assert summed([one, replace(one, clock=None)]).clock is None


def _child(name: str, code: str, *, needed: bool = False) -> Child:
    return Child(name, ("-c", code), {"WORD": "there"}, needed=needed)


def test_the_supervisor_says_that_a_child_ended_over_an_error() -> None:
    """Whatever code it gave, and it had the environment that it was to have."""
    assert Supervisor().run(_child("flow", "import os, sys; sys.exit(0 if os.environ['WORD'] == 'there' else 4)", needed=True)) == Exit.DONE
    assert Supervisor().run(_child("flow", "import sys; sys.exit(7)", needed=True)) == Exit.ERROR


def test_when_the_flow_dies_the_others_are_stopped() -> None:
    other = _child("activation", "import time; time.sleep(600)")
    assert Supervisor().keep([other, _child("flow", "import sys; sys.exit(7)", needed=True)]) == Exit.ERROR
    assert other.poll() == -signal.SIGTERM


def test_a_stopped_supervisor_drains_its_children(tmp_path: Path) -> None:
    """SIGTERM is passed on; a flow that drains makes the exit code 0."""
    ready = tmp_path / "ready"
    drains = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); "
    drains += f"open({str(ready)!r}, 'w').close(); time.sleep(600); sys.exit(5)"
    supervisor, child = Supervisor(), _child("flow", drains, needed=True)

    def stop_when_ready() -> None:
        patience.until(ready.exists)
        supervisor.stopping = True

    stopper = Thread(target=stop_when_ready)
    stopper.start()
    assert supervisor.run(child) == Exit.DONE
    stopper.join()


def test_cells_are_for_people() -> None:
    assert [console.cell(value) for value in (None, True, 1234567, "[x]", "\n\x1b")] == ["–", "yes", "1,234,567", "[x]", r"\n\x1b"]
