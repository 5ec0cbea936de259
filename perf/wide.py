"""What a wide profile costs: events of people with many sent traits beside those of people with few.

    python -m perf.wide [--narrow 20] [--wide 2000] [--people 100] [--rounds 5] --json

Everybody has sent so many traits; every tenth is an object, every tenth a list. Then everybody has one event a commit: `identify` says
one trait anew, `track` none. Narrow and wide take turns on the same calls. CPU is that of the whole process from judged events to the
commit, medians of rounds; bytes are those of all rows that a commit writes, with their keys, and `person_bytes` those of the family
`people` alone. The floor is one RocksDB put of the event's own bytes in such a commit.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import orjson
from rocksdict import WriteBatch

from perf.processes import show
from perf.shop import iso_ms
from perf.stream import Stream

BEGIN_MS, MINUTE_MS = 1_767_225_600_000, 60_000
CALLS = ("identify", "track")


def value(number: int, turn: int) -> object:
    """A trait's value: of ten an object, a list, and eight texts."""
    if number % 10 == 0:
        return {"level": turn, "address": {"city": f"city {number}", "zip": f"{number:05d}"}}
    if number % 10 == 1:
        return [f"item {number + at}" for at in range(4)] + [turn]
    return f"value {number} of turn {turn}"


class Side:
    """People with so many traits each, in a shard of their own."""

    def __init__(self, folder: Path, traits: int, people: int) -> None:
        self.traits, self.people = traits, people
        self.stream = Stream(folder, {})
        self._turn = 0
        for person in range(people):
            self.stream.apply(self.stream.judged([self._line("identify", person, {f"t{at}": value(at, 0) for at in range(traits)})]))

    def turn(self, call: str) -> dict[str, float]:
        """One commit with an event of each; CPU in µs and bytes, of one event."""
        self._turn += 1
        at = self._turn * 7919 % self.traits
        said = {f"t{at}": value(at, self._turn)} if call == "identify" else {}
        events = self.stream.judged([self._line(call, person, said) for person in range(self.people)])
        with _Written(self.stream) as written:
            began = time.process_time()
            self.stream.apply(events)
            spent = time.process_time() - began
        return {
            "cpu_us": spent * 1e6 / self.people,
            "bytes": sum(written.bytes.values()) / self.people,
            "person_bytes": written.bytes.get("people", 0) / self.people,
            "floor_us": self._floor([event.raw for event in events]),
        }

    def _floor(self, rows: list[bytes]) -> float:
        began = time.process_time()
        batch = WriteBatch(raw_mode=True)
        for number, row in enumerate(rows):
            batch.put(b"floor%d" % number, row, self.stream.shard.families["answers"].handle)
        self.stream.shard.db.write(batch)
        return (time.process_time() - began) * 1e6 / len(rows)

    def _line(self, call: str, person: int, traits: dict[str, object]) -> bytes:
        moment = iso_ms(BEGIN_MS + self._turn * MINUTE_MS)
        said: dict[str, object] = {"traits": traits} if call == "identify" else {"event": "Seen", "properties": {"turn": self._turn}}
        message = f"{call}-{person}-{self._turn}"
        return orjson.dumps({"type": call, "userId": f"u{person}", "messageId": message, "timestamp": moment, **said})


class _Written:
    """The bytes that the commits meanwhile write, by family."""

    def __init__(self, stream: Stream) -> None:
        self.bytes: dict[str, int] = {}
        self._shard = type(stream.shard)
        self._commit = self._shard.commit

    def __enter__(self) -> _Written:
        def commit(shard: Any) -> int:
            for name, family in shard.families.items():
                size = sum(len(key) + len(row or b"") for key, row in family.pending.items())
                self.bytes[name] = self.bytes.get(name, 0) + size
            return self._commit(shard)

        self._shard.commit = commit  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        self._shard.commit = self._commit  # type: ignore[method-assign]


def measure(narrow: int, wide: int, people: int, rounds: int) -> dict[str, Any]:
    """Both widths in turns, and the ratio of the wide to the narrow, by call."""
    found: dict[str, Any] = {"narrow": narrow, "wide": wide, "people": people, "rounds": rounds}
    with tempfile.TemporaryDirectory(prefix="skep-wide-") as folder:
        sides = {name: Side(Path(folder) / name, traits, people) for name, traits in (("narrow", narrow), ("wide", wide))}
        for call in CALLS:
            turns: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
            for number in range(rounds):
                for name, side in list(sides.items())[:: 1 if number % 2 else -1]:
                    turns[name].append(side.turn(call))
            for name, each in turns.items():
                found[f"{call}_{name}"] = {key: round(median(turn[key] for turn in each), 1) for key in each[0]}
            few, many = found[f"{call}_narrow"], found[f"{call}_wide"]
            found[f"{call}_ratio"] = {key: round(many[key] / few[key], 2) for key in ("cpu_us", "bytes")}
        for side in sides.values():
            side.stream.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narrow", type=int, default=20)
    parser.add_argument("--wide", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    # As in a flow: the steps make no cycles.
    gc.disable()
    show(measure(options.narrow, options.wide, options.people, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
