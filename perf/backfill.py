"""How fast history is taken in by `skep backfill`, beside the flow reading the same kind of file, and beside parsing alone.

    python -m perf.backfill --events 5000000 [--people 100000] [--segments 10] [--parts 2] [--flow-events 500000] --json

The source is one file of JSON lines with `history: true`, the space is empty, and at the end people are complete: identities, traits,
memberships, change log, archive. ``events_per_s`` is by the wall clock of the whole command, its start included. CPU is of the command and
the processes among which it divides the work. The flow (`perf.engine`) reads the first ``--flow-events`` as history; the floor reads
all lines and decodes each with the faster of orjson and msgspec, in one process. ``seconds`` are the command's own, by what it did.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import Any

from perf.floor import fastest
from perf.meter import cpu_seconds, folder_bytes
from perf.processes import call, show
from perf.shop import events_file, make_project


def parse(path: Path) -> float:
    """µs of CPU that it takes to read and decode a line."""
    with path.open("rb") as stream:
        decode = fastest(list(islice(stream, 2000)))[1]
    began, lines = cpu_seconds(), 0
    with path.open("rb") as stream:
        for line in stream:
            decode(line)
            lines += 1
    return (cpu_seconds() - began) * 1e6 / max(1, lines)


def _history(folder: Path, source: Path, segments: int) -> Path:
    project = make_project(folder, source, segments)
    settings = project / "skep.yaml"
    settings.write_text(settings.read_text().replace("space: shop}", "space: shop, history: true}"))
    return project


def _beginning(source: Path, count: int) -> Path:
    """A file with the first lines of another, beside it."""
    path = source.with_name(f"{source.stem}-first-{count}.jsonl")
    if not path.exists():
        with source.open("rb") as stream:
            path.write_bytes(b"".join(islice(stream, count)))
    return path


def measure(source: Path, segments: int, parts: int | None, flow_events: int) -> dict[str, Any]:
    """The command, then the flow, then the floor."""
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        project = _history(Path(folder), source, segments)
        words = ["--project", project, "backfill", "shop", "--json", *(["--parts", parts] if parts else [])]
        began = time.perf_counter()
        found = call("skep.cli", *words)
        wall = time.perf_counter() - began
        data = project / "data"
        sizes = {"shard_bytes": folder_bytes(data / "shards"), "archive_bytes": folder_bytes(data / "archive")}
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        flow = call("perf.engine", _history(Path(folder), _beginning(source, flow_events), segments))
    parse_us = parse(source)
    records = found["records"]
    cpu_us = found["cpu_seconds"] * 1e6 / records
    return {
        "events": records,
        "profiles": found["people"],
        "segments": segments,
        "parts": found["parts"],
        "slices": found["slices"],
        "events_per_s": round(records / wall),
        "wall_s": round(wall, 1),
        "cpu_us_per_event": round(cpu_us, 2),
        "seconds": found["seconds"],
        "flow_cpu_us_per_event": round(flow["cpu_us_per_event"], 2),
        "flow_events_per_s": flow["events_per_s"],
        "ratio_to_flow": round(flow["cpu_us_per_event"] / cpu_us, 3),
        "faster_than_flow": round(records / wall / flow["events_per_s"], 2),
        "floor_cpu_us_per_event": round(parse_us, 2),
        "ratio_to_floor": round(parse_us / cpu_us, 4),
        "shard_bytes_per_profile": round(sizes["shard_bytes"] / max(1, found["people"]), 1),
        "shard_bytes_per_event": round(sizes["shard_bytes"] / records, 1),
        "archive_bytes_per_event": round(sizes["archive_bytes"] / records, 1),
        "peak_rss_mb": found["peak_mb"],
        "changes": found["changes"],
        "processors": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--parts", type=int)
    parser.add_argument("--flow-events", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    source = events_file(options.events, options.people, options.seed)
    show(measure(source, options.segments, options.parts, options.flow_events), as_json=options.json)


if __name__ == "__main__":
    main()
