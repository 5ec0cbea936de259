"""The value that an expectation is about, from the rows of its window."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from contracts.definitions import Expectation
from operators.quality.scores import HOUR_US, Name, Scores

WEEK, WEEKS = 7 * 24, 4
"""Hours of a week, and with how many of them a volume is compared."""

Total = Callable[[tuple[str, str], int, int], Scores]
"""((source, event), first hour, hour behind the last) → their rows added up."""


def measure(one: Expectation, pair: tuple[str, str], name: Name, clock_us: int, total: Total) -> float | None:
    """What the last whole hours before the clock say; None if they say nothing (no records, nothing to compare with).

    Shares from 0 to 1; of ``freshness`` seconds; of ``volume`` times the usual.
    """
    if one.check == "freshness":
        return freshness(name, clock_us)
    hour, hours = clock_us // HOUR_US, one.window_us // HOUR_US
    if one.check == "volume":
        return volume(pair, name, (hour - hours, hour), total)
    scores = total(pair, hour - hours, hour)
    if one.check == "completeness":
        return scores.completeness(one.property)
    if one.check == "out_of_range":
        return scores.out_of_range(one.property)
    return scores.quarantined() if one.check == "quarantined" else scores.unknown_share()


def freshness(name: Name, clock_us: int) -> float | None:
    """How far the newest accepted event is behind the clock, in seconds."""
    return None if name.newest_us is None else max(0, clock_us - name.newest_us) / 1e6


def volume(pair: tuple[str, str], name: Name, window: tuple[int, int], total: Total) -> float | None:
    """Accepted events against the median of the same hours of those of the last four weeks in which the event was known."""
    start, end = window
    first = name.first_us // HOUR_US
    weeks = [week * WEEK for week in range(1, WEEKS + 1) if start - week * WEEK >= first]
    usual = median(total(pair, start - back, end - back).events for back in weeks) if weeks else 0
    return total(pair, start, end).events / usual if usual else None


def holds(one: Expectation, value: float) -> bool:
    """Whether a value is as expected."""
    return (one.least is None or value >= one.least) and (one.most is None or value <= one.most)
