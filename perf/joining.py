"""What it costs when two large people become one, and when they are parted again.

    python -m perf.joining [--identifiers 1000] [--events 1000,10000,100000] --json

Two customers, of whom each has half of the identifiers (a number, e-mail addresses, browsers) and half of the events; ten computed traits
whose measures commute, in windows and without. One event names both (`merge`); a manual unlink takes that back (`split`). ``ms`` is CPU
of the people step for that event or entry, its commit included, and ``moments`` are the stored events that were read for it. ``growth``:
the ``ms`` at the most events over those at the fewest. About 1 says that people are added up by their records, not by their history.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from contracts.model.batches import ControlEntry, JudgedBatch
from operators.epochs import CONTROL
from perf.shop import BEGIN_MS, iso_ms
from perf.stream import BATCH, NAME, Stream
from skep.compiled import form

EVENTS = (1_000, 10_000, 100_000)
_APART_MS = 3_600_000
IDENTITY = {
    "namespaces": [
        {"name": "user_id", "from": "userId"},
        {"name": "email", "from": "context.traits.email"},
        {"name": "anonymous_id", "from": "anonymousId", "scope": "device"},
    ],
    "limits": {"identifiers": 10_000, "links": 10_000},
}
TRAITS = [
    {"name": f"{name}_{days}", **measure, "did": "order_completed", **({"within": f"{days}d"} if days else {})}
    for name, measure in (
        ("orders", {"count": True}), ("spent", {"sum": "price"}), ("mean", {"avg": "price"}), ("most", {"max": "price"}),
        ("days", {"distinct_days": True}),
    )
    for days in (0, 30)
]  # fmt: skip
FILES = {
    "identity.yaml": orjson.dumps(IDENTITY).decode(),
    "traits.yaml": orjson.dumps({"traits": TRAITS}).decode(),
    "events/order_completed/1-0-0.json": '{"type": "object", "properties": {"price": {"type": "number"}}}',
    "segments/buyers.yaml": '{"segment": "buyers", "who": {"did": "order_completed", "times": {"gte": 3}, "within": "30d"}}',
}


def lines(identifiers: int, events: int) -> Iterator[bytes]:
    """The events of both in turns, one an hour, over all that they are called."""
    each = identifiers // 4
    for number in range(events):
        person, at = number % 2, number // 2 % each
        yield orjson.dumps({
            "type": "track", "event": "Order Completed", "messageId": f"{number:032x}", "timestamp": iso_ms(BEGIN_MS + number * _APART_MS),
            "userId": f"u{person}", "anonymousId": f"d{person}-{at}", "context": {"traits": {"email": f"e{person}-{at}@shop.org"}},
            "properties": {"price": number % 97 + 0.25},
        })  # fmt: skip


def joined(folder: Path, identifiers: int, events: int) -> dict[str, Any]:
    """The figures of two people with so many identifiers and events together."""
    stream = Stream(folder, FILES)
    made = lines(identifiers, events)
    while batch := list(islice(made, BATCH)):
        stream.apply(stream.judged(batch))
    work = stream.space.work
    timestamp = iso_ms(BEGIN_MS + events * _APART_MS)
    login = {
        "type": "identify",
        "messageId": "login",
        "timestamp": timestamp,
        "userId": "u0",
        "context": {"traits": {"email": "e1-0@shop.org"}},
    }
    both = stream.judged([orjson.dumps(login)])
    ends = {"a": {"namespace": "user_id", "value": "u0"}, "b": {"namespace": "email", "value": "e1-0@shop.org"}}
    entry = {"type": "unlink", **ends, "timestamp": timestamp, "messageId": "apart", "why": "measured"}
    apart = JudgedBatch(NAME, CONTROL, CONTROL, 2, 2, "", [], [], [ControlEntry(2, entry)], 0)

    def cost(step: Callable[[], object], people: int) -> dict[str, float]:
        read, began = work.reading.moments, time.process_time_ns()
        step()
        spent = time.process_time_ns() - began
        if work.meta.people != people:
            raise ValueError(f"expected {people} people, found {work.meta.people}")
        return {"ms": round(spent / 1e6, 2), "moments": work.reading.moments - read}

    merge, split = cost(lambda: stream.apply(both), 1), cost(lambda: stream.space.apply(apart), 2)
    stream.close()
    return {"events": events, "merge": merge, "split": split}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identifiers", type=int, default=1_000, help="of both together")
    parser.add_argument("--events", default=",".join(map(str, EVENTS)), help="of both together, of each run")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # As in a flow: the steps make no cycles.
    gc.disable()
    rows = []
    for events in (int(each) for each in options.events.split(",")):
        with tempfile.TemporaryDirectory(prefix="skep-joining-") as scratch:
            rows.append(joined(Path(scratch) / "shard", options.identifiers, events))
        if not options.json:
            print(*(f"{key} {value}" for key, value in rows[-1].items()), sep="  ", flush=True)
    growth = {what: round(rows[-1][what]["ms"] / max(rows[0][what]["ms"], 0.01), 2) for what in ("merge", "split")}
    if options.json:
        print(orjson.dumps({"form": form(), "identifiers": options.identifiers, "runs": rows, "growth": growth}).decode())
    else:
        print(f"{form()}: growth of a merge {growth['merge']}, of a split {growth['split']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
