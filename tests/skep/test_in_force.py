"""Starts go on with what is in force: edited, half-edited and broken files, `apply: on_start`, killed flows, with real processes."""

from __future__ import annotations

import json
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.text.problems import ContractErrors
from skep.answers.profiles import find
from skep.answers.status import Different, status
from skep.cli.console import json_bytes
from skep.project.apply import apply
from skep.project.definitions import declaration, keep, proved
from skep.project.entries import submit
from skep.project.errors import CommandError
from skep.project.in_force import digest_in_force, standing
from skep.project.settings import Settings
from skep.project.spaces import definitions_path, snapshot_path
from skep.runtime.snapshots import publish_snapshot
from skep.runtime.starting import must_be_good, start
from skep.runtime.supervisor import prepare
from state.errors import NoState, StateError
from state.snapshot.publish import sql
from tests import processes
from tests.patience import until
from tests.promises.project import asked, environment, flow, project, ran, write_contract
from tests.skep.test_apply import CONTRACTS, paid
from tests.skep.test_cli import refused, skep

TWICE = "traits:\n  - {name: total, sum: n, did: paid}\n  - {name: orders, count: true, did: paid}\n"
BROKEN = "traits:\n  - {name: total, summ: n, did: paid}\n"
CRM = "kind: file\npath: data/outbox/{}.jsonl\nchanges: [profile.created, profile.updated]\n"
LOOSE = {"type": "object", "properties": {"n": {"type": "integer"}, "x": {"type": "integer"}}}


def append(folder: Path, *lines: bytes, file: str = "events.jsonl") -> None:
    with (folder / file).open("ab") as stream:
        stream.writelines(line + b"\n" for line in lines)


def traits(folder: Path) -> dict[str, Any]:
    [found] = json.loads(json_bytes(find(Settings.load(folder), "user_id:u", None)))
    return dict(found["traits"])


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with something in force, and nothing else to read."""
    folder = project(tmp_path_factory.mktemp("in_force") / "one", CONTRACTS, [paid(0, {"n": 1})])
    ran(folder)
    return folder


@pytest.fixture
def folder(once: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(once, tmp_path / "one")


def test_edits_wait_for_apply(folder: Path) -> None:
    """The flow goes on by what is in force and names the file; so do check and the report of a run."""
    settings = Settings.load(folder)
    write_contract(folder, "traits.yaml", TWICE)
    append(folder, paid(1, {"n": 2}))
    run = skep("run", "--once", project=folder)
    told = "files differ from what is in force: changed contracts/traits.yaml"
    assert (run.returncode, told in run.stderr, "`skep apply` puts them in force" in run.stderr) == (0, True, True)
    assert "the flow goes on with what is in force" in run.stderr
    assert traits(folder) == {"total": 3}
    assert told in skep("check", project=folder).stdout
    assert status(settings).contracts.differs == [Different("shop", "contracts/traits.yaml", "changed")]
    [planned] = asked(folder, "plan")
    with pytest.raises(CommandError, match="expected what plan"):
        apply(settings, ("shop",), plan="0123456789abcdef")
    [applied] = apply(settings, ("shop",), plan=planned["plan"])
    assert (applied.digest, applied.files) == (planned["definitions"]["after"], [("traits.yaml", "changed")])
    with pytest.raises(CommandError, match="others by now"):
        apply(settings, ("shop",), plan=planned["plan"])
    ran(folder)
    assert traits(folder) == {"total": 3, "orders": 2}
    assert standing(settings).same


def test_broken_files_take_nothing_down(folder: Path) -> None:
    """A restart goes on and says file, line and key; only a run that somebody watches ends before it reads, unless it is told not to."""
    settings = Settings.load(folder)
    write_contract(folder, "traits.yaml", BROKEN)
    write_contract(folder, "segments/half.py", "")
    append(folder, paid(2, {"n": 10}))
    said = refused(skep("run", "--once", project=folder))
    assert "contracts/traits.yaml:2: traits[0].summ" in said
    assert "skep run --once --in-force" in said
    with pytest.raises(ContractErrors):
        prepare(settings, strict=False, fresh=True)
    assert received(settings) == 1
    done = skep("run", "--once", "--in-force", project=folder)
    assert done.returncode == 0
    for one in (
        "contracts/ is broken",
        "the flow goes on with what is in force",
        "contracts/traits.yaml:2: traits[0].summ",
        "contracts/segments/half.py:1",
    ):
        assert one in done.stderr
    assert "they are broken, so they cannot be put in force" in done.stderr
    assert received(settings) == 2
    with pytest.raises(ContractErrors):
        apply(settings, ("shop",))
    assert "contracts/traits.yaml:2" in skep("status", project=folder).stderr


def test_in_force_is_for_a_run_that_ends(tmp_path: Path) -> None:
    assert skep("run", "--in-force", project=tmp_path).returncode == 2


def test_a_first_start_needs_good_files(tmp_path: Path) -> None:
    folder = project(tmp_path / "one", {**CONTRACTS, "traits.yaml": BROKEN}, [paid(0, {"n": 1})])
    assert "contracts/traits.yaml:2: traits[0].summ" in refused(skep("run", project=folder))
    with pytest.raises(ContractErrors):
        start(Settings.load(folder))
    assert not (folder / "data").exists()


def test_on_start_applies_what_is_good(folder: Path) -> None:
    """Good files take effect at a start, broken ones never; a run that somebody watches ends over them."""
    settings = Settings.load(folder, apply="on_start")
    before = start(settings)
    assert not before.anew
    write_contract(folder, "traits.yaml", BROKEN)
    assert start(settings) == before
    with pytest.raises(ContractErrors):
        prepare(settings, strict=True, fresh=False)
    write_contract(folder, "traits.yaml", CONTRACTS["traits.yaml"].replace("total", "sum"))
    done = flow(folder, SKEP_APPLY="on_start")
    assert (done.returncode, "apply: on_start" in done.stderr) == (0, True)
    assert list(traits(folder)) == ["sum"]
    assert standing(settings).same


def test_texts_that_were_lost_are_kept_again(folder: Path) -> None:
    """As long as the files are still those in force; else there is nothing to go by."""
    settings = Settings.load(folder)
    kept = definitions_path(settings, str(digest_in_force(settings, "shop")))
    kept.unlink()
    start(settings)
    assert kept.exists()
    kept.unlink()
    write_contract(settings.root, "traits.yaml", CONTRACTS["traits.yaml"].replace("total", "sum"))
    with pytest.raises(StateError, match="is not there: restore it"):
        start(settings)


def test_each_space_has_its_own(folder: Path) -> None:
    """A space that is new begins with the files; the others stay as they were applied."""
    write_contract(folder, "traits.yaml", CONTRACTS["traits.yaml"].replace("total", "sum"))
    settings = replace(Settings.load(folder), spaces=("shop", "outlet"))
    assert must_be_good(settings)
    found = start(settings)
    assert (found.anew, [one.name for one in found.definitions["outlet"].traits]) == ({"outlet"}, ["sum"])
    assert found.definitions["shop"].digest == digest_in_force(settings, "shop")
    write_contract(folder, "traits.yaml", BROKEN)
    with pytest.raises(ContractErrors):
        start(settings)


def started(folder: Path) -> processes.Process:
    """A flow that follows its input."""
    with (folder / "flow.log").open("ab") as log:
        return processes.started("bytewax.run", "flows.cdp", env=environment(folder, SKEP_FOLLOW="1"), stdout=log, stderr=log)


def received(settings: Settings) -> int:
    with suppress(NoState):
        return int(status(settings).received)
    return 0


def test_killed_between_apply_and_restart(tmp_path: Path) -> None:
    """What the flow had applied before stays judged as it was, in the shard and in the archive, which had nothing of it yet."""
    lines = [paid(0, {"n": 1}), paid(1, {"x": 2}), paid(2, {"n": 3})]
    folder = project(tmp_path / "one", CONTRACTS, lines, more="archive: {interval: 1h}")
    settings = Settings.load(folder)
    process = started(folder)
    until(lambda: received(settings) == 3)
    process.send_signal(signal.SIGSTOP)
    write_contract(folder, "events/paid/1-1-0.json", LOOSE)
    keep(settings, proved(settings))
    # As `skep apply` says it to a flow that runs; this one is killed before it has read it, and so is the next one at some instant.
    submit(settings, "shop", declaration(proved(settings).digest, None), wait_s=0)
    process.kill()
    process.wait(60)
    append(folder, paid(3, {"x": 4}))
    write_contract(folder, "traits.yaml", BROKEN)
    process = started(folder)
    time.sleep(1)
    process.kill()
    process.wait(60)
    ran(folder)
    found = status(settings)
    assert (found.applied, found.quarantined) == (3, 1)
    publish_snapshot(settings)
    _, rows = sql(snapshot_path(settings), "select message_id, contract from events order by 1")
    assert rows == [("m0", "paid/1-0-0"), ("m2", "paid/1-0-0"), ("m3", "paid/1-1-0")]
