"""A measure of the events of each value of a property alone: as many cells in one as there are values."""

from __future__ import annotations

from typing import Any

from operators.segments.cells.cell import Cell, earlier
from operators.segments.paths import getter
from operators.segments.predicates import value_key

Mine = list[Any]
"""``[time of the last event, what the measure keeps, what tells whether an event lies in the window]``"""


class EachValue(Cell):
    """By the key of the value. ``seen`` counts the events of a value; one without any in the window is as if it were not there."""

    def __init__(self, inner: Cell, seen: Cell, by: str, back: int | None) -> None:
        super().__init__(inner.unit)
        self.inner = inner
        self.windowed = inner.windowed or seen.windowed
        self._seen = seen
        self._value = getter(by)[0]
        self._back = back

    def fold(self, cells: dict[int, Any], at: int, time: int, message: str, properties: Any, now: int) -> bool:
        value = self._value(properties)
        if value is None or (self._back is not None and time <= now - self._back):
            return False
        found: dict[str, Mine] = cells.get(at) or {}
        key = value_key(value)
        mine = found.get(key)
        if mine is None:
            self._drop(found, now)
            mine = [time, None, None]
        mine[0] = max(mine[0], time)
        turned = _put(self.inner, mine, 1, time, message, properties, now)
        turned |= _put(self._seen, mine, 2, time, message, properties, now)
        if mine[1] is not None or mine[2] is not None:
            found[key] = mine
            cells[at] = found
        return turned

    def _drop(self, found: dict[str, Mine], now: int) -> None:
        """Forget the values of which nothing lies in the window any more."""
        if self._back is not None:
            for key in [key for key, mine in found.items() if mine[0] <= now - self._back]:
                del found[key]

    def value(self, cell: Any, now: int) -> Any:
        """Nothing: it has several, and conditions ask for `values`."""
        return None

    def values(self, cell: Any, now: int) -> dict[str, Any]:
        """By key what the measure is, of those values that some event in the window has."""
        found: dict[str, Mine] = cell or {}
        return {key: self.inner.value(mine[1], now) for key, mine in found.items() if self._seen.value(mine[2], now)}

    def shown(self, cell: Any, now: int) -> Any:
        found: dict[str, Mine] = cell or {}
        return {key: self.inner.shown(mine[1], now) for key, mine in sorted(found.items()) if self._seen.value(mine[2], now)} or None

    def join(self, a: Any, b: Any) -> Any:
        if not a or not b:
            return a or b
        joined: dict[str, Mine] = {**a}
        for key, theirs in b.items():
            mine = joined.get(key)
            joined[key] = theirs if mine is None else self._both(mine, theirs)
        return joined

    def _both(self, mine: Mine, theirs: Mine) -> Mine:
        return [max(mine[0], theirs[0]), _joined(self.inner, mine[1], theirs[1]), _joined(self._seen, mine[2], theirs[2])]

    def critical(self, numbers: set[int]) -> None:
        self.inner.critical(numbers)

    def compared(self, numbers: set[int]) -> None:
        self.inner.compared(numbers)

    def may_be_due(self, cell: Any, armed: int) -> bool:
        return True

    def due(self, cell: Any, now: int) -> int | None:
        first: int | None = None
        found: dict[str, Mine] = cell
        for mine in found.values():
            if mine[1] is not None and self.inner.windowed:
                first = earlier(first, self.inner.due(mine[1], now))
            if mine[2] is not None and self._seen.windowed:
                first = earlier(first, self._seen.due(mine[2], now))
        return first


def _put(cell: Cell, mine: Mine, place: int, time: int, message: str, properties: Any, now: int) -> bool:
    """Fold an event into a cell of one value."""
    own: dict[int, Any] = {} if mine[place] is None else {0: mine[place]}
    turned = cell.fold(own, 0, time, message, properties, now)
    mine[place] = own.get(0)
    return turned


def _joined(cell: Cell, a: Any, b: Any) -> Any:
    return cell.join(a, b) if a is not None and b is not None else b if a is None else a
