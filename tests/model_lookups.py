"""What Skep means by lookups: what an event finds in the versions of reference data that hold for it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import orjson

from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.lookup import ITEMS_MAX, KEY_MAX_BYTES, Lookup
from contracts.text.numbers import micros, number_text
from tests.model_segments import MISSING, values_at

Json = dict[str, Any]
Data = Mapping[str, Json]
"""The rows of a version by the text of their key."""


def key_of(lookup: Lookup, value: object) -> str | None:
    """The text by which a value is looked up; None if it is no key."""
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value).strip() if len(value) <= KEY_MAX_BYTES else ""
    else:
        exact = None if isinstance(value, bool) else micros(value)
        text = "" if exact is None else number_text(exact)
    if lookup.normalize == "lower":
        text = text.casefold()
    if lookup.normalize == "digits":
        text = "".join(sign for sign in text if sign in "0123456789")
    return text or None


def one(lookup: Lookup, value: object, version: str | None, data: Data) -> Json | None:
    """What one value finds."""
    if version is None:
        return None if value is MISSING else {"error": "unavailable"}
    key = key_of(lookup, value)
    if key is None:
        return None
    row = next((row for known, row in data.items() if key_of(lookup, known) == key), {})
    chosen = {name: row.get(column) for name, column in lookup.values} if lookup.values else row
    return {**{name: said for name, said in chosen.items() if said is not None}, "version": version}


def looked_up(lookup: Lookup, event: Event, version: str | None, data: Data) -> object:
    """What stands under ``context.lookup.<name>``; None if nothing does."""
    root = {**event.body, "properties": event.properties, "traits": event.body.get("traits") if event.traits is None else event.traits}
    for path in lookup.keys:
        values = values_at(root, path)[:ITEMS_MAX]
        if any(value is not MISSING for value in values):
            found = [one(lookup, value, version, data) for value in values]
            several = any("[]" in each for each in lookup.keys)
            return (found if any(found) else None) if several else found[0]
    return None


def enriched(definitions: Definitions, event: Event, versions: Mapping[str, str], data: Mapping[str, Data]) -> Event | None:
    """The event with what all lookups find, by the versions that hold for it (``data`` by version); None if it has to wait."""
    said = {}
    for lookup in sorted(definitions.lookups, key=lambda lookup: lookup.name):
        version = versions.get(lookup.name)
        found = looked_up(lookup, event, version, data.get(version or "", {}))
        if found is not None:
            said[lookup.name] = found
        if found is not None and version is None and lookup.on_error == "quarantine":
            return None
    context = event.body.get("context")
    context = {key: value for key, value in context.items() if key != "lookup"} if isinstance(context, dict) else {}
    event.body = {**event.body, "context": {**context, **({"lookup": said} if said else {})}}
    event.lookup = orjson.dumps(said, option=orjson.OPT_SORT_KEYS) if said else b""
    return event
