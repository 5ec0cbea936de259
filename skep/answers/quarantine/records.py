"""A record of the quarantine as an answer."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from contracts.text.times import iso, iso_or_none
from operators.quality.scores import source_of
from operators.view.quarantine import Quarantined
from skep.answers.quarantine.causes import cause_id
from skep.project.settings import Settings


class Edited(msgspec.Struct, frozen=True):
    """Who edited a record, when (ISO 8601), why, and the id of the control entry that has the patch."""

    at: str
    who: str
    why: str
    entry: str


class QuarantinedRecord(msgspec.Struct, frozen=True):
    """A refused record: times are ISO 8601, its bytes a text, or in base64 if they are no UTF-8.

    ``original``: the bytes that were received, if they have been edited; ``edits``: by whom. ``offset`` is where a record of a topic
    lies in its partition.
    """

    id: str
    space: str
    cause: str
    reason: str
    detail: str
    schema_path: str
    event: str
    contract: str
    partition: str
    position: int
    received_at: str | None
    quarantined_at: str | None
    raw: str | msgspec.UnsetType = msgspec.UNSET
    raw_base64: str | msgspec.UnsetType = msgspec.UNSET
    original: str | msgspec.UnsetType = msgspec.UNSET
    original_base64: str | msgspec.UnsetType = msgspec.UNSET
    edits: list[Edited] | msgspec.UnsetType = msgspec.UNSET
    offset: int | msgspec.UnsetType = msgspec.UNSET


def record(settings: Settings, space: str, row: Quarantined) -> QuarantinedRecord:
    """A row of the quarantine of a space, as everybody may read it."""
    edited: dict[str, Any] = {}
    if any(one.kafka is not None and (one.space, one.name) == (space, source_of(row.partition)) for one in settings.sources):
        edited["offset"] = row.position - 1
    if row.original is not None:
        edited |= {**_text("original", row.original), "edits": [Edited(iso(one.time_us), one.who, one.why, one.entry) for one in row.edits]}
    return QuarantinedRecord(
        row.id, space, cause_id(row), row.reason, row.detail, row.schema_path, row.event, row.contract, row.partition, row.position,
        iso_or_none(row.received_at_us), iso_or_none(row.stored_at_us), **_text("raw", row.raw), **edited,
    )  # fmt: skip


def _text(name: str, raw: bytes) -> dict[str, Any]:
    """Bytes as a text, or else in base64."""
    try:
        return {name: raw.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(raw).decode()}
