"""Segments over time and what people are worth, as naively as `tests/analytics.py` says funnels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import combinations
from math import sqrt
from statistics import mean, variance
from typing import Any

from tests.analytics import DAY, ROLLING, Common, Shop, as_number, later, local, share, unit_of, utc


def segment_history(shop: Shop, of: Common, segment: str, *, unit: str, tz: str) -> list[tuple[Any, ...]]:
    stays = [stay for who, found in shop.stays[segment].items() for stay in found if of.in_space in (None, who[0])]
    clock = min(clock for space, clock in shop.clocks.items() if of.in_space in (None, space))
    if not stays and of.since is None:
        return []
    day = unit_of(of.since or min(since for since, _ in stays), unit, tz)
    rows = []
    while utc(datetime.combine(day, datetime.min.time()), tz) < of.until if of.until else day <= unit_of(clock, unit, tz):
        low, high = (utc(datetime.combine(one, datetime.min.time()), tz) for one in (day, later(day, unit, 1)))
        members = sum(since < high and (until is None or until >= high) for since, until in stays)
        entered = sum(low <= since < high for since, _ in stays)
        exited = sum(until is not None and low <= until < high for _, until in stays)
        rows.append((day, members, entered, exited))
        day = later(day, unit, 1)
    return rows


def venn(shop: Shop, of: Common, segments: Sequence[str], *, moment: datetime | None) -> list[tuple[Any, ...]]:
    inside = [{who for who in shop.members(segment, moment) if of.asks(shop, who)} for segment in segments]
    regions = [tuple(name for name, people in zip(segments, inside, strict=True) if who in people) for who in set().union(*inside)]
    return [(list(region), regions.count(region)) for region in set(regions)]


def overlap(shop: Shop, of: Common, segments: Sequence[str], *, moment: datetime | None) -> list[tuple[Any, ...]]:
    inside = {segment: {who for who in shop.members(segment, moment) if of.asks(shop, who)} for segment in segments}
    return [
        (one, other, len(inside[one]), len(inside[other]), len(inside[one] & inside[other]),
         share(len(inside[one] & inside[other]), len(inside[one] | inside[other])))
        for one, other in combinations(segments, 2)
    ]  # fmt: skip


def compare_segments(
    shop: Shop, of: Common, one: str, other: str, name: str, *, amount: str | None, moment: datetime | None
) -> list[tuple[Any, ...]]:
    sides = [{who for who in shop.members(segment, moment) if of.asks(shop, who)} for segment in (one, other)]
    both = sides[0] & sides[1]
    values: dict[str, list[list[float]]] = {"conversion": [], **({"value": []} if amount else {})}
    for side in sides:
        done = {
            who: [
                event
                for event in shop.events.get(who, [])
                if event.event == name and Common(of.since, of.until).begins(shop, who, event.time)
            ]
            for who in side - both
        }
        values["conversion"].append([float(bool(events)) for events in done.values()])
        if amount:
            values["value"].append([sum(as_number(event.properties.get(amount)) or 0.0 for event in events) for events in done.values()])
    rows = []
    for metric, (ones, others) in values.items():
        means = [mean(side) if side else None for side in (ones, others)]
        spread: Callable[[list[float]], float | None] = (
            (lambda side: mean(side) * (1 - mean(side)) if side else None)
            if metric == "conversion"
            else lambda side: variance(side) if len(side) > 1 else None
        )
        parts = [spread(side) for side in (ones, others)]
        error = (
            None
            if None in parts
            else sqrt(sum(part / len(side) for part, side in zip(parts, (ones, others), strict=True) if part is not None))
        )
        apart = None if means[0] is None or means[1] is None else means[0] - means[1]
        bounds = [None if apart is None or error is None else apart + sign * 1.959963984540054 * error for sign in (-1, 1)]
        lift = None if apart is None or not means[1] else apart / means[1]
        z = None if apart is None or not error else apart / error
        rows.append((metric, len(ones), len(others), *means, apart, lift, error, *bounds, z))
    return rows


def rfm(shop: Shop, of: Common, name: str, amount: str, *, moment: datetime | None, tiles: int) -> list[tuple[Any, ...]]:
    at = moment or min(clock for space, clock in shop.clocks.items() if of.in_space in (None, space))
    found = {}
    for who in of.people(shop):
        orders = [one for one in shop.events[who] if one.event == name and one.time <= at and (of.since is None or one.time >= of.since)]
        if orders and (of.members_of is None or shop.member(of.members_of, who, at)):
            total = sum(as_number(one.properties.get(amount)) or 0.0 for one in orders)
            found[who] = (max(one.time for one in orders), len(orders), total)
    rows = []
    for who, (last, frequency, monetary) in found.items():
        scores = [
            1 + tiles * sum(other[at] < mine for other in found.values()) // len(found)
            for at, mine in enumerate((last, frequency, monetary))
        ]
        rows.append((*who, last, (at - last) // DAY, frequency, monetary, *scores, "".join(map(str, scores))))
    return rows


def repeat_purchases(
    shop: Shop, of: Common, name: str, *, amount: str | None, unit: str, through: date | None, tz: str
) -> list[tuple[Any, ...]]:
    clock = min(clock for space, clock in shop.clocks.items() if of.in_space in (None, space))
    last = through or local(clock, tz).date()
    rows = []
    for who in of.people(shop):
        days: dict[date, float] = {}
        for one in shop.events[who]:
            day = local(one.time, tz).date()
            if one.event == name and day <= last and of.begins(shop, who, one.time):
                days[day] = days.get(day, 0.0) + (as_number(one.properties.get(amount)) or 0.0 if amount else 0.0)
        if days:
            first, newest = min(days), max(days)
            repeats = [total for day, total in days.items() if day != first]
            monetary = mean(repeats) if repeats and amount else None
            units = ROLLING[unit]
            rows.append((*who, len(days) - 1, (newest - first) / units, (last - first) / units, monetary))
    return rows
