"""Looks up what definitions say, for events as they are accepted."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.model.event import Event
from contracts.model.lookup import ITEMS_MAX, Lookup
from operators.lookups.attached import attach
from operators.lookups.channels import arrival_of
from operators.lookups.found import NO_DATA, Found, Look
from operators.segments.paths import values
from schemalogic.paths import Step, parse_path


class Enricher:
    """The lookups of definitions with the data by which they look; None beside one that has no data."""

    def __init__(self, lookups: list[tuple[Lookup, Look | None]]) -> None:
        self._ready = [_Ready(lookup, table) for lookup, table in sorted(lookups, key=lambda one: one[0].name)]

    def enrich(self, event: Event) -> str:
        """Put what is found into an event; returns ``""``, or the name of the lookup for whose data it has to wait in quarantine."""
        said: dict[str, Any] = {}
        texts: list[bytes] = []
        for one in self._ready:
            given = one.given(event)
            if not given:
                continue
            if one.waits:
                return one.name
            hits = [one.look(value) for value in given]
            if not one.several:
                hit = hits[0]
                if hit is not None:
                    said[one.name] = hit.said
                    texts.append(one.begins + hit.text)
            elif any(hits):
                said[one.name] = [None if hit is None else hit.said for hit in hits]
                texts.append(one.begins + b"[" + b",".join([b"null" if hit is None else hit.text for hit in hits]) + b"]")
        attach(event, said, b"{" + b",".join(texts) + b"}" if texts else b"")
        return ""


class _Ready:
    """One lookup: where it reads the event, and what it finds."""

    def __init__(self, lookup: Lookup, table: Look | None) -> None:
        self.name = lookup.name
        self.begins = orjson.dumps(lookup.name) + b":"
        self.waits = table is None and lookup.on_error == "quarantine"
        self._visit = lookup.kind == "channel"
        self.several = any(None in parse_path(path) for path in lookup.keys)
        self._table = table
        self._paths = [_below(parse_path(path)) for path in lookup.keys]

    def look(self, value: Any) -> Found | None:
        if self._table is None:
            return None if value is None else NO_DATA
        return self._table(value)

    def given(self, event: Event) -> list[Any]:
        """The values at the first of its paths that leads to something; none if no path does. A channel looks at how a visit came."""
        if self._visit:
            visit = arrival_of(event)
            return [] if visit is None else [visit]
        for root, steps, several in self._paths:
            there: Any = event.body
            if root == "properties":
                there = event.properties
            elif root == "traits":
                there = event.traits if event.traits is not None else event.body.get("traits")
            if several:
                found = values(steps, there)[:ITEMS_MAX]
                if any(value is not None for value in found):
                    return found
                continue
            for step in steps:
                if type(step) is str:
                    there = there.get(step) if type(there) is dict else None
                else:
                    there = there[step] if type(there) is list and type(step) is int and step < len(there) else None
            if there is not None:
                return [there]
        return []


def _below(steps: tuple[Step, ...]) -> tuple[str, tuple[Step, ...], bool]:
    """What a path reads of an event, the steps from there, and whether they lead to several values; properties and traits are read at
    the newest model of their contract."""
    first, several = steps[0], None in steps
    return (str(first), steps[1:], several) if first in {"properties", "traits"} else ("", steps, several)
