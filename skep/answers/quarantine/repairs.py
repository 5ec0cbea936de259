"""Replay, edit and drop: entries of the control partition, at most `ENTRIES_MAX` records each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import msgspec

from contracts.model.definitions import Definitions
from operators.people.repairs import digest
from operators.view.quarantine import Quarantined
from skep.answers.quarantine.causes import Cause
from skep.answers.quarantine.patches import Patch, Unpatchable, apply_patch
from skep.answers.quarantine.selection import Selection, found
from skep.answers.quarantine.trial import Trial, Tried
from skep.project.entries import Submitted, submit_all
from skep.project.settings import Settings
from skep.project.spaces import open_views
from skep.project.who import who

ENTRIES_MAX = 500
"""How many records one control entry carries."""
_One = TypeVar("_One")


class LeftAlone(msgspec.Struct):
    """Records that a patch does not apply to, with the id of one of them."""

    because: str
    records: int
    sample: str


class Patched(msgspec.Struct, frozen=True, rename={"passing": "pass", "failing": "fail"}):
    """How many records a patch applies to, why not to the others, what a replay would make of them, and the entries."""

    edited: int
    left: list[LeftAlone]
    records: int
    passing: int
    duplicate: int
    failing: int
    causes: list[Cause]
    entries: list[Submitted]


class Sample(NamedTuple):
    """One record, before and after."""

    id: str
    before: bytes
    after: bytes


def trial(settings: Settings, space: str | None, chosen: Selection, files: Definitions | None = None) -> Tried:
    """What a replay of these records would do now, or if these files were in force."""
    judging = Trial(settings, files)
    with open_views(settings, space) as views:
        for name, row in found(views, chosen):
            judging.add(name, views[name], row)
    return judging.tried


def replay(settings: Settings, space: str | None, chosen: Selection) -> tuple[int, list[Submitted]]:
    """Feed records again, judged by the definitions in force and exempt from the horizon; how many, and the answers."""
    entries: dict[str, list[dict[str, Any]]] = {}
    with open_views(settings, space) as views:
        for name, row in found(views, chosen):
            entries.setdefault(name, []).append(_entry(row, row.raw))
    return sum(map(len, entries.values())), _submit(settings, entries, {"type": "replay"})


def edit(
    settings: Settings, space: str | None, chosen: Selection, patch: Patch, why: str, *, feed: bool = False, dry_run: bool = False
) -> tuple[Patched, Sample | None]:
    """Apply a patch to records, and with ``feed`` replay them at once. ``dry_run`` only says what would come of it."""
    left: dict[str, LeftAlone] = {}
    sample: Sample | None = None
    judging = Trial(settings)
    entries: dict[str, list[dict[str, Any]]] = {}
    with open_views(settings, space) as views:
        for name, row in found(views, chosen):
            try:
                raw = apply_patch(patch, row.raw)
            except Unpatchable as error:
                left.setdefault(str(error), LeftAlone(str(error), 0, row.id)).records += 1
                continue
            sample = sample or Sample(row.id, row.raw, raw)
            judging.add(name, views[name], row, raw)
            if not dry_run:
                entries.setdefault(name, []).append(_entry(row, raw))
    submitted = _submit(settings, entries, {"type": "edit", "patch": patch, "why": why, "who": who(), "replay": feed})
    tried = judging.tried
    counts = (tried.records, tried.passing, tried.duplicate, tried.failing)
    return Patched(tried.records, list(left.values()), *counts, tried.causes, submitted), sample


def drop(settings: Settings, space: str | None, chosen: Selection, why: str) -> tuple[int, list[Submitted]]:
    """Give records up; how many, and the answers."""
    ids: dict[str, list[str]] = {}
    with open_views(settings, space) as views:
        for name, row in found(views, chosen):
            ids.setdefault(name, []).append(row.id)
    said = {"type": "drop", "why": why, "who": who()}
    submitted: list[Submitted] = []
    for name, some in ids.items():
        submitted += submit_all(settings, name, ({**said, "ids": part} for part in batches(some)))
    return sum(map(len, ids.values())), submitted


def _submit(settings: Settings, entries: dict[str, list[dict[str, Any]]], said: dict[str, Any]) -> list[Submitted]:
    """Records by space, in entries."""
    submitted: list[Submitted] = []
    for name, items in entries.items():
        submitted += submit_all(settings, name, ({**said, "entries": part} for part in batches(items)))
    return submitted


def batches(items: Iterable[_One]) -> Iterator[Sequence[_One]]:
    """The items in lists of at most `ENTRIES_MAX`."""
    rest = iter(items)
    while part := list(islice(rest, ENTRIES_MAX)):
        yield part


def _entry(row: Quarantined, raw: bytes) -> dict[str, Any]:
    """A record for a control entry; ``of`` names the bytes that it was made of."""
    return {
        "id": row.id,
        "of": digest(row.raw),
        "raw": base64.b64encode(raw).decode(),
        "partition": row.partition,
        "position": row.position,
        "received_at_us": row.received_at_us,
    }
