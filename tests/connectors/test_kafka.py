"""Topics of a real broker as a source: where reading begins, gaps, what the cluster loses, what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer

from connectors.errors import SourceError
from connectors.sources.kafka import brokers as brokers_module
from connectors.sources.kafka.spec import KafkaSpec
from connectors.sources.kafka.topics import Topics
from connectors.sources.marks import Mark, decode, encode
from connectors.sources.memory import Memory
from connectors.sources.reader import Reader
from connectors.sources.source import SourceSpec
from contracts.model.batches import SourceBatch
from contracts.text.times import iso
from tests.broker import Broker, add_partitions, broker, drop_records, drop_topic, make_topic
from tests.patience import until


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with broker(tmp_path_factory.mktemp("broker")) as address:
        yield address


@pytest.fixture
def topic() -> str:
    return f"events.{uuid4().hex[:8]}"


class Stores(Memory):
    """What a flow's stores would know of what was read: positions, marks, generations; and what was told."""

    def __init__(self) -> None:
        self.positions: dict[str, int] = {}
        self.marks: dict[str, bytes] = {}
        self.generations: dict[str, int] = {}
        self.told: list[str] = []
        self.read: dict[str, list[tuple[int, bytes]]] = {}
        self.finished: set[str] = set()

    def mark(self, space: str, partition: str) -> bytes:
        return self.marks.get(partition, b"")

    def generation(self, space: str, file: str) -> int:
        return self.generations.get(file, 1)

    def stopped(self, space: str, partition: str, why: str) -> None:
        self.told.append(f"{partition}: {why}")

    def waiting(self, space: str, source: str, why: str) -> None:
        self.told.append(f"{space}/{source} waits: {why}")

    def heard(self, space: str, source: str) -> None:
        self.told.append(f"{space}/{source} is back")

    def take(self, batch: SourceBatch) -> None:
        """Apply a batch as the people step does."""
        if batch.partition == "control":
            return
        done = self.positions.get(batch.partition, 0)
        assert batch.first == done + 1, (batch.partition, batch.first, done)
        places = range(batch.first, batch.last + 1) if batch.positions is None else batch.positions
        assert len(places) == len(batch.records)
        assert all(batch.first <= at <= batch.last for at in places)
        self.read.setdefault(batch.partition, []).extend(zip(places, batch.records, strict=True))
        self.positions[batch.partition] = max(done, batch.last)
        if batch.mark:
            self.marks[batch.partition] = batch.mark
        if batch.finished:
            self.finished.add(batch.partition)

    def values(self, partition: str) -> list[bytes]:
        return [record for _, record in self.read.get(partition, [])]


class Following:
    """A reader over stores."""

    def __init__(self, spec: KafkaSpec, stores: Stores, control: Path, *, follow: bool = False, size: int = 100) -> None:
        self.stores = stores
        self.topics = Topics(("shop", "web"), spec, lambda name: stores.positions.get(name, 0), stores, follow=follow)
        specs = [SourceSpec("web", "kafka", Path(), None, "shop")]
        self.clock_us = 0
        self.reader = Reader(
            specs, {"shop": control}, lambda _space, name: stores.positions.get(name, 0), batch_size=size, follow=follow,
            now_us=self._now, memory=stores, topics={("shop", "web"): self.topics},
        )  # fmt: skip

    def _now(self) -> int:
        self.clock_us += 1_100_000
        return self.clock_us

    def step(self) -> list[SourceBatch]:
        batches = self.reader.poll()
        for batch in batches:
            self.stores.take(batch)
        return batches

    def to_the_end(self) -> Stores:
        until(lambda: self.step() is None or self.reader.done, told=lambda: (self.stores.positions, self.stores.told), pause_s=0.001)
        self.reader.close()
        return self.stores

    def until(self, found: Callable[[], Any]) -> None:
        until(lambda: self.step() is None or found(), told=lambda: (self.stores.positions, self.stores.told), pause_s=0.001)


def send(servers: str, topic: str, values: list[bytes | None], partition: int = 0, **more: Any) -> None:
    producer = Producer({"bootstrap.servers": servers, **more})
    for value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(30) == 0


def lines(count: int, begin: int = 0) -> list[bytes | None]:
    return [orjson.dumps({"messageId": f"m{at}", "timestamp": iso(at * 1_000_000)}) for at in range(begin, begin + count)]


def test_all_partitions_are_read_once_in_order(servers: str, topic: str, tmp_path: Path) -> None:
    """Stopped anywhere, and gone on: by the stores' positions alone."""
    make_topic(servers, topic, 3)
    sent = {number: lines(250, 1000 * number) for number in range(3)}
    for number, values in sent.items():
        send(servers, topic, values, number)
    stores = Stores()
    for _ in range(3):
        one = Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "control.jsonl", size=40)
        before = sum(stores.positions.values())
        one.until(lambda before=before: sum(stores.positions.values()) > before + 100)
        one.reader.close()
    Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "control.jsonl").to_the_end()
    assert {number: stores.values(f"web/{topic}/{number}") for number in sent} == sent
    assert len(stores.finished) == 3
    assert stores.told == []


def test_patterns_name_topics(servers: str, topic: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        make_topic(servers, f"{topic}.{name}")
        send(servers, f"{topic}.{name}", lines(2))
    make_topic(servers, f"other.{topic}")
    found = Following(KafkaSpec(servers, (f"^{topic.replace('.', '[.]')}",)), Stores(), tmp_path / "c").to_the_end()
    assert found.positions == {f"web/{topic}.a/0": 2, f"web/{topic}.b/0": 2}


def test_transactions_leave_gaps_and_what_was_aborted_is_not_read(servers: str, topic: str, tmp_path: Path) -> None:
    make_topic(servers, topic)
    producer = Producer({"bootstrap.servers": servers, "transactional.id": topic})
    producer.init_transactions(30)
    for number, commits in enumerate((True, False, True)):
        producer.begin_transaction()
        for value in lines(3, 10 * number):
            producer.produce(topic, value, partition=0)
        producer.flush(30)
        (producer.commit_transaction if commits else producer.abort_transaction)(30)
    stores = Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c", size=2).to_the_end()
    name = f"web/{topic}/0"
    assert stores.read[name] == [*zip((1, 2, 3, 9, 10, 11), [*lines(3), *lines(3, 20)], strict=True)]
    assert stores.positions[name] == 12
    send(servers, topic, lines(1, 50))
    again = Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c").to_the_end()
    assert again.values(name)[6:] == lines(1, 50)


def test_a_message_without_a_value_is_an_empty_record(servers: str, topic: str, tmp_path: Path) -> None:
    make_topic(servers, topic)
    send(servers, topic, [b"x", None, b"", b"y" * 3_000_000], **{"message.max.bytes": 9_000_000})
    stores = Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c").to_the_end()
    assert stores.read[f"web/{topic}/0"] == [(1, b"x"), (2, b""), (3, b""), (4, b"y" * 3_000_000)]


@pytest.mark.parametrize(("start", "read"), [("latest", 0), (10, 3), (1 << 60, 0), ("earliest", 5)])
def test_where_a_partition_begins_that_was_never_read(servers: str, topic: str, tmp_path: Path, start: str | int, read: int) -> None:
    """Decided once: what comes while nobody reads is read."""
    make_topic(servers, topic)
    producer = Producer({"bootstrap.servers": servers})
    for at, value in enumerate(lines(5)):
        producer.produce(topic, value, partition=0, timestamp=1 + at * 5)
    producer.flush(30)
    spec, stores, name = KafkaSpec(servers, (topic,), start if isinstance(start, str) else start * 1000), Stores(), f"web/{topic}/0"
    Following(spec, stores, tmp_path / "c").to_the_end()
    assert stores.values(name) == lines(5)[5 - read :]
    assert stores.positions[name] == 5
    send(servers, topic, lines(2, 5))
    Following(spec, stores, tmp_path / "c").to_the_end()
    assert stores.values(name) == lines(7)[5 - read :]


def test_what_retention_has_removed_stops_that_partition_alone(servers: str, topic: str, tmp_path: Path) -> None:
    make_topic(servers, topic, 2)
    for number in range(2):
        send(servers, topic, lines(5), number)
    stores = Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c").to_the_end()
    for number in range(2):
        send(servers, topic, lines(5, 5), number)
    drop_records(servers, topic, 1, 8)
    Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c").to_the_end()
    assert stores.values(f"web/{topic}/0") == lines(10)
    assert stores.values(f"web/{topic}/1") == lines(5)
    (told,) = stores.told
    assert told.startswith(
        f"web/{topic}/1: expected offset 5 of topic {topic}, partition 1, found that the first one there is 8: retention has"
    )
    mark = decode(stores.marks[f"web/{topic}/1"])
    assert mark is not None
    assert mark.stopped
    # What `skep sources skip-to` makes of it.
    stores.generations[f"web/{topic}/1"] = 2
    stores.marks[f"web/{topic}/1/@2"] = encode(Mark(begins=8))
    Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c").to_the_end()
    assert stores.read[f"web/{topic}/1/@2"] == [*zip((9, 10), lines(2, 8), strict=True)]


def test_a_topic_that_was_made_anew_is_recognised(servers: str, topic: str, tmp_path: Path) -> None:
    """Also with more records than were read of the one before."""
    make_topic(servers, topic)
    send(servers, topic, lines(3))
    stores = Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c").to_the_end()
    drop_topic(servers, topic)
    make_topic(servers, topic)
    send(servers, topic, lines(9))
    Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c").to_the_end()
    assert stores.values(f"web/{topic}/0") == lines(3)
    (told,) = stores.told
    assert f"expected topic {topic} as it was read before" in told
    assert "skep sources reread" in told
    stores.generations[f"web/{topic}/0"] = 2
    Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c").to_the_end()
    assert stores.values(f"web/{topic}/0/@2") == lines(9)


def test_a_topic_that_is_gone_when_it_is_to_be_begun_anew_stops(servers: str, topic: str, tmp_path: Path) -> None:
    for name in (topic, f"{topic}.b"):
        make_topic(servers, name)
        send(servers, name, lines(2))
    spec = KafkaSpec(servers, (f"^{topic}",))
    stores = Following(spec, Stores(), tmp_path / "c").to_the_end()
    one = Following(spec, stores, tmp_path / "c", follow=True)
    drop_topic(servers, topic)
    one.topics._cluster.look()
    stores.generations[f"web/{topic}/0"] = 2
    one.reader._open("shop", f"web/{topic}/0")
    one.until(lambda: stores.told)
    one.reader.close()
    assert stores.told == [
        f"web/{topic}/0/@2: expected topic {topic} with partition 0, found that there is none; make it again, or take it out of `topics`"
    ]


def test_a_topic_that_is_not_there_ends_what_does_not_follow(servers: str, topic: str, tmp_path: Path) -> None:
    with pytest.raises(
        SourceError, match=rf"source web: expected topic {topic}, found UNKNOWN_TOPIC_OR_PART: .*check `topics` of the source"
    ):
        Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c")


def test_new_partitions_and_topics_are_found_while_following(
    servers: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(brokers_module, "LOOK_S", 0.1)
    stores = Stores()
    one = Following(KafkaSpec(servers, (topic,)), stores, tmp_path / "c", follow=True)
    one.step()
    assert stores.read == {}
    assert [told.partition(":")[0] for told in stores.told] == ["shop/web waits"]
    make_topic(servers, topic)
    send(servers, topic, lines(3))
    one.until(lambda: stores.positions.get(f"web/{topic}/0") == 3)
    add_partitions(servers, topic, 2)
    send(servers, topic, lines(4), 1)
    one.until(lambda: stores.positions.get(f"web/{topic}/1") == 4)
    one.reader.close()


def test_a_broker_that_goes_away_is_waited_for(tmp_path: Path, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is away nothing says that everything was read: the clock does not go on without what may wait there."""
    monkeypatch.setattr(brokers_module, "AGAIN_S", 0.2)
    own = Broker(tmp_path / "broker")
    own.start()
    try:
        make_topic(own.servers, topic)
        send(own.servers, topic, lines(3))
        stores = Stores()
        one = Following(KafkaSpec(own.servers, (topic,)), stores, tmp_path / "c", follow=True)
        one.until(lambda: any(batch.caught_up for batch in one.step()))
        own.stop()
        one.until(lambda: stores.told)
        assert not [batch for _ in range(50) for batch in one.step()]
        own.start()
        send(own.servers, topic, lines(2, 3))
        one.until(lambda: len(stores.values(f"web/{topic}/0")) == 5)
        one.until(lambda: any(batch.caught_up for batch in one.step()))
        one.reader.close()
    finally:
        own.stop()
    assert stores.values(f"web/{topic}/0") == lines(5)
    assert [told.partition(":")[0] for told in stores.told] == ["shop/web waits", "shop/web is back"]


def test_memory_is_bounded_where_one_partition_waits_for_another(servers: str, topic: str, tmp_path: Path) -> None:
    make_topic(servers, topic, 2)
    late = [orjson.dumps({"messageId": f"l{at}", "timestamp": "2026-02-01T00:00:00Z"}) for at in range(3000)]
    send(servers, topic, late, 0)
    send(servers, topic, lines(600), 1)
    one = Following(KafkaSpec(servers, (topic,)), Stores(), tmp_path / "c", size=20)
    most = 0

    def done() -> bool:
        nonlocal most
        most = max(most, *(part.waiting for part in one.topics._parts.values()))
        return one.reader.done

    one.until(done)
    one.reader.close()
    assert len(one.stores.values(f"web/{topic}/0")) == 3000
    assert most <= 4 * 20 + 20


def test_positions_are_told_to_the_broker(servers: str, topic: str, tmp_path: Path) -> None:
    from confluent_kafka import Consumer, TopicPartition  # noqa: PLC0415

    make_topic(servers, topic)
    send(servers, topic, lines(7))
    Following(KafkaSpec(servers, (topic,), config={"group.id": topic}), Stores(), tmp_path / "c").to_the_end()
    asking = Consumer({"bootstrap.servers": servers, "group.id": topic})
    assert until(lambda: asking.committed([TopicPartition(topic, 0)], 10)[0].offset, lambda offset: offset == 7)
    asking.close()


def test_a_cluster_that_is_not_there_ends_the_start_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the settings keep secret is in no message."""
    monkeypatch.setenv("SECRET_OF_TESTS", "s3cr3t-value")
    config = {"sasl.username": "u", "sasl.password": "${SECRET_OF_TESTS}", "security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN"}
    stores = Stores()
    spec = KafkaSpec("127.0.0.1:1", ("t",), config=config, wait_us=1_000_000)
    with pytest.raises(SourceError, match="source web: expected an answer within 1 s: ") as raised:
        Following(spec, stores, tmp_path / "c")
    assert "Connection refused" in stores.told[0]
    assert "s3cr3t" not in f"{raised.value}{stores.told}{spec}"


def test_a_wrong_password_ends_the_start_at_once_and_is_named_but_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_TESTS", "s3cr3t-value")
    own = Broker(tmp_path / "broker", password="another")
    own.start()
    config = {
        "sasl.username": "skep",
        "sasl.password": "${SECRET_OF_TESTS}",
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "PLAIN",
    }
    stores = Stores()
    try:
        with pytest.raises(SourceError, match=r"source web: .*AUTHENTICATION.* check security.protocol and sasl\.\* in `config`") as raised:
            Following(KafkaSpec(own.locked, ("t",), config=config), stores, tmp_path / "c")
    finally:
        own.stop()
    assert "s3cr3t" not in f"{raised.value}{stores.told}"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"sasl.password": "${NOT_SET_ANYWHERE}"},
            r"config.sasl.password: expected the variable of \$\{NOT_SET_ANYWHERE\}, found that it is not set",
        ),
        ({"ssl.key.password": "${file:/not/there}"}, r"config.ssl.key.password: expected the file of \$\{file:/not/there\}: No such file"),
        ({"no.such.setting": "1"}, 'expected settings of librdkafka in `config`: No such configuration property: "no.such.setting"'),
        ({"security.protocol": "nonsense"}, "expected settings of librdkafka in `config`: Invalid value"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, config: dict[str, str], said: str) -> None:
    with pytest.raises(SourceError, match=said):
        Following(KafkaSpec("127.0.0.1:1", ("t",), config=config), Stores(), tmp_path / "c")
