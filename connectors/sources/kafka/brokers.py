"""What a cluster has: looked at again and again by a thread of its own, so that reading never waits for an answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin import OffsetSpec as _OffsetSpec  # type: ignore[attr-defined]

from connectors.errors import SourceError
from connectors.sources.kafka.client import config_of, is_refusal, remedy_of, words_of
from connectors.sources.kafka.spec import KafkaSpec

OffsetSpec: Any = _OffsetSpec
LOOK_S = 20.0
"""How often a cluster is asked for new partitions."""
AGAIN_S = 2.0
"""How soon it is asked again if it has not answered."""
TIMEOUT_S = 10.0
FIRST_S = 2.0
"""How long the first answer is waited for before it is asked for again: meanwhile nobody can stop the flow."""
SAY_S = 10.0
"""How often it is said that a start waits."""


class Ends(NamedTuple):
    """Of a partition: the first offset that is there, the one behind the last that may be read, and where a new reader begins."""

    first: int
    end: int
    start: int


class Inventory(NamedTuple):
    """A cluster's id, the ids of the topics that are read, and their partitions by topic and number; what was wrong with a topic."""

    cluster: str
    ids: dict[str, str]
    partitions: dict[tuple[str, int], Ends]
    faults: dict[str, str]


class _Quiet:
    """Takes what librdkafka would write to the standard error: what counts is told by `Brokers`."""

    def log(self, *_: Any) -> None:
        return


QUIET: Any = _Quiet()


class Brokers:
    """Looks at a cluster. ``seen`` is what it was like at the last look that was answered, ``fault`` why the last one was not."""

    def __init__(self, place: Path, spec: KafkaSpec) -> None:
        self._place, self._spec = place, spec
        self._last: KafkaError | None = None
        """The last error that the client has told: it says more than a request that has had no answer."""
        config = config_of(place, spec, error_cb=self._hear)
        try:
            self._client = AdminClient(config, logger=QUIET)
        except KafkaException as error:
            raise SourceError(place, f"expected settings of librdkafka in `config`: {error.args[0].str()}") from None
        self.seen: Inventory | None = None
        self.fault = ""
        self.looks = 0
        """How many looks were answered."""
        self._stop, self._soon = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, say: Callable[[str], None] = lambda _: None, *, stop: threading.Event | None = None) -> Inventory:
        """What the first look that is answered has seen; ``say(why)`` now and then. Raises `SourceError` when it is no use, or when
        ``stop`` is set."""
        begun, said = time.monotonic(), -SAY_S
        while (seen := self.look()) is None:
            now = time.monotonic()
            if self._last is not None and is_refusal(self._last):
                raise SourceError(self._place, f"{words_of(self._last)}; {remedy_of(self._last)}")
            if stop is not None and stop.is_set():
                raise SourceError(self._place, f"stopped before the cluster answered: {self.fault}")
            if now - said >= SAY_S:
                said = now
                say(self.fault)
            if now - begun >= self._spec.wait_us / 1e6:
                raise SourceError(self._place, f"expected an answer within {self._spec.wait_us // 1_000_000} s: {self.fault}")
            time.sleep(0.2)
        return seen

    def watch(self) -> None:
        """Go on looking, beside whoever reads."""
        self._thread = threading.Thread(target=self._watch, name="kafka-look", daemon=True)
        self._thread.start()

    def soon(self) -> None:
        """Look again now."""
        self._soon.set()

    def close(self) -> None:
        self._stop.set()
        self._soon.set()
        if self._thread is not None:
            self._thread.join(TIMEOUT_S)

    def look(self) -> Inventory | None:
        """One look; None if it was not answered."""
        try:
            self.seen = self._seen(min(TIMEOUT_S if self.looks else FIRST_S, max(0.1, self._spec.wait_us / 1e6)))
        except KafkaException as error:
            # What the client has to tell of its connections says more: that one is refused, or a password is wrong.
            self._client.poll(0)
            told: KafkaError = error.args[0]
            if self._last is None or is_refusal(told):
                self._last = told
            self.fault = words_of(self._last)
            return None
        self.fault, self._last = "", None
        self.looks += 1
        return self.seen

    def _watch(self) -> None:
        while not self._stop.is_set():
            self._soon.wait(AGAIN_S if self.fault else LOOK_S)
            self._soon.clear()
            if not self._stop.is_set():
                self.look()

    def _hear(self, error: KafkaError) -> None:
        if self._last is None or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._last = error

    def _seen(self, timeout: float) -> Inventory:
        said = self._client.list_topics(timeout=timeout)
        faults = {name: "" for name in self._spec.topics if not name.startswith("^")}
        names = sorted(name for name in {*faults, *said.topics} if self._spec.reads(name))
        ids, parts = {}, []
        for name, told in self._client.describe_topics(TopicCollection(names), request_timeout=TIMEOUT_S).items() if names else ():
            try:
                topic = told.result()
            except KafkaException as error:
                if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART or is_refusal(error.args[0]):
                    faults[name] = words_of(error.args[0])
                    continue
                raise
            ids[name] = str(topic.topic_id)
            parts += [TopicPartition(name, one.id) for one in topic.partitions]
        first, end = self._offsets(parts, OffsetSpec.earliest()), self._offsets(parts, OffsetSpec.latest())
        start = {"earliest": first, "latest": end}.get(str(self._spec.start))
        if start is None:
            found = self._offsets(parts, OffsetSpec.for_timestamp(int(self._spec.start) // 1000))
            start = {key: end[key] if at < 0 else at for key, at in found.items()}
        wrong = {name: why for name, why in faults.items() if why}
        return Inventory(str(said.cluster_id), ids, {key: Ends(first[key], end[key], start[key]) for key in first}, wrong)

    def _offsets(self, parts: list[TopicPartition], which: Any) -> dict[tuple[str, int], int]:
        if not parts:
            return {}
        asked = self._client.list_offsets(
            dict.fromkeys(parts, which), isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT_S
        )
        return {(one.topic, one.partition): told.result().offset for one, told in asked.items()}
