"""Promise 1, at length: the engine's dump equals the model's after every step, on generated adversarial input.

    python -m perf.converge --runs 500 --seed 1 --json

Each run draws a scenario (shuffled, late, repeated, in three partitions, with manual links), random batch sizes and
restarts, and compares byte for byte after every step. A failing run prints its seed; it is the whole bug report.
``--of graph`` and ``--of likenesses`` draw small graphs of identity instead, each in several orders, ``--of life`` events in
about the order of their times, with other rules in the middle, sealed days and replays, ``--of dense`` few identifiers that
take each other from one another with nearly every event.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import orjson

from contracts import load
from skep.compiled import form
from tests.dense import dense
from tests.engine import Engine, compare, compare_orders
from tests.generator import scenario
from tests.graphs import graph, likenesses
from tests.lives import life, live

SIZES = (4, 12, 12, 25, 60)
GRAPHS = {"graph": graph, "likenesses": likenesses}
LIVES = {"life": life, "dense": dense}
ANEW = 25
"""Graphs after which their engine gets a new folder: in an old one, deleted rows slow it down."""


def comparisons_of(seeds: range, kind: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """Each seed with what compares it."""
    if kind == "scenario":
        yield from ((seed, partial(_scenario, seed)) for seed in seeds)
        return
    for start in range(0, len(seeds), ANEW):
        with tempfile.TemporaryDirectory() as folder:
            engine = Engine(Path(folder) / "shard", load({}))
            one = partial(live, engine=engine, make=LIVES[kind]) if kind in LIVES else partial(compare_orders, GRAPHS[kind], engine=engine)
            yield from ((seed, partial(one, seed)) for seed in seeds[start : start + ANEW])
            engine.shard.close()


def _scenario(seed: int) -> int:
    return compare(scenario(seed, SIZES[seed % len(SIZES)]), seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; run i uses seed + i")
    parser.add_argument("--of", choices=["scenario", *GRAPHS, *LIVES], default="scenario", help="what is drawn")
    parser.add_argument("--stop-after", type=int, default=5, help="failing runs after which it gives up")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    failed: list[int] = []
    comparisons, began, runs = 0, time.perf_counter(), 0
    for seed, compared in comparisons_of(range(options.seed, options.seed + options.runs), options.of):
        runs += 1
        try:
            comparisons += compared()
        except Exception as error:  # noqa: BLE001 - a crash is a finding like a difference
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}\n{str(error)[:2000]}", file=sys.stderr)
            if not isinstance(error, AssertionError):
                traceback.print_exc()
            if len(failed) >= options.stop_after:
                break
    result = {"form": form(), "runs": runs, "comparisons": comparisons, "failed": failed, "seconds": round(time.perf_counter() - began, 1)}
    if options.json:
        print(orjson.dumps(result).decode())
    else:
        print(f"{result['form']}: {runs} runs, {comparisons} comparisons, {len(failed)} failed {failed}, {result['seconds']} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
