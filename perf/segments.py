"""What more segments cost: the flow's CPU per event with 10, 100, 1,000 and 10,000 of them.

    python -m perf.segments --counts 10,100,1000,10000 [--events 100000] [--people 10000] --json

A shop with 300 categories, 2,000 products and 50 coupons; everybody prefers three categories. Segments come in sixteen shapes in
turn (`perf.shop.segment`), each turn with the next category, coupon, threshold and window. Ten look at what was done: six count, sum or
compare views, additions or both in one category (every tenth distinct count: in all of them), one looks at pages of one
category, three at orders: with one coupon, every fourth or tenth of them at all orders. Six are of other forms: a trait and what was
not done, a sequence, another segment, identifiers, a sample, and at least two of four, consent among them. Most have a window, of 1 to
30 days. Windows, names and categories repeat as they do where people write segments; no two segments of a thousand are the same.
`ratio` is against the first count, of the first ten shapes; `evaluations` of segments are counted an event, over 5,000 events beside.

Each count runs `--rounds` times in turns; `start_s`, the time to read and compile the contracts, is not in the CPU per event.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from perf.processes import engine, middle, show
from perf.shop import events_file, make_project
from perf.stream import BATCH, Stream

CATEGORIES = 300
_PEOPLE = ("people", "people_encode")


_COUNTED = 5_000
"""Events over which evaluations are counted."""


def evaluations(path: Path, count: int) -> float:
    """How many segments are evaluated an event, each for one person."""
    with tempfile.TemporaryDirectory(prefix="skep-segments-") as scratch:
        folder = make_project(Path(scratch), path, count, categories=CATEGORIES) / "contracts"
        stream = Stream(Path(scratch) / "shard", {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.*")})
        program, done = stream.space.work.program, 0

        def counted(evaluate: Callable[..., bool]) -> Callable[..., bool]:
            def evaluated(*given: Any) -> bool:
                nonlocal done
                done += 1
                return evaluate(*given)

            return evaluated

        program.evaluators[:] = map(counted, program.evaluators)
        with path.open("rb") as events:
            while batch := list(islice(events, min(BATCH, _COUNTED - stream.space.meta.received))):
                stream.apply(stream.judged([line.rstrip() for line in batch]))
        events_taken = stream.space.meta.received
        stream.close()
    return round(done / events_taken, 2)


def measure(counts: list[int], events: int, people: int, seed: int, rounds: int) -> dict[str, Any]:
    """Every count in turn, as often as there are rounds."""
    path = events_file(events, people, seed, CATEGORIES)
    runs: dict[int, list[dict[str, Any]]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            runs[count].append(engine(path, count, categories=CATEGORIES))
    first = middle(runs[counts[0]], "running_us_per_event")
    table = []
    for count in counts:
        per_event = middle(runs[count], "running_us_per_event")
        table.append(
            {
                "segments": count,
                "cpu_us_per_event": round(per_event, 2),
                "ratio": round(per_event / first, 3),
                "people_us_per_event": round(sum(middle([run["stages_us"] for run in runs[count]], stage) for stage in _PEOPLE), 2),
                "evaluations": evaluations(path, count),
                "changes_per_event": round(runs[count][-1]["changes"] / events, 3),
                "start_s": round(middle(runs[count], "start_cpu_s"), 2),
            }
        )
    return {"events": events, "people": people, "rounds": rounds, "counts": table}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", default="10,100,1000,10000")
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
