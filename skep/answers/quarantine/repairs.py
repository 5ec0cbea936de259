"""Replay, edit and drop: entries of the control partition, at most `ENTRIES_MAX` records each."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from contracts.model.definitions import Definitions
from operators.people.repairs import digest
from operators.view.quarantine import Quarantined
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


@dataclass(slots=True)
class Patched:
    """What a patch makes of records: how many it applies to, why not to the others (with one id each), and a sample."""

    records: int = 0
    left: dict[str, tuple[int, str]] = field(default_factory=dict)
    sample: tuple[str, bytes, bytes] | None = None
    tried: Tried = field(default_factory=Tried)
    submitted: list[Submitted] = field(default_factory=list)

    def public(self) -> dict[str, Any]:
        """As JSON says it."""
        left = [{"because": why, "records": count, "sample": sample} for why, (count, sample) in self.left.items()]
        return {"edited": self.records, "left": left, **self.tried.public()}


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
) -> Patched:
    """Apply a patch to records, and with ``feed`` replay them at once. ``dry_run`` only says what would come of it."""
    done = Patched()
    judging = Trial(settings)
    entries: dict[str, list[dict[str, Any]]] = {}
    with open_views(settings, space) as views:
        for name, row in found(views, chosen):
            try:
                raw = apply_patch(patch, row.raw)
            except Unpatchable as error:
                count, sample = done.left.get(str(error), (0, row.id))
                done.left[str(error)] = count + 1, sample
                continue
            done.records += 1
            done.sample = done.sample or (row.id, row.raw, raw)
            judging.add(name, views[name], row, raw)
            if not dry_run:
                entries.setdefault(name, []).append(_entry(row, raw))
    done.tried = judging.tried
    done.submitted = _submit(settings, entries, {"type": "edit", "patch": patch, "why": why, "who": who(), "replay": feed})
    return done


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
