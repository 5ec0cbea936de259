"""Sessions of the matching events, and the time between these."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from contracts.model.definitions import Feature
from contracts.text.numbers import MICRO
from operators.segments.cells.cell import Cell, half_even
from operators.segments.cells.moving import Entry, Noted

Span = list[int]
"""First and last time of a session."""


def _told(feature: Feature) -> tuple[int, Callable[[list[Span]], int | None]]:
    """The unit of what is measured of sessions, and how."""
    if feature.measure == "session_count":
        return MICRO, len
    return 1, _LENGTHS[feature.option("how")]


def _total(spans: list[Span]) -> int | None:
    return sum(end - start for start, end in spans) if spans else None


def _mean(spans: list[Span]) -> int | None:
    return half_even(sum(end - start for start, end in spans), len(spans)) if spans else None


def _last(spans: list[Span]) -> int | None:
    return spans[-1][1] - spans[-1][0] if spans else None


_LENGTHS: dict[str, Callable[[list[Span]], int | None]] = {"total": _total, "mean": _mean, "last": _last}


class Sessions(Cell):
    """The sessions in order: those of some events and those of others are, joined where no silence parts them, those of all."""

    def __init__(self, feature: Feature) -> None:
        unit, self._of = _told(feature)
        super().__init__(unit)
        self._gap: int = feature.option("gap_us")

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        cell = cells.get(at)
        if cell is None:
            cells[at] = [[time, time]]
        else:
            put(cell, time, self._gap)
        return True

    def value(self, cell: Any, now: int) -> int | None:
        return self._of(cell or [])

    def join(self, a: Any, b: Any) -> Any:
        return joined(sorted([*a, *b]), self._gap) if a and b else a or b


LATE = 1 << 62


def put(spans: list[Span], time: int, gap: int) -> None:
    """Put the time of one more event among spans in order, between any two of which there is a silence."""
    here = bisect_right(spans, [time, LATE])
    before = here > 0 and time - spans[here - 1][1] <= gap
    behind = here < len(spans) and spans[here][0] - time <= gap
    if before and behind:
        spans[here - 1 : here + 1] = [[spans[here - 1][0], spans[here][1]]]
    elif before:
        spans[here - 1][1] = max(spans[here - 1][1], time)
    elif behind:
        spans[here][0] = time
    else:
        spans.insert(here, [time, time])


def joined(spans: list[Span], gap: int) -> list[Span]:
    """The spans, in order of their starts, without those that no silence parts from another."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] <= gap:
            found[-1][1] = max(found[-1][1], end)
        else:
            found.append([start, end])
    return found


def seen_sessions(feature: Feature) -> Noted:
    unit, of = _told(feature)
    gap: int = feature.option("gap_us")
    return Noted(unit, lambda _properties: 0, lambda entries, _now: of(joined([[entry[0], entry[0]] for entry in entries], gap)))


class Interval(Cell):
    """``[how many, first time, last time]``."""

    def __init__(self, _feature: Feature) -> None:
        super().__init__(1)

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        count, first, last = cells.get(at) or (0, time, time)
        cells[at] = [count + 1, min(first, time), max(last, time)]
        return True

    def value(self, cell: Any, now: int) -> int | None:
        return half_even(cell[2] - cell[1], cell[0] - 1) if cell and cell[0] > 1 else None

    def join(self, a: Any, b: Any) -> Any:
        return [a[0] + b[0], min(a[1], b[1]), max(a[2], b[2])] if a and b else a or b


def seen_interval(_feature: Feature) -> Noted:
    def of(entries: list[Entry], _now: int) -> int | None:
        return half_even(entries[-1][0] - entries[0][0], len(entries) - 1) if len(entries) > 1 else None

    return Noted(1, lambda _properties: 0, of)
