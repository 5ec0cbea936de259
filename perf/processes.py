"""Starting the measured processes, each fresh, and reading the JSON object that each prints last."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import IO, Any

import orjson

from perf.shop import TRAITS, make_project
from skep.compiled import form
from skep.project.process import die_with_parent

ROOT = Path(__file__).resolve().parent.parent


def call(module: str, *args: object, env: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a module with this Python and return what it printed."""
    command = [sys.executable, "-m", module, *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout.decode()}{done.stderr.decode()}")
    result: dict[str, Any] = orjson.loads(done.stdout.splitlines()[-1])
    return result


def start(module: str, *args: object, env: dict[str, str] | None = None, **streams: IO[bytes] | int) -> subprocess.Popen[bytes]:
    """Start a module with this Python, beside this process and no longer than it, however it ends; call it before there are threads.
    ``streams``: ``stdout`` and ``stderr``, as `subprocess` has them."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *map(str, args)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        preexec_fn=die_with_parent,  # noqa: PLW1509 - no thread runs yet
        **streams,
    )


def engine(source: Path, segments: int, *args: object, categories: int = 6, cache_mb: int = 512, traits: str = TRAITS) -> dict[str, Any]:
    """The main flow over a file, in a project of its own that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        project = make_project(Path(folder), source, segments, categories=categories, cache_mb=cache_mb, traits=traits)
        return call("perf.engine", project, *args)


def middle(results: list[dict[str, Any]], key: str) -> float:
    """The median of one number of several results."""
    return float(median(result[key] for result in results))


def show(result: dict[str, Any], *, as_json: bool) -> None:
    """Print a result for a machine, or for a reader, and which form it is of: what is started runs as this process does."""
    result = {"form": form(), **result}
    if as_json:
        print(orjson.dumps(result).decode())
        return
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"{key}:")
            for each in value:
                print("  " + "  ".join(f"{name}={part}" for name, part in each.items()))
        elif isinstance(value, dict):
            print(f"{key}: " + "  ".join(f"{name}={part}" for name, part in value.items()))
        else:
            print(f"{key}: {value}")
