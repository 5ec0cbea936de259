"""What more computed traits cost where an event touches as many as before: the flow's CPU per event.

    python -m perf.traits --counts 5,10,50,200 [--events 100000] [--people 10000] --json

A shop with 40 categories, and no segments. Traits come in fives: a count, a sum, a mean, a set and the last value, of views and
additions (`product_*`) in some of the categories, two of the five in windows. Of 5 traits all categories are those of the one five; of 200
each five has a category of its own. So whatever their number, a view or an addition touches five traits, and a page or an order none.
`ratio` is against the first count, `floor_us_per_event` what the machine needs for the same file without us (`perf.floor`).

Each count runs `--rounds` times in turns; `start_s`, the time to read and compile the contracts, is not in the CPU per event.
"""

from __future__ import annotations

import argparse
from typing import Any

from perf.processes import call, engine, middle, show
from perf.shop import category_name, events_file

CATEGORIES, TOUCHED = 40, 5
_PEOPLE = ("people", "people_encode")
_MEASURES = (
    "count: true",
    "sum: price, within: 30d",
    "avg: price",
    "set: product_id, limit: 10",
    "last: product_id, within: 90d",
)


def traits(count: int) -> str:
    """`traits.yaml` with so many traits, of which an event touches `TOUCHED`; a multiple of that, at most one five a category."""
    groups = count // TOUCHED
    lines = []
    for group in range(groups):
        names = ", ".join(category_name(number) for number in range(group, CATEGORIES, groups))
        lines += [
            f"  - {{name: t{group}_{at}, {measure}, did: product_*, where: {{category: [{names}], currency: EUR}}}}"
            for at, measure in enumerate(_MEASURES)
        ]
    return "traits:\n" + "\n".join(lines) + "\n"


def measure(counts: list[int], events: int, people: int, seed: int, rounds: int) -> dict[str, Any]:
    """Every count in turn, and the floor, as often as there are rounds."""
    path = events_file(events, people, seed, CATEGORIES)
    runs: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    floors = []
    for _ in range(rounds):
        floors.append(call("perf.floor", path))
        for count in counts:
            runs[count].append(engine(path, 0, categories=CATEGORIES, traits=traits(count)))
    first = middle(runs[counts[0]], "running_us_per_event")
    table = []
    for count in counts:
        per_event = middle(runs[count], "running_us_per_event")
        table.append(
            {
                "traits": count,
                "cpu_us_per_event": round(per_event, 2),
                "ratio": round(per_event / first, 3),
                "people_us_per_event": round(sum(middle([run["stages_us"] for run in runs[count]], stage) for stage in _PEOPLE), 2),
                "shard_bytes_per_event": round(middle(runs[count], "shard_bytes") / events, 1),
                "start_s": round(middle(runs[count], "start_cpu_s"), 2),
            }
        )
    floor = round(middle(floors, "cpu_us_per_event"), 2)
    return {"events": events, "people": people, "touched": TOUCHED, "rounds": rounds, "floor_us_per_event": floor, "counts": table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="5,10,50,200", help=f"multiples of {TOUCHED}, up to {TOUCHED * CATEGORIES}")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    counts = [int(count) for count in options.counts.split(",")]
    show(measure(counts, options.events, options.people, options.seed, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
