"""Checkpoints taken under load: each is what the model says at its positions, and a flow goes on from it to the end of the other one."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import orjson

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from skep.project.judging import tolerance
from skep.project.settings import Settings, load_definitions
from state.checkpoint import Manifest, read_manifest
from tests import model
from tests.crash.harness import ACTIVATION, FLOW, OUTBOX, finish, start, wait_for_received
from tests.crash.outcome import Outcome, broken_rules, delivery_problems
from tests.crash.shop import make_lines, make_project
from tests.crash.test_live import HOUR_US, dump_at
from tests.patience import PATIENCE_S
from tests.promises.project import asked
from tests.skep.test_cli import skep

SEED = 33
EVENTS = 900
PARTITION = "shop/part-0.jsonl"
CURSOR = Path("data/cursors/changes_file@shop.json")


class Collector(threading.Thread):
    """Writes the lines, some of them in two pieces, and never waits for the flow."""

    def __init__(self, path: Path, lines: list[bytes], rng: Random) -> None:
        super().__init__()
        self._path, self._lines, self._rng = path, lines, rng
        self.go_on = threading.Event()

    def run(self) -> None:
        with self._path.open("ab", buffering=0) as stream:
            for at, line in enumerate(self._lines):
                if at == len(self._lines) * 3 // 4:
                    # The last quarter comes behind the last checkpoint.
                    self.go_on.wait()
                cut = self._rng.randrange(len(line))
                stream.write(line[:cut])
                time.sleep(0.002)
                stream.write(line[cut:] + b"\n")


def accepted(settings: Settings, definitions: Definitions, lines: list[bytes]) -> list[bytes]:
    """What the project's contracts accept: the rest is in quarantine, of which the model is not asked here."""
    judge = Judge(definitions, **tolerance(settings))
    return [line for line in lines if judge.judge_many([line], 1, time.time_ns() // 1000)[0]]


def as_the_model_says(project: Path, found: Manifest, lines: list[bytes], at_us: int) -> list[bytes]:
    settings = Settings.load(project)
    definitions = load_definitions(settings)
    count = found.spaces["shop"].applied.get(PARTITION, 0)
    events = Judge(definitions, **tolerance(settings)).judge_many(lines[:count], 1, time.time_ns() // 1000)[0]
    entries = [orjson.loads(line) for line in (project / "data/control/shop.jsonl").read_bytes().splitlines()]
    applied = entries[: found.spaces["shop"].applied.get("control", 0)]
    control = [entry for entry in applied if entry["type"] in {"link", "unlink"}]
    return model.dump(events, control, definitions, at_us, hasher=Hasher(settings.secret, "shop"))


def restored(project: Path, folder: Path, checkpoint: Path) -> Path:
    """A project of the same files and sources, with the state of a checkpoint."""
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("data"))
    done = skep("state", "restore", str(checkpoint), project=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_checkpoints_of_a_flow_under_load(tmp_path: Path) -> None:
    rng = Random(SEED)
    project = make_project(tmp_path / "live", horizon="3650d")
    settings = Settings.load(project)
    lines = accepted(settings, load_definitions(settings), make_lines(EVENTS, SEED, refusals=False))
    (project / "events").mkdir(exist_ok=True)
    collector = Collector(project / "events/part-0.jsonl", lines, rng)
    process = start(project, FLOW, SKEP_FOLLOW="1", SKEP_ARCHIVE_INTERVAL="0.2s", SKEP_BATCH_SIZE="20")
    beside = start(project, ACTIVATION, SKEP_FOLLOW="1")
    kept: list[dict[str, Any]] = []
    try:
        collector.start()
        for number, received in enumerate((len(lines) // 5, len(lines) // 2)):
            wait_for_received(project, received)
            if not number:
                assert skep("identity", "link", "user_id:1", "user_id:2", "--why", "one person", project=project).returncode == 0
            kept.append(asked(project, "state", "checkpoint", str(tmp_path / f"checkpoint-{number}")))
        collector.go_on.set()
        collector.join()
        wait_for_received(project, len(lines))
    finally:
        collector.go_on.set()
        for one in (process, beside):
            one.terminate()
    assert [one.wait(PATIENCE_S) for one in (process, beside)] == [0, 0], (project / "process.log").read_text()[-4000:]
    assert [one["by_flow"] for one in kept] == [True, True]
    finish(project, ACTIVATION)
    at_us = time.time_ns() // 1000 + HOUR_US
    wanted, at_last = Outcome.of(project), dump_at(project, at_us)
    for number, one in enumerate(kept):
        found = read_manifest(tmp_path / f"checkpoint-{number}")
        assert msgspec.to_builtins(found.spaces) == one["spaces"]
        assert 0 < found.spaces["shop"].applied[PARTITION] < len(lines)
        again = restored(project, tmp_path / f"restored-{number}", tmp_path / f"checkpoint-{number}")
        assert dump_at(again, at_us) == as_the_model_says(again, found, lines, at_us), (SEED, number)
        cursor = orjson.loads((again / CURSOR).read_bytes())["sequence"] if (again / CURSOR).exists() else 0
        assert cursor <= found.spaces["shop"].changes
        assert asked(again, "state", "verify", "--sample", "1000")["sound"] is True
        finish(again, FLOW)
        outcome = Outcome.of(again)
        assert dump_at(again, at_us) == at_last, (SEED, number)
        assert (outcome.archive, broken_rules(outcome, event_clock=False)) == (wanted.archive, [])
        # The destination is told on from where it stood.
        finish(again, ACTIVATION)
        told = [orjson.loads(line)["id"] for line in (again / OUTBOX).read_bytes().splitlines()]
        assert told == [f"shop-0-{sequence}" for sequence in range(cursor + 1, len(outcome.changes) + 1)]
    assert delivery_problems(project / OUTBOX, wanted) == []
