"""What the macros of a snapshot answer, said naively over lists in Python: no SQL, no cleverness, one person at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import orjson

Who = tuple[str, str]
"""Space and profile id."""
DAY = timedelta(days=1)
ROLLING = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}


@dataclass(frozen=True, slots=True, order=True)
class Did:
    """One event of a person; in order of ``(time, message id)``."""

    time: datetime
    message: str
    event: str
    properties: dict[str, Any] = field(compare=False)
    context: dict[str, Any] = field(compare=False)

    @property
    def channel(self) -> Any:
        campaign = self.context.get("campaign", {})
        said = (self.properties.get("channel"), campaign.get("medium"), campaign.get("source"))
        return next((one for one in said if one is not None), None)


@dataclass
class Shop:
    """``events`` of each person in order; ``stays``: segment → person → (from, to or None); ``grants``: purpose → who."""

    events: dict[Who, list[Did]]
    stays: dict[str, dict[Who, list[tuple[datetime, datetime | None]]]]
    grants: dict[str, set[Who]]
    clocks: dict[str, datetime]

    def member(self, segment: str, who: Who, at: datetime) -> bool:
        return any(since <= at and (until is None or at < until) for since, until in self.stays[segment].get(who, []))

    def members(self, segment: str, moment: datetime | None) -> set[Who]:
        if moment is None:
            return {who for who, stays in self.stays[segment].items() if any(until is None for _, until in stays)}
        return {who for who in self.stays[segment] if self.member(segment, who, moment)}


@dataclass
class Common:
    """The arguments that nearly every macro takes."""

    since: datetime | None = None
    until: datetime | None = None
    members_of: str | None = None
    consented_to: str | None = None
    in_space: str | None = None

    def people(self, shop: Shop) -> list[Who]:
        return sorted(who for who in shop.events if self.asks(shop, who))

    def asks(self, shop: Shop, who: Who) -> bool:
        granted = self.consented_to is None or who in shop.grants.get(self.consented_to, set())
        return granted and self.in_space in (None, who[0])

    def begins(self, shop: Shop, who: Who, at: datetime) -> bool:
        in_range = (self.since is None or at >= self.since) and (self.until is None or at < self.until)
        return in_range and (self.members_of is None or shop.member(self.members_of, who, at))


def as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def as_number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


Attempt = list[Did]
"""The events of an attempt, one a step."""


def ordered_attempts(events: Sequence[Did], steps: Sequence[str], entry: Did, within: timedelta) -> Iterator[Attempt]:
    """Every way from an entry through any number of steps, each later than the one before."""

    def on(attempt: Attempt) -> Iterator[Attempt]:
        yield attempt
        if len(attempt) < len(steps):
            for one in events:
                if one.event in steps[len(attempt)].split("|") and one.time > attempt[-1].time and one.time < entry.time + within:
                    yield from on([*attempt, one])

    return on([entry])


def strict_attempts(events: Sequence[Did], steps: Sequence[str], entry: Did, within: timedelta) -> Iterator[Attempt]:
    attempt = [entry]
    yield list(attempt)
    for one in events[events.index(entry) + 1 :]:
        if len(attempt) == len(steps) or one.event not in steps[len(attempt)].split("|"):
            return
        if one.time <= attempt[-1].time or one.time >= entry.time + within:
            return
        attempt.append(one)
        yield list(attempt)


def any_attempt(events: Sequence[Did], steps: Sequence[str], start: Did, within: timedelta) -> Attempt:
    firsts = []
    for step in steps:
        found = [one for one in events if one.event in step.split("|") and start.time <= one.time < start.time + within]
        firsts += found[:1]
    return sorted(firsts, key=lambda one: (one.time, one.message))


def funnel_people(
    shop: Shop, of: Common, steps: Sequence[str], *, within: timedelta, ordering: str, split_by: str | None
) -> list[tuple[Any, ...]]:
    rows = []
    for who in of.people(shop):
        events = shop.events[who]
        names = {name for step in (steps if ordering == "any" else steps[:1]) for name in step.split("|")}
        entries = [one for one in events if one.event in names and of.begins(shop, who, one.time)]
        if not entries:
            continue
        found: list[tuple[Did, Attempt]] = []
        for entry in entries:
            if ordering == "any":
                found.append((entry, any_attempt(events, steps, entry, within)))
            else:
                ways = ordered_attempts if ordering == "ordered" else strict_attempts
                found += [(entry, way) for way in ways(events, steps, entry, within)]
        level = max(len(way) for _, way in found)
        found = [(entry, way) for entry, way in found if len(way) == level]
        done = min(
            max((one.time, one.message) for one in way) if ordering == "any" else (way[-1].time, way[-1].message) for _, way in found
        )
        found = [(entry, way) for entry, way in found if max((one.time, one.message) for one in way) == done]
        if ordering == "any":
            entry, way = max(found, key=lambda one: (one[0].time, one[0].message))
        else:
            # Traced back from the last event: each time the latest of the step before.
            entry, way = max(found, key=lambda one: [(each.time, each.message) for each in reversed(one[1])])
        rows.append((*who, level, _value(shop, who, entry, split_by), way[0].time, max(one.time for one in way), [one.time for one in way]))
    return rows


def _value(shop: Shop, who: Who, entry: Did, split_by: str | None) -> str | None:
    if split_by is None:
        return None
    kind, _, path = split_by.partition(".")
    if kind == "segment":
        return str(shop.member(path, who, entry.time)).lower()
    value: Any = entry.properties if kind == "properties" else entry.context
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return as_text(value)


def funnel(
    shop: Shop, of: Common, steps: Sequence[str], *, within: timedelta, ordering: str, split_by: str | None
) -> list[tuple[Any, ...]]:
    people = funnel_people(shop, of, steps, within=within, ordering=ordering, split_by=split_by)
    rows = []
    for value in {row[3] for row in people} if split_by else {None}:
        counts = []
        for step in range(1, len(steps) + 1):
            times = [row[6] for row in people if row[3] == value and row[2] >= step]
            counts.append(len(times))
            before = counts[-2] if step > 1 else counts[0]
            waits = [(_seconds(at[step - 2], at[step - 1]), _seconds(at[0], at[step - 1])) for at in times] if step > 1 else []
            shares = share(len(times), counts[0]), share(len(times), before)
            medians = [median(each) for each in zip(*waits, strict=True)] or [None, None]
            rows.append((value, step, None if ordering == "any" else steps[step - 1], len(times), *shares, *medians))
    return rows


def _seconds(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds()


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def local(at: datetime, tz: str) -> datetime:
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(tz)).replace(tzinfo=None)


def utc(at: datetime, tz: str) -> datetime:
    return at.replace(tzinfo=ZoneInfo(tz)).astimezone(UTC).replace(tzinfo=None)


def unit_of(at: datetime, unit: str, tz: str) -> date:
    day = local(at, tz).date()
    return day - timedelta(days=day.weekday()) if unit == "week" else day.replace(day=1) if unit == "month" else day


def later(day: date, unit: str, number: int) -> date:
    if unit == "month":
        months = day.year * 12 + day.month - 1 + number
        return date(months // 12, months % 12 + 1, 1)
    return day + number * ROLLING[unit]


def between(one: date, other: date, unit: str) -> int:
    return (other.year - one.year) * 12 + other.month - one.month if unit == "month" else (other - one) // ROLLING[unit]


def retention(
    shop: Shop,
    of: Common,
    start: str,
    back: str | None,
    *,
    unit: str,
    periods: int,
    kind: str,
    rolling: bool,
    brackets: list[int] | None,
    cohort: str,
    tz: str,
) -> list[tuple[Any, ...]]:
    spans = list(pairwise(brackets)) if brackets else [(at, at + 1) for at in range(periods)]
    cohorts: dict[date, dict[Who, datetime]] = {}
    for who in of.people(shop):
        if start.startswith("segment."):
            starts = sorted(since for since, _ in shop.stays[start[8:]].get(who, []))
        else:
            starts = [one.time for one in shop.events[who] if one.event == start]
        for at in starts[:1] if cohort == "first" else starts:
            if of.begins(shop, who, at):
                cohorts.setdefault(unit_of(at, unit, tz), {}).setdefault(who, at)
    clock = min(clock for space, clock in shop.clocks.items() if of.in_space in (None, space))
    rows = []
    for day, people in sorted(cohorts.items()):
        for low, high in spans:
            came = 0
            for who, at in people.items():
                numbers = [
                    (one.time - at) // ROLLING[unit] if rolling else between(day, unit_of(one.time, unit, tz), unit)
                    for one in shop.events[who] if one.time > at and back in (None, one.event)
                ]  # fmt: skip
                came += any(low <= number and (kind == "after" or number < high) for number in numbers)
            first = datetime.combine(day, datetime.min.time())
            last = datetime.combine(later(day, unit, 1 if rolling else high), datetime.min.time())
            end = utc(last + high * ROLLING[unit] if rolling else last, tz)
            assert first < last
            rows.append((day, len(people), low, came, came / len(people), end <= clock))
    return rows
