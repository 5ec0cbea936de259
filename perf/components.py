"""What large components cost: computing one anew, and a kiosk where a new customer logs in every few minutes."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Any

from operators.people.recompute import rebuild
from perf.shop import iso_ms
from perf.stream import BATCH, Stream

BEGIN_MS, MINUTE_MS = 1_767_225_600_000, 60_000
KIOSK_DAY = 200
"""Logins a day."""
WINDOW = 1_000
"""Logins over which the cost of one is taken."""
AROUND = 5
"""So many of these; the median counts."""


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
    slot = space.work.store.slot((0, "u1"))
    if slot is None or len(slot[0].identifiers) != identifiers:
        raise ValueError(f"expected one person with {identifiers} identifiers")
    for _ in range(rounds):
        person = space.work.store.holder(space.work.store.hash((0, "u1")))
        assert person is not None
        began = time.process_time()
        rebuild(space.work, [person], set())
        spent.append((time.process_time() - began) * 1000)
    stream.close()
    return {"identifiers": identifiers, "moments": len(events), "ms": round(median(spent), 2)}


def kiosk(folder: Path, near: int, far: int) -> dict[str, Any]:
    """CPU in µs of a login of somebody new on one device, around the ``near``-th and at the end of ``far`` logins.

    The floor is the same login on a device of one's own, in turns with it: a store that grows makes both dearer, so that ``growth``
    is that of a kiosk's login beside such a one.
    """
    streams = [Stream(folder / name, {}) for name in ("kiosk", "own")]
    window = max(1, min(WINDOW, near))
    spent: list[list[float]] = [[], []]
    for first in range(0, far, window):
        for at, stream in enumerate(streams):
            events = stream.judged([_login(number, own=at == 1) for number in range(first, min(far, first + window))])
            began = time.process_time()
            for batch in range(0, len(events), 50):
                stream.apply(events[batch : batch + 50])
            spent[at].append((time.process_time() - began) * 1e6 / len(events))
    for stream in streams:
        stream.close()
    here = slice(max(0, near // window - 1), near // window + AROUND - 1)
    (early, early_own), (late, late_own) = ([median(each[part]) for each in spent] for part in (here, slice(-AROUND, None)))
    return {
        "logins": far,
        "at_1000": round(early, 1),
        "at_50000": round(late, 1),
        "own_at_1000": round(early_own, 1),
        "own_at_50000": round(late_own, 1),
        "growth": round(late / late_own / (early / early_own), 3),
    }


def _login(number: int, *, own: bool) -> bytes:
    user = f"u{number:06d}"
    return line(number, BEGIN_MS + number * (24 * 60 * MINUTE_MS // KIOSK_DAY), user, f"d-{user}" if own else "kiosk")
