"""A file that is read anew, and one that is skipped, through kills: nothing is lost, nothing comes twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

from skep.answers import sources
from skep.project.settings import Settings
from tests.crash.harness import Killing
from tests.crash.outcome import Outcome, broken_rules, differences
from tests.crash.shop import make_lines, make_project
from tests.skep.test_sources import ran

SEED = 83


def test_files_that_begin_anew_survive_kills(tmp_path: Path) -> None:
    """Both entries wait when the flow starts; killed while it takes them up, and while it reads what they are about."""
    lines = make_lines(1_500, SEED, people=40)
    project = make_project(tmp_path / "shop", horizon="200d")
    events = project / "events"
    events.mkdir(exist_ok=True)
    for name, part in (("a", lines[:300]), ("b", lines[300:600])):
        (events / f"{name}.jsonl").write_bytes(b"".join(line + b"\n" for line in part))
    ran(project)
    settings = Settings.load(project)
    (events / "a.jsonl").write_bytes(b"".join(line + b"\n" for line in lines[600:1_100]))
    (events / "b.jsonl").write_bytes(b"".join(line + b"\n" for line in lines[1_100:1_200]))
    sources.reread(settings, "shop/a.jsonl", "")
    sources.skip(settings, "shop/b.jsonl", "")
    with (events / "b.jsonl").open("ab") as stream:
        stream.write(b"".join(line + b"\n" for line in lines[1_200:]))
    undisturbed = shutil.copytree(project, tmp_path / "undisturbed")
    ran(undisturbed)
    wanted = Outcome.of(undisturbed)
    killing = Killing(project, Random(SEED), 120_000)
    killing.through(2)
    found = Outcome.of(project)
    assert (killing.checks, broken_rules(found), differences(wanted, found, in_order=False)) == ([], [], [])
    assert killing.kills
    positions = {name: part["position"] for name, part in found.counters["partitions"].items()}
    assert {name: positions[f"shop/{name}"] for name in ("a.jsonl", "a.jsonl/@2", "b.jsonl", "b.jsonl/@2")} == {
        "a.jsonl": 300, "a.jsonl/@2": 500, "b.jsonl": 300, "b.jsonl/@2": len(lines) - 1_200,
    }  # fmt: skip
