"""Runs the real engine over generated input, in process, and compares its dump with the model's."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from contracts import load
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from operators.judge import Judge
from operators.people.quarantine import decode_row
from operators.sandbox import Sandbox
from state.keys import sequence_key
from state.shard import Shard
from tests import model
from tests.generator import READ_AT_US, Scenario, to_denials, written
from tests.graphs import shuffled
from tests.model_consent import Denial

SPACE = "shop"
HASHER = Hasher("test", SPACE)
HORIZON_US = 400 * 86_400_000_000


def judge_of(definitions: Definitions) -> Judge:
    return Judge(definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)


class Engine:
    """A space in a folder, which can be closed and opened again."""

    def __init__(
        self, folder: Path, definitions: Definitions, horizon_us: int = HORIZON_US, cache_bytes: int = 512_000_000, hasher: Hasher = HASHER
    ) -> None:
        self._folder = folder
        self._hasher = hasher
        self.known: dict[str, Definitions] = {}
        """By digest: all that have been in force, or on their way."""
        self._know(definitions)
        self._options = {"horizon_us": horizon_us, "cache_bytes": cache_bytes}
        self._open()
        self.partitions: list[str] = []
        self.history: frozenset[str] = frozenset()
        self._read = definitions.digest
        """By which definitions what is refused is read: by those in force."""
        self.denials: list[Denial] = []
        """What refused records deny, as the model reads them."""

    def _know(self, definitions: Definitions) -> None:
        self._definitions = self.known[definitions.digest] = definitions
        self._judge = judge_of(definitions)

    def _open(self) -> None:
        self.shard = Shard(self._folder)
        self._begin()

    def _begin(self) -> None:
        self._box = Sandbox(
            SPACE, self.shard, self._hasher, load=self.known.__getitem__, judge=lambda digest: judge_of(self.known[digest]), **self._options
        )
        self.space, self.view = self._box.space, self._box.view

    def restart(self, *, reopen: bool = True) -> None:
        """Start again from what is stored; without ``reopen``, which takes longer, the files stay open."""
        if reopen:
            self.shard.close()
            self._open()
        else:
            self._begin()
        self.space.start(self.partitions, self.history)

    def clear(self, definitions: Definitions, cache_bytes: int = 512_000_000, horizon_us: int = HORIZON_US) -> None:
        """As new, for other definitions, in the same folder: to open one costs more than a small scenario."""
        for name, family in self.shard.families.items():
            for key, _ in family.committed(b""):
                if (name, key) not in {("meta", b"format"), ("meta", b"generation")}:
                    family.delete(key)
        self.shard.commit()
        self.denials = []
        self._know(definitions)
        self._read = definitions.digest
        self._options |= {"cache_bytes": cache_bytes, "horizon_us": horizon_us}
        self._begin()

    def start(self, partitions: list[str], history: frozenset[str] = frozenset()) -> None:
        self.partitions, self.history = partitions, history
        self.space.start(partitions, history)
        entry = {"type": "definitions", "digest": self._definitions.digest, "from": {}, "messageId": "d"}
        self.control([entry])

    def define(self, definitions: Definitions, *, whole: bool = True, begun: bool = False) -> None:
        """Other definitions take effect; without ``whole`` they are perhaps only on their way, with ``begun`` so far that what is stored is
        going to be read."""
        self._know(definitions)
        self.control([{"type": "definitions", "digest": definitions.digest, "messageId": definitions.digest}])
        while begun and (change := self.space.meta.change) is not None and change.anew and not change.stage:
            self.space.bring_along(whole=False)
        if whole:
            self.bring_along()

    def bring_along(self) -> None:
        """Definitions that are on their way come into force for everybody."""
        self.space.bring_along()
        self._read_again()

    def _read_again(self) -> None:
        """By definitions that are in force now, what was refused is read, too."""
        digest = self.space.meta.digest
        if digest != self._read:
            self._read = digest
            self.deny(row for _, row in self.shard.quarantine.committed(b""))

    def control(self, entries: list[dict[str, object]]) -> None:
        self._box.enter(*entries)
        self._read_again()

    def take(self, name: str, records: list[bytes]) -> None:
        """One of `steps`: entries of the control partition, or records of another."""
        if name == "control":
            self.control([orjson.loads(record) for record in records])
        else:
            self.feed(name, records)

    def feed(self, partition: str, records: list[bytes], *, finished: bool = False) -> None:
        events, refused = self._judge.judge_many(records, self._box.following(partition), READ_AT_US)
        known = self.space.meta.quarantined
        digest = self._definitions.digest
        self._box.feed(
            partition, events, refused, read_at_us=READ_AT_US, finished=finished, history=partition in self.history, digest=digest
        )
        self.deny(row for _, row in self.shard.quarantine.committed(sequence_key(known)))
        self._read_again()

    def deny(self, rows: Iterable[bytes]) -> None:
        """Note what records in quarantine deny by the definitions in force, for the model; in some nothing can be read."""
        refused = [row for row in map(decode_row, rows) if row.reason != "undecodable"]
        self.denials += to_denials((orjson.loads(row.raw) for row in refused), self.known[self._read])

    def dump(self, at_us: int | None = None) -> list[bytes]:
        return list(self.view.dump(at_us))


def from_source(name: str, events: list[Event]) -> list[Event]:
    """Events as the model reads them: identify calls say where they come from."""
    for event in events:
        event.sources = (name,) if event.traits is not None else ()
    return events


def steps(scenario: Scenario, rng: random.Random, sizes: Sequence[int] = (1, 1, 2, 5, 20)) -> Iterator[tuple[str, list[bytes]]]:
    """Batches of random sizes from the partitions, interleaved at random, and the control entries among them."""
    queues = {f"p{at}": [written(body) for body in part] for at, part in enumerate(scenario.partitions)}
    among = random.Random(f"{scenario.seed}:among")
    for record in map(written, scenario.refused):
        queues["p0"].insert(among.randrange(len(queues["p0"]) + 1), record)
    queues["control"] = [orjson.dumps(entry) for entry in scenario.control]
    queues = {name: queue for name, queue in queues.items() if queue}
    while queues:
        name = rng.choice(sorted(queues))
        size = rng.choice(sizes)
        yield name, queues[name][:size]
        queues[name] = queues[name][size:]
        if not queues[name]:
            del queues[name]


def compare(scenario: Scenario, seed: int, *, every_step: bool = True, restarts: bool = True) -> int:
    """Feed the scenario and compare after every step; returns the number of comparisons. Raises AssertionError."""
    rng = random.Random(seed)
    definitions = load(scenario.definitions_files)
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(Path(folder) / "shard", definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        plan = list(steps(scenario, rng))
        compared = compare_steps(engine, definitions, plan, rng, seed=seed, every_step=every_step, restarts=0.1 * restarts)
        engine.shard.close()
    return compared


def compare_steps(
    engine: Engine,
    definitions: Definitions,
    plan: Sequence[tuple[str, list[bytes]]],
    rng: random.Random,
    *,
    seed: object,
    every_step: bool = True,
    restarts: float = 0.0,
    reopen: bool = True,
) -> int:
    """Feed an engine that is as new these steps, compared as above. ``restarts``: after which share of the steps."""
    engine.start(sorted({name for name, _ in plan} - {"control"}))
    judge = judge_of(definitions)
    events: list[Event] = []
    control: list[Any] = []
    compared = 0
    for number, (name, records) in enumerate(plan):
        engine.take(name, records)
        if name == "control":
            control += map(orjson.loads, records)
        else:
            events += from_source(name, judge.judge_many(records, 1, 0)[0])
        if restarts and rng.random() < restarts:
            engine.restart(reopen=reopen)
        if every_step or number == len(plan) - 1:
            clock = engine.space.meta.clock
            if clock is None:
                continue
            at = clock + rng.choice([0, 0, 3_600_000_000, 20 * 86_400_000_000])
            expected = model.dump(events, control, definitions, at, hasher=HASHER, denials=engine.denials)
            found = engine.dump(at)
            assert found == expected, difference(found, expected, seed, number, name)
            compared += 1
    return compared


ORDERS = (((1,), 0.0), ((1,), 0.2), ((2, 5, 20), 0.0))
"""Each a shuffle of its own: how many records a batch has, and after which share of them everything starts again from what is stored."""


def compare_orders(make: Callable[[int], Scenario], seed: int, engine: Engine) -> int:
    """Compare a scenario after every step, in each of `ORDERS`, with one engine that is emptied; returns the number of comparisons."""
    drawn, compared = make(seed), 0
    definitions = load(drawn.definitions_files)
    for order, (sizes, restarts) in enumerate(ORDERS):
        rng = random.Random(f"{seed}:{order}")
        engine.clear(definitions, cache_bytes=rng.choice([10_000, 512_000_000]))
        plan = list(steps(shuffled(drawn, rng), rng, sizes))
        named = make.__name__, seed, order
        compared += compare_steps(engine, definitions, plan, rng, seed=named, restarts=restarts, reopen=False)
    return compared


def difference(found: list[bytes], expected: list[bytes], *context: object) -> str:
    """The lines that only one side has; of profiles, the fields that differ."""
    extra, missing = sorted(set(found) - set(expected)), sorted(set(expected) - set(found))
    theirs = {line["id"]: line for line in map(orjson.loads, missing) if line["kind"] == "profile"}
    said = [f"context: {context}"]
    for line in extra[:8]:
        body = orjson.loads(line)
        other = theirs.pop(body.get("id"), None) if body["kind"] == "profile" else None
        if other is None:
            said.append(f"engine only: {line.decode()}")
            continue
        for key in body:
            if body[key] != other[key]:
                mine, model_has = body[key], other[key]
                if isinstance(mine, dict):
                    mine, model_has = (
                        {k: v for k, v in one.items() if two.get(k) != v} for one, two in ((mine, model_has), (model_has, mine))
                    )
                said.append(f"{body['id']} {key}: engine {mine}, model {model_has}")
    ids = {line["id"] for line in theirs.values()}
    said += [
        f"model only: {line.decode()}" for line in missing if orjson.loads(line)["kind"] != "profile" or orjson.loads(line)["id"] in ids
    ]
    return "\n".join(said)
