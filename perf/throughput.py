"""How many events a second the main flow takes in, and how that compares with what the machine can do at all.

    python -m perf.throughput --events 1000000 [--people 100000] [--segments 10] [--rounds 1] --json

Floor (`perf.floor`) and flow (`perf.engine`) take turns on the same file, each in a fresh process: floor, flow, …, floor.
`cpu_ratio` is the floor's CPU per event over the flow's, medians of the turns; 1 would be no cost of our own.
`--profile FILE` keeps cProfile's statistics of one more run of the flow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from perf.processes import call, engine, middle, show
from perf.shop import events_file


def measure(events: int, people: int, segments: int, seed: int, rounds: int, key: str = "user") -> dict[str, Any]:  # noqa: PLR0917
    """Both, in turns."""
    path = events_file(events, people, seed)
    floors, ours = [call("perf.floor", path, "--key", key)], []
    for _ in range(rounds):
        ours.append(engine(path, segments))
        floors.append(call("perf.floor", path, "--key", key))
    stages = {name: round(middle([one["stages_us"] for one in ours], name), 2) for name in ours[0]["stages_us"]}
    floor_us, our_us = middle(floors, "cpu_us_per_event"), middle(ours, "cpu_us_per_event")
    return {
        "events": events,
        "people": people,
        "segments": segments,
        "rounds": rounds,
        "bytes_per_event": round(path.stat().st_size / events),
        "events_per_s": round(middle(ours, "events_per_s")),
        "floor_events_per_s": round(middle(floors, "events_per_s")),
        "cpu_ratio": round(floor_us / our_us, 4),
        "cpu_us_per_event": round(our_us, 2),
        "floor_cpu_us_per_event": round(floor_us, 2),
        "floor_key": key,
        "floor_decoder": floors[-1]["decoder"],
        "stages_us": stages,
        "profiles": ours[-1]["profiles"],
        "applied": ours[-1]["applied"],
        "changes": ours[-1]["changes"],
        "rss_mb": middle(ours, "rss_mb"),
        "peak_rss_mb": middle(ours, "peak_rss_mb"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--floor-key", choices=("user", "message"), default="user", help="what the floor reads and writes by (perf.floor)")
    parser.add_argument("--profile", type=Path, help="cProfile's statistics of one more run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.events, options.people, options.segments, options.seed, options.rounds, options.floor_key)
    if options.profile is not None:
        engine(events_file(options.events, options.people, options.seed), options.segments, "--profile", options.profile.resolve())
    show(result, as_json=options.json)


if __name__ == "__main__":
    main()
