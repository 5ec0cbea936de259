"""Repairs of the quarantine: control entries that replay records, edit them, or drop them."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from contracts.model.batches import ControlEntry, Event, Refused
from contracts.text.times import parse_time
from operators.epochs import CONTROL
from operators.people.quarantine import APPLIED, DROPPED, Edit, QuarantineRow, decode_row, refused_event
from operators.quality.scores import source_of
from operators.records import encode
from state.keys import sequence_key

if TYPE_CHECKING:
    from operators.people.space import Space

REPAIRS = frozenset({"replay", "edit", "drop"})


class Repairs:
    """What replays, edits and drops do to a space. Answers count the records by what became of them."""

    def __init__(self, space: Space) -> None:
        self._space = space

    def apply(self, entry: ControlEntry) -> dict[str, Any]:
        """Apply one entry; ``gone`` counts ids that are not, or no longer, in quarantine, ``changed`` records that have been edited
        since the entry was made."""
        if entry.entry["type"] == "drop":
            return self._drop(entry)
        edit = entry.entry["type"] == "edit"
        counts = dict.fromkeys((*(("edited", "passing") if edit else ()), "applied", "duplicate", "refused", "changed", "gone"), 0)
        made_of = {item["id"]: item.get("of") for item in entry.entry["entries"]}
        for name, outcome in entry.outcomes:
            key, row = self._row(name)
            if row is None or made_of.get(name) not in (None, digest(row.raw)):
                counts["gone" if row is None else "changed"] += 1
                continue
            if edit:
                counts["edited"] += 1
                conflict = row.reason == "conflict" and message_id(row.raw) == message_id(outcome.raw)
                _rewrite(row, outcome.raw, entry.entry)
            else:
                # Its bytes are as they were, and so is the message that came first, even when that is forgotten by now.
                conflict = row.reason == "conflict"
            counts[self._judged(key, row, outcome, entry.position, conflict=conflict)] += 1
        return counts

    def _judged(self, key: bytes, row: QuarantineRow, outcome: Event | Refused, position: int, *, conflict: bool) -> str:
        """Let one record pass or stay, by what its judge said; what became of it."""
        quarantine = self._space.shard.quarantine
        if conflict:
            quarantine.put(key, encode(row))
            return "refused"
        space = self._space
        duplicates = space.meta.duplicate
        space.count_refusal(row.reason, -1, row.partition)
        if isinstance(outcome, Event):
            refusal = space.take(outcome, CONTROL, exempt=True)
            if refusal is None:
                space.quality.begin(source_of(row.partition), 0)
                space.quality.accepted.append(outcome)
                space.quality.score()
                if row.edits:
                    row.settle(APPLIED, position)
                    quarantine.put(key, encode(row))
                else:
                    quarantine.delete(key)
                return "applied" if space.meta.duplicate == duplicates else "duplicate"
            outcome = refused_event(outcome, *refusal)
        space.denials.take(outcome.denials, source_of(row.partition))
        row.reason, row.detail, row.schema_path = outcome.reason, outcome.detail, outcome.schema_path
        row.event, row.contract = outcome.event, outcome.contract
        space.count_refusal(row.reason, 1, row.partition)
        quarantine.put(key, encode(row))
        return "passing" if row.reason == "edited" else "refused"

    def _drop(self, entry: ControlEntry) -> dict[str, Any]:
        space = self._space
        counts = {"dropped": 0, "gone": 0}
        for name in entry.entry["ids"]:
            key, row = self._row(name)
            if row is None:
                counts["gone"] += 1
                continue
            space.count_refusal(row.reason, -1, row.partition)
            space.meta.dropped += 1
            row.settle(DROPPED)
            space.shard.quarantine.put(key, encode(row))
            counts["dropped"] += 1
        return counts

    def _row(self, name: str) -> tuple[bytes, QuarantineRow | None]:
        """Key and row of an id; no row if it is not in quarantine."""
        number = name.removeprefix("q-")
        key = sequence_key(int(number)) if number.isdecimal() and len(number) < 19 else b""
        stored = self._space.shard.quarantine.get(key) if key else None
        row = None if stored is None else decode_row(stored)
        return key, None if row is None or row.gone else row


def _rewrite(row: QuarantineRow, raw: bytes, said: dict[str, Any]) -> None:
    """The new bytes, and who put them there; the bytes received are kept."""
    if row.original is None:
        row.original = row.raw
    row.raw = raw
    texts = (str(said.get(name, "")) for name in ("who", "why", "messageId"))
    row.edits = [*row.edits, Edit(parse_time(said.get("timestamp")) or 0, *texts)]


def digest(raw: bytes) -> str:
    """16 hexadecimal digits that name a record's bytes."""
    return blake2b(raw, digest_size=8).hexdigest()


def message_id(raw: bytes) -> str:
    """The message id of a record as text; ``""`` if it says none."""
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return ""
    said = body.get("messageId") if type(body) is dict else None
    return "" if said is None else str(int(said)) if type(said) is float and said.is_integer() else str(said)
