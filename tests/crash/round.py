"""One round of kills: the same input uninterrupted and through kills, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.crash.harness import ACTIVATION, FLOW, OUTBOX, Killing, environment, finish, log_bytes
from tests.crash.outcome import Outcome, broken_rules, delivery_problems, differences, lost_and_doubled
from tests.crash.shop import make_lines, make_project, write_partitions
from tests.processes import completed


@dataclass(frozen=True)
class Round:
    """What a round has found; no problems is what is promised."""

    seed: int
    events: int
    changes: int
    kills: list[str]
    lost: int
    doubled: int
    problems: list[str]


def reference(folder: Path, lines: list[bytes], partitions: int = 1, *, horizon: str = "6d") -> tuple[Path, Outcome, int]:
    """An undisturbed run of the lines: its project, what it left, and the bytes of its commits."""
    project = make_project(folder / "undisturbed", horizon=horizon)
    write_partitions(project / "events", lines, partitions)
    finish(project, FLOW)
    size = log_bytes(project)[1]
    return project, Outcome.of(project), size


def play(folder: Path, seed: int, kills: int, events: int, *, partitions: int = 1, bytewax_recovery: bool = False) -> Round:
    """One round. With several partitions nothing is late or conflicts, since those depend on the order across them."""
    one = partitions == 1
    horizon = "6d" if one else "200d"
    lines = make_lines(events, seed, refusals=one)
    undisturbed, wanted, size = reference(folder, lines, partitions, horizon=horizon)
    finish(undisturbed, ACTIVATION)
    project = make_project(folder / "killed", horizon=horizon)
    write_partitions(project / "events", lines, partitions)
    words: tuple[str, ...] = (FLOW,)
    if bytewax_recovery:
        store = project / "recovery"
        store.mkdir()
        assert completed("bytewax.recovery", str(store), "1", env=environment(project)).returncode == 0
        words = (FLOW, "-r", str(store), "-s", "1", "-b", "0")
    killing = Killing(project, Random(seed), size / (kills + 1), words, activation=True)
    killing.through(kills)
    found = Outcome.of(project)
    problems = [
        *killing.checks,
        *(f"undisturbed: {said}" for said in broken_rules(wanted) + delivery_problems(undisturbed / OUTBOX, wanted)),
        *differences(wanted, found, in_order=one),
        *broken_rules(found),
        *delivery_problems(project / OUTBOX, found),
    ]
    lost, doubled = lost_and_doubled(wanted, found)
    return Round(seed, len(lines), len(found.changes), killing.kills, lost, doubled, problems)
