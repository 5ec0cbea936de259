"""Any measure over the session that goes on now: what the person did since the last silence, of any kind, that was longer than the gap."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Any

from contracts.model.definitions import Feature
from operators.segments.cells.around import ITEM
from operators.segments.cells.cell import Cell, earlier
from operators.segments.cells.moving import Entry, Noted, place_of, time_of
from operators.segments.cells.sessions import LATE, Span, joined, put
from operators.segments.paths import values
from schemalogic.paths import Step, parse_path


class InSession(Cell):
    """``[[[first time, last time], ..], [entry, ..]]``: the sessions of everything done, in order, and the matching events.

    What is older than the window is dropped: a session goes back no further. ``active``: of an event that does not match.
    """

    windowed = True

    def __init__(self, feature: Feature, seen: Noted, *, active: bool) -> None:
        super().__init__(seen.unit)
        self._seen = seen
        self._read = seen.read
        self._steps: tuple[Step, ...] | None = parse_path(feature.property) if "[]" in (feature.property or "") else None
        self._back: int = feature.within_us or 0
        self._gap: int = feature.session_us or 0
        self._cap = feature.cap
        self._active = active

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        if time <= now - self._back:
            return False
        cell = cells.get(at)
        if cell is None:
            cell = cells[at] = [[], []]
        spans: list[Span] = cell[0]
        entries: list[Entry] = cell[1]
        self._forget(spans, entries, now)
        # Behind all others, in a session that goes on: what counts in it stays what it is.
        goes_on = bool(spans) and spans[-1][1] <= time <= now <= spans[-1][1] + self._gap
        put(spans, time, self._gap)
        if self._active:
            return bool(entries) and not goes_on
        known = len(entries)
        message = message if self._seen.ordered else ""
        for kept in self._kept(properties):
            if kept is not None:
                insort(entries, [time, message, kept], key=place_of)
        return len(entries) > known or (known > 0 and not goes_on)

    def _kept(self, properties: Any) -> list[Any]:
        """What the measure reads, of a path with ``[]`` of each item."""
        if self._steps is None:
            return [self._read(properties)]
        return [self._read({ITEM: item}) for item in values(self._steps, properties) if item is not None]

    def _forget(self, spans: list[Span], entries: list[Entry], now: int) -> None:
        since = now - self._back
        while spans and spans[0][1] <= since:
            del spans[0]
        gone = bisect_right(entries, since, key=time_of) if entries else 0
        if gone > 0:
            del entries[:gone]

    def _inside(self, cell: Any, now: int) -> list[Entry]:
        """The matching events of the session at a time."""
        if not cell:
            return []
        spans: list[Span] = cell[0]
        entries: list[Entry] = cell[1]
        here = bisect_right(spans, [now, LATE]) - 1
        if here < 0 or now - spans[here][1] > self._gap:
            return []
        since = max(spans[here][0], now - self._back + 1)
        return entries[bisect_left(entries, since, key=time_of) : bisect_right(entries, now, key=time_of)]

    def value(self, cell: Any, now: int) -> Any:
        value, cap = self._seen.of(self._inside(cell, now), now), self._cap
        return value if cap is None or value < cap else cap

    def alone(self, cell: Any) -> Any:
        return [[list(span) for span in cell[0]], []] if cell else None

    def counts(self, cell: Any, now: int) -> bool:
        return len(self._inside(cell, now)) > 0

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        return [joined(sorted([*a[0], *b[0]]), self._gap), sorted([*a[1], *b[1]], key=place_of)]

    def critical(self, numbers: set[int]) -> None:
        """Every event that comes or goes is looked at."""

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return len(cell[1]) > 0

    def due(self, cell: Any, now: int) -> int | None:
        spans: list[Span] = cell[0]
        entries: list[Entry] = cell[1]
        coming = bisect_right(entries, now, key=time_of)
        moment: int | None = entries[coming][0] if coming < len(entries) else None
        for first, last in spans:
            over = last + self._gap + 1
            if over <= now:
                continue
            # Of a long session what comes to lie too far back leaves it; then, of any with something in it, the silence begins.
            here = bisect_right(entries, max(first - 1, now - self._back), key=time_of)
            if here < len(entries) and entries[here][0] <= last:
                leaves = int(entries[here][0]) + self._back
                moment = earlier(moment, min(leaves, over))
        return moment
