"""Whether steps have happened one after the other: the events that match some step are kept, and when the answer is yes by them.

The search is complete, and takes time in proportion to the events times the steps. What counts of the ways to get through the first steps
is, for each moment at which the last of these ended, only the one that began latest: it lies furthest inside every window.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from contracts.model.definitions import Feature, SequenceStep
from operators.segments.cells.cell import Cell, earlier, property_of
from operators.segments.predicates import value_key

EVER = 1 << 62
Entry = list[Any]
"""``[time, message id, steps as bits, key of the value that all share]``"""
Layer = list[tuple[int, int]]
"""Of each moment, in order, at which a step may have ended the latest beginning: ``(end, start)``."""


class Paced(NamedTuple):
    """A step as the search has it; ``within`` in µs or None."""

    within: int | None
    never: bool


def paced(steps: Sequence[SequenceStep]) -> list[Paced]:
    """The steps without what they ask of events."""
    return [Paced(step.within_us, step.never) for step in steps]


class InTurn(Cell):
    """``[[start, end, ..], [entry, ..]]``: from when until when the sequence has happened, by what is known; the entries in order."""

    windowed = True

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        steps: tuple[SequenceStep, ...] = feature.option("steps")
        kept: int = feature.option("kept")
        span: int | None = feature.option("span_us")
        step: int = feature.option("step")
        self._steps = paced(steps)
        self._within = EVER if feature.within_us is None else feature.within_us
        self._span = EVER if span is None else span
        self._kept = kept
        self._bit = 1 << step
        """Of the step that the events match which this one folds."""
        self._shared: Callable[[Any], Any] | None = property_of(feature) if feature.property else None
        self._deciding = deciding(self._steps)
        self._for_good = self._within == EVER and not self._steps[-1].never
        """Whether, once it has happened, nothing that is later than all the rest can make a difference."""

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        shared = None if self._shared is None else self._shared(properties)
        since = now - self._within
        if time <= since or (shared is None and self._shared is not None):
            return False
        cell = cells.get(at)
        key = "" if shared is None else value_key(shared)
        if cell is None:
            cell = cells[at] = [[], []]
        entries: list[Entry] = cell[1]
        newest = not entries or time > entries[-1][0]
        if newest:
            entries.append([time, message, self._bit, key])
        else:
            place = bisect_left(entries, (time, message), key=place_of)
            if place < len(entries) and entries[place][1] == message and entries[place][0] == time:
                entries[place][2] |= self._bit
                newest = place == len(entries) - 1 and (place == 0 or entries[place - 1][0] < time)
            else:
                entries.insert(place, [time, message, self._bit, key])
        gone = bisect_right(entries, since, key=time_of) if entries[0][0] <= since else 0
        if len(entries) - gone > self._kept:
            gone = max(gone, bisect_right(entries, now, key=time_of) - self._kept)
        if gone > 0:
            del entries[:gone]
        elif newest and (not self._bit & self._deciding or (self._for_good and cell[0])):
            return False
        known = cell[0]
        cell[0] = self._spans(entries, now)
        return bool(cell[0] != known)

    def _spans(self, entries: list[Entry], now: int) -> list[int]:
        """From when until when it has happened, as long as nothing that is not known yet comes; without what is over."""
        found: list[tuple[int, int]] = []
        for layers in searched(entries, self._steps):
            for end, start in layers[-1]:
                over = EVER if self._within == EVER else start + self._within
                if end - start < self._span and max(now, end) < over:
                    found.append((end, over))
        found.sort()
        spans: list[int] = []
        for begin, over in found:
            if spans and begin <= spans[-1]:
                spans[-1] = max(spans[-1], over)
            else:
                spans.append(begin)
                spans.append(over)
        return spans

    def _at(self, cell: Any, now: int) -> list[int]:
        """The same at a time; of more events than are looked at only the newest of those that have come by then."""
        known: list[int] = cell[0]
        entries: list[Entry] = cell[1]
        if len(entries) <= self._kept:
            return known
        past = bisect_right(entries, now, key=time_of)
        return self._spans(entries[max(past - self._kept, 0) : past], now)

    def value(self, cell: Any, now: int) -> bool:
        # Between a start and its end the place is odd.
        return bool(cell) and bisect_right(self._at(cell, now), now) & 1 == 1

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        entries: list[Entry] = sorted([*a[1], *b[1]], key=place_of)
        return [self._spans(entries, -EVER), entries]

    def critical(self, numbers: set[int]) -> None:
        """Nothing is counted."""

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        spans: list[int] = self._at(cell, now)
        place = bisect_right(spans, now)
        moment = spans[place] if place < len(spans) and spans[place] < EVER else None
        entries: list[Entry] = cell[1]
        if len(entries) > self._kept:
            coming = bisect_right(entries, now, key=time_of)
            moment = earlier(moment, entries[coming][0] if coming < len(entries) else None)
        return moment


def deciding(steps: list[Paced]) -> int:
    """The steps, as bits, by which an event that is later than all others can make a difference: the last that has to come, and what must
    not come behind it. After any other event that one has to come first."""
    last = max(number for number, step in enumerate(steps) if not step.never)
    return sum(1 << number for number in range(last, len(steps)))


def searched(entries: list[Entry], steps: list[Paced]) -> list[list[Layer]]:
    """For each value that steps share how far they get by the entries, which are in order: a layer a step, none if one cannot happen."""
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry[3], []).append(entry)
    wanted = sum(1 << number for number, step in enumerate(steps) if not step.never)
    found = []
    for group in groups.values():
        there = 0
        for entry in group:
            there |= entry[2]
        if wanted & ~there == 0:
            found.append(layers_of(group, steps))
    return found


def layers_of(entries: list[Entry], steps: list[Paced]) -> list[Layer]:
    """The layers of one value that steps share, as many as there are steps; one without anything behind another ends it."""
    times = times_of(entries, len(steps))
    layers: list[Layer] = [[(time, time) for time in times[0]]]
    barred: list[list[int]] = []
    """When came what must not come until the next step ends."""
    for number in range(1, len(steps)):
        step, before = steps[number], layers[-1]
        if step.never and step.within is None:
            barred.append(times[number])
            layers.append(before)
        elif step.never:
            layers.append(_waited(before, step.within or 0, [*barred, times[number]]))
            barred = []
        else:
            layers.append(_followed(before, times[number], step.within, barred))
            barred = []
    return layers


def times_of(entries: list[Entry], steps: int) -> list[list[int]]:
    """For each step the different times of what matches it, in order."""
    times: list[list[int]] = [[] for _ in range(steps)]
    for entry in entries:
        time: int = entry[0]
        bits: int = entry[2]
        for number in range(steps):
            if bits >> number & 1 and (not times[number] or times[number][-1] != time):
                times[number].append(time)
    return times


def _waited(before: Layer, within: int, barred: list[list[int]]) -> Layer:
    """So long after each end, if nothing has come in the meantime."""
    return [(end + within, start) for end, start in before if not any(_between(times, end, end + within) for times in barred)]


def _between(times: list[int], after: int, until: int) -> bool:
    """Whether a time lies between two, neither of which belongs."""
    place = bisect_right(times, after)
    return place < len(times) and times[place] < until


def _followed(before: Layer, times: list[int], within: int | None, barred: list[list[int]]) -> Layer:
    """Each time with the latest beginning of those that ended before it, less than ``within`` before, and since when nothing has come."""
    found: Layer = []
    best: deque[tuple[int, int]] = deque()
    """Of the ends that may still matter those behind which no later beginning stands: ends up, beginnings down."""
    coming = 0
    for time in times:
        while coming < len(before) and before[coming][0] < time:
            while best and best[-1][1] <= before[coming][1]:
                best.pop()
            best.append(before[coming])
            coming += 1
        for bars in barred:
            place = bisect_left(bars, time)
            if place:
                while best and best[0][0] < bars[place - 1]:
                    best.popleft()
        if within is not None:
            while best and best[0][0] <= time - within:
                best.popleft()
        if best:
            found.append((time, best[0][1]))
    return found


def time_of(entry: Entry) -> int:
    """By what entries are found."""
    time: int = entry[0]
    return time


def place_of(entry: Entry) -> tuple[int, str]:
    """By what entries are in order."""
    return entry[0], entry[1]
