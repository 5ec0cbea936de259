"""Records that do not survive their contract: what a shop's quarantine really looks like."""

from __future__ import annotations

from random import Random
from typing import Any

import orjson

from skep.tools.demo.visits import DAY_MS, iso, message_id


def broken_line(rng: Random, number: int, arrival: int, line: bytes, end_ms: int) -> tuple[int, bytes]:
    """A broken relative of ``line``, a little later, at ``end_ms`` at most: an event of its own, so that nothing of the truth is lost."""
    arrival = min(arrival + rng.randrange(1_000, 60_000), end_ms)
    record: dict[str, Any] = orjson.loads(line)
    record.update({"messageId": message_id(rng), "sentAt": iso(arrival - 60), "receivedAt": iso(arrival)})
    way = number % 7
    if way == 0:
        return arrival, orjson.dumps(record)[: len(line) // 2]
    if way == 1:
        return arrival, b'{"type":"track","event":"Product Viewed","properties":{"price":NaN}}'
    if way == 2:
        _as_track(record, "Prodct Viewed", {"product_id": "p001"})
    elif way == 3:
        _as_track(record, "Order Completed", {"order_id": f"o-{number}", "total": "12,90", "currency": "EUR"})
    elif way == 4:
        record["timestamp"] = "yesterday"
    elif way == 5:
        record["timestamp"] = record["originalTimestamp"] = iso(arrival + 3 * DAY_MS)
    else:
        return _forgotten(rng, arrival, record, end_ms)
    return arrival, orjson.dumps(record)


def _as_track(record: dict[str, Any], event: str, properties: dict[str, Any]) -> None:
    for key in ("name", "traits"):
        record.pop(key, None)
    record.update({"type": "track", "event": event, "properties": properties})


def _forgotten(rng: Random, arrival: int, record: dict[str, Any], end_ms: int) -> tuple[int, bytes]:
    """Sent by an app that was not opened for weeks: later than the horizon, if the demo is long enough for that."""
    late = arrival + 40 * DAY_MS
    if late > end_ms:
        record["type"] = "click"
        return arrival, orjson.dumps(record)
    record["sentAt"], record["receivedAt"] = iso(late - 60), iso(late)
    return late + rng.randrange(1_000), orjson.dumps(record)
