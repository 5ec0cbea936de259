"""Promise 1 with a short horizon: days are sealed into pages, message ids forgotten, and the state is still the model's."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from contracts import load
from contracts.model.batches import ControlEntry, Event, JudgedBatch, Refused
from contracts.model.definitions import DAY_US, Definitions
from operators.records import decode_moments, decode_page
from state.keys import NOBODY
from tests import model
from tests.engine import HASHER, SPACE, Engine, difference, steps
from tests.generator import READ_AT_US, Scenario, scenario

SEEDS = range(5000, 5040)
HORIZON_US = DAY_US
"""Not below the backstitch, and both not below the day by which a repeat's corrected time may differ."""


class Sealed:
    """An engine with a short horizon, and every event that it was given by partition and position."""

    def __init__(self, folder: Path, drawn: Scenario, history: frozenset[str] = frozenset()) -> None:
        # A replayed event is found in a page under its first identifier, so a repeat must not write that in another way.
        for body in drawn.events:
            body.update({"userId": "7"} if body.get("userId") == "7.0" else {})
        identity = json.loads(drawn.definitions_files["identity.yaml"])
        identity["stitching"]["backstitch"] = "1d"
        self.definitions: Definitions = load({**drawn.definitions_files, "identity.yaml": json.dumps(identity)})
        self.engine = Engine(folder, self.definitions, horizon_us=HORIZON_US)
        self.judge = self.engine._judge
        self.given: dict[tuple[str, int], Event] = {}
        self.control: list[dict[str, Any]] = []
        self.engine.start([f"p{at}" for at in range(len(drawn.partitions))], history)

    def feed(self, partition: str, records: list[bytes], *, finished: bool = False) -> None:
        if partition == "control":
            entries = [orjson.loads(record) for record in records]
            self.control += entries
            self.engine.control(entries)
            return
        first = self.engine.space.meta.applied.get(partition, 0) + 1
        for event in self.judge.judge_many(records, first, 0)[0]:
            self.given[partition, event.position] = event
        self.engine.feed(partition, records, finished=finished)

    def accepted(self) -> list[Event]:
        """All but those that came too late."""
        late = {(row.partition, row.position) for row in self.engine.view.quarantine.entries()}
        return [event for place, event in self.given.items() if place not in late]

    def check(self, *context: object) -> None:
        """The dump is the model's of what was accepted."""
        clock = self.engine.space.meta.clock
        if clock is None:
            return
        expected = model.dump(self.accepted(), self.control, self.definitions, clock, hasher=HASHER, denials=self.engine.denials)
        found = self.engine.dump(clock)
        assert found == expected, difference(found, expected, *context)

    def replay(self) -> dict[str, Any]:
        """Everything in quarantine again, as the validate step hands it over; the answer."""
        space = self.engine.space
        rows = list(self.engine.view.quarantine.entries())
        position = space.meta.applied["control"] + 1
        outcomes: list[tuple[str, Event | Refused]] = [(row.id, self.judge.judge(row.raw, position, READ_AT_US)) for row in rows]
        entry = ControlEntry(position, {"type": "replay", "messageId": f"r{position}", "entries": []}, outcomes)
        space.apply(JudgedBatch(SPACE, "control", "control", position, position, "", [], [], [entry], 0))
        answer = self.engine.view.answer(f"r{position}")
        assert answer is not None
        return answer

    def rows(self, family: str) -> list[tuple[bytes, bytes]]:
        return list(self.engine.shard.rows(family))


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "shard"


def fed(folder: Path, seed: int, *, every_step: bool) -> Sealed:
    rng = Random(seed)
    drawn = scenario(seed, 40)
    sealed = Sealed(folder, drawn)
    for name, records in steps(drawn, rng):
        sealed.feed(name, records)
        if rng.random() < 0.1:
            sealed.engine.restart()
        if every_step:
            sealed.check(seed, name)
    return sealed


@pytest.mark.parametrize("seed", SEEDS)
def test_sealed_state_is_the_models(folder: Path, seed: int) -> None:
    """After every batch and after restarts; nothing that is remembered lies before the sealed days."""
    sealed = fed(folder, seed, every_step=True)
    sealed.check(seed)
    sealed.engine.restart()
    sealed.check(seed)
    sealed.engine.shard.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_replay_is_exempt_from_the_horizon(folder: Path, seed: int) -> None:
    """What came too late and is fed again gives the state of all events, also where it changes what is sealed."""
    sealed = fed(folder, seed, every_step=False)
    space = sealed.engine.space
    late, refused = space.meta.quarantine.get("too_late", 0), scenario(seed, 40).refused
    answer = sealed.replay()
    assert answer["applied"] + answer["duplicate"] == late
    assert sum(space.meta.quarantine.values()) == answer["refused"] == len(refused)
    assert space.meta.received == space.meta.events + space.meta.duplicate + len(refused)
    sealed.check(seed, "replayed")
    sealed.engine.restart()
    sealed.check(seed, "replayed and restarted")
    sealed.engine.shard.close()


def test_days_become_pages_and_ids_are_forgotten(folder: Path) -> None:
    """The scenarios of this file seal: pages are written, and only messages of the open days are remembered."""
    sealed = next(one for one in _in_order(folder) if one.rows("pages"))
    space = sealed.engine.space
    in_pages = sum(len(decode_page(row)) for _, row in sealed.rows("pages"))
    open_moments = sum(len(decode_moments(key, row)) for key, row in sealed.rows("moments"))
    seen = len(sealed.rows("seen"))
    assert in_pages > 0
    sealed_alone = sum(len(decode_page(row)) for key, row in sealed.rows("pages") if key[:16] == NOBODY)
    assert seen == open_moments + sealed_alone
    assert space.meta.remembered == seen
    identified = len({event.message_id for event in sealed.accepted() if event.identifiers})
    assert in_pages + open_moments >= identified
    assert open_moments < identified
    sealed.engine.shard.close()


def _in_order(folder: Path) -> Iterator[Sealed]:
    for seed in SEEDS:
        yield fed(folder.with_name(f"shard{seed}"), seed, every_step=False)
