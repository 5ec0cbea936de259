"""The validate step: batches of records in, judged batches out; which definitions judge is what the control entries say."""

from __future__ import annotations

import time
from base64 import b64decode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Unpack

import orjson

from contracts.model.batches import ControlEntry, Denial, Event, JudgedBatch, Refused, SourceBatch
from contracts.model.definitions import Definitions
from contracts.text.times import parse_time
from operators.epochs import CONTROL, Epoch, append_epoch, spans
from operators.generations import GENERATIONS, begins
from operators.judge import Judge, Tolerance
from operators.lookups.lookup_epochs import ENTRY as LOOKUPS
from operators.lookups.lookup_epochs import LookupEpochs, named_versions, no_data
from operators.metrics import batch_took

_CARRY_RECORDS = frozenset({"replay", "edit"})
_PLACED = frozenset({"definitions", LOOKUPS})


class Validate:
    """The validate step: batches of bytes in, judged batches out, each by one set of definitions.

    ``epochs`` are those of each space at the start (`operators/epochs.py`); entries of the control partition add to
    them. ``behind``: by space and partition the first record that no store has. ``load_bundle`` gives the definitions of a digest;
    ``versions`` looks up for accepted events what these say.
    """

    def __init__(
        self,
        load_bundle: Callable[[str], Definitions],
        epochs: dict[str, list[Epoch]],
        behind: Mapping[str, Mapping[str, int]] | None = None,
        *,
        versions: LookupEpochs | None = None,
        **tolerance: Unpack[Tolerance],
    ) -> None:
        self._load = load_bundle
        self.epochs = {space: list(known) for space, known in epochs.items()}
        self._versions = versions or LookupEpochs(no_data, {})
        self._tolerance = tolerance
        self._judges: dict[str, Judge] = {}
        self._next = {space: dict(known) for space, known in (behind or {}).items()}
        """By space and partition: the record that is judged next, where definitions without ``from`` begin to hold."""

    def __call__(self, batches: list[SourceBatch]) -> list[JudgedBatch]:
        """The mapper of ``flat_map_batch``."""
        judged: list[JudgedBatch] = []
        for batch in batches:
            began = time.perf_counter()
            judged += self.batch(batch)
            batch_took("validate", began)
        return judged

    def batch(self, batch: SourceBatch) -> list[JudgedBatch]:
        """The judged parts of one batch, in order; the last one carries its hints (caught up, finished)."""
        parts = list(self._control(batch) if batch.partition == CONTROL else self._data(batch))
        parts[-1].caught_up, parts[-1].finished = batch.caught_up, batch.finished
        for part in parts:
            part.history = batch.history
        return parts

    def judge(self, digest: str) -> Judge:
        """The judge by the definitions with this digest, compiled once."""
        found = self._judges.get(digest)
        if found is None:
            found = self._judges[digest] = Judge(self._load(digest), **self._tolerance)
        return found

    def _known(self, space: str) -> list[Epoch]:
        epochs = self.epochs.get(space)
        if not epochs:
            raise LookupError(f"space {space!r}: expected definitions in force before its first batch, found none; append them to control")
        return epochs

    def _data(self, batch: SourceBatch) -> Iterator[JudgedBatch]:
        known = self._known(batch.space)
        here = self._next.setdefault(batch.space, {})
        here[batch.partition] = max(here.get(batch.partition, 1), batch.last + 1)
        for digest, first, last in spans(known, batch.partition, batch.first, batch.last):
            part = _judged(batch, first, last, digest)
            places = batch.positions
            begin = first - batch.first if places is None else bisect_left(places, first)
            end = last - batch.first + 1 if places is None else bisect_right(places, last)
            judge = self.judge(digest)
            part.events, part.refused = judge.judge_many(batch.records[begin:end], first, batch.read_at_us)
            part.uncorrected = sorted(judge.uncorrected)
            if places is not None:
                # Judged as if they followed each other.
                for event in part.events:
                    event.position = places[begin + event.position - first]
                for refused in part.refused:
                    refused.position = places[begin + refused.position - first]
                part.uncorrected = [places[begin + at - first] for at in part.uncorrected]
            if judge.definitions.lookups:
                self._look_up(part, judge)
            yield part

    def _look_up(self, part: JudgedBatch, judge: Judge) -> None:
        """Put what lookups find into the events of a batch; what has to wait for their data is refused."""
        part.looked = True
        waiting = self._versions.enrich(part.space, part.partition, part.events, judge.definitions)
        if waiting:
            refused = [_unavailable(event, name, judge, part) for event in part.events if (name := waiting.get(event.position))]
            part.refused = sorted([*part.refused, *refused], key=lambda record: record.position)
            part.events = [event for event in part.events if event.position not in waiting]
            part.uncorrected = [position for position in part.uncorrected if position not in waiting]

    def _control(self, batch: SourceBatch) -> Iterator[JudgedBatch]:
        epochs = self.epochs.setdefault(batch.space, [])
        part = _judged(batch, batch.first, batch.last, _digest_at(epochs, batch.first))
        for position, raw in enumerate(batch.records, batch.first):
            entry = self._placed(batch.space, _entry(raw))
            outcomes = self._outcomes(batch, entry, position, part.digest)
            part.looked |= any(type(found) is Event and bool(found.lookup) for _, found in outcomes)
            part.control.append(ControlEntry(position, entry, outcomes))
            if entry["type"] in _PLACED and "versions" in entry:
                self._versions.take(batch.space, entry, position)
            if entry["type"] != "definitions":
                continue
            append_epoch(epochs, entry["digest"], entry["from"], position)
            digest = _digest_at(epochs, position + 1)
            # The first definitions of all stand for the entries before them too.
            part.digest = part.digest or digest
            if digest != part.digest and position < batch.last:
                part.last = position
                yield part
                part = _judged(batch, position + 1, batch.last, digest)
        yield part

    def _placed(self, space: str, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry of definitions or lookups with the positions from which they hold: where it has none, behind all that was judged."""
        return entry if entry["type"] not in _PLACED else {"from": dict(self._next.get(space, {})), **entry}

    def _outcomes(self, batch: SourceBatch, entry: dict[str, Any], position: int, digest: str) -> list[tuple[str, Event | Refused]]:
        """The judged records of a replay or an edit; of an edit without ``replay`` none is an event yet."""
        if entry["type"] not in _CARRY_RECORDS:
            return []
        waits = entry["type"] == "edit" and entry.get("replay") is not True
        asked_us = parse_time(entry.get("timestamp"))
        judge = self.judge(digest or self._known(batch.space)[0][0])
        outcomes: list[tuple[str, Event | Refused]] = []
        for item in entry["entries"]:
            received_us = item.get("received_at_us")
            if type(received_us) is not int:
                received_us = batch.read_at_us if asked_us is None else asked_us
            found = judge.judge(b64decode(item["raw"]), position, received_us)
            if type(found) is Event and judge.definitions.lookups:
                found = self._found(batch, found, judge)
            if waits and type(found) is Event:
                found = _waiting(found, judge.denials(found.raw, received_us))
            outcomes.append((item["id"], found))
        return outcomes

    def _found(self, batch: SourceBatch, event: Event, judge: Judge) -> Event | Refused:
        """An event of a control entry with what lookups find."""
        name = self._versions.enrich(batch.space, batch.partition, [event], judge.definitions).get(event.position)
        return event if name is None else _unavailable(event, name, judge, batch)


def _unavailable(event: Event, name: str, judge: Judge, batch: SourceBatch | JudgedBatch) -> Refused:
    detail = f"lookup {name} has no data yet; `skep lookups refresh {name}` loads it, `skep quarantine replay` takes this in then"
    denials = judge.denials(event.raw, batch.read_at_us)
    called = event.name or event.type
    return Refused(event.position, "lookup", detail, "", event.received_at_us, event.raw, called, event.contract, denials)


def _waiting(event: Event, denials: tuple[Denial, ...]) -> Refused:
    detail = f"it passes {f'as {event.contract} ' if event.contract else ''}now; `skep quarantine replay` takes it in"
    name = event.name or event.type
    return Refused(event.position, "edited", detail, "", event.received_at_us, event.raw, name, event.contract, denials)


def _digest_at(epochs: list[Epoch], position: int) -> str:
    """The definitions that judge a control entry; "" before the first of all."""
    return next(spans(epochs, CONTROL, position, position))[0] if epochs else ""


def _judged(batch: SourceBatch, first: int, last: int, digest: str) -> JudgedBatch:
    return JudgedBatch(batch.space, batch.source, batch.partition, first, last, digest, [], [], [], batch.read_at_us, mark=batch.mark)


def _entry(raw: bytes) -> dict[str, Any]:
    """A control line, decoded; ``{"type": "broken"}`` for one that cannot be what it says."""
    try:
        entry = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {"type": "broken"}
    if type(entry) is not dict or type(entry.get("type")) is not str or not _well_formed(entry):
        return {"type": "broken"}
    return entry


def _well_formed(entry: dict[str, Any]) -> bool:
    if entry["type"] in _PLACED:
        holds_from = entry.get("from")
        if entry["type"] == "definitions" and type(entry.get("digest")) is not str:
            return False
        if (entry["type"] == LOOKUPS or "versions" in entry) and named_versions(entry) is None:
            return False
        return "from" not in entry or (type(holds_from) is dict and all(type(position) is int for position in holds_from.values()))
    if entry["type"] in _CARRY_RECORDS:
        items = entry.get("entries")
        return type(items) is list and all(_replayable(item) for item in items)
    if entry["type"] in GENERATIONS:
        return begins(entry)
    if entry["type"] == "drop":
        ids = entry.get("ids")
        return type(ids) is list and all(type(one) is str for one in ids)
    return True


def _replayable(item: object) -> bool:
    if type(item) is not dict or type(item.get("id")) is not str or type(item.get("raw")) is not str:
        return False
    try:
        b64decode(item["raw"], validate=True)
    except ValueError:
        return False
    return True
