"""Promise 2, at length: a flow killed with ``kill -9`` at random instants leaves what an undisturbed one leaves.

    python -m perf.crash --kills 100 --seed 1 --json

Rounds of kills over fresh input until there are enough. Each round compares with an uninterrupted run of the same input:
dump, counts, archive, quarantine, change log and destination (with three partitions not the log's bytes, but what it folds to).
A failing round prints its seed; `--seed THAT --kills 20` plays it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import orjson

from skep.compiled import form
from tests.crash.round import Round, play

KILLS_OF_A_ROUND = 20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="round i uses seed + i")
    parser.add_argument("--events", type=int, default=30_000, help="records of one round")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.perf_counter()
    rounds: list[Round] = []
    while sum(len(one.kills) for one in rounds) < options.kills:
        seed = options.seed + len(rounds)
        left = options.kills - sum(len(one.kills) for one in rounds)
        with tempfile.TemporaryDirectory(prefix="skep-crash-") as folder:
            # The seed alone decides on the shape, so that a failed round can be played again.
            shape = {"partitions": 3 if seed % 3 == 0 else 1, "bytewax_recovery": seed % 4 == 1}
            rounds.append(play(Path(folder), seed, min(left, KILLS_OF_A_ROUND), options.events, **shape))
        for problem in rounds[-1].problems:
            print(f"seed {seed}: {problem}", file=sys.stderr)
    result = {"form": form()} | summary(rounds) | {"seconds": round(time.perf_counter() - began, 1)}
    print(orjson.dumps(result).decode() if options.json else ", ".join(f"{key} {value}" for key, value in result.items()))
    return 0 if result["identical"] else 1


def summary(rounds: list[Round]) -> dict[str, object]:
    """All rounds together."""
    kinds = [kind for one in rounds for kind in one.kills]
    return {
        "kills": len(kinds),
        "lost": sum(one.lost for one in rounds),
        "doubled": sum(one.doubled for one in rounds),
        "identical": not any(one.problems for one in rounds),
        "rounds": len(rounds),
        "events": sum(one.events for one in rounds),
        "changes": sum(one.changes for one in rounds),
        "by_instant": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        "failed_seeds": [one.seed for one in rounds if one.problems],
    }


if __name__ == "__main__":
    sys.exit(main())
