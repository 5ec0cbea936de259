"""The value that an expectation is about, from the rows of its window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from contracts.model.expectations import Expectation
from operators.quality.scores import HOUR_US, Name, Pair, Scores, share

WEEK, WEEKS = 7 * 24, 4
"""Hours of a week, and with how many of them a volume is compared."""

Window = Callable[[int, int], Mapping[tuple[str, str], Sequence[Scores]]]
"""(first hour, hour behind the last) → the rows in between, by source and event."""


def measure(one: Expectation, pair: tuple[str, str], name: Name, clock_us: int, window: Window) -> float | None:
    """What the last whole hours before the clock say; None if they say nothing (no records, nothing to compare with).

    Shares from 0 to 1; of ``freshness`` seconds; of ``volume`` times the usual.
    """
    if one.check == "freshness":
        return freshness(name, clock_us)
    hour, hours = clock_us // HOUR_US, one.window_us // HOUR_US
    if one.check == "volume":
        return volume(pair, name, (hour - hours, hour), window)
    return share(_counted(one, window(hour - hours, hour).get(pair, ())))


def _counted(one: Expectation, rows: Sequence[Scores]) -> Pair:
    if one.check in {"completeness", "out_of_range"}:
        looked = [row.carried(one.property) if one.check == "completeness" else row.strayed(one.property) for row in rows]
        return [sum([each[0] for each in looked]), sum([each[1] for each in looked])]
    accepted = sum([row.events for row in rows])
    refused = sum([sum(row.refused.values()) for row in rows if row.refused])
    return [refused if one.check == "quarantined" else sum([row.unknown_events for row in rows]), accepted + refused]


def freshness(name: Name, clock_us: int) -> float | None:
    """How far the newest accepted event is behind the clock, in seconds."""
    return None if name.newest_us is None else max(0, clock_us - name.newest_us) / 1e6


def volume(pair: tuple[str, str], name: Name, hours: tuple[int, int], window: Window) -> float | None:
    """Accepted events against the median of the same hours of those of the last four weeks in which the event was known."""
    start, end = hours
    first = name.first_us // HOUR_US

    def events(back: int) -> int:
        return sum(row.events for row in window(start - back, end - back).get(pair, ()))

    weeks = [week * WEEK for week in range(1, WEEKS + 1) if start - week * WEEK >= first]
    usual = median(map(events, weeks)) if weeks else 0
    return events(0) / usual if usual else None


def holds(one: Expectation, value: float) -> bool:
    """Whether a value is as expected."""
    return (one.least is None or value >= one.least) and (one.most is None or value <= one.most)
