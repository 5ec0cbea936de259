"""What dense identity graphs cost: events whose identifiers are drawn at random, so that evidence connects everybody with everybody.

    python -m perf.dense [--people 7,13,31,100,1000] [--events 5000,50000] [--conflict newest,oldest] --json

Each event is of one of so many users, or of nobody, on one of about twice as many devices, and often has an e-mail address or a
phone, which are shared: they are drawn at random, too. One event a minute. ``mean_us`` is the CPU of an event in the people step, its
share of the commits included; ``worst_ms`` that of the dearest one, alone. ``messages`` are those that have changed hands: because a
person's identifier they hang on did, or because their owner is another; ``people`` those who gave or took them, as often as they did.
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
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import orjson

from contracts.model.batches import Event
from contracts.model.hashing import profile_id
from operators.people.take import take
from operators.people.turns import COMES, decode_turn
from operators.people.work import Work
from perf.shop import BEGIN_MS, iso_ms
from perf.stream import BATCH, PARTITION, Stream
from skep.compiled import form
from state.keys import sequence_key

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


class Hands:
    """Counts, beside a space, what changes hands: by its history and its change log, as each event leaves them to the commit."""

    def __init__(self, work: Work) -> None:
        self.messages = self.people = 0
        self._work = work
        self._hang_on: Counter[bytes] = Counter()
        """Person's identifier → how many messages."""
        self._turns, self._changes = work.meta.turns, work.meta.changes

    def took(self, event: Event) -> None:
        """An event has been applied."""
        work, hands = self._work, set[str]()
        if work.meta.turns != self._turns:
            for key, row in work.shard.history.pending.items():
                turn = decode_turn(row) if row is not None and int.from_bytes(key[16:], "big") > self._turns else None
                if turn is not None and turn.kind in COMES and turn.other:
                    moved = sum(self._hang_on[identifier] for identifier in turn.hashes())
                    self.messages += moved
                    hands |= {profile_id(key[:16]), profile_id(turn.other)} if moved else set()
            self._turns = work.meta.turns
        for sequence in range(self._changes + 1, work.meta.changes + 1):
            row = work.shard.changes.pending[sequence_key(sequence)]
            if row is not None and b"events.reassigned" in row:
                change = orjson.loads(row)
                self.messages += len(change["messages"])
                hands |= {change["profile"], change["from"]}
        self._changes = work.meta.changes
        self.people += len(hands)
        anchor = work.rules.anchor(event.identifiers)
        if work.rules.person[anchor[0]]:
            self._hang_on[work.store.hash(anchor)] += 1


def dense(folder: Path, people: int, events: int, conflict: str, seed: int = 0) -> dict[str, Any]:
    """The figures of one input."""
    stream = Stream(folder, {"identity.yaml": identity(conflict), **FILES})
    work = stream.space.work
    hands, spent, commits = Hands(work), list[int](), 0
    made = lines(people, events, seed)
    while batch := list(islice(made, BATCH)):
        for event in stream.judged(batch):
            began = time.thread_time_ns()
            take(work, event, PARTITION)
            spent.append(time.thread_time_ns() - began)
            hands.took(event)
        began = time.process_time_ns()
        stream.apply([])
        commits += time.process_time_ns() - began
    cost, profiles, read = work.cost, work.meta.people, work.reading.moments
    stream.close()
    mean = (sum(spent) + commits) / events / 1000
    return {
        "people": people,
        "devices": DEVICES.get(people, 2 * people),
        "conflict": conflict,
        "events": events,
        "profiles": profiles,
        "mean_us": round(mean, 1),
        "beside_us": round(mean - A_MESSAGE_US * hands.messages / events, 1),
        "worst_ms": round(max(spent) / 1e6, 2),
        "p99_ms": round(sorted(spent)[len(spent) * 99 // 100] / 1e6, 2),
        "rebuilds": cost.rebuilds,
        "rebuild_s": round(cost.busy_us / 1e6, 2),
        "moments_read": read,
        "hands": {"messages": hands.messages, "people": hands.people},
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
    if not options.json:
        print(form())
    for row in measure(people, events, options.conflict.split(",")):
        rows.append(row)
        if not options.json:
            print(*(f"{key} {value}" for key, value in row.items()), sep="  ", flush=True)
    if options.json:
        print(orjson.dumps({"form": form(), "inputs": rows}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
