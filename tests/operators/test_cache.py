"""People in memory: those seen lately decoded, many more as rows, and who is not there is read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson

import contracts
from operators.people.store import DECODED_LEAST, KEPT_BYTES, PERSON_BYTES, ROW_BYTES
from tests.engine import Engine
from tests.generator import START_US, text_of

CACHE_BYTES = 100_000
BATCH = 10


def visit(engine: Engine, people: Iterable[int], minute: int) -> None:
    """Each of these people comes once more, on a device of their own; a commit is of `BATCH` of them."""
    records = [
        orjson.dumps({
            "type": "track", "event": "seen", "messageId": f"m{minute}-{at}", "timestamp": text_of(START_US + minute * 60_000_000),
            "userId": f"u{at}", "anonymousId": f"d{at}",
        })
        for at in people
    ]  # fmt: skip
    for at in range(0, len(records), BATCH):
        engine.feed("p", records[at : at + BATCH])


def test_people_who_are_not_decoded_are_not_read(tmp_path: Path) -> None:
    """As long as their rows fit into memory; each is what it was, and those who fit neither way are read."""
    roomy, small = Engine(tmp_path / "roomy", contracts.load({})), Engine(tmp_path / "small", contracts.load({}), cache_bytes=CACHE_BYTES)
    for engine in (roomy, small):
        engine.start(["p"])
        visit(engine, range(60), 0)
    store = small.space.work.store
    row = sum(len(each) for _, each in small.shard.people.committed(b"")) / 60
    person = PERSON_BYTES + ROW_BYTES * row

    def decoded() -> int:
        return len(store.slots) // 2

    # More than can be decoded, and all are there: they come again without one being read.
    assert 60 * person > 1.5 * CACHE_BYTES
    assert (store.cached, decoded() < 40) == (60, True)
    for engine in (roomy, small):
        visit(engine, range(60), 1)
    assert store.missed == 0
    # More than fit either way: nobody of the first ones is left.
    for engine in (roomy, small):
        visit(engine, range(100, 1_000), 2)
    assert decoded() * person + (store.cached - decoded()) * (KEPT_BYTES + row) < CACHE_BYTES + BATCH * person
    assert decoded() >= 0.8 * DECODED_LEAST * CACHE_BYTES / person
    for engine in (roomy, small):
        visit(engine, range(60), 3)
    assert store.missed == 60
    assert small.dump() == roomy.dump()
    for engine in (roomy, small):
        engine.shard.close()
