"""What more people cost: CPU and bytes on disk, per event and per profile, at each number of profiles.

    python -m perf.scale --profiles 100000,1000000 [--events-per-profile 6] [--events 200000] [--cache-mb 512] --json

Everybody's history is taken in by `skep backfill`. Then the flow reads ``--events`` live ones of these people, of whom most are not in
memory: `ratio` compares its CPU per event with that of the first size, ``people_read_per_event`` counts those who had to be read.
Bytes are those of the folders behind it: the shard with its write-ahead log, and the archive.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from perf.processes import call, show
from perf.shop import events_file, make_project


def _size(people: int, per_profile: int, events: int, segments: int, seed: int, cache_mb: int) -> dict[str, Any]:  # noqa: PLR0917
    """History of so many people, and live events behind it."""
    past, live = events_file(people * per_profile, people, seed), events_file(events, people, seed + 1)
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        project = make_project(Path(folder), live, segments, cache_mb=cache_mb)
        with (project / "skep.yaml").open("a") as settings:
            settings.write(f"  - {{name: past, kind: jsonl, path: {past}, space: shop, history: true}}\n")
        loaded = call("skep.cli", "--project", project, "backfill", "past", "--json")
        run = call("perf.engine", project)
    stored, both = run["shard_bytes"], loaded["records"] + run["events"]
    return {
        "profiles": run["profiles"],
        "history": loaded["records"],
        "history_cpu_us_per_event": round(loaded["cpu_seconds"] * 1e6 / loaded["records"], 2),
        "events": run["events"],
        "events_per_s": run["events_per_s"],
        "cpu_us_per_event": run["cpu_us_per_event"],
        "people_read_per_event": round(run["people_read"] / run["events"], 4),
        "shard_bytes_per_event": round(stored / both, 1),
        "shard_bytes_per_profile": round(stored / max(1, run["profiles"]), 1),
        "archive_bytes_per_event": round(run["archive_bytes"] / both, 1),
        "rss_mb": run["rss_mb"],
        "peak_rss_mb": run["peak_rss_mb"],
    }


def measure(profiles: list[int], per_profile: int, events: int, segments: int, seed: int, cache_mb: int) -> dict[str, Any]:  # noqa: PLR0917
    """Each size, and its ratio to the first."""
    sizes = [_size(people, per_profile, events, segments, seed, cache_mb) for people in profiles]
    for size in sizes:
        size["ratio"] = round(size["cpu_us_per_event"] / sizes[0]["cpu_us_per_event"], 3)
    return {"events_per_profile": per_profile, "segments": segments, "cache_mb": cache_mb, "sizes": sizes}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", default="100000,1000000")
    parser.add_argument("--events-per-profile", type=int, default=6)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--cache-mb", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    profiles = [int(count) for count in options.profiles.split(",")]
    found = measure(profiles, options.events_per_profile, options.events, options.segments, options.seed, options.cache_mb)
    show(found, as_json=options.json)


if __name__ == "__main__":
    main()
