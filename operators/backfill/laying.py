"""The first half of a bulk load: records are judged, archived, scored and laid down as rows, and grouped by whom they are about."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import orjson

from contracts.envelope import content, message_hash
from contracts.model.batches import Event, Refused, SourceBatch
from contracts.model.hashing import Hasher
from operators.backfill.chunks import EVENT, NOBODY, PROPERTIES, REFUSED, STORED, TRAITS, Chunk, LaidDown, decode_judged, encode
from operators.judge import Judge
from operators.lookups.attached import count, restore
from operators.origins import origin
from operators.quality.scorer import BatchQuality, Scorer
from operators.quality.scores import Scores
from operators.records import SEEN_BESIDE
from operators.stitch.rules import Rules
from operators.validate import Validate
from state.archive import Archive
from state.keys import NOBODY as NO_ANCHOR
from state.shard import SecondaryShard

_BEHIND = b"\xff" * 17
"""Behind every key that begins with an account's."""
TOGETHER = 2_000
"""Records that are judged at once, as in a flow's batch."""


def event_of(row: LaidDown, position: int, identifiers: tuple[tuple[int, str], ...], *, looks_up: bool) -> Event:
    """The event of a row; ``looks_up``: there are lookups, and what its body says of them is what they have found."""
    body = orjson.loads(row.raw)
    properties = body["properties"] if row.places & PROPERTIES else row.properties
    traits = body["traits"] if row.places & TRAITS else row.traits
    event = Event(
        position, row.time_us, row.message_id, row.type, row.name, row.contract, identifiers, {} if properties is None else properties,
        traits, row.consents, row.received_at_us, body, row.raw, row.unread, row.lookup, row.group,
    )  # fmt: skip
    if looks_up or row.lookup:
        restore(event, row.lookup)
    return event


def row_of(event: Event, message: bytes, places: int) -> LaidDown:
    """The row of an event; ``places``: what is known of its message id."""
    body, properties, traits = event.body, event.properties, event.traits
    own, told = None, None
    if properties is body.get("properties"):
        places |= PROPERTIES
    else:
        own = properties
    if traits is not None and traits is body.get("traits"):
        places |= TRAITS
    else:
        told = traits
    return LaidDown(
        event.time_us, event.message_id, message, event.type, event.name, event.contract, event.received_at_us, event.raw, places, own,
        told, event.consents, event.unread, event.lookup, event.group,
    )  # fmt: skip


class Judging:
    """One part's judging of one slice. What it finds of groups refers to the shard as it was committed when the slice began.

    ``applied`` and ``archived``: how far the shard and the archive have come, by partition.
    """

    def __init__(  # noqa: PLR0917
        self,
        space: str,
        part: int,
        folder: Path,
        validate: Validate,
        digest: str,
        before: SecondaryShard,
        hasher: Hasher,
        archive: Path,
        applied: dict[str, int],
        archived: dict[str, int],
    ) -> None:
        self._space, self._part, self._folder = space, part, folder
        self._validate, self._digest = validate, digest
        judge = validate.judge(digest)
        self._judge: Judge = judge
        definitions = judge.definitions
        self._names = Rules(definitions.identity).names
        self._scorer = Scorer(definitions)
        self._hasher = hasher
        self._archive = archive
        self._applied, self._archived = applied, archived
        self._before = before
        self._seen, self._alias = before.columns["seen"], before.columns["alias"]
        self._some = next(before.rows("seen"), None) is not None or next(before.rows("alias"), None) is not None
        """Whether anything may be found there."""
        self.identifiers: list[tuple[tuple[int, str], ...]] = [()]
        """Of each group; of one of refused records none."""
        self._groups: dict[Any, int] = {(): NOBODY}
        self._fresh: list[tuple[bytes, ...]] = []
        self._named: set[tuple[int, str]] = set()
        """Groups, each with the accounts that it names."""
        self._accounts: set[str] = set()
        """Accounts of which it has been said who belongs to them."""
        self._counted: dict[tuple[int, str], int] = {}
        """Events that are scored already, by hour and name."""

    def judge(self, number: int, batch: SourceBatch) -> Chunk:
        """Judge the records of a batch, which is a chunk from now on."""
        first, records = batch.first, batch.records
        written = Archive(
            self._archive.parent,
            self._space,
            sys.maxsize,
            sys.maxsize,
            {batch.partition: max(first - 1, self._archived.get(batch.partition, 0))},
        )
        quality: BatchQuality = {}
        rows: list[bytes] = []
        messages, groups = array("Q"), array("I")
        also: list[tuple[int, bytes]] = []
        refused = uncorrected = 0
        applied = self._applied.get(batch.partition, 0)
        contracts: dict[str, None] = {}
        came = (batch.source,)
        looked: dict[str, list[int]] = {}
        self._fresh = []
        for at in range(0, len(records), TOGETHER):
            some = records[at : at + TOGETHER]
            piece = SourceBatch(batch.space, batch.source, batch.partition, first + at, first + at + len(some) - 1, some, batch.read_at_us)
            for part in self._validate.batch(piece):
                written.append(part)
                refused += len(part.refused)
                uncorrected += sum(position > applied for position in part.uncorrected)
                events = part.events if part.digest == self._digest else list(map(self._judge.understood, part.events))
                self._lay_down(events, part.refused, rows, messages, groups, also)
                contracts |= dict.fromkeys(event.contract if event.traits is None else origin(event.contract, came) for event in events)
                new = [event for event in events if event.position > applied]
                if part.looked:
                    count(looked, new)
                self._score(new, quality)
        written.write_ahead()
        path = self._folder / str(number)
        lengths = array("I", map(len, rows))
        path.write_bytes(b"".join(rows))
        return Chunk(
            number, self._part, batch.source, batch.partition, first, batch.last, batch.read_at_us, messages.tobytes(), groups.tobytes(),
            lengths.tobytes(), refused, uncorrected, list(contracts), looked, self._fresh, also, quality,
        )  # fmt: skip

    def _lay_down(  # noqa: PLR0917
        self,
        events: list[Event],
        refused: list[Refused],
        rows: list[bytes],
        messages: array[int],
        groups: array[int],
        also: list[tuple[int, bytes]],
    ) -> None:
        """Append what is said of judged records, in order of position."""
        records: list[Event | Refused] = list(events)
        if refused:
            records = sorted([*events, *refused], key=lambda record: record.position)
        for record in records:
            if isinstance(record, Event):
                message = message_hash(record.message_id)
                group = self._groups.get(record.identifiers)
                if group is None:
                    group = self._group(record.identifiers, [self._hash(pair) for pair in record.identifiers])
                    self.identifiers[group] = record.identifiers
                if record.group is not None:
                    self._call(group, record.body["groupId"], record.group[0], also)
                places = STORED if self._some and self._repeats(group, message, also) else 0
                rows.append(EVENT + encode(row_of(record, message, places)))
                messages.append(int.from_bytes(message[:8], "big"))
            else:
                denied = [self._hasher.identifier(each.namespace, each.value) for each in record.denials]
                key = tuple(sorted(set(denied)))
                group = self._groups.get(key)
                if group is None:
                    group = self._group(key, list(key))
                rows.append(REFUSED + encode(record))
                messages.append(0)
            groups.append(group)

    def _hash(self, pair: tuple[int, str]) -> bytes:
        return self._hasher.identifier(self._names[pair[0]], pair[1])

    def _group(self, key: Any, identifiers: Iterable[bytes]) -> int:
        """The number of a new group; who holds an identifier stands for it."""
        group = self._groups[key] = len(self.identifiers)
        self.identifiers.append(())
        self._fresh.append(tuple(self._holder(each) for each in identifiers) if self._some else tuple(identifiers))
        return group

    def _holder(self, identifier: bytes) -> bytes:
        found: bytes | None = self._alias.get(identifier)
        return identifier if found is None else found

    def _repeats(self, group: int, message: bytes, also: list[tuple[int, bytes]]) -> bool:
        """Whose moment it is that has the message id already; whether any has."""
        seen: bytes | None = self._seen.get(message)
        if seen is not None and len(seen) == SEEN_BESIDE:
            seen = self._seen.get(seen)
        if seen is not None:
            anchor = seen[8:24]
            also.append((group, anchor if anchor == NO_ANCHOR else self._holder(anchor)))
        return seen is not None

    def _call(self, group: int, written: object, account: str, also: list[tuple[int, bytes]]) -> None:
        """An event names an account: all that do are connected, and with them who belongs to it. Repeats may write it in another way."""
        if (group, account) in self._named:
            return
        self._named.add((group, account))
        also += [(group, self._hasher.account(one)) for one in (account, content({"groupId": written}).decode())]
        if account not in self._accounts:
            self._accounts.add(account)
            key = self._hasher.account(account)
            also.extend((group, row[16:]) for row, _ in self._before.rows("members", key, key + _BEHIND))

    def _score(self, events: list[Event], quality: BatchQuality) -> None:
        """Add what events of a chunk come to."""
        counted = self._counted
        for key, found in self._scorer.score(events, counted=lambda hour, event: counted.get((hour, event), 0)).items():
            counted[key] = counted.get(key, 0) + found.events
            known = quality.get(key)
            if known is None:
                quality[key] = found
            else:
                known.add(found)

    def finish(self) -> None:
        """The slice has been judged: lay down which identifiers each group has."""
        (self._folder / f"identifiers-{self._part}").write_bytes(encode(self.identifiers))

    def score_without(self, chunk: Chunk, refused: set[int]) -> dict[tuple[int, str], Scores]:
        """What the events of a chunk of this slice come to but for those of these positions, which were refused in the end."""
        events: list[Event] = []
        for position, row, _ in read(self._folder, chunk):
            if row[:1] == EVENT and position not in refused and position > self._applied.get(chunk.partition, 0):
                judged = decode_judged(row[1:])
                events.append(event_of(judged, position, (), looks_up=bool(self._judge.definitions.lookups)))
        return self._scorer.score(events)


def read(folder: Path, chunk: Chunk) -> Iterable[tuple[int, bytes, int]]:
    """Position, row and group of each record of a chunk."""
    lengths, groups = array("I"), array("I")
    lengths.frombytes(chunk.lengths)
    groups.frombytes(chunk.groups)
    if not lengths:
        return
    with (folder / str(chunk.number)).open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        start = 0
        for at, (length, group) in enumerate(zip(lengths, groups, strict=True)):
            yield chunk.first + at, content[start : start + length], group
            start += length
