"""How fast people leave segments by themselves, and how long events wait meanwhile.

    python -m perf.timers [--profiles 1000000] [--rate 0] [--seconds 60] --json

Everybody has done one thing, at times spread evenly over an hour, and is in a segment for 7 days from then on: so the timers of all are due
within one hour, a week later. ``timers_per_s``: how many of them fire in a second, with every exit told and committed, when the clock
comes to the end of that hour at once, in slices as a flow's clock does it. Then as many are due again, while a flow goes on, at half of
the events a second that it takes alone (``--rate`` says another number), whose times pass through that hour in ``--seconds``: ``p99_ms``
is from when an event is due until it is committed, together with every exit that its time brings about.
``floor_per_s``: rows of the same keys deleted and written by RocksDB alone. Exit code 1 if a claim does not hold.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from contracts.model.batches import JudgedBatch
from perf.shop import BEGIN_MS, iso_ms
from perf.stream import BATCH, NAME, PARTITION, Stream
from skep.compiled import form

PROFILES, LIVE = 1_000_000, "Product Viewed"
HOUR_MS, WEEK_MS = 3_600_000, 7 * 86_400_000
TIMERS_PER_S, P99_MS = 50_000, 50
_CACHE_MB = 2_048
_LIVE = 20_000
"""Events of the live flow that are timed alone."""
FILES = {
    "identity.yaml": '{"namespaces": [{"name": "user_id", "from": "userId", "unique": true}]}',
    "events/order_completed/1-0-0.json": '{"type": "object"}',
    "events/product_viewed/1-0-0.json": '{"type": "object"}',
    "segments/recent.yaml": '{"segment": "recent", "who": {"did": "order_completed", "within": "7d"}}',
}


def lines(people: int, begin_ms: int, prefix: str, event: str = "Order Completed", events: int = 0) -> Iterator[bytes]:
    """One event of each of so many people, or ``events`` of all in turns, spread over an hour."""
    count = events or people
    for number in range(count):
        yield orjson.dumps({
            "type": "track", "event": event, "messageId": f"{prefix}{number}", "userId": f"u{number % people}", "properties": {},
            "timestamp": iso_ms(begin_ms + number * HOUR_MS // count),
        })  # fmt: skip


class Shop:
    """A space with people whose timers are due."""

    def __init__(self, folder: Path, people: int) -> None:
        self.people = people
        self.stream = Stream(folder, FILES, cache_mb=_CACHE_MB)

    def order(self, begin_ms: int, prefix: str) -> None:
        """Everybody orders within the hour that begins then."""
        made = lines(self.people, begin_ms, prefix)
        while batch := list(islice(made, BATCH)):
            self.stream.apply(self.stream.judged(batch))

    def come_to(self, now_ms: int) -> bool:
        """The clock comes to a moment, by one slice of the timers; whether some are left."""
        position = self.stream.space.meta.applied[PARTITION]
        tick = JudgedBatch(NAME, PARTITION, PARTITION, position + 1, position, "", [], [], [], now_ms * 1000, caught_up=True)
        return self.stream.space.apply(tick)

    def members(self) -> int:
        return self.stream.space.meta.sizes.get("recent", 0)


def fired(shop: Shop, now_ms: int) -> dict[str, float]:
    """All timers up to a moment, one slice after the other."""
    before, slices, began = shop.members(), [], time.perf_counter()
    left = True
    while left:
        at = time.perf_counter()
        left = shop.come_to(now_ms)
        slices.append(time.perf_counter() - at)
    seconds = time.perf_counter() - began
    gone = before - shop.members()
    if gone != shop.people:
        raise ValueError(f"expected {shop.people} people to leave, found {gone}")
    return {"timers_per_s": round(gone / seconds), "slices": len(slices), "slice_ms": round(max(slices) * 1000, 1)}


def beside(shop: Shop, begin_ms: int, rate: float, seconds: float) -> dict[str, float]:
    """The hour in which all timers are due passes in so many seconds, by the times of the events of a flow that has ``rate`` a second."""
    waits: list[float] = []
    before, taken, total = shop.members(), 0, int(seconds * rate)
    made = list(lines(shop.people, begin_ms, "live", LIVE, total))
    began = time.perf_counter()
    while taken < total:
        due = min(int((time.perf_counter() - began) * rate), total) - taken
        if due > 0:
            shop.stream.apply(shop.stream.judged(made[taken : taken + due]))
            committed = time.perf_counter()
            waits += [committed - began - (taken + number) / rate for number in range(due)]
            taken += due
    spent = time.perf_counter() - began
    waits.sort()
    fell_due = min(shop.people, before)
    return {
        "events": taken,
        "seconds": round(spent, 1),
        "due_per_s": round(fell_due / spent),
        "p99_ms": round(waits[len(waits) * 99 // 100] * 1000, 1),
    }


def alone(shop: Shop, begin_ms: int) -> float:
    """Events a second that the flow takes with nothing beside it."""
    made = list(lines(shop.people, begin_ms, "alone", LIVE, _LIVE))
    batches = [made[at : at + 100] for at in range(0, _LIVE, 100)]
    began = time.perf_counter()
    for batch in batches:
        shop.stream.apply(shop.stream.judged(batch))
    return _LIVE / (time.perf_counter() - began)


def floor(folder: Path, people: int) -> float:
    """Deletes of a timer's key and puts of a person's row a second, in commits of a slice."""
    stream = Stream(folder, FILES)
    shard, row = stream.shard, b"x" * 200
    keys = [number.to_bytes(24, "big") for number in range(min(people, 100_000))]
    began = time.perf_counter()
    for at in range(0, len(keys), BATCH):
        for key in keys[at : at + BATCH]:
            shard.timers.delete(key)
            shard.people.put(key[:16], row)
        shard.commit()
    spent = time.perf_counter() - began
    stream.close()
    return len(keys) / spent


def measure(people: int, rate: float, seconds: float) -> dict[str, Any]:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="skep-timers-") as scratch:
        found: dict[str, Any] = {"form": form(), "profiles": people, "floor_per_s": round(floor(Path(scratch) / "floor", people))}
        shop = Shop(Path(scratch) / "shard", people)
        shop.order(BEGIN_MS, "a")
        later = BEGIN_MS + WEEK_MS + 2 * HOUR_MS
        found |= fired(shop, later)
        found["ratio"] = round(found["floor_per_s"] / found["timers_per_s"], 2)
        shop.order(later, "b")
        full = alone(shop, later + HOUR_MS)
        found["rate"] = round(rate or full / 2)
        found |= beside(shop, later + WEEK_MS, found["rate"], seconds)
        shop.stream.close()
    found["holds"] = found["timers_per_s"] >= TIMERS_PER_S and found["p99_ms"] <= P99_MS
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=PROFILES)
    parser.add_argument("--rate", type=float, default=0, help="events a second of the live flow; 0: half of what it takes alone")
    parser.add_argument("--seconds", type=float, default=60, help="in which the hour passes beside the live flow")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # As in a flow: the steps make no cycles.
    gc.disable()
    found = measure(options.profiles, options.rate, options.seconds)
    if options.json:
        print(orjson.dumps(found).decode())
    else:
        for key, value in found.items():
            print(f"{key:<14} {value:,}" if isinstance(value, (int, float)) and not isinstance(value, bool) else f"{key:<14} {value}")
    return 0 if found["holds"] else 1


if __name__ == "__main__":
    sys.exit(main())
