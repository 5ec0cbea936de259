"""Which version of each lookup looks up for which record: epochs, as definitions have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.lookup import Lookup
from operators.epochs import Epoch, append_epoch, spans
from operators.lookups.enrich import Enricher
from operators.lookups.found import Look
from state.errors import NoVersion

ENTRY = "lookups"
"""The type of the control entry by which versions take effect."""
_KEPT = 2
"""Enrichers that are kept: at an entry, records before and behind it are judged by turns."""


def named_versions(entry: dict[str, Any]) -> dict[str, str] | None:
    """By lookup the version that a control entry puts in force; None if it is no such entry."""
    versions = entry.get("versions")
    if type(versions) is not dict or any(type(one) is not dict or type(one.get("version")) is not str for one in versions.values()):
        return None
    return {name: one["version"] for name, one in versions.items()}


def append_versions(epochs: list[Epoch], entry: dict[str, Any], position: int) -> None:
    """Adds what an entry puts in force from its positions on; lookups that it does not name stay as they are."""
    if not epochs:
        # Before the first version there is none.
        epochs.append(("{}", {}))
    versions = {**orjson.loads(epochs[-1][0]), **(named_versions(entry) or {})}
    append_epoch(epochs, orjson.dumps(versions, option=orjson.OPT_SORT_KEYS).decode(), entry.get("from") or {}, position)


def no_data(lookup: Lookup, version: str) -> Look:
    """The data of a lookup where none is kept."""
    raise NoVersion(f"lookup {lookup.name}: its version {version} is not kept here")


class LookupEpochs:
    """Looks up for accepted events by the versions of their positions.

    ``load`` gives the data of a lookup's version, or raises `NoVersion`, which stops the flow if the lookup says ``refuse``.
    """

    def __init__(self, load: Callable[[Lookup, str], Look], epochs: dict[str, list[Epoch]]) -> None:
        self._load = load
        self._epochs = {space: list(known) for space, known in epochs.items()}
        self._made: dict[tuple[str, str], Enricher] = {}
        self._tables: dict[tuple[Lookup, str], Look] = {}

    def take(self, space: str, entry: dict[str, Any], position: int) -> None:
        """Take an entry of the control partition that names versions."""
        append_versions(self._epochs.setdefault(space, []), entry, position)

    def enrich(self, space: str, partition: str, events: Sequence[Event], definitions: Definitions) -> dict[int, str]:
        """Put into events, in order of position, what is found; by position, which lookup an event has to wait for in quarantine."""
        waiting: dict[int, str] = {}
        if not events:
            return waiting
        known = self._epochs.get(space) or [("{}", {})]
        at = 0
        for versions, _, last in spans(known, partition, events[0].position, events[-1].position):
            enricher = self._enricher(definitions, versions)
            while at < len(events) and events[at].position <= last:
                name = enricher.enrich(events[at])
                if name:
                    waiting[events[at].position] = name
                at += 1
        return waiting

    def _enricher(self, definitions: Definitions, versions: str) -> Enricher:
        key = definitions.digest, versions
        made = self._made.pop(key, None)
        if made is None:
            chosen = orjson.loads(versions)
            made = Enricher([(lookup, self._table(lookup, chosen.get(lookup.name))) for lookup in definitions.lookups])
        self._made[key] = made
        if len(self._made) > _KEPT:
            del self._made[next(iter(self._made))]
            wanted = {version for _, text in self._made for version in orjson.loads(text).values()}
            self._tables = {one: table for one, table in self._tables.items() if one[1] in wanted}
        return made

    def _table(self, lookup: Lookup, version: str | None) -> Look | None:
        if version is None:
            return None
        table = self._tables.get((lookup, version))
        if table is None:
            try:
                table = self._tables[lookup, version] = self._load(lookup, version)
            except NoVersion:
                if lookup.on_error == "refuse":
                    raise
        return table
