"""What lookups have found, in the body of an event: under ``context.lookup``, where nothing that a sender wrote stays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from contracts.model.event import Event
from contracts.model.lookup import ERROR


def attach(event: Event, said: dict[str, Any], text: bytes) -> None:
    """Put what was found into an event; ``text`` is the same as JSON, both are empty if nothing was looked up."""
    event.lookup = text
    context = event.body.get("context")
    if type(context) is not dict:
        if said:
            event.body["context"] = {"lookup": said}
    elif said:
        context["lookup"] = said
    else:
        context.pop("lookup", None)


def restore(event: Event, text: bytes) -> None:
    """Put what was stored with an event into it again."""
    attach(event, orjson.loads(text) if text else {}, text)


def count(looked: dict[str, list[int]], events: Iterable[Event]) -> None:
    """Add to the counts by lookup: events for which it found something, nothing, and had no data."""
    for event in events:
        for name, said in event.body["context"]["lookup"].items() if event.lookup else ():
            counts = looked.setdefault(name, [0, 0, 0])
            hits = [one for one in said if one is not None] if type(said) is list else [said]
            counts[2 if ERROR in hits[0] else 0 if any(len(hit) > 1 for hit in hits) else 1] += 1
