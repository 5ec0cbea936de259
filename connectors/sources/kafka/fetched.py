"""One partition of a topic: what was fetched of it and waits, and the batches made of that. Position n is offset n − 1."""

from __future__ import annotations

import msgspec
from confluent_kafka import Message

from connectors.sources.kafka.brokers import Inventory
from connectors.sources.kafka.client import gone, missing
from connectors.sources.marks import Mark, encode
from connectors.sources.partition import Partition, peek_time
from contracts.model.batches import SourceBatch


class KafkaPartition(Partition):
    """Its first batch also covers the positions before the first record that is there, and any batch those that hold none.

    What is wrong with it stops it alone: it says so once, and goes on when somebody has decided. ``known`` is what is stored of it.
    """

    def __init__(self, space: str, source: str, name: str, place: tuple[str, int], after: int, known: Mark | None) -> None:  # noqa: PLR0917
        super().__init__(space, source, name, None, after)
        self.topic, self.number = place
        self._known = known or Mark()
        self._told = b"" if known is None else encode(known)
        self._messages: list[Message] = []
        self._at = 0
        self.offset = after
        """Where fetching begins."""
        self.end = -1
        """The offset up to which everything was fetched, if nothing was behind it then; -1 while more comes."""
        self.lost = False
        """Whether the cluster does not answer, so that nobody knows what is behind what was fetched."""
        self.paused = False
        """Whether nothing is fetched, because enough waits."""

    def begin(self, seen: Inventory, *, anew: bool) -> None:
        """Where to go on in the topic as it is now; ``anew``: from the first record that is there, whatever ``start`` says."""
        ends = seen.partitions.get((self.topic, self.number))
        if ends is None:
            self.stop(missing(self.topic, self.number))
            return
        known = self._known
        found = seen.cluster, seen.ids[self.topic]
        begins = known.begins if known.begins >= 0 else ends.first if anew else ends.start
        self.offset = max(self.last, begins)
        if known.topic and (known.cluster, known.topic) != found:
            self.stop(_another(known, found, self.topic), changed=True)
        elif self.offset < ends.first:
            self.stop(gone(self.topic, self.number, self.offset, ends.first), changed=True)
        elif self.offset > ends.end:
            self.stop(
                f"expected {self.offset} offsets in topic {self.topic}, partition {self.number}, found {ends.end}: "
                "records that were read are gone. Decide where to go on: `skep sources skip-to`",
                changed=True,
            )
        else:
            self._known = msgspec.structs.replace(known, stopped="", changed=False, cluster=found[0], topic=found[1], begins=begins)
            if self.offset == ends.end:
                self.end = ends.end

    def add(self, message: Message) -> None:
        """A message that was fetched."""
        self._messages.append(message)
        self.end = -1

    def stop(self, why: str, *, changed: bool = False) -> None:
        """Read it no further; what was fetched is handed over before that is said."""
        self.stopped, self.changed = why, changed
        self._known = msgspec.structs.replace(self._known, stopped=why, changed=changed)

    @property
    def waiting(self) -> int:
        """How many messages wait."""
        return len(self._messages) - self._at

    @property
    def waits(self) -> bool:
        return not self.waiting and not self.stopped and (self.lost or self.end < 0)

    def next_us(self) -> int | None:
        if self._next_us is None and self.waiting:
            self._next_us = peek_time(self._messages[self._at].value() or b"")
        return self._next_us

    def batch(self, count: int, now_us: int, *, follow: bool) -> SourceBatch:
        taken = self._messages[self._at : self._at + count]
        self._at += len(taken)
        if not self.waiting:
            self._messages, self._at = [], 0
        self._next_us = None
        first, positions = self._last + 1, [(message.offset() or 0) + 1 for message in taken]
        if positions:
            self._last = positions[-1]
        ended = not self.waiting and not self.stopped and not self.waits
        if ended:
            # What stands behind the last record marks the end of a transaction, or was taken away.
            self._last = max(self._last, self.end)
        self.finished = ended and not follow
        self._said_us = now_us
        dense = len(positions) == self._last - first + 1
        # A message without a value is an empty record, which is refused and seen.
        records = [message.value() or b"" for message in taken]
        return SourceBatch(
            self.space, self.source, self.name, first, self._last, records, now_us, ended and follow, self.finished,
            mark=self._mark(), positions=None if dense else positions,
        )  # fmt: skip

    def rest(self, now_us: int) -> SourceBatch:
        self.finished = bool(self.stopped)
        return super().rest(now_us)

    def _mark(self) -> bytes:
        mark = encode(self._known)
        if mark == self._told:
            return b""
        self._told = mark
        return mark


def _another(known: Mark, found: tuple[str, str], topic: str) -> str:
    """What is said of a topic that is not the one that was read."""
    if known.cluster != found[0]:
        what = f"expected the cluster of topic {topic} that was read before, {known.cluster}, found another one, {found[0]}"
    else:
        what = f"expected topic {topic} as it was read before, {known.topic}, found another one of this name, {found[1]}"
    return f"{what}. Read it from its beginning: `skep sources reread`; or give it a source of its own"
