"""What the parts of a slice come to together: where the space stands behind it, and what is written beside their files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate

from operators import meta as meta_row
from operators.backfill.chunks import Chunk, Folded
from operators.meta import Meta
from operators.people import rebuilds
from operators.people.quarantine import decode_row
from operators.people.store import LARGEST
from operators.quality.ledger import HOURS_KEPT, Ledger
from operators.quality.scorer import BatchQuality
from operators.quality.scores import HOUR_US, NAMES_FROM, decode_scores, scores_of
from state.keys import sequence_key
from state.shard import Shard

_COUNTS = (
    "events",
    "duplicate",
    "conflict",
    "unidentified",
    "people",
    "merges",
    "splits",
    "changes",
    "turns",
    "quarantined",
    "remembered",
    "denials",
)
_TALLIES = ("quarantine", "sizes", "late")

Rows = list[tuple[str, bytes, bytes]]
"""Family, key and value."""


def begins(before: Meta, folded: Sequence[Folded]) -> list[tuple[int, int]]:
    """Behind which change and which turn of the history each part begins to count."""
    metas = [meta_row.decode(each.meta) for each in folded]
    changes = accumulate((each.changes - before.changes for each in metas), initial=before.changes)
    turns = accumulate((each.turns - before.turns for each in metas), initial=before.turns)
    return list(zip(changes, turns, strict=True))[: len(folded)]


def joined(before: Meta, folded: Iterable[Folded]) -> Meta:
    """Where a space stands that stood at ``before`` when each of the parts began."""
    meta = meta_row.decode(meta_row.encode(before))
    for each in folded:
        part = meta_row.decode(each.meta)
        for name in _COUNTS:
            setattr(meta, name, getattr(meta, name) + getattr(part, name) - getattr(before, name))
        for name in _TALLIES:
            _add(getattr(meta, name), getattr(part, name), getattr(before, name))
        for purpose, counts in part.unread.items():
            _add(meta.unread.setdefault(purpose, {}), counts, before.unread.get(purpose, {}))
        for partition, time_us in part.clocks.items():
            meta.clocks[partition] = max(time_us, meta.clocks.get(partition, time_us))
    return meta


def _add(counts: dict[str, int], more: Mapping[str, int], before: Mapping[str, int]) -> None:
    for name in {**more, **before}:
        counts[name] = counts.get(name, 0) + more.get(name, 0) - before.get(name, 0)
        if not counts[name]:
            del counts[name]


def beside(
    shard: Shard, before: Meta, chunks: Sequence[Chunk], folded: Sequence[Folded], qualities: Mapping[int, BatchQuality]
) -> tuple[Meta, Rows]:
    """Where the space stands behind the slice, and the rows that no part's files have. ``qualities``: of chunks with events that were
    refused in the end, without these."""
    meta = joined(before, folded)
    for chunk in chunks:
        applied = meta.applied.get(chunk.partition, 0)
        new = chunk.last - max(applied, chunk.first - 1)
        meta.received += max(0, new)
        meta.sources[chunk.source] = meta.sources.get(chunk.source, 0) + max(0, new)
        meta.uncorrected += chunk.uncorrected
        for name, counts in chunk.looked.items():
            known = meta.looked.get(name, [0] * len(counts))
            meta.looked[name] = [one + more for one, more in zip(known, counts, strict=True)]
        meta.applied[chunk.partition] = max(applied, chunk.last)
    rows = [*_quarantined(before, chunks, folded), *_scored(shard, meta, chunks, folded, qualities), *_cost(shard, folded)]
    rows.append(("meta", meta_row.KEY, meta_row.encode(meta)))
    return meta, rows


def _quarantined(before: Meta, chunks: Sequence[Chunk], folded: Sequence[Folded]) -> Rows:
    """In the order in which the records were read."""
    ends: dict[str, list[tuple[int, int]]] = {}
    for chunk in chunks:
        ends.setdefault(chunk.partition, []).append((chunk.last, chunk.number))
    found = []
    for row in (row for each in folded for row in each.quarantine):
        said = decode_row(row)
        of_file = ends[said.partition]
        found.append((of_file[bisect_left(of_file, (said.position, 0))][1], said.position, row))
    return [("quarantine", sequence_key(number), row) for number, (_, _, row) in enumerate(sorted(found), before.quarantined)]


def _scored(
    shard: Shard, meta: Meta, chunks: Sequence[Chunk], folded: Sequence[Folded], qualities: Mapping[int, BatchQuality]
) -> Rows:  # fmt: skip
    ledger = Ledger(shard.quality)
    if meta.clock is not None:
        ledger.drop(meta.clock // HOUR_US - HOURS_KEPT)
    for chunk in chunks:
        ledger.add(chunk.source, qualities.get(chunk.number, chunk.quality))
    for key, row in (each for one in folded for each in one.quality):
        if key < NAMES_FROM:
            hour, source, event = scores_of(key)
            ledger.add(source, {(hour, event): decode_scores(row)})
    ledger.flush()
    pending, shard.quality.pending = shard.quality.pending, {}
    return [("quality", key, row) for key, row in pending.items() if row is not None]


def _cost(shard: Shard, folded: Sequence[Folded]) -> Rows:
    rows: Rows = []
    largest = max(each.largest for each in folded)
    if largest > int.from_bytes(shard.row("meta", LARGEST) or b"", "big"):
        rows.append(("meta", LARGEST, largest.to_bytes(4, "big")))
    found = [rebuilds.decode(each.rebuilds) for each in folded]
    if any(each.rebuilds for each in found):
        row = shard.row("meta", rebuilds.KEY)
        cost = rebuilds.Rebuilds() if row is None else rebuilds.decode(row)
        for each in found:
            cost.add(each)
        rows.append(("meta", rebuilds.KEY, rebuilds.encode(cost)))
    return rows
