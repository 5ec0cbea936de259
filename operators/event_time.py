"""When an event happened, by the times that it carries ("The envelope, exactly", 3, in docs/architecture.md)."""

from __future__ import annotations

from typing import Any

from contracts.text.times import DAY_US, MAX_US, MIN_US, parse_time
from operators.versions import Refusal

_YEAR_2100_US = 4_102_444_800_000_000


def event_time(body: dict[str, Any]) -> tuple[int, int | None, bool]:
    """``(event time, receivedAt or None, doubted)``: times in microseconds, the first corrected by the sender's clock.

    ``doubted``: the correction is not believed and the event's own time stands, because the event would have been sent
    more than a day before it happened: so it is with a ``sentAt`` that nobody has set.
    """
    get = body.get
    received_us = None
    received = get("receivedAt")
    if received is not None:
        # Called only for what cannot be read (and the moment 0), `_time` costs nothing.
        received_us = parse_time(received) or _time("receivedAt", received)
        if not 0 < received_us < _YEAR_2100_US:
            # Nothing was received before there was anybody to receive it, nor is it yet: the field was never set.
            received_us = None
    said, original = get("timestamp"), get("originalTimestamp")
    if said is not None and original is not None:
        return parse_time(said) or _time("timestamp", said), received_us, False
    if said is None and original is None:
        if received_us is None:
            raise Refusal("envelope", "timestamp: expected a time here, in originalTimestamp or in receivedAt; found none")
        return received_us, received_us, False
    time_us = _time("originalTimestamp", original) if said is None else parse_time(said) or _time("timestamp", said)
    sent = get("sentAt")
    if received_us is not None and sent is not None:
        sent_us = parse_time(sent) or _time("sentAt", sent)
        if sent_us < time_us - DAY_US:
            return time_us, received_us, True
        time_us += received_us - sent_us
        if not MIN_US <= time_us <= MAX_US:
            raise Refusal("envelope", "timestamp: corrected by receivedAt − sentAt it is not between the years 1 and 9999")
    return time_us, received_us, False


def _time(key: str, value: object) -> int:
    time_us = parse_time(value)
    if time_us is None:
        what = "seconds or milliseconds since 1970" if type(value) in {int, float} else "a time like 2026-01-31T10:00:00.000Z"
        raise Refusal("envelope", f"{key}: expected {what}, found {value!r}")
    return time_us
