"""What a source of Kafka says in ``skep.yaml``: plain data, read without librdkafka."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

OURS = {
    "bootstrap.servers": "`servers` says it",
    "enable.auto.commit": "positions are held by the stores, and told to the broker behind them",
    "enable.auto.offset.store": "positions are held by the stores",
    "enable.partition.eof": "it tells that everything was read",
    "auto.offset.reset": "`start` says where a partition begins, and nothing is ever passed over in silence",
}
"""Settings of librdkafka that are none of a source, and why."""


@dataclass(frozen=True, slots=True)
class KafkaSpec:
    """A cluster, and the topics of it that a source reads.

    ``topics`` are names, or patterns that begin with ``^``; ``start`` is where a partition begins that was never read: ``earliest``,
    ``latest`` or a time in µs. ``config`` are settings of librdkafka, whose values may refer to variables (``${NAME}``) and files
    (``${file:/path}``). ``wait_us`` is how long a start waits for the cluster.
    """

    servers: str
    topics: tuple[str, ...]
    start: str | int = "earliest"
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_us: int = 300_000_000

    @property
    def place(self) -> str:
        """For people."""
        return f"{', '.join(self.topics)} at {self.servers}"

    def reads(self, topic: str) -> bool:
        """Whether it reads a topic of this name."""
        return any(re.match(one, topic) if one.startswith("^") else one == topic for one in self.topics)
