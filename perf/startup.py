"""How long the `skep` command takes before its work: the interpreter, what it imports, and the command's options.

    python -m perf.startup [--rounds 5] --json

Each is a process of its own, and they take turns, so that a busy moment of the machine falls on all of them. `started` holds for
each the smallest wall time and the smallest CPU time of all rounds in ms; the claims are about CPU time. `help` is `skep --help`;
`before` makes the whole command and reads the settings of a project, which is what every command does before its work; the others
are commands in a folder that is no project: they end where they read the settings, with all that their own work needs imported. The
floors are an interpreter that does nothing (`python`) and one that imports the library of the command line (`typer`); `help_ratio` is
`help` over the latter. Exit code 1 if a claim does not hold.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from typing import Any

from perf.processes import ROOT, show

HELP_MS, BEFORE_MS = 200, 300
"""The claims: at most, by CPU time, which other programs on the machine disturb least."""
FLOORS = {"python": ("-c", "pass"), "typer": ("-c", "import typer")}
_BEFORE = "import typer; from skep import cli, project; typer.main.get_command(cli.app); project.settings_at(None)"
_NO_PROJECT = "/nowhere"
_COMMANDS = (
    "check", "status", "changes", "dump", "run --once", "apply", "plan", "audit", "quality", "sources", "snapshot", "sql x",
    "catalog", "profile show user_id:1", "quarantine list", "identity explain user_id:1 user_id:2", "identity doctor",
    "contracts export",
)  # fmt: skip


def started() -> dict[str, tuple[str, ...]]:
    """What is started, by name: the arguments of the interpreter."""
    skep = ("-m", "skep.cli")
    commands = {words: (*skep, "--project", _NO_PROJECT, *words.split()) for words in _COMMANDS}
    return {**FLOORS, "help": (*skep, "--help"), "before": ("-c", _BEFORE), **commands}


def took(arguments: tuple[str, ...]) -> tuple[float, float]:
    """(wall, CPU) of one process in ms."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return (time.perf_counter() - began) * 1000, (used.ru_utime + used.ru_stime) * 1000


def measure(rounds: int, only: int | None) -> dict[str, Any]:
    """The smallest times of all rounds, and which claims hold."""
    chosen = dict(list(started().items())[:only])
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, arguments in chosen.items():
            times[name].append(took(arguments))
    least = {name: tuple(min(one) for one in zip(*found, strict=True)) for name, found in times.items()}
    missed = {"help": least["help"][1] > HELP_MS, "before": least["before"][1] > BEFORE_MS}
    return {
        "rounds": rounds,
        "help_ms": round(least["help"][1]),
        "help_ratio": round(least["help"][1] / least["typer"][1], 2),
        "before_ms": round(least["before"][1]),
        "missed": [name for name, failed in missed.items() if failed],
        "started": [{"what": name, "wall_ms": round(wall), "cpu_ms": round(cpu)} for name, (wall, cpu) in least.items()],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", type=int, help="only so many of the processes, floors and help first")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.rounds, options.only)
    show(result, as_json=options.json)
    return 1 if result["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
