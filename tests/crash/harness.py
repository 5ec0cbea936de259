"""Real processes, killed with ``kill -9`` at seeded random instants and started again until the input ends."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

import orjson

from skep.project.settings import Settings
from skep.project.spaces import open_views
from state.errors import NoState
from tests.patience import PATIENCE_S, until
from tests.processes import Completed, Process, completed, plain_environment, started

FLOW = "flows.cdp"
ACTIVATION = "flows.activation"
POLL_S = 0.002
SETUP_S = 0.3
"""About what a flow takes from its start to its first commit."""
OUTBOX = Path("data/outbox/changes.jsonl")


def environment(project: Path, **settings: str) -> dict[str, str]:
    """The environment of a process of this project, without what the caller's holds."""
    return plain_environment(RUST_BACKTRACE="0", SKEP_PROJECT=str(project), **settings)


def start(project: Path, *words: str, **settings: str) -> Process:
    """``python -m bytewax.run WORDS`` for a project, in no folder of its own; what it says is added to process.log."""
    with (project / "process.log").open("ab") as said:
        return started("bytewax.run", *words, env=environment(project, **settings), stdout=said, stderr=said)


def command(project: Path, *words: str) -> Completed:
    """``python -m WORDS`` for a project, to its end."""
    return completed(*words, env=environment(project))


def finish(project: Path, *words: str, **settings: str) -> None:
    """Run a flow to the end of its input."""
    process = start(project, *words, **settings)
    code = process.wait(PATIENCE_S)
    assert code == 0, f"{words} ended with {code}:\n{(project / 'process.log').read_text()[-4000:]}"


def log_bytes(project: Path) -> tuple[int, int]:
    """Number and size of the newest write-ahead log: how far the shard is, as it grows."""
    logs = [(int(path.stem), path) for path in (project / "data" / "shards" / "shop").glob("*.log")]
    try:
        number, path = max(logs)
        return number, path.stat().st_size
    except (ValueError, FileNotFoundError):
        return 0, 0


def wait_for_commits(project: Path, process: Process, grown: int) -> bool:
    """Wait until this process has written so many bytes of commits; False if it ended before."""
    before, _ = log_bytes(project)

    def written() -> bool:
        number, now = log_bytes(project)
        return number > before and now >= grown

    until(lambda: written() or process.poll() is not None, told=lambda: (log_bytes(project), before, grown), pause_s=POLL_S)
    return process.poll() is None


def wait_for_received(project: Path, count: int) -> None:
    """Wait until the flow has received so many records."""
    until(lambda: _received(project), lambda found: found >= count)


def _received(project: Path) -> int:
    try:
        with open_views(Settings.load(project)) as views:
            return int(views["shop"].status()["received"])
    except NoState:
        return 0


@dataclass(frozen=True)
class Instant:
    """When to kill: some time after the start, after so many bytes of commits, or in a flush of the archive."""

    kind: Literal["start", "commit", "archive"]
    amount: float

    @classmethod
    def draw(cls, rng: Random, step_bytes: float) -> Instant:
        """Mostly between commits, about ``step_bytes`` of them further on."""
        kind: Literal["start", "commit", "archive"] = rng.choices(("start", "commit", "archive"), (1, 4, 2))[0]
        most = {"start": SETUP_S, "commit": 2 * step_bytes, "archive": 3.0}[kind]
        return cls(kind, rng.uniform(0, most))

    def reached(self, project: Path, process: Process) -> bool:
        """Wait for it; False if the process ended before."""
        if self.kind == "start":
            return _still_runs_after(process, self.amount)
        if self.kind == "commit":
            return wait_for_commits(project, process, int(self.amount))
        return _wait_for_flush(project, process, int(self.amount) + 1)


def _still_runs_after(process: Process, seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return True
    return False


def _wait_for_flush(project: Path, process: Process, files: int) -> bool:
    """Wait until some file of a flush is half written, or a few more are there than before."""
    folder = project / "data" / "archive" / "shop"
    before = sum(1 for _ in folder.glob("day=*/*"))
    while process.poll() is None:
        paths = [path.name for path in folder.glob("day=*/*")]
        if len(paths) >= before + files or any(name.endswith(".new") for name in paths):
            return True
        time.sleep(POLL_S / 2)
    return False


@dataclass
class Killing:
    """A run through kills: ``kills`` that hit a running process, and the change log as it was seen between them."""

    project: Path
    rng: Random
    step_bytes: float
    words: tuple[str, ...] = (FLOW,)
    activation: bool = False
    kills: list[str] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    _beside: Process | None = None

    def through(self, kills: int) -> None:
        """Kill up to so often, then let it end. Activation runs beside the flow and is killed with it, half of the times."""
        for _ in range(kills):
            if not self.once():
                break
        else:
            finish(self.project, *self.words)
        if self._beside is not None:
            self._kill_beside()
        if self.activation:
            finish(self.project, ACTIVATION)
        self.look()

    def once(self) -> bool:
        """Start the flow and kill it at a random instant; False if it ended before."""
        instant = Instant.draw(self.rng, self.step_bytes)
        process = start(self.project, *self.words)
        if self.activation and self._beside is None:
            self._beside = start(self.project, ACTIVATION, SKEP_FOLLOW="1")
        reached = instant.reached(self.project, process)
        process.kill()
        code = process.wait()
        if reached:
            self.kills.append(instant.kind)
            if self._beside is not None and self.rng.random() < 0.5:
                self._kill_beside()
            self.look()
            return True
        assert code == 0, f"the flow ended with {code}:\n{(self.project / 'process.log').read_text()[-4000:]}"
        return False

    def look(self) -> None:
        """The change log only grows: what somebody has read stays as it was. Counts hold in every commit."""
        try:
            with open_views(Settings.load(self.project)) as views:
                now = [line for _, line in views["shop"].changes()]
                status = views["shop"].status()
        except NoState:
            now, status = [], {}
        if now[: len(self.seen)] != self.seen:
            self.checks.append(f"after kill {len(self.kills)} the change log no longer begins with what was read before")
        if status and status["changes"] != len(now):
            self.checks.append(f"after kill {len(self.kills)}: {len(now)} changes, counted {status['changes']}")
        self.seen = now

    def _kill_beside(self) -> None:
        assert self._beside is not None
        if self._beside.poll() is None:
            self._beside.kill()
            self.kills.append("activation")
        self._beside.wait()
        self._beside = None


def control_entries(project: Path) -> list[dict[str, object]]:
    """What the control partition holds."""
    lines = (project / "data" / "control" / "shop.jsonl").read_bytes().splitlines()
    return [orjson.loads(line) for line in lines]
