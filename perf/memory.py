"""Whether memory is bounded: the flow's resident memory after few and after many events of the same people.

    python -m perf.memory --events 1000000,5000000 [--people 100000] --json

`ratio` is the last size over the first; the same people come again and again, so it should stay near 1 (at most 1.5).
"""

from __future__ import annotations

import argparse
from typing import Any

from perf.processes import engine, show
from perf.shop import events_file


def measure(sizes: list[int], people: int, segments: int, seed: int) -> dict[str, Any]:
    """One run at each size."""
    table = []
    for events in sizes:
        run = engine(events_file(events, people, seed), segments)
        table.append({key: run[key] for key in ("events", "profiles", "rss_mb", "peak_rss_mb", "events_per_s")})
    return {"people": people, "sizes": table, "ratio": round(table[-1]["rss_mb"] / table[0]["rss_mb"], 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", default="1000000,5000000")
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--segments", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sizes = [int(count) for count in options.events.split(",")]
    show(measure(sizes, options.people, options.segments, options.seed), as_json=options.json)


if __name__ == "__main__":
    main()
