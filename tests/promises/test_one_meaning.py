"""Promise 3: a segment means the same to the stream and to SQL, at every moment that somebody asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import orjson
import pytest

from contracts import load
from contracts.model.batches import JudgedBatch
from contracts.model.definitions import DAY_US, Definitions
from contracts.model.hashing import profile_id
from operators.judge import Judge
from operators.segments.sql.twin import twin
from operators.view.snapshot import SnapshotRows
from state.archive import Archive
from state.snapshot.publish import publish, sql
from tests.engine import SPACE, Engine, steps
from tests.generator import MINUTE_US, Scenario, scenario
from tests.promises.change_log import Folded, changes_of

SEEDS = range(9000, 9024)
LATER_US = (0, 1, 10 * MINUTE_US, 60 * MINUTE_US, DAY_US, 3 * DAY_US, 10 * DAY_US, 60 * DAY_US)

Members = set[tuple[str, str]]


class Shop:
    """An engine, its archive, and the snapshot made of both."""

    def __init__(self, folder: Path, drawn: Scenario) -> None:
        self.folder = folder
        self.definitions: Definitions = load(drawn.definitions_files)
        self.engine = Engine(folder / "shard", self.definitions)
        self.engine.start([f"p{at}" for at in range(len(drawn.partitions))])
        self.archive = Archive(folder / "archive", SPACE, 1000, 1 << 60)
        self.judge = Judge(self.definitions, unknown_ok=True, future_skew_us=1 << 60, max_event_bytes=1_000_000)

    def feed(self, name: str, records: list[bytes]) -> None:
        if name == "control":
            self.engine.control([orjson.loads(record) for record in records])
            return
        first = self.engine.space.meta.applied.get(name, 0) + 1
        events, refused = self.judge.judge_many(records, first, 0)
        last = first + len(records) - 1
        self.archive.append(JudgedBatch(SPACE, name, name, first, last, self.definitions.digest, events, refused, [], 0))
        self.engine.feed(name, records)

    def publish(self) -> Path:
        self.archive.flush()
        target = self.folder / "skep.duckdb"
        publish(target, archives={SPACE: self.folder / "archive" / SPACE}, rows={SPACE: SnapshotRows(self.engine.view)}, personal=None)
        return target

    def members(self, at_us: int) -> Members:
        """The streamed memberships at a moment from the clock on."""
        view = self.engine.view
        people = [view.profiles.describe(person, at_us) for person in view.people()]
        return {(segment, person["id"]) for person in people for segment in person["segments"]}

    def stored(self) -> Members:
        """Those that the people step has written down, at the clock: what timers have made of them."""
        segments = self.engine.space.work.program.segments
        held = [(profile_id(person.key), int.from_bytes(person.bits, "little")) for person in self.engine.view.people()]
        return {(segment.name, profile) for profile, bits in held for at, segment in enumerate(segments) if bits >> at & 1}


@contextmanager
def shop(folder: Path, drawn: Scenario) -> Iterator[Shop]:
    opened = Shop(folder, drawn)
    yield opened
    opened.archive.close()
    opened.engine.shard.close()


def announced(engine: Engine) -> Members:
    """Whom the change log says to be in."""
    return {(segment, profile) for profile, told in Folded().read(changes_of(engine)).told().items() for segment in told["segments"]}


@pytest.mark.parametrize("seed", SEEDS)
def test_streamed_membership_is_the_sql_twins(tmp_path: Path, seed: int) -> None:
    """In the middle of the input and at its end, at the clock and at later moments, through a published snapshot."""
    rng, drawn = Random(seed), scenario(seed, 40)
    with shop(tmp_path, drawn) as one:
        plan = list(steps(drawn, rng))
        asked = {rng.randrange(len(plan)), len(plan) - 1}
        for number, (name, records) in enumerate(plan):
            one.feed(name, records)
            clock = one.engine.space.meta.clock
            if number not in asked or clock is None:
                continue
            target, query = one.publish(), twin(one.definitions)
            for later in LATER_US:
                found = set(sql(target, query, {"at": clock + later})[1])
                assert one.members(clock + later) == found, (seed, number, later)
            assert one.stored() == one.members(clock) == announced(one.engine), (seed, number)
            kept = set(sql(target, "SELECT segment, profile_id FROM memberships WHERE exited_at IS NULL")[1])
            assert kept == one.stored(), (seed, number)


@pytest.mark.parametrize("seed", range(9100, 9130))
def test_timers_keep_memberships_true_at_the_clock(tmp_path: Path, seed: int) -> None:
    """After every batch, what is stored and announced is what the definitions say at the clock; nothing waits for a next event."""
    rng, drawn = Random(seed), scenario(seed, 30)
    with shop(tmp_path, drawn) as one:
        for name, records in steps(drawn, rng):
            one.feed(name, records)
            clock = one.engine.space.meta.clock
            if clock is not None:
                assert one.stored() == one.members(clock), (seed, name)
        assert announced(one.engine) == one.stored()
