"""What contracts cost: validation beside bare jsonschema-rs, upcasts and scores beside validation, and comparing two versions.

    python -m perf.contracts [--events 200000] [--people 2000] [--rounds 1] --json

The demo shop's events, decoded beforehand, in batches of 2,000. In each batch bare jsonschema-rs, the flow's choice of a version,
the upcasts and the scores take turns. `ratio` is the bare library's time over the flow's; `added` what upcasts and scores cost
over what the flow's validation costs (each alone: `added_by_upcasts`, `added_by_scores`), `added_to_step` over the whole validate
step, from bytes to events; `upcast_ns_each` is what one upcast takes. Scenes: `validation` (the shop's contracts), `upcasts` (a
fifth of the documents are of the old model: a rename, a default, a conversion each), `versions` (views of 1-0-0, 1-0-1 and 2-0-0
in turns; the bare library tries in the same order). `examples` compares the shop's contracts and mutants of them with each
other, in this process; `commands` are whole `skep contracts compat` commands on hard pairs. Exit code 1 if a claim does not hold.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from perf.comparing import comparing
from perf.judging import judging
from perf.processes import show

RATIO, ADDED, EXAMPLES_MS, COMMAND_S = 0.5, 0.5, 200, 10
"""The claims: at least, at most, at most, at most."""


def measure(people: int, events: int, rounds: int, seed: int, hard: int | None) -> dict[str, Any]:
    """All figures, and which claims hold."""
    judged, compared = judging(people, events, rounds, seed), comparing(3, hard)
    added = max(judged["validation"]["added"], judged["upcasts"]["added"])
    slowest = max(one["seconds"] for one in compared["commands"])
    figures = {
        "ratio": (judged["validation"]["ratio"], judged["validation"]["ratio"] >= RATIO),
        "added": (added, added <= ADDED),
        "examples_max_ms": (compared["examples"]["max_ms"], compared["examples"]["max_ms"] <= EXAMPLES_MS),
        "command_max_s": (slowest, slowest <= COMMAND_S and not any("code" in one["answer"] for one in compared["commands"])),
    }
    return {
        "events": events,
        "people": people,
        "rounds": rounds,
        **{name: figure for name, (figure, _) in figures.items()},
        "missed": [name for name, (_, holds) in figures.items() if not holds],
        **judged,
        **compared,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hard", type=int, help="only so many of the hard pairs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = measure(options.people, options.events, options.rounds, options.seed, options.hard)
    show(result, as_json=options.json)
    return 1 if result["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
