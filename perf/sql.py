"""How fast `skep sql "select * from events"` hands over all rows, form by form, and how much memory it takes.

    python -m perf.sql [--events 200000] [--people 2000] [--rounds 3] [--project DIR] [--json]

Each form is a command of its own that writes into a file, its start included. The floor is a Python process in which DuckDB
itself writes the table as CSV (``COPY events TO``). With `--project` the snapshot of a project is asked, else that of the demo.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from perf.processes import middle, show

QUERY = "select * from events"
FORMS: dict[str, list[str]] = {"table": [], "csv": ["--csv"], "json": ["--json"], "jsonl": ["--jsonl"], "parquet": ["--out"]}
_FLOOR = "import duckdb, sys; duckdb.connect(sys.argv[1], read_only=True).execute(f\"copy events to '{sys.argv[2]}' (format csv)\")"
_SKEP = [sys.executable, "-m", "skep.cli"]


def measured(command: list[str], into: Path) -> dict[str, Any]:
    """Seconds, seconds of CPU and the most resident memory of a command whose stdout is a file."""
    with into.open("wb") as stream:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=stream, stderr=subprocess.PIPE)
        _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - begun
    assert process.stderr is not None
    said = process.stderr.read().decode()
    process.stderr.close()
    if status:
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")
    return {"s": took, "cpu_s": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss * 1024 / 1e6}


def run(project: Path, rounds: int, folder: Path) -> dict[str, Any]:
    """All forms and the floor in turns; medians."""
    ask = [*_SKEP, "--project", str(project), "sql", QUERY]
    commands = {form: [*ask, *options] for form, options in FORMS.items()}
    commands["parquet"].append(str(folder / "out.parquet"))
    commands["start"] = [*ask[:-1], "select 1", "--csv"]
    commands["floor"] = [sys.executable, "-c", _FLOOR, str(project / "data" / "skep.duckdb"), str(folder / "floor.csv")]
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(measured(command, folder / "out"))
    with duckdb.connect(str(project / "data" / "skep.duckdb"), read_only=True) as con:
        [(rows,)] = con.execute("select count(*) from events").fetchall()
    floor = middle(found["floor"], "s")
    return {
        "rows": rows,
        "floor_s": round(floor, 3),
        "floor_cpu_s": round(middle(found["floor"], "cpu_s"), 3),
        "start_s": round(middle(found["start"], "s"), 3),
        "start_rss_mb": round(middle(found["start"], "rss_mb"), 1),
        "forms": [_row(form, found[form], rows, floor) for form in FORMS],
    }


def _row(form: str, found: list[dict[str, Any]], rows: int, floor: float) -> dict[str, Any]:
    took = middle(found, "s")
    return {
        "form": form,
        "s": round(took, 3),
        "cpu_s": round(middle(found, "cpu_s"), 3),
        "rows_per_s": round(rows / took),
        "rss_mb": round(middle(found, "rss_mb"), 1),
        "floor_ratio": round(floor / took, 3),
    }


def make(folder: Path, people: int, events: int) -> Path:
    """The demo's project with its snapshot."""
    project = folder / "shop"
    for words in (
        ["init", project],
        ["demo", "--people", people, "--events", events, "--seed", 7, "--out", project / "events"],
        ["--project", project, "run", "--once"],
    ):
        subprocess.run([*_SKEP, *map(str, words)], check=True, capture_output=True)
    return project


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as name:
        folder = Path(name)
        show(run(args.project or make(folder, args.people, args.events), args.rounds, folder), as_json=args.json)


if __name__ == "__main__":
    main()
