"""When an event happened: which clock is believed."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.envelope import event_time
from contracts.text.times import iso

AT = "2026-05-01T10:00:00Z"


@pytest.mark.parametrize(
    ("times", "at", "doubted"),
    [
        ({"timestamp": AT, "sentAt": 0, "receivedAt": AT}, AT, True),
        ({"timestamp": AT, "sentAt": "1970-01-01T00:00:00Z", "receivedAt": AT}, AT, True),
        ({"originalTimestamp": AT, "sentAt": "0001-01-01T00:00:00Z", "receivedAt": AT}, AT, True),
        ({"timestamp": AT, "sentAt": "2026-04-30T09:59:59Z", "receivedAt": AT}, AT, True),
        ({"timestamp": AT, "sentAt": "2026-04-30T10:00:00Z", "receivedAt": AT}, "2026-05-02T10:00:00Z", False),
        ({"timestamp": 5, "sentAt": 10, "receivedAt": AT}, "2026-05-01T09:59:55Z", False),
        ({"timestamp": "2056-05-01T10:00:00Z", "sentAt": "2056-05-01T10:00:05Z", "receivedAt": AT}, "2026-05-01T09:59:55Z", False),
        ({"timestamp": AT, "originalTimestamp": AT, "sentAt": 0, "receivedAt": AT}, AT, False),
        ({"timestamp": AT, "sentAt": AT, "receivedAt": 0}, AT, False),
        ({"timestamp": AT, "sentAt": 0, "receivedAt": "0001-01-01T00:00:00Z"}, AT, False),
        ({"timestamp": AT, "sentAt": AT, "receivedAt": "2100-01-01T00:00:00Z"}, AT, False),
        ({"timestamp": AT, "sentAt": AT, "receivedAt": "9999-12-31T23:59:59Z"}, AT, False),
    ],
)
def test_a_correction_is_believed_unless_the_event_was_sent_before_it_happened(times: dict[str, Any], at: str, *, doubted: bool) -> None:
    time_us, received_us, found = event_time(times)
    assert (iso(time_us).replace(".000000", ""), found) == (at, doubted)
    assert received_us is None or times["receivedAt"] == AT
