"""What more people cost: CPU and bytes on disk, per event and per profile, at each number of profiles.

    python -m perf.scale --profiles 100000,1000000 [--events-per-profile 6] [--cache-mb 512] --json

Everybody comes, at the same number of events each, so ten times the people are ten times the events. `ratio` compares the
CPU per event with that of the first; `people_read_per_event` counts those who were not in memory and had to be read: a cache
smaller in proportion shows with fewer people what more of them cost. Bytes are those of the folders when the flow has ended:
the shard with its write-ahead log, and the archive.
"""

from __future__ import annotations

import argparse
from typing import Any

from perf.processes import engine, show
from perf.shop import events_file


def measure(profiles: list[int], per_profile: int, segments: int, seed: int, cache_mb: int) -> dict[str, Any]:
    """One run at each size."""
    table: list[dict[str, Any]] = []
    for people in profiles:
        run = engine(events_file(people * per_profile, people, seed), segments, cache_mb=cache_mb)
        stored, archived = run["shard_bytes"], run["archive_bytes"]
        cpu_us = run["cpu_us_per_event"]
        table.append(
            {
                "profiles": run["profiles"],
                "events": run["events"],
                "events_per_s": run["events_per_s"],
                "cpu_us_per_event": cpu_us,
                "cpu_us_per_profile": round(cpu_us * run["events"] / max(1, run["profiles"]), 1),
                "ratio": round(cpu_us / table[0]["cpu_us_per_event"], 3) if table else 1.0,
                "people_read_per_event": round(run["people_read"] / run["events"], 4),
                "shard_bytes_per_event": round(stored / run["events"], 1),
                "shard_bytes_per_profile": round(stored / max(1, run["profiles"]), 1),
                "archive_bytes_per_event": round(archived / run["events"], 1),
                "rss_mb": run["rss_mb"],
                "peak_rss_mb": run["peak_rss_mb"],
            }
        )
    return {"events_per_profile": per_profile, "segments": segments, "cache_mb": cache_mb, "sizes": table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", default="100000,1000000")
    parser.add_argument("--events-per-profile", type=int, default=6)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--cache-mb", type=int, default=512)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    profiles = [int(count) for count in options.profiles.split(",")]
    show(measure(profiles, options.events_per_profile, options.segments, options.seed, options.cache_mb), as_json=options.json)


if __name__ == "__main__":
    main()
