"""Sessions, paths and attribution, as naively as `tests/analytics.py` says funnels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.analytics import Common, Did, Shop, Who, as_number


def life_sessions(shop: Shop, of: Common, *, gap: timedelta) -> dict[Who, list[tuple[int, list[Did]]]]:
    """The sessions that count, with their number in the person's life."""
    found: dict[Who, list[tuple[int, list[Did]]]] = {}
    for who in of.people(shop):
        parts: list[list[Did]] = []
        for one in shop.events[who]:
            if not parts or one.time - parts[-1][-1].time > gap:
                parts.append([])
            parts[-1].append(one)
        found[who] = [(number, part) for number, part in enumerate(parts, 1) if of.begins(shop, who, part[0].time)]
    return found


def sessions(shop: Shop, of: Common, *, gap: timedelta) -> list[tuple[Any, ...]]:
    rows = []
    for who, parts in life_sessions(shop, of, gap=gap).items():
        for number, part in parts:
            first, last = part[0], part[-1]
            seconds = (last.time - first.time).total_seconds()
            rows.append((*who, number, first.time, last.time, seconds, len(part), first.event, last.event))
    return rows


def session_paths(shop: Shop, of: Common, *, gap: timedelta, collapse: bool) -> list[tuple[Who, list[str]]]:
    found = []
    for who, parts in life_sessions(shop, of, gap=gap).items():
        for _, part in parts:
            names = [one.event for one in part]
            found.append((who, [name for at, name in enumerate(names) if not (collapse and at and names[at - 1] == name)]))
    return found


def cut(path: list[str], depth: int, start: str | None, end: str | None) -> list[str] | None:
    if end is not None:
        return path[: path.index(end) + 1][-depth:] if end in path else None
    if start is not None:
        return path[path.index(start) :][:depth] if start in path else None
    return path[:depth]


def counted(found: Iterable[tuple[Who, Any]]) -> list[tuple[Any, ...]]:
    """Each thing with how often it is there and of how many people."""
    whose: dict[Any, list[Who]] = {}
    for who, what in found:
        whose.setdefault(what, []).append(who)
    return [(what, len(people), len(set(people))) for what, people in whose.items()]


def paths(
    shop: Shop, of: Common, *, depth: int, start_event: str | None, end_event: str | None, gap: timedelta, collapse: bool
) -> list[tuple[Any, ...]]:
    found = ((who, cut(path, depth, start_event, end_event)) for who, path in session_paths(shop, of, gap=gap, collapse=collapse))
    return counted((who, tuple(path)) for who, path in found if path is not None)


def path_steps(
    shop: Shop, of: Common, *, depth: int, start_event: str | None, end_event: str | None, gap: timedelta, collapse: bool
) -> list[tuple[Any, ...]]:
    moves = []
    for who, whole in session_paths(shop, of, gap=gap, collapse=collapse):
        path = cut(whole, depth, start_event, end_event)
        if path is None:
            continue
        moves += [(who, (step, one, other)) for step, (one, other) in enumerate(pairwise(path), 1)]
        if end_event is None and len(path) < depth:
            moves.append((who, (len(path), path[-1], None)))
    return [(*move, times, people) for move, times, people in counted(moves)]


def sequences(shop: Shop, of: Common, length: int, *, gap: timedelta, collapse: bool) -> list[tuple[Any, ...]]:
    return counted(
        (who, tuple(path[at : at + length]))
        for who, path in session_paths(shop, of, gap=gap, collapse=collapse)
        for at in range(len(path) - length + 1)
    )


def attribution_paths(
    shop: Shop, of: Common, name: str, *, lookback: timedelta, amount: str | None, collapse: bool
) -> list[tuple[Any, ...]]:
    rows = []
    for who in of.people(shop):
        touches = [one for one in shop.events[who] if one.channel is not None]
        conversions = [one for one in shop.events[who] if one.event == name and of.begins(shop, who, one.time)]
        ends: list[tuple[datetime, Did | None]] = [(one.time, one) for one in conversions]
        if not conversions:
            met = [one.time for one in touches if of.begins(shop, who, one.time)]
            ends = [(max(met), None)] if met else []
        for end, conversion in ends:
            led = [one for one in touches if end - lookback < one.time <= end]
            if collapse:
                led = [one for at, one in enumerate(led) if at + 1 == len(led) or led[at + 1].channel != one.channel]
            value = as_number(conversion.properties.get(amount)) if conversion and amount else None
            rows.append(
                (*who, conversion.message if conversion else None, end if conversion else None, conversion is not None, value,
                 [one.channel for one in led], [one.time for one in led])
            )  # fmt: skip
    return rows


DIRECT = ("direct", "(direct)", "(none)")


def credited(model: str, channels: Sequence[str], times: Sequence[datetime], end: datetime, half_life: timedelta) -> list[float]:
    number = len(channels)
    if model == "shapley":
        return [1 / len(set(channels)) / channels.count(channel) for channel in channels]
    if model == "position":
        weights = [1.0] * number if number <= 2 else [0.4, *[0.2 / (number - 2)] * (number - 2), 0.4]
    elif model == "time_decay":
        weights = [2 ** -((end - at) / half_life) for at in times]
    elif model == "linear":
        weights = [1.0] * number
    else:
        chosen = {"first": 0, "last": number - 1}.get(model)
        if chosen is None:
            chosen = max((at for at, channel in enumerate(channels) if channel not in DIRECT), default=number - 1)
        weights = [float(at == chosen) for at in range(number)]
    return [weight / sum(weights) for weight in weights]


def attribution(
    shop: Shop, of: Common, name: str, *, model: str, half_life: timedelta, lookback: timedelta, amount: str | None, collapse: bool
) -> list[tuple[Any, ...]]:
    found: dict[str | None, list[float]] = {}
    for *_, end, converted, value, channels, times in attribution_paths(
        shop, of, name, lookback=lookback, amount=amount, collapse=collapse
    ):
        if not converted:
            continue
        for channel, credit in zip(channels, credited(model, channels, times, end, half_life), strict=True) if channels else [(None, 1.0)]:
            row = found.setdefault(channel, [0.0, 0.0, 0])
            row[0] += credit
            row[1] += credit * (value or 0)
        for channel in set(channels) or {None}:
            found[channel][2] += 1
    return [(channel, row[0], row[1] if amount else None, row[2]) for channel, row in found.items()]
