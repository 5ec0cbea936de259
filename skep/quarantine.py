"""`skep quarantine`: what was refused, and feeding it again after a repair."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from contracts.times import iso
from skep.console import CommandError
from skep.control import Submitted, submit
from skep.definitions import take_effect
from skep.settings import Settings
from skep.spaces import open_views

ENTRIES_MAX = 500
"""How many records one control entry carries."""


def rows(settings: Settings, space: str | None, reason: str | None = None) -> Iterator[dict[str, Any]]:
    """Every entry of the quarantine, oldest first; ``raw`` are its bytes as received."""
    with open_views(settings, space) as views:
        for name, view in views.items():
            for row in view.quarantine():
                if reason is None or row.reason == reason:
                    yield {
                        "id": row.id,
                        "space": name,
                        "reason": row.reason,
                        "detail": row.detail,
                        "schema_path": row.schema_path,
                        "partition": row.partition,
                        "position": row.position,
                        "received_at_us": row.received_at_us,
                        "raw": row.raw,
                    }


def public(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can say it: the time as text, the bytes as text (``raw_base64`` if they are no UTF-8)."""
    shown = {key: value for key, value in row.items() if key not in {"raw", "received_at_us"}}
    shown["received_at"] = None if row["received_at_us"] is None else iso(row["received_at_us"])
    try:
        shown["raw"] = row["raw"].decode()
    except UnicodeDecodeError:
        shown["raw_base64"] = base64.b64encode(row["raw"]).decode()
    return shown


def one(settings: Settings, space: str | None, wanted: str) -> dict[str, Any]:
    """The entry of that id."""
    for row in rows(settings, space):
        if row["id"] == wanted:
            return row
    raise CommandError(f"expected the id of a quarantined record, found {wanted} → `skep quarantine list` shows them")


def pretty(raw: bytes) -> str:
    """The bytes as indented JSON if they are JSON, else as text."""
    try:
        return json.dumps(json.loads(raw), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "backslashreplace")


def replay(settings: Settings, space: str, ids: Sequence[str], reason: str | None) -> tuple[int, list[Submitted]]:
    """Feed entries again, judged by the current definitions and exempt from the horizon; how many, and the answers."""
    chosen = [row for row in rows(settings, space, reason) if not ids or row["id"] in ids]
    missing = set(ids) - {row["id"] for row in chosen}
    if missing:
        raise CommandError(f"expected ids of quarantined records, found {', '.join(sorted(missing))} → `skep quarantine list` shows them")
    if chosen:
        take_effect(settings, space)
    submitted = [submit(settings, space, {"type": "replay", "entries": [_entry(row) for row in part]}) for part in batches(chosen)]
    return len(chosen), submitted


def batches(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(rows), ENTRIES_MAX):
        yield rows[start : start + ENTRIES_MAX]


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "raw": base64.b64encode(row["raw"]).decode(),
        "partition": row["partition"],
        "position": row["position"],
        "received_at_us": row["received_at_us"],
    }
