"""What dense identity graphs cost: events whose identifiers are drawn at random, so that evidence connects everybody with everybody.

    python -m perf.dense [--people 7,13,31,100,1000] [--events 5000,50000] [--conflict newest,oldest] --json

Each event is of one of so many users, or of nobody, on one of about twice as many devices, and often has an e-mail address or a
phone, which are shared: they are drawn at random, too. One event a minute. ``mean_us`` is the CPU of an event in the people step, its
share of the commits included; ``worst_ms`` that of the dearest one, alone. ``messages`` are those that have changed hands: because an
identifier they hang on did, or because their owner is another; ``people`` those who gave or took them, each as often as it happened.
``beside_us`` is the mean without 30 µs for each such message. ``rebuilds`` says how often people were made anew, and
``moments_read`` how many stored events were read for that.
"""

from __future__ import annotations

import argparse
import gc
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import orjson

from contracts.model.batches import Event
from operators.people import space as space_module
from operators.people.heads import owner_key
from operators.people.moments import Kept, Moments
from operators.people.work import Work
from operators.stitch.owners import Owner
from perf.shop import BEGIN_MS, iso_ms
from perf.stream import BATCH, Stream

PEOPLE = (7, 13, 31, 100, 1_000)
DEVICES = {7: 12, 13: 24, 31: 60}
"""So many devices for so many users; twice as many where nothing is said."""
EVENTS = (5_000, 50_000)
MINUTE_MS = 60_000
A_MESSAGE_US = 30
"""What a message that changes hands may cost."""
FILES = {
    **{f"events/{name}/1-0-0.json": '{"type": "object"}' for name in ("product_viewed", "product_added", "order_completed")},
    "segments/buyers.yaml": '{"segment": "buyers", "who": {"did": "order_completed", "times": {"gte": 3}, "within": "30d"}}',
    "segments/lookers.yaml": '{"segment": "lookers", "who": {"did": "product_viewed", "times": {"gte": 10}}}',
}


def lines(people: int, events: int, seed: int) -> Iterator[bytes]:
    """Events in order of time, with identifiers drawn at random."""
    rng = Random(f"{people}-{events}-{seed}")
    devices = DEVICES.get(people, 2 * people)
    for number in range(events):
        body: dict[str, Any] = {"type": "track", "messageId": f"{number:032x}", "timestamp": iso_ms(BEGIN_MS + number * MINUTE_MS)}
        body["event"] = rng.choice(("Product Viewed", "Product Viewed", "Product Added", "Order Completed"))
        body["properties"] = {"product_id": f"p{rng.randrange(2_000):05d}", "price": rng.randrange(300, 20_000) / 100}
        if rng.random() < 0.6:
            body["userId"] = f"u{rng.randrange(people)}"
        if rng.random() < 0.8 or "userId" not in body:
            body["anonymousId"] = f"d{rng.randrange(devices)}"
        if rng.random() < 0.3:
            body["context"] = {"traits": {"email": f"e{rng.randrange(people)}@shop.org"}}
        if rng.random() < 0.1:
            body["properties"]["phone"] = f"+4477123{rng.randrange(people):05d}"
        yield orjson.dumps(body)


def identity(conflict: str) -> str:
    """The rules that count without a file, but for where a phone stands."""
    mail = {"name": "email", "from": "context.traits.email", "normalize": "email", "limit": 5}
    phone = {"name": "phone", "from": "properties.phone", "normalize": "phone", "limit": 5}
    user, device = {"name": "user_id", "from": "userId", "unique": True}, {"name": "anonymous_id", "from": "anonymousId", "scope": "device"}
    return orjson.dumps({"namespaces": [user, mail, phone, device], "conflict": conflict}).decode()


class Watched:
    """Counts, beside a space, what changes hands and what is read; the CPU of each event."""

    def __init__(self) -> None:
        self.messages = self.people = self.read = 0
        self.spent: list[int] = []
        self.beside = 0
        """CPU of the watching."""
        self._hangs_on: Counter[bytes] = Counter()
        """Owner's identifier → how many messages."""
        self._at = b""
        self._hands: set[bytes] = set()

    def take(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def taken(*args: Any, **kwargs: Any) -> Any:
            began, beside = time.thread_time_ns(), self.beside
            found = call(*args, **kwargs)
            self.spent.append(time.thread_time_ns() - began - (self.beside - beside))
            self.people += len(self._hands)
            self._hands.clear()
            return found

        return taken

    def keep(self, call: Callable[..., None]) -> Callable[..., None]:
        def kept(moments: Moments, anchor: bytes, event: Event, message: bytes, owner: Owner) -> None:
            self._at = message
            self._hangs_on[owner_key(anchor, owner)] += 1
            call(moments, anchor, event, message, owner)

        return kept

    def give(self, call: Callable[..., None]) -> Callable[..., None]:
        def given(work: Work, kept: Kept, owner: Owner, event: Event) -> None:
            was, now = owner_key(kept.anchor, kept.owner), owner_key(kept.anchor, owner)
            self._hangs_on[was] -= 1
            self._hangs_on[now] += 1
            if kept.message != self._at:
                self.messages += 1
                self._hands |= {was, now}
            call(work, kept, owner, event)

        return given

    def remember(self, call: Callable[..., None]) -> Callable[..., None]:
        def remembered(work: Work) -> None:
            began = time.thread_time_ns()
            for identifier, source in work.store.moves.items():
                target = work.shard.alias.get(identifier) or b""
                if source and target and source != target and self._hangs_on[identifier]:
                    self.messages += self._hangs_on[identifier]
                    self._hands |= {source, target}
            self.beside += time.thread_time_ns() - began
            call(work)

        return remembered

    def reading(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any) -> Any:
            found = call(*args)
            if found is None:
                return None
            listed = list(found)
            self.read += len(listed)
            return listed

        return read


def dense(folder: Path, people: int, events: int, conflict: str, seed: int = 0) -> dict[str, Any]:
    """The figures of one input."""
    watched = Watched()
    stream = Stream(folder, {"identity.yaml": identity(conflict), **FILES})
    total = 0
    with (
        patch.object(space_module, "take", watched.take(space_module.take)),
        patch.object(Moments, "keep", watched.keep(Moments.keep)),
        patch.object(Work, "give", watched.give(Work.give)),
        patch.object(Moments, "of", watched.reading(Moments.of)),
        patch.object(Moments, "between", watched.reading(Moments.between)),
        patch.object(Work, "remember", watched.remember(Work.remember)),
    ):
        made = lines(people, events, seed)
        while batch := list(islice(made, BATCH)):
            judged = stream.judged(batch)
            began = time.process_time_ns()
            stream.apply(judged)
            total += time.process_time_ns() - began
    cost, profiles = stream.space.work.cost, stream.space.meta.people
    stream.close()
    mean = (total - watched.beside) / events / 1000
    return {
        "people": people,
        "devices": DEVICES.get(people, 2 * people),
        "conflict": conflict,
        "events": events,
        "profiles": profiles,
        "mean_us": round(mean, 1),
        "beside_us": round(mean - A_MESSAGE_US * watched.messages / events, 1),
        "worst_ms": round(max(watched.spent) / 1e6, 2),
        "p99_ms": round(sorted(watched.spent)[len(watched.spent) * 99 // 100] / 1e6, 2),
        "rebuilds": cost.rebuilds,
        "rebuild_s": round(cost.busy_us / 1e6, 2),
        "moments_read": watched.read,
        "hands": {"messages": watched.messages, "people": watched.people},
    }


def measure(people: Iterable[int], events: Iterable[int], conflicts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The figures of each input."""
    for conflict in conflicts:
        for each in people:
            for size in events:
                with tempfile.TemporaryDirectory(prefix="skep-dense-") as scratch:
                    yield dense(Path(scratch) / "shard", each, size, conflict)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default=",".join(map(str, PEOPLE)), help="users of each input")
    parser.add_argument("--events", default=",".join(map(str, EVENTS)), help="events of each input")
    parser.add_argument("--conflict", default="newest,oldest")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # As in a flow: the steps make no cycles.
    gc.disable()
    people, events = ([int(each) for each in text.split(",")] for text in (options.people, options.events))
    rows = []
    for row in measure(people, events, options.conflict.split(",")):
        rows.append(row)
        if not options.json:
            print(*(f"{key} {value}" for key, value in row.items()), sep="  ", flush=True)
    if options.json:
        print(orjson.dumps({"inputs": rows}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
