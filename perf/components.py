"""What large components cost: computing one anew, and a kiosk where a new customer logs in every few minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from perf.shop import iso_ms
from perf.stream import BATCH, Stream

BEGIN_MS, MINUTE_MS = 1_767_225_600_000, 60_000
KIOSK_DAY = 200
"""Logins a day."""
WINDOW = 1_000
"""Logins over which the cost of one is taken."""


def line(number: int, at_ms: int, user: str | None, device: str) -> bytes:
    """An event of somebody on a device; without ``user`` an anonymous one."""
    who = "" if user is None else f'"userId":"{user}",'
    return (
        f'{{"type":"track","event":"Product Viewed","properties":{{"product_id":"p{number % 2000:05d}","price":12.5}},'
        f'"messageId":"{number:032x}",{who}"anonymousId":"{device}","timestamp":"{iso_ms(at_ms)}"}}'
    ).encode()


def recompute(folder: Path, identifiers: int, moments: int, rounds: int) -> dict[str, Any]:
    """CPU in ms of computing one person anew who has a user id and otherwise devices, and so many moments of each device."""
    stream = Stream(folder / "component", {})
    lines = []
    for visit in range(moments):
        user, start = None if visit else "u1", BEGIN_MS + visit * identifiers * MINUTE_MS
        devices = range(1, identifiers)
        lines += [line(device * moments + visit, start + device * MINUTE_MS, user, f"d{device:05d}") for device in devices]
    events = stream.judged(lines)
    for at in range(0, len(events), BATCH):
        stream.apply(events[at : at + BATCH])
    space, spent = stream.space, []
    slot = space.store.slot((0, "u1"))
    if slot is None or len(slot[0].identifiers) != identifiers:
        raise ValueError(f"expected one person with {identifiers} identifiers")
    for _ in range(rounds):
        person = space.store.holder(space.store.hash((0, "u1")))
        assert person is not None
        began = time.process_time()
        space.rebuild([person], set())
        spent.append((time.process_time() - began) * 1000)
    stream.close()
    return {"identifiers": identifiers, "moments": len(events), "ms": round(median(spent), 2)}


def kiosk(folder: Path, near: int, far: int) -> dict[str, Any]:
    """CPU in µs of a login of somebody new on one device, around the ``near``-th and at the end of ``far`` logins."""
    stream, spent = Stream(folder / "kiosk", {}), []
    window = max(1, min(WINDOW, near))
    for events in _logins(stream, far, window):
        began = time.process_time()
        for at in range(0, len(events), 50):
            stream.apply(events[at : at + 50])
        spent.append((time.process_time() - began) * 1e6 / len(events))
    stream.close()
    at = max(0, near // window - 1)
    early, late = spent[at], median(spent[-3:])
    return {"logins": far, "at_1000": round(early, 1), "at_50000": round(late, 1), "growth": round(late / early, 3)}


def _logins(stream: Stream, count: int, window: int) -> Iterator[list[Any]]:
    gap_ms = 24 * 60 * MINUTE_MS // KIOSK_DAY
    for first in range(0, count, window):
        numbers = range(first, min(count, first + window))
        yield stream.judged([line(number, BEGIN_MS + number * gap_ms, f"u{number:06d}", "kiosk") for number in numbers])
