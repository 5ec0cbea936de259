"""What a kill can leave half done at the edges: a control entry, a snapshot, a refusal that depends on the wall clock."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from random import Random

import duckdb
import orjson
import pytest

from contracts.text.times import iso
from skep.project.settings import Settings
from skep.runtime.snapshots import publish_snapshot
from tests.crash.harness import FLOW, command, environment, finish, start, wait_for_received
from tests.crash.outcome import Outcome, broken_rules, differences
from tests.crash.shop import make_lines, make_project, write_partitions
from tests.processes import started

SEED = 71


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    return make_lines(1_500, SEED, people=40)


@pytest.fixture
def project(tmp_path: Path, lines: list[bytes]) -> Path:
    folder = make_project(tmp_path / "shop")
    write_partitions(folder / "events", lines, 1)
    return folder


def test_a_torn_control_entry_spoils_nothing_but_itself(project: Path, tmp_path: Path, lines: list[bytes]) -> None:
    """A command was killed while it appended, once before the first run and once after it."""
    control = project / "data" / "control" / "shop.jsonl"
    control.parent.mkdir(parents=True)
    control.write_bytes(b'{"type":"link","a":{"namespace":"user')
    finish(project, FLOW)
    first = Outcome.of(project)
    assert broken_rules(first) == []
    with control.open("ab") as stream:
        stream.write(b'{"type":"unlink","a":{"nam')
    finish(project, FLOW)
    undisturbed = make_project(tmp_path / "undisturbed")
    write_partitions(undisturbed / "events", lines, 1)
    finish(undisturbed, FLOW)
    wanted = Outcome.of(undisturbed)
    found = Outcome.of(project)
    for outcome in (first, found, wanted):
        outcome.counters["partitions"].pop("control")
    assert differences(first, found, in_order=True) == []
    assert differences(wanted, found, in_order=True) == []


def test_a_snapshot_killed_half_way_is_not_published(project: Path) -> None:
    """Whoever opens skep.duckdb finds a whole one: the last, or the new one. Nothing piles up beside it."""
    finish(project, FLOW)
    rng = Random(SEED)
    published = project / "data" / "skep.duckdb"
    assert command(project, "skep.cli", "snapshot").returncode == 0
    beside = {path.name for path in published.parent.iterdir()}
    for _ in range(3):
        process = started("skep.cli", "snapshot", env=environment(project), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0, 0.8))
        process.kill()
        process.wait()
        with duckdb.connect(str(published), read_only=True) as opened:
            rows = opened.execute("select count(*) from events").fetchone()
            assert rows is not None
            assert rows[0] > 1000
    assert command(project, "skep.cli", "snapshot").returncode == 0
    assert {path.name for path in published.parent.iterdir()} == beside


def seen(name: str, at: float) -> bytes:
    """A page view at a time, which no collector has received: a line."""
    return orjson.dumps({"type": "page", "messageId": name, "anonymousId": "d-1", "timestamp": iso(round(at * 1e6))}) + b"\n"


def test_what_was_in_the_future_when_it_was_first_read_stays_refused(project: Path) -> None:
    """Without receivedAt the wall clock decides. What is read again after the kill, for the archive, says nothing new."""
    part = project / "events" / "part-0.jsonl"
    part.write_bytes(seen("before", time.time() - 5))
    (project / "skep.yaml").write_text((project / "skep.yaml").read_text() + "future_skew: 0s\n")
    process = start(project, FLOW, SKEP_FOLLOW="1", SKEP_ARCHIVE_INTERVAL="1h")
    # A flow that runs reads the next two in far less than the three seconds after which none of them is ahead.
    wait_for_received(project, 1)
    ahead = time.time() + 3.0
    with part.open("ab") as stream:
        stream.write(seen("ahead", ahead) + seen("after", time.time() - 5))
    wait_for_received(project, 3)
    process.kill()
    process.wait()
    assert Outcome.of(project).counters["quarantine"] == {"future": 1}
    time.sleep(max(0.0, ahead + 0.2 - time.time()))
    finish(project, FLOW)
    found = Outcome.of(project)
    assert found.counters["quarantine"] == {"future": 1}
    publish_snapshot(Settings.load(project))
    with duckdb.connect(str(project / "data" / "skep.duckdb"), read_only=True) as opened:
        assert opened.execute("select message_id from events order by 1").fetchall() == [("after",), ("before",)]
