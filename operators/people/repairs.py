"""Repairs of the quarantine: control entries that replay records, edit them, or drop them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import orjson

from contracts.model.batches import ControlEntry, Event, Refused
from contracts.text.times import parse_time
from operators.epochs import CONTROL
from operators.people import denials
from operators.people.quarantine import APPLIED, DROPPED, Edit, QuarantineRow, decode_row, refused_event
from operators.people.take import take
from operators.people.work import Work
from operators.quality.scores import source_of
from operators.records import encode
from state.keys import sequence_key

REPAIRS = frozenset({"replay", "edit", "drop"})


def apply(work: Work, entry: ControlEntry) -> dict[str, Any]:
    """Apply one entry. The answer counts its records by what became of them; ``gone`` are ids that are not, or no longer, in
    quarantine, ``changed`` records that have been edited since the entry was made."""
    if entry.entry["type"] == "drop":
        return _drop(work, entry)
    edit = entry.entry["type"] == "edit"
    counts = dict.fromkeys((*(("edited", "passing") if edit else ()), "applied", "duplicate", "refused", "changed", "gone"), 0)
    made_of = {item["id"]: item.get("of") for item in entry.entry["entries"]}
    for name, outcome in entry.outcomes:
        key, row = _row(work, name)
        if row is None or made_of.get(name) not in (None, digest(row.raw)):
            counts["gone" if row is None else "changed"] += 1
            continue
        # Without an edit its bytes are as they were, and so is the message that came first, even when that is forgotten by now.
        conflict = row.reason == "conflict"
        if edit:
            counts["edited"] += 1
            conflict = conflict and message_id(row.raw) == message_id(outcome.raw)
            _rewrite(row, outcome.raw, entry.entry)
        if conflict:
            work.shard.quarantine.put(key, encode(row))
            counts["refused"] += 1
        else:
            counts[_judged(work, key, row, outcome, entry.position)] += 1
    return counts


def _judged(work: Work, key: bytes, row: QuarantineRow, outcome: Event | Refused, position: int) -> str:
    """Let one record pass or stay, by what its judge said; what became of it."""
    quarantine, meta, source = work.shard.quarantine, work.meta, source_of(row.partition)
    duplicates = meta.duplicate
    meta.count_refusal(row.reason, -1, source)
    if isinstance(outcome, Event):
        if work.judged_ahead:
            # It was judged by the definitions that are on their way.
            outcome = work.judge.understood(outcome)
        if outcome.traits is not None:
            outcome.sources = (source,)
        refusal = take(work, outcome, CONTROL, exempt=True)
        if refusal is None:
            work.quality.begin(source, 0)
            work.quality.accepted.append(outcome)
            work.quality.score()
            if row.edits:
                row.settle(APPLIED, position)
                quarantine.put(key, encode(row))
            else:
                quarantine.delete(key)
            return "applied" if meta.duplicate == duplicates else "duplicate"
        outcome = refused_event(outcome, *refusal)
    read_at = row.stored_at_us if row.stored_at_us is not None else work.clock.now
    denials.hear(work, outcome.denials, outcome.raw, read_at, source)
    row.reason, row.detail, row.schema_path = outcome.reason, outcome.detail, outcome.schema_path
    row.event, row.contract = outcome.event, outcome.contract
    meta.count_refusal(row.reason, 1, source)
    quarantine.put(key, encode(row))
    return "passing" if row.reason == "edited" else "refused"


def _drop(work: Work, entry: ControlEntry) -> dict[str, Any]:
    counts = {"dropped": 0, "gone": 0}
    for name in entry.entry["ids"]:
        key, row = _row(work, name)
        if row is None:
            counts["gone"] += 1
            continue
        work.meta.count_refusal(row.reason, -1, source_of(row.partition))
        work.meta.dropped += 1
        row.settle(DROPPED)
        work.shard.quarantine.put(key, encode(row))
        counts["dropped"] += 1
    return counts


def _row(work: Work, name: str) -> tuple[bytes, QuarantineRow | None]:
    """Key and row of an id; no row if it is not in quarantine."""
    number = name.removeprefix("q-")
    key = sequence_key(int(number)) if number.isdecimal() and len(number) < 19 else b""
    stored = work.shard.quarantine.get(key) if key else None
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
