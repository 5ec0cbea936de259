"""`skep contracts infer`: a contract drafted from a file of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import orjson

from connectors.sources.lines import Lines
from contracts.drafting.inference import Seen, draft
from contracts.envelope import CALLS, NAMED, called, judged_part, with_title
from contracts.meaning.personal import personal_paths
from contracts.model.definitions import Definitions
from contracts.reading.lineage import properties_of
from contracts.text.names import event_name
from schemalogic.paths import Step
from skep.answers.quarantine.selection import records, selection
from skep.project.errors import CommandError
from skep.project.settings import Settings

_BATCH = 1000
_VALUES = {"$comment", "enum", "examples", "minimum"}
"""The words of a draft that tell of values."""


def infer(event: str, records: Iterable[bytes], place: str, known: Definitions | None = None) -> tuple[dict[str, Any], int, int]:
    """The draft for an event's contract from records, how many of its events it is made of, and how many of them are no events at
    all; ``place`` is where they come from. What the ``known`` contract of the event tags as personal is not repeated."""
    name = event_name(event) or event
    seen, unreadable, others = Seen(), 0, set()
    for raw in records:
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = None
        if not isinstance(body, dict):
            unreadable += 1
            continue
        found, document = _document(body)
        if found == name and isinstance(document, dict):
            seen.add(document)
        elif found:
            others.add(found)
    if not seen.count:
        there = f"events named {', '.join(sorted(others)[:10])}" if others else "no events at all"
        raise CommandError(f"{place}: expected events named {name}, found {there} → name one of them with --event")
    drafted = draft(name, seen)
    for _, steps in personal_paths(properties_of(known)).get(name, ()) if known else ():
        _silence(drafted, steps[1:])
    return drafted, seen.count, unreadable


def _silence(schema: Any, steps: tuple[Step, ...]) -> None:
    """Takes the values out of what a draft says of the values at a path, and tags it."""
    if not isinstance(schema, dict):
        return
    named = schema.get("properties", {})
    if not steps:
        for word in _VALUES & schema.keys():
            del schema[word]
        schema.setdefault("x-personal", "direct")
    others = schema.get("additionalProperties")
    each = not steps or steps[0] is None
    for part in [*named.values(), others, schema.get("items")] if each else [named.get(steps[0], others)]:
        _silence(part, steps[1:])


def of_file(path: Path) -> Iterator[bytes]:
    """The records of a file of JSON lines (``.gz`` too)."""
    if not path.is_file():
        raise CommandError(f"{path}: expected a file of JSON lines, found none → name a file of events")
    lines = Lines(path, skip=0, follow=False)
    while records := lines.take(_BATCH):
        yield from records
    lines.close()


def of_quarantine(settings: Settings, event: str) -> Iterator[bytes]:
    """The records of an event that were refused, in every space: what a contract would have to accept."""
    return (row.raw for _, row in records(settings, None, selection(event=event_name(event) or event)))


def _document(body: dict[str, Any]) -> tuple[str, Any]:
    """The name of an event and what its contract judges; a record without a call that is one is taken for a track call."""
    call = next((one for one in CALLS if one == body.get("type")), "track")
    document = body.get(judged_part(call)) or {}
    return called({**body, "type": call}), with_title(document, body) if call in NAMED and isinstance(document, dict) else document
