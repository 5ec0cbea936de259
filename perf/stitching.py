"""Stitch alone: CPU per event for links that are known and links that are new, beside one RocksDB get and put an event.

In: finding the people of an event by its identifiers, its links and their times, devices and sessions, who owns the event,
joining, encoding the people that changed, their write batch, and trimming the cache. Out: reading and validating, message
ids, moments, features, traits, consents, segments, change events, the archive. The floor hashes the person's identifier,
gets its row and puts the event's own bytes, in write batches of the same size, in a family with the people's options.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from random import Random
from statistics import mean, median
from typing import Any, cast

from rocksdict import AccessType, Cache, Rdict, WriteBatch

from contracts.model.batches import Event
from operators.people.space import Space
from operators.people.store import Slot
from operators.records import Person, decode_person, encode
from operators.stitch.owners import ITSELF
from perf.stream import BATCH, Stream
from state.shard import _family_options, _options

USER, DEVICE = 0, 3
"""Positions of the namespaces in the rules that count without a file."""
BEGIN_US, STEP_US = 1_767_225_600_000_000, 50_000
LONE = 0.1
"""The share of identifiers that are devices on which nobody has logged in."""
SESSIONS = 300
"""Visits that go on at the same time."""
SAMPLE = 5_000
"""People whose rows are taken apart."""
_LINE = (
    '{"type":"track","event":"Product Viewed","properties":{"product_id":"p%05d","category":"candles","price":12.5,"currency":"EUR"},'
    '"messageId":"%032x","userId":"u%07d","anonymousId":"d%07d","timestamp":"2026-01-01T10:00:00.000Z","receivedAt":"2026-01-01T10:00:00.040Z"}'
)


class Shop:
    """Makes the events: ``people`` with a user id and a device each, ``lone`` devices; time goes on with every event."""

    def __init__(self, identifiers: int, seed: int) -> None:
        self.lone = int(identifiers * LONE)
        self.people = (identifiers - self.lone) // 2
        self._rng = Random(seed)
        self._number = 0
        self._fresh = self.people + self.lone
        self._unused = list(range(self.people, self._fresh))
        self._rng.shuffle(self._unused)
        self._visits: list[tuple[int, int]] = []

    def everybody(self) -> Iterator[Event]:
        """Everybody once, in random order."""
        order = list(range(self._fresh))
        self._rng.shuffle(order)
        for each in order:
            yield self._event(each if each < self.people else None, each)

    def known(self, count: int) -> list[Event]:
        """People who are known on devices that are theirs, in visits of 2 to 8 events."""
        rng, visits, found = self._rng, self._visits, []
        for _ in range(count):
            at = rng.randrange(SESSIONS)
            if at >= len(visits):
                visits.append((rng.randrange(self.people), rng.randrange(2, 9)))
                at = len(visits) - 1
            person, left = visits[at]
            found.append(self._event(person, person))
            visits[at] = (person, left - 1) if left > 1 else (rng.randrange(self.people), rng.randrange(2, 9))
        return found

    def new(self, count: int) -> list[Event]:
        """In turns: strangers, known people on a new device, somebody new who logs in on a known device."""
        found = []
        for at in range(count):
            fresh = self._fresh
            self._fresh += 1
            if at % 3 == 0:
                found.append(self._event(fresh, fresh))
            elif at % 3 == 1:
                found.append(self._event(self._rng.randrange(self.people), fresh))
            else:
                found.append(self._event(fresh, self._unused.pop() if self._unused else fresh))
        return found

    def _event(self, user: int | None, device: int) -> Event:
        self._number += 1
        pairs = ((DEVICE, f"d{device:07d}"),) if user is None else ((USER, f"u{user:07d}"), (DEVICE, f"d{device:07d}"))
        number, at = self._number, BEGIN_US + self._number * STEP_US
        raw = (_LINE % (number % 2000, number, user or 0, device)).encode()
        return Event(number, at, f"{number:032x}", "track", "", "", pairs, {}, None, None, None, {}, raw)


class Alone(Space):
    """A space that neither keeps events nor makes anything of them but who is who."""

    def alone(self, events: list[Event]) -> None:
        """Apply the events in commits."""
        store, slots, stitcher = self.work.store, self.work.store.slots, self.work.stitcher
        for at in range(0, len(events), BATCH):
            for event in events[at : at + BATCH]:
                first = slots.get(event.identifiers[0]) or store.slot(event.identifiers[0])
                if first is None and stitcher.newcomer(event) is not None:
                    continue
                settled = None if first is None else stitcher.known(event, first)
                person = self._stitch(event, first) if settled is None else settled[0]
                store.dirty[person.key] = person
            store.flush()
            self.shard.commit()
            store.trim()

    def _stitch(self, event: Event, first: Slot | None) -> Person:
        """What `take` does with an event that says something new, of people of whom nothing else is known and nobody is told."""
        store, stitcher = self.work.store, self.work.stitcher
        slots = [first, *map(store.slot, event.identifiers[1:])]
        linked = stitcher.link(event, slots)
        for _, gone in linked.joined:
            store.remove(gone)
        person, anchor = linked.person, self.work.rules.anchor(event.identifiers)
        owned = (
            None if person is None else stitcher.visits.owner(event, [store.slots[pair][1] for pair in event.identifiers], person, anchor)
        )
        if person is None or owned is None or owned.claims or owned.owner != ITSELF:
            raise ValueError(f"expected events that go the short way, found {event.raw!r}")
        return person


class Stitch:
    """The stitch step of a space and its store, with nothing around them."""

    def __init__(self, folder: Path, cache_mb: int) -> None:
        self.stream = Stream(folder / "stitch", {}, cache_mb, Alone)
        self.space = cast(Alone, self.stream.space)
        self.run = self.space.alone

    def settle(self) -> None:
        """Have everything written in its final form, so that no background work of one side falls into another's turn."""
        for name in ("people", "alias", "versions"):
            family = self.stream.shard.db.get_column_family(name)
            family.flush()
            family.compact_range(None, None)

    def stored(self) -> int:
        """Bytes on disk of what the step stores."""
        return sum(self.stream.shard.families[name].number("rocksdb.total-sst-files-size") for name in ("people", "alias", "versions"))

    def row_bytes(self) -> tuple[float, float]:
        """Bytes of an identifier (its part of the person's row, and its alias row) and of a link, on average over some people."""
        identifiers, links = [], []
        for _, row in islice(self.stream.shard.people.committed(b""), SAMPLE):
            person = decode_person(row)
            identifiers += [len(encode(each)) + len(each.hash) + len(person.key) for each in person.identifiers]
            links += [len(encode({key: link})) - 1 for key, link in person.links.items()]
        return mean(identifiers), mean(links)


class Floor:
    """One get and one put an event."""

    def __init__(self, folder: Path, cache_mb: int) -> None:
        families = {"rows": _family_options("people", Cache(cache_mb * 125_000))}
        self._db = Rdict(str(folder / "floor"), _options(), column_families=families, access_type=AccessType.read_write())
        self._rows, self._handle = self._db.get_column_family("rows"), self._db.get_column_family_handle("rows")

    def run(self, events: list[Event]) -> None:
        get, handle = self._rows.get, self._handle
        for at in range(0, len(events), BATCH):
            writes = WriteBatch(raw_mode=True)
            put = writes.put
            for event in events[at : at + BATCH]:
                key = blake2b(event.identifiers[0][1].encode(), digest_size=16).digest()
                get(key)
                put(key, event.raw, handle)
            self._db.write(writes)

    def settle(self) -> None:
        self._rows.flush()
        self._rows.compact_range(None, None)

    def close(self) -> None:
        del self._handle
        self._rows.close()
        self._db.close()


def stitching(folder: Path, identifiers: int, events: int, rounds: int, cache_mb: int) -> dict[str, Any]:
    """Figures of known and new links with a cache of this size; the two sides take turns on the same events."""
    shop, ours, floor = Shop(identifiers, 1), Stitch(folder, cache_mb), Floor(folder, cache_mb)
    began = time.perf_counter()
    for chunk in _chunks(shop.everybody(), 50 * BATCH):
        ours.run(chunk)
        floor.run(chunk)
    ours.settle()
    floor.settle()
    build = time.perf_counter() - began
    identifier, link = ours.row_bytes()
    found: dict[str, Any] = {"people": shop.people + shop.lone, "people_cached": ours.space.work.store.cached, "build_s": build}
    found |= {"bytes_per_identifier": identifier, "bytes_per_link": link, "stored_bytes_per_identifier": ours.stored() / identifiers}
    found["known"] = _turns(shop.known, ours, floor, events, rounds)
    found["new"] = _turns(shop.new, ours, floor, events, rounds)
    ours.stream.close()
    floor.close()
    return found


def _chunks(events: Iterator[Event], size: int) -> Iterator[list[Event]]:
    chunk = []
    for event in events:
        chunk.append(event)
        if len(chunk) == size:
            yield chunk
            chunk = []
    yield chunk


def _turns(make: Callable[[int], list[Event]], ours: Stitch, floor: Floor, events: int, rounds: int) -> dict[str, float]:
    spent: dict[str, list[float]] = {"cpu_us": [], "floor_cpu_us": []}
    for turn in range(rounds):
        chunk = make(events)
        sides = [("cpu_us", ours.run), ("floor_cpu_us", floor.run)]
        for name, run in sides if turn % 2 else sides[::-1]:
            began = time.process_time()
            run(chunk)
            spent[name].append((time.process_time() - began) * 1e6 / max(1, len(chunk)))
    found = {name: round(median(each), 2) for name, each in spent.items()}
    return {**found, "cpu_ratio": round(found["floor_cpu_us"] / found["cpu_us"], 3)}
