"""The same events by files and by a topic: the same state to the byte, whatever the number of partitions, through kills."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer

from tests.broker import broker, make_topic
from tests.crash.harness import FLOW, Killing, command, environment, finish
from tests.crash.outcome import Outcome, broken_rules
from tests.crash.round import reference
from tests.crash.shop import make_lines, make_project, replace, write_partitions
from tests.processes import completed

SEED = 33
EVENTS = 2_500
LINES = make_lines(EVENTS, SEED, refusals=False)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broker(tmp_path_factory.mktemp("broker")) as address:
        yield address


@pytest.fixture(scope="module")
def by_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, int]:
    _, outcome, size = reference(tmp_path_factory.mktemp("files"), LINES, horizon="200d")
    return outcome, size


@pytest.mark.parametrize(("partitions", "kills"), [(1, 0), (12, 3)])
def test_a_topic_gives_what_files_give(servers: str, by_files: tuple[Outcome, int], tmp_path: Path, partitions: int, kills: int) -> None:
    wanted, size = by_files
    topic = f"shop.{uuid4().hex[:8]}"
    make_topic(servers, topic, partitions)
    write_partitions(tmp_path / "lines", LINES, partitions)
    producer = Producer({"bootstrap.servers": servers})
    for number in range(partitions):
        for line in (tmp_path / "lines" / f"part-{number}.jsonl").read_bytes().splitlines():
            producer.produce(topic, line, partition=number)
    assert producer.flush(30) == 0
    project = make_project(tmp_path / "project", horizon="200d")
    replace(project / "skep.yaml", "kind: jsonl\n    path: events/*.jsonl", f"kind: kafka\n    servers: {servers}\n    topics: {topic}")
    words: tuple[str, ...] = (FLOW,)
    if kills:
        # Bytewax's own recovery beside ours, which it must not disturb.
        store = project / "recovery"
        store.mkdir()
        assert completed("bytewax.recovery", str(store), "1", env=environment(project)).returncode == 0
        words = (FLOW, "-r", str(store), "-s", "1", "-b", "0")
    killing = Killing(project, Random(SEED), size / (kills + 1), words)
    killing.through(kills)
    finish(project, *words)
    found = Outcome.of(project)
    print(f"seed {SEED}: {killing.kills}")
    assert len(killing.kills) == kills
    assert killing.checks == []
    assert found.dump == wanted.dump
    assert {name: found.counters[name] for name in ("received", "applied", "duplicate")} == {
        name: wanted.counters[name] for name in ("received", "applied", "duplicate")
    }
    assert broken_rules(found) == []
    listed = orjson.loads(command(project, "skep.cli", "quarantine", "list", "--json").stdout)
    assert listed
    for one in listed:
        number = int(one["partition"].rpartition("/")[2])
        assert (tmp_path / "lines" / f"part-{number}.jsonl").read_bytes().splitlines()[one["offset"]].decode() == one["raw"]
