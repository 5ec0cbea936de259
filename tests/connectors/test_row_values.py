"""Times and numbers of files: exact, or the text that they are."""

# ruff: noqa: DTZ001 - files have times without a zone

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest

from connectors.sources.numerals import Numerals
from connectors.sources.row_times import RowTimes

GAP = " (no time in Europe/Berlin: clocks are put forward then)"
TIMES: list[tuple[str | None, str, Any, str]] = [
    (None, "UTC", "2026-05-01 10:00:00 UTC", "2026-05-01T10:00:00.000Z"),
    (None, "Europe/Berlin", "2026-05-01T10:00:00 gmt ", "2026-05-01T10:00:00.000Z"),
    (None, "Europe/Berlin", "2026-05-01T10:00:00Z ", "2026-05-01T10:00:00.000Z"),
    (None, "Europe/Berlin", "2026-05-01", "2026-04-30T22:00:00.000Z"),
    (None, "Europe/Berlin", "20260501T1200", "2026-05-01T10:00:00.000Z"),
    (None, "Europe/Berlin", datetime(2026, 5, 1, 12), "2026-05-01T10:00:00.000Z"),
    (None, "Europe/Berlin", datetime(2026, 5, 1, 12, tzinfo=UTC), "2026-05-01T12:00:00.000Z"),
    # No times: seconds and milliseconds since 1970, what lies outside of the years 1 to 9999.
    (None, "UTC", "1612137600", "1612137600"),
    (None, "UTC", "1610123100000", "1610123100000"),
    (None, "UTC", 1610123100000, "1610123100000"),
    (None, "Europe/Berlin", "0001-01-01", "0001-01-01"),
    ("%Y%m%d%H", "UTC", "2026050110", "2026-05-01T10:00:00.000Z"),
    ("%Y%m%d%H", "UTC", "1612137600", "1612137600"),
    ("%Y%m%d%H%M%S", "UTC", "1612137600000", "1612137600000"),
    ("%Y%m%d", "UTC", "16121231", "16121231"),
    ("%Y%m%d", "UTC", "2026511", "2026511"),
    ("%Y%m%dT%H%M%S.%f", "UTC", "20260501T100000.5", "2026-05-01T10:00:00.500Z"),
    ("%d/%m/%Y %I:%M %p", "Europe/London", "1/5/2026 3:05 pm", "2026-05-01T14:05:00.000Z"),
    # Names of zones: those of UTC, whatever zone the machine is in.
    ("%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2026-05-01 10:00 UTC", "2026-05-01T10:00:00.000Z"),
    ("%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2026-05-01 10:00 Z", "2026-05-01T10:00:00.000Z"),
    ("%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2026-05-01 10:00 +02:00", "2026-05-01T08:00:00.000Z"),
    ("%Y-%m-%d %H:%M %Z", "Europe/Berlin", "2026-05-01 10:00 CEST", "2026-05-01 10:00 CEST"),
    ("%a, %d %b %Y %H:%M:%S %Z", "UTC", "Fri, 01 May 2026 10:00:00 GMT", "2026-05-01T10:00:00.000Z"),
    # Clocks put forward, and back.
    (None, "Europe/Berlin", "2026-03-29 02:30:00", "2026-03-29 02:30:00" + GAP),
    (None, "Europe/Berlin", "2026-03-29 03:00:00", "2026-03-29T01:00:00.000Z"),
    (None, "Europe/Berlin", datetime(2026, 3, 29, 2), "2026-03-29 02:00:00" + GAP),
    ("%Y-%m-%d %H:%M", "Europe/Berlin", "2026-10-25 02:30", "2026-10-25T00:30:00.000Z"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "zone", "value", "expected"), TIMES)
def test_times(form: str | None, zone: str, value: Any, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.tzname", ("CET", "CEST"))
    assert [RowTimes(form, zone).read(value) for _ in range(2)] == [expected] * 2


def test_hours_that_come_twice_are_counted() -> None:
    times = RowTimes(None, "Europe/Berlin")
    for text in (
        "2026-10-25 01:59",
        "2026-10-25 02:00",
        "2026-10-25 02:00",
        "2026-10-25 02:59",
        "2026-10-25 03:00",
        "2026-10-25T02:00Z",
        None,
        "",
    ):
        times.read(text)
    assert times.ambiguous == 3


def test_a_new_year_without_a_zone() -> None:
    assert RowTimes(None, "Asia/Tokyo").read("9999-12-31 23:59:59") == "9999-12-31T14:59:59.000Z"


GERMAN, SWISS, FRENCH = Numerals(",", "."), Numerals(".", "'"), Numerals(",", " ")


@pytest.mark.parametrize(("numerals", "text", "expected"), [
    (GERMAN, "1.234.567,89", 1234567.89), (GERMAN, "12,90", 12.9), (GERMAN, "-3", -3), (GERMAN, "1234,5", 1234.5),
    (GERMAN, "12.90", "12.90"), (GERMAN, "1.23.4", "1.23.4"), (GERMAN, "1,5e2", 150), (SWISS, "1'234.5", 1234.5),
    (SWISS, "1\u2019234.5", 1234.5),
    (FRENCH, "1\u202f234,5", 1234.5), (FRENCH, "1 234\u00a0567", 1234567), (Numerals(".", ","), "12,34,567.8", 1234567.8),
    (Numerals(), "1,234.5", "1,234.5"), (Numerals(), ".50", ".50"), (Numerals(), "$5.00", "$5.00"), (Numerals(), "1e300", "1e300"),
    (Numerals(), "9" * 301, "9" * 301), (Numerals(), "+07", 7), (Numerals(), "\u0661", "\u0661"),
])  # fmt: skip
def test_numbers(numerals: Numerals, text: str, expected: Any) -> None:
    assert orjson.loads(orjson.dumps(numerals.number(text))) == expected


@pytest.mark.parametrize("factor", ["12,90", "$5.00", ".50", "n/a", " ", "1e299", "0." + "3" * 199])
def test_a_product_that_is_none_stays_text(factor: str) -> None:
    """So that the contract refuses it: a sum without it would be short."""
    assert Numerals().product(["30", "41", factor]) == f"30 × 41 × {factor}"


def test_products_are_exact() -> None:
    assert orjson.dumps(Numerals().product(["3", "0.10"])) == b"0.30"
    assert Numerals(",").decimal("12,90") == Decimal("12.90")
    assert orjson.dumps(GERMAN.product(["2", "1.234,50"])) == b"2469.00"
