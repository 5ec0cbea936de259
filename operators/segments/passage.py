"""How far somebody has come in a sequence: the event behind each step, what is waited for, and until when."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.sequence import Entry, Layer, Paced, layers_of, paced, time_of, times_of


@dataclass(frozen=True, slots=True)
class Passed:
    """A step: whether it has come, by which event (or which one broke it), and whether it is waited for, until when (µs)."""

    holds: bool
    event: Entry | None = None
    awaited: bool = False
    until: int | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """The way that has come furthest: the events of one value of ``same``, and when the last step that has an end of its own ended."""

    entries: list[Entry]
    layers: list[Layer]
    number: int
    end: int
    start: int


def passed(feature: Feature, cell: Any, now: int) -> list[Passed]:
    """Of each step what has become of it by now (µs), of all ways the furthest; of two the one whose last step is the later."""
    steps = paced(feature.option("steps"))
    within, span, kept = feature.within_us, feature.option("span_us"), feature.option("kept")
    entries: list[Entry] = cell[1] if cell else []
    entries = entries[: bisect_right(entries, now, key=time_of)][-kept:]
    entries = [entry for entry in entries if within is None or entry[0] > now - within]
    ways = [way for key in {entry[3] for entry in entries} for way in _ways([each for each in entries if each[3] == key], steps, span, now)]
    if not ways:
        return [Passed(False, awaited=number == 0) for number in range(len(steps))]
    way = max(ways, key=lambda one: (one.number, one.end))
    limits = [way.start + each for each in (span, within) if each is not None]
    return [*_behind(way, steps), *_ahead(way, steps, limits, now)]


def _ways(entries: list[Entry], steps: list[Paced], span: int | None, now: int) -> list[_Way]:
    """The furthest of the events that share a value."""
    layers = layers_of(entries, steps)
    for number in range(len(steps) - 1, -1, -1):
        if steps[number].never and steps[number].within is None:
            continue
        ends = [one for one in layers[number] if one[0] <= now]
        if number == len(steps) - 1 and span is not None:
            ends = [one for one in ends if one[0] - one[1] < span]
        if ends:
            return [_Way(entries, layers, number, *ends[-1])]
    return []


def _behind(way: _Way, steps: list[Paced]) -> list[Passed]:
    """The steps that have come, each with an event from which the next could follow."""
    found: list[Passed] = []
    end, number, times = way.end, way.number, times_of(way.entries, len(steps))
    while number >= 0:
        step, before = steps[number], number - 1
        barred = [number] if step.never else []
        while before >= 0 and steps[before].never and steps[before].within is None:
            barred.append(before)
            before -= 1
        event = None if step.never else next(entry for entry in way.entries if entry[0] == end and entry[2] >> number & 1)
        found += [Passed(True, event), *(Passed(True) for _ in range(number - before - 1))]
        earlier = [] if before < 0 else [one[0] for one in way.layers[before] if one[1] == way.start]
        if step.never:
            end -= step.within or 0
        else:
            since = -1 << 62 if step.within is None else end - step.within
            end = next((at for at in reversed(earlier) if since < at < end and not _barred(times, barred, at, end)), end)
        number = before
    return found[::-1]


def _ahead(way: _Way, steps: list[Paced], limits: list[int], now: int) -> list[Passed]:
    """The steps that have not come: the first of them is waited for, if its time has not passed."""
    found: list[Passed] = []
    times = times_of(way.entries, len(steps))
    barred: list[int] = []
    broken = waits = False
    for number in range(way.number + 1, len(steps)):
        step = steps[number]
        if broken or waits:
            found.append(Passed(False))
            continue
        barred += [number] if step.never else []
        over = None if step.within is None else way.end + step.within
        if step.never:
            breaking = next((at for at in times[number] if way.end < at <= now and (over is None or at < over)), None)
            if breaking is not None:
                event = next(entry for entry in way.entries if entry[0] == breaking and entry[2] >> number & 1)
                found.append(Passed(False, event))
                broken = True
                continue
        if step.never and over is None:
            found.append(Passed(True))
            continue
        ends = limits if over is None else [*limits, over]
        until = over if step.never else min(ends, default=None)
        waits = until is None or (now < until and (not step.never or all(until < limit for limit in limits)))
        found.append(Passed(False, awaited=waits, until=until if waits else None))
        broken = not waits
    return found


def _barred(times: list[list[int]], barred: list[int], after: int, until: int) -> bool:
    return any(after < time < until for number in barred for time in times[number])
