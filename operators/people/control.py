"""Entries of the control partition, applied: each by the file of its noun."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.model.batches import ControlEntry
from contracts.text.times import parse_time
from operators.generations import GENERATIONS, begin
from operators.lookups.lookup_epochs import ENTRY as LOOKUPS
from operators.lookups.lookup_epochs import append_versions
from operators.people import members, redefinition, repairs, rulings
from operators.people.work import Work


def apply(work: Work, entry: ControlEntry) -> None:
    """Apply an entry and keep the answer for the command that waits for it."""
    said, meta = entry.entry, work.meta
    kind = said["type"]
    work.log.time = parse_time(said.get("timestamp"))
    work.log.clock = meta.clock if meta.clock is not None else work.log.time or 0
    answer: dict[str, Any] | None
    if "versions" in said and kind in {LOOKUPS, "definitions"}:
        append_versions(meta.lookups, said, entry.position)
    if kind == "definitions":
        answer = redefinition.define(work, entry)
    elif kind in {"link", "unlink"}:
        answer = rulings.rule(work, said, link=kind == "link")
    elif kind in repairs.REPAIRS:
        answer = repairs.apply(work, entry)
    elif kind in GENERATIONS:
        answer = begin(meta, work.shard.meta, said)
    elif kind == LOOKUPS:
        answer = {"versions": said["versions"]}
    elif kind == "resume":
        answer = {"source": said.get("source"), "applied": work.quality.resume(str(said.get("source")))}
    else:
        answer = {"ok": False, "error": f"control entry {entry.position} is of no known type: {kind!r}"}
    if work.digest:
        members.settle(work)
        work.remember()
    identity = said.get("messageId")
    if isinstance(identity, str) and answer is not None:
        work.shard.answers.put(identity.encode(), orjson.dumps({"ok": True, "type": kind, **answer}))
