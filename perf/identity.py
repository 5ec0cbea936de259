"""What identity costs: links that are known and new, large components, kiosks, links by likeness.

    python -m perf.identity [--identifiers 1000000] [--logins 50000] [--records 50000] [--only stitch,recompute,kiosk,likeness] --json

`known` and `new` are the stitch step alone (`perf.stitching` says what is in and out) beside one RocksDB get and put an event, with
the flow's default cache, which at a million identifiers holds a part of the people; `known_cached`, `new_cached` with all of them in
the cache. All times are CPU time of the whole process, medians of rounds in which both sides take turns, except `evaluate_s`, which
is what a user waits. Bytes are those of the rows before compression; `stored_bytes_per_identifier` is what lies on disk. `claims`
says of each figure what it must reach. Exit code 1 if one does not hold.
"""

from __future__ import annotations

import argparse
import gc
import operator
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from perf.components import kiosk, recompute
from perf.likeness import likeness, rounded
from perf.stitching import stitching
from skep.compiled import form

PARTS = ("stitch", "recompute", "kiosk", "likeness")
CACHE_MB, ALL_MB = 512, 4_096
MOMENTS = (1, 3)
"""Moments of each device of the component that is computed anew: its link alone, and two anonymous events beside it."""
CLAIMS: tuple[tuple[str, str, float], ...] = (
    ("known.cpu_ratio", ">=", 0.5),
    ("recompute_ms", "<=", 20),
    ("kiosk.growth", "<=", 1.25),
    ("probabilistic.records_per_s", ">=", 5_000),
    ("probabilistic.stream.at_the_end_per_s", ">=", 5_000),
    ("evaluate_s", "<=", 120),
)
"""Which figure must be at least, or at most, what."""
_HOLDS: dict[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le}


def measure(only: tuple[str, ...], *, identifiers: int, component: int, logins: int, records: int, rounds: int) -> dict[str, Any]:
    """The figures of the parts asked for, and which claims hold."""
    found: dict[str, Any] = {"identifiers": identifiers}
    with tempfile.TemporaryDirectory(prefix="skep-identity-") as scratch:
        folder = Path(scratch)
        if "recompute" in only:
            rows = [recompute(folder / f"moments-{each}", component, each, 4 * rounds + 1) for each in MOMENTS]
            found |= {"recompute_ms": rows[0]["ms"], "recompute": rows}
        if "kiosk" in only:
            found["kiosk"] = kiosk(folder, max(1, logins // 50), logins)
        if "likeness" in only:
            told = likeness(folder / "likeness", records)
            found |= {"evaluate_s": told.pop("evaluate_s"), "probabilistic": {**told.pop("comparing"), **told}}
        if "stitch" in only:
            # The last, since its million people stay in memory.
            found |= _stitch(folder, identifiers, rounds)
    found = rounded(found)
    return {**found, "claims": claims(found)}


def _stitch(folder: Path, identifiers: int, rounds: int) -> dict[str, Any]:
    events = max(100, min(20_000, identifiers // 10))
    some = stitching(folder / "some", identifiers, events, rounds, CACHE_MB)
    every = stitching(folder / "all", identifiers, events, rounds, ALL_MB)
    found = {"known": some.pop("known"), "new": some.pop("new"), "known_cached": every["known"], "new_cached": every["new"]}
    return {"cpu_ratio": found["known"]["cpu_ratio"], **found, **some}


def claims(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Each claim whose figure was measured: the figure, its limit, and whether it holds."""
    rows = []
    for claim, sign, limit in CLAIMS:
        value: Any = found
        for part in claim.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if value is not None:
            rows.append({"claim": claim, "value": value, "limit": f"{sign} {limit:g}", "holds": _HOLDS[sign](value, limit)})
    return rows


def show(found: dict[str, Any]) -> None:
    """The figures line by line, then the claims."""
    for key, value in _flat("", {key: value for key, value in found.items() if key != "claims"}):
        print(f"{key:<44} {value if isinstance(value, str) else format(value, ','):>14}")
    print()
    for row in found["claims"]:
        print(f"{'holds' if row['holds'] else 'MISSED':<7} {row['claim']:<40} {row['value']:>12,} {row['limit']:>10}")


def _flat(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [row for key, each in value.items() for row in _flat(f"{name}.{key}" if name else key, each)]
    if isinstance(value, list):
        return [row for at, each in enumerate(value) for row in _flat(f"{name}[{at}]", each)]
    return [(name, value)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identifiers", type=int, default=1_000_000, help="known to the stitch step")
    parser.add_argument("--component", type=int, default=1_000, help="identifiers of the person who is computed anew")
    parser.add_argument("--logins", type=int, default=50_000, help="at the kiosk; the early ones are those around a fiftieth of it")
    parser.add_argument("--records", type=int, default=50_000, help="compared by likeness")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    only = tuple(options.only.split(","))
    if not set(only) <= set(PARTS):
        parser.error(f"--only: expected some of {', '.join(PARTS)}, found {options.only}")
    # As in a flow: the steps make no cycles, and a full collection over a million people would be measured in their place.
    gc.disable()
    found = {"form": form()} | measure(
        only, identifiers=options.identifiers, component=options.component, logins=options.logins, records=options.records,
        rounds=options.rounds,
    )  # fmt: skip
    if options.json:
        print(orjson.dumps(found).decode())
    else:
        show(found)
    return 0 if all(row["holds"] for row in found["claims"]) else 1


if __name__ == "__main__":
    sys.exit(main())
