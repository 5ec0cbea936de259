"""The topics of one source: one consumer, which is told where to fetch and never decides that by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from prometheus_client import Gauge

from connectors.errors import SourceError
from connectors.sources.kafka.brokers import QUIET, Brokers
from connectors.sources.kafka.client import config_of, fault_of, has_run_out, words_of
from connectors.sources.kafka.fetched import KafkaPartition
from connectors.sources.kafka.spec import KafkaSpec
from connectors.sources.marks import decode
from connectors.sources.memory import Memory

COMMIT_S = 5.0
"""How often the broker is told how far the stores are: lag tools look there."""
LAG_S = 1.0
"""How often the lag is told."""
_DOWN = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._AUTHENTICATION, KafkaError._SSL})
_LAG = Gauge("skep_kafka_lag_messages", "Offsets of a topic's partition that are not applied yet", ["space", "partition"])


class Topics:
    """The consumer of a source, and what it has fetched.

    ``positions(partition)`` is how far every store is. Made while the flow starts: it waits until the cluster has answered once, or
    ``stop`` is set.
    """

    def __init__(
        self,
        of: tuple[str, str],
        spec: KafkaSpec,
        positions: Callable[[str], int],
        memory: Memory,
        *,
        follow: bool,
        stop: Event | None = None,
    ) -> None:
        """``of`` are space and source. A topic that is not there is waited for when following, and a `SourceError` otherwise."""
        self._space, self._source = space, source = of
        self._spec = spec
        self._positions, self._memory = positions, memory
        place = Path(f"source {source}")
        self._cluster = Brokers(place, spec)
        for topic, why in self._cluster.wait(lambda why: memory.waiting(space, source, why), stop=stop).faults.items():
            if not follow:
                raise SourceError(place, f"expected topic {topic}, found {why}; check `topics` of the source in skep.yaml")
            memory.waiting(space, source, f"topic {topic}: {why}")
        config = config_of(place, spec, error_cb=self._hear)
        config.setdefault("group.id", f"skep-{space}-{source}")
        ours = {
            "enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True, "auto.offset.reset": "error",
        }  # fmt: skip
        try:
            self._consumer = Consumer({"isolation.level": "read_committed", **config, **ours}, logger=QUIET)
        except KafkaException as error:
            raise SourceError(place, f"expected settings of librdkafka in `config`: {error.args[0].str()}") from None
        self._cluster.watch()
        self._parts: dict[tuple[str, int], KafkaPartition] = {}
        self._fetched: set[tuple[str, int]] = set()
        self._lost = ""
        """Why the cluster does not answer; empty while it does."""
        self._looks = 0
        self._committed_at = self._lag_at = 0.0
        self._committed: dict[str, int] = {}

    # ---- which partitions there are

    def names(self) -> dict[str, tuple[str, int]]:
        """Topic and number of every partition that there is, by its name within the source."""
        seen = self._cluster.seen
        return {f"{topic}/{number}": (topic, number) for topic, number in sorted(seen.partitions)} if seen is not None else {}

    def open(self, name: str, place: tuple[str, int], *, anew: bool) -> KafkaPartition:
        """Begin to fetch a partition; ``anew`` as of `KafkaPartition.begin`."""
        known = decode(self._memory.mark(self._space, name))
        part = KafkaPartition(self._space, self._source, name, place, self._positions(name), known)
        seen = self._cluster.seen
        assert seen is not None, "the cluster has been waited for"
        part.begin(seen, anew=anew)
        part.lost = bool(self._lost)
        if place in self._fetched:
            self._leave(place)
        self._parts[place] = part
        if not part.stopped:
            self._fetched.add(place)
            self._consumer.incremental_assign([TopicPartition(*place, part.offset)])
        return part

    def _leave(self, place: tuple[str, int]) -> None:
        self._fetched.discard(place)
        self._consumer.incremental_unassign([TopicPartition(*place)])

    # ---- what comes

    def fill(self, count: int) -> None:
        """Fetch what has arrived, without waiting: about ``count`` messages, if any of the partitions has none."""
        parts = self._parts.values()
        if not self._parts or any(part.waits for part in parts) or sum(part.waiting for part in parts) < count:
            self._sort(self._consumer.consume(count, 0))
        self._hold(count)
        self._look()
        now = time.monotonic()
        if now - self._committed_at >= COMMIT_S:
            self._committed_at = now
            self._commit()
        if now - self._lag_at >= LAG_S:
            self._lag_at = now
            self._tell_lag()

    def close(self) -> None:
        self._commit()
        self._cluster.close()
        self._consumer.close()

    def _sort(self, messages: list[Any]) -> None:
        parts = self._parts
        for message in messages:
            error = message.error()
            part = parts.get((message.topic(), message.partition()))
            if error is not None:
                self._on_error(error, part, message)
            elif part is not None:
                part.add(message)

    def _on_error(self, error: KafkaError, part: KafkaPartition | None, message: Any) -> None:
        if part is None:
            return
        if error.code() == KafkaError._PARTITION_EOF:
            part.end = message.offset()
            return
        fault = fault_of(error, part.topic, part.number, message.offset())
        if fault and not part.stopped:
            part.stop(fault, changed=has_run_out(error))
            self._leave((part.topic, part.number))

    def _hold(self, count: int) -> None:
        """Fetch no more of partitions of which enough waits: memory is bounded whatever the others do."""
        for part in self._parts.values():
            if part.paused != (part.waiting > (count if part.paused else 4 * count)):
                part.paused = not part.paused
                which = [TopicPartition(part.topic, part.number)]
                (self._consumer.pause if part.paused else self._consumer.resume)(which)

    # ---- whether the cluster is there

    def _hear(self, error: KafkaError) -> None:
        if error.code() in _DOWN:
            self._lose(words_of(error))

    def _lose(self, why: str) -> None:
        if not self._lost:
            self._lost, self._looks = why, self._cluster.looks
            self._memory.waiting(self._space, self._source, why)
            for part in self._parts.values():
                part.lost = True
            self._cluster.soon()

    def _look(self) -> None:
        """Take notice of what the thread has seen."""
        if self._cluster.fault:
            self._lose(self._cluster.fault)
        elif self._lost and self._cluster.looks > self._looks + 1:
            # The first answer may have been on its way already.
            self._lost = ""
            self._memory.heard(self._space, self._source)
            seen = self._cluster.seen
            for place, part in self._parts.items():
                part.lost = False
                ends = seen.partitions.get(place) if seen is not None else None
                if part.end >= 0 and ends is not None and ends.end > part.end:
                    part.end = -1

    # ---- how far it is

    def _commit(self) -> None:
        """Tell the broker how far the stores are."""
        fresh = {part.name: self._positions(part.name) for part in self._parts.values() if not part.stopped}
        told = [
            TopicPartition(part.topic, part.number, fresh[part.name])
            for part in self._parts.values()
            if fresh.get(part.name, 0) != self._committed.get(part.name, 0)
        ]
        if told and not self._lost:
            self._committed = fresh
            try:
                self._consumer.commit(offsets=told, asynchronous=True)
            except KafkaException as error:
                self._memory.waiting(self._space, self._source, f"positions are not told to the broker: {words_of(error.args[0])}")

    def _tell_lag(self) -> None:
        for part in self._parts.values():
            low, high = self._consumer.get_watermark_offsets(TopicPartition(part.topic, part.number), cached=True)
            if high >= 0 <= low:
                _LAG.labels(self._space, part.name).set(max(0, high - max(self._positions(part.name), low)))
