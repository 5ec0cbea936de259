"""What an event costs when it comes from a topic of Kafka instead of a file, by a real broker on the same machine.

    python -m perf.kafka --events 300000 [--partitions 3] [--rounds 2] --json

The same events lie in a file and in a topic; the flow (`perf.engine`) reads them in turns, each time in a fresh process: file, topic, …
`ratio` is CPU per event from the topic over that from the file. The broker's own CPU is not in it: `broker_us_per_event` is told beside.
The floor is a bare consumer that takes the same messages in batches and looks at value and offset of each: `floor_per_s`.
Wants what `tests/broker.py` wants: Java and Maven, or ``SKEP_KAFKA=host:port``.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition

from perf.processes import call, engine, middle, show
from perf.shop import events_file, make_project
from tests.broker import broker, make_topic


def measure(events: int, people: int, partitions: int, rounds: int) -> dict[str, Any]:
    """Both, in turns."""
    path = events_file(events, people, 1)
    with tempfile.TemporaryDirectory(prefix="skep-kafka-") as folder, broker(Path(folder)) as servers:
        topic = f"perf.{uuid4().hex[:8]}"
        make_topic(servers, topic, partitions)
        _fill(servers, topic, partitions, path)
        per_s, cpu_us = _bare(servers, topic, partitions, events)
        by_file, by_topic, broker_us = [], [], []
        for _ in range(rounds):
            by_file.append(engine(path, 10))
            before = _java()
            by_topic.append(_from_topic(servers, topic, path))
            broker_us.append((_java() - before) * 1e6 / events)
    file_us, topic_us = middle(by_file, "cpu_us_per_event"), middle(by_topic, "cpu_us_per_event")
    assert {one["events"] for one in [*by_file, *by_topic]} == {events}, "everything is read, once"
    return {
        "events": events,
        "partitions": partitions,
        "rounds": rounds,
        "cpu_us_per_event": round(topic_us, 2),
        "file_cpu_us_per_event": round(file_us, 2),
        "ratio": round(topic_us / file_us, 3),
        "read_us": round(middle([one["stages_us"] for one in by_topic], "read"), 2),
        "file_read_us": round(middle([one["stages_us"] for one in by_file], "read"), 2),
        "floor_per_s": round(per_s),
        "floor_cpu_us_per_event": round(cpu_us, 2),
        "broker_us_per_event": round(sorted(broker_us)[len(broker_us) // 2], 2),
        "peak_rss_mb": middle(by_topic, "peak_rss_mb"),
        "file_peak_rss_mb": middle(by_file, "peak_rss_mb"),
    }


def _fill(servers: str, topic: str, partitions: int, path: Path) -> None:
    """The lines of a person in one partition, as producers that have a key send them."""
    producer = Producer({"bootstrap.servers": servers, "linger.ms": 20, "compression.type": "lz4"})
    with path.open("rb") as lines:
        for line in lines:
            at = line.find(b'"userId"')
            while True:
                try:
                    producer.produce(topic, line.rstrip(b"\n"), partition=hash(line[at : at + 24]) % partitions)
                    break
                except BufferError:
                    producer.poll(0.1)
    assert producer.flush(120) == 0


def _bare(servers: str, topic: str, partitions: int, events: int) -> tuple[float, float]:
    """Messages a second and µs of CPU each, of a consumer that only takes them."""
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "floor", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, number, 0) for number in range(partitions)])
    taken = size = 0
    began, cpu = 0.0, 0.0
    while taken < events:
        messages = consumer.consume(2_000, 1.0)
        if not began:
            began, cpu = time.perf_counter(), time.process_time()
        for message in messages:
            size += len(message.value() or b"") + (message.offset() or 0)
        taken += len(messages)
    seconds = time.perf_counter() - began
    cpu_us = (time.process_time() - cpu) * 1e6 / events
    consumer.close()
    return events / seconds, cpu_us


def _from_topic(servers: str, topic: str, path: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="skep-perf-") as folder:
        project = make_project(Path(folder), path, 10)
        settings = (project / "skep.yaml").read_text().partition("sources:")[0]
        source = f"sources:\n  - {{name: shop, kind: kafka, servers: '{servers}', topics: {topic}, space: shop}}\n"
        (project / "skep.yaml").write_text(settings + source)
        return call("perf.engine", project)


def _java() -> float:
    """Seconds of CPU of the brokers that this process has started."""
    times = [one.cpu_times() for one in psutil.Process(os.getpid()).children() if "java" in one.name()]
    return sum(one.user + one.system for one in times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--partitions", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    show(measure(options.events, options.people, options.partitions, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
