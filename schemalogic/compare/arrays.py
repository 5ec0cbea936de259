"""Arrays: how many items, what each has to satisfy, how many of them something holds of, and whether they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from schemalogic.compare.engine import Engine
from schemalogic.compare.nodes import Literal
from schemalogic.compare.values import Key, Value, key, unkeyed
from schemalogic.compare.verdicts import IMPOSSIBLE, UNDECIDED, Found, Verdict

_LONGEST = 110_000
"""Longer arrays are not built."""
_DIFFERENT = 1000
"""Longer arrays of different items are not built."""
_FEW = 8
"""So many different values are looked for one after the other, also where all of them are listed."""

Label = tuple[Literal, ...]


@dataclass(frozen=True, slots=True)
class _Counter:
    """From the item ``first`` on, at least ``low`` and at most ``high`` (None: any number) items satisfy the literal."""

    literal: Literal
    first: int
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class _Way:
    """What an item is taken to satisfy besides what all must, and which counters count it as one that does, or may."""

    label: Label
    sure: tuple[bool, ...]
    maybe: tuple[bool, ...]


_Counts = tuple[tuple[int, int], ...]
"""Of each counter: how many items surely satisfy its literal, and how many may."""
_Layer = dict[_Counts, tuple[_Counts, _Way]]
"""The counts that so many items can have, each with the counts before the last of them and the way to take it."""


def find_array(engine: Engine, atoms: frozenset[Literal]) -> Verdict:
    """An array of which all the atoms hold."""
    return _Array(engine, atoms).find()


class _Array:
    def __init__(self, engine: Engine, atoms: frozenset[Literal]) -> None:
        self._engine, space = engine, engine.space
        self._items: dict[int, list[Literal]] = {}
        self._tails: list[tuple[int, Literal]] = []
        self._counters: dict[tuple[Literal, int], tuple[int, int | None]] = {}
        self._unique: bool | None = None
        self._low, self._high = 0, cast(int | None, None)
        self._uncertain = False
        self._layers: list[_Layer] = []
        self._lists: dict[frozenset[Literal], list[Value]] = {}
        for literal in sorted(atoms, key=abs):
            node = abs(literal)
            self._take(space.ops[node], space.payloads[node], space.kids[node], wanted=literal > 0)
        self._ways = list(self._label(list(self._limits())))

    def _take(self, op: str, payload: object, kids: tuple[Literal, ...], *, wanted: bool) -> None:
        if op in {"min_items", "max_items"}:
            assert isinstance(payload, int)
            if (op == "min_items") == wanted:
                self._low = max(self._low, payload + (not wanted))
            else:
                bound = payload - (not wanted)
                self._high = bound if self._high is None else min(self._high, bound)
        elif op == "unique":
            self._unique = wanted
        elif op == "item":
            assert isinstance(payload, int)
            self._items.setdefault(payload, []).append(kids[0] if wanted else -kids[0])
            self._low = self._low if wanted else max(self._low, payload + 1)
        elif op == "tail":
            assert isinstance(payload, int)
            if wanted:
                self._tails.append((payload, kids[0]))
            else:
                self._count(-kids[0], payload, 1, None)
        elif op in {"at_least", "at_most"}:
            assert isinstance(payload, tuple)
            count, first = payload
            if (op == "at_least") == wanted:
                self._count(kids[0], first, count + (not wanted), None)
            else:
                self._count(kids[0], first, 0, count - (not wanted))

    def _count(self, literal: Literal, first: int, low: int, high: int | None) -> None:
        known_low, known_high = self._counters.get((literal, first), (0, None))
        highs = [one for one in (high, known_high) if one is not None]
        self._counters[literal, first] = (max(low, known_low), min(highs, default=None))

    def _limits(self) -> Iterator[_Counter]:
        for (literal, first), (low, high) in self._counters.items():
            yield _Counter(literal, first, low, high)

    def _label(self, counters: list[_Counter]) -> Iterator[_Way]:
        """Every way to take an item: of each counter it satisfies the literal, or not, or it is open where that does not matter."""
        ways: list[_Way] = [_Way((), (), ())]
        for counter in counters:
            options: list[tuple[Label, bool, bool]] = [((counter.literal,), True, True)]
            if counter.high is None:
                options.insert(0, ((), False, True))
            elif counter.low == 0:
                options = [((-counter.literal,), False, False), ((), False, True)]
            else:
                options.insert(0, ((-counter.literal,), False, False))
            ways = [_Way(way.label + label, (*way.sure, sure), (*way.maybe, maybe)) for way in ways for label, sure, maybe in options]
            ways = [way for way in ways if self._engine.find(way.label) is not IMPOSSIBLE]
        yield from ways

    def find(self) -> Verdict:
        """The array."""
        if self._high is not None and self._low > self._high:
            return IMPOSSIBLE
        counters = list(self._limits())
        if any(one.high is not None and one.low > one.high for one in counters):
            return IMPOSSIBLE
        settled = max([*self._items, *(first - 1 for first, _ in self._tails), *(one.first - 1 for one in counters), -1]) + 1
        enough = max(self._low, settled + sum(one.low for one in counters) + 2 * (self._unique is False))
        longest = enough if self._high is None else min(enough, self._high)
        for length in range(self._low, longest + 1):
            self._engine.clock.tick()
            if length > (_DIFFERENT if self._unique else _LONGEST):
                return UNDECIDED
            if length and self._engine.find(self._goal(length - 1)) is IMPOSSIBLE:
                break
            found = self._of_length(length, settled, counters)
            if found is not None:
                return Found(found)
        return UNDECIDED if self._uncertain else IMPOSSIBLE

    def _goal(self, number: int) -> tuple[Literal, ...]:
        return (*self._items.get(number, ()), *(one for first, one in self._tails if number >= first))

    def _of_length(self, length: int, settled: int, counters: list[_Counter]) -> list[Value] | None:
        goals = [self._goal(number) for number in range(min(length, settled))]
        goals += [self._goal(settled)] * (length - len(goals))
        if self._unique and not counters and not settled:
            # All places are alike, so that only the number of values counts.
            values = self._several(goals[0], length) if goals else []
            return values if len(values) == length else None
        if self._unique is not False:
            return self._fill(goals, {})
        for later in range(1, min(length, settled + 2)):
            for earlier in range(later):
                for way in self._ways:
                    found = self._twice(goals, earlier, later, way)
                    if found is not None:
                        return found
        return None

    def _twice(self, goals: list[tuple[Literal, ...]], earlier: int, later: int, way: _Way) -> list[Value] | None:
        """An array in which the same value is at two places."""
        both = (*goals[earlier], *goals[later], *way.label)
        found = self._engine.find(both)
        if not isinstance(found, Found):
            self._uncertain = self._uncertain or found is UNDECIDED
            return None
        items = self._fill(goals, {earlier: way, later: way})
        if items is not None:
            items[earlier] = items[later] = found.document
        return items

    def _fill(self, goals: list[tuple[Literal, ...]], fixed: dict[int, _Way]) -> list[Value] | None:
        """Items for the goals, so that every counter is content; the items at ``fixed`` places are taken in a given way."""
        counters = list(self._limits())
        caps = [one.low if one.high is None else max(one.low, one.high + 1) for one in counters]
        start = tuple((0, 0) for _ in counters)
        # What items have at a place does not depend on how many there are, so longer arrays continue where shorter ones ended.
        layers: list[_Layer] = [] if fixed else self._layers
        states = set(layers[-1]) if layers else {start}
        for number, goal in enumerate(goals[len(layers) :], len(layers)):
            layer: _Layer = {}
            for way in [fixed[number]] if number in fixed else self._ways:
                self._engine.clock.tick()
                after = [(state, _counted(state, way, counters, caps, number)) for state in states]
                fresh = [(state, new) for state, new in after if new is not None and (self._unique or new not in layer)]
                if fresh and (number in fixed or self._possible((*goal, *way.label))):
                    for state, new in fresh:
                        layer.setdefault(new, (state, way))
            layers.append(layer)
            states = set(layer)
        ends = [state for state in states if all(sure >= one.low for (sure, _), one in zip(state, counters, strict=True))]
        if not ends:
            return None
        if self._unique:
            return self._different(goals, counters, caps)
        state, ways = ends[0], []
        for layer in reversed(layers):
            state, way = layer[state]
            ways.append(way)
        chosen = [(*goal, *way.label) for goal, way in zip(goals, reversed(ways), strict=True)]
        return [None if number in fixed else self._value(goal) for number, goal in enumerate(chosen)]

    def _possible(self, goal: tuple[Literal, ...]) -> bool:
        found = self._engine.find(goal)
        self._uncertain = self._uncertain or found is UNDECIDED
        return isinstance(found, Found)

    def _value(self, goal: tuple[Literal, ...]) -> Value:
        found = self._engine.find(goal)
        assert isinstance(found, Found)
        return found.document

    def _different(self, goals: list[tuple[Literal, ...]], counters: list[_Counter], caps: list[int]) -> list[Value] | None:
        """Items of which no two are equal: for each way to take them, a matching of places and values."""
        for ways in self._all_ways(goals, counters, caps, 0, tuple((0, 0) for _ in counters)):
            self._engine.clock.tick()
            lists = [self._several((*goal, *way.label), len(goals)) for goal, way in zip(goals, ways, strict=True)]
            found = _matched(lists)
            if found is not None:
                return found
        return None

    def _all_ways(
        self, goals: list[tuple[Literal, ...]], counters: list[_Counter], caps: list[int], number: int, state: _Counts
    ) -> Iterator[list[_Way]]:
        if number == len(goals):
            if all(sure >= one.low for (sure, _), one in zip(state, counters, strict=True)):
                yield []
            return
        for way in self._ways:
            self._engine.clock.tick()
            after = _counted(state, way, counters, caps, number)
            if after is not None and self._possible((*goals[number], *way.label)):
                yield from ([way, *rest] for rest in self._all_ways(goals, counters, caps, number + 1, after))

    def _several(self, goal: tuple[Literal, ...], count: int) -> list[Value]:
        """Up to so many different values of a goal."""
        wanted = frozenset(goal)
        values = self._lists.setdefault(wanted, [])
        listed = self._engine.space.finite(self._engine.space.conj(goal))
        if listed is not None and not values and count > _FEW:
            values += self._among(goal, listed)
            return values[:count]
        excluded = [-self._engine.constant(one) for one in values]
        while len(values) < count:
            found = self._engine.find((*goal, *excluded))
            if not isinstance(found, Found):
                self._uncertain = self._uncertain or found is UNDECIDED
                break
            values.append(found.document)
            excluded.append(-self._engine.constant(found.document))
        return values[:count]

    def _among(self, goal: tuple[Literal, ...], listed: frozenset[Key]) -> Iterator[Value]:
        """Those of some values that a goal allows: quicker than to look for one that is none of the others."""
        for form in sorted(listed, key=repr):
            found = self._engine.find((*goal, self._engine.constant(unkeyed(form))))
            self._uncertain = self._uncertain or found is UNDECIDED
            if isinstance(found, Found):
                yield found.document


def _counted(state: _Counts, way: _Way, counters: list[_Counter], caps: list[int], number: int) -> _Counts | None:
    """The counts with one more item; None if a counter has too many. Counts beyond what matters are all the same."""
    found = []
    for (sure, maybe), one, cap, surely, possibly in zip(state, counters, caps, way.sure, way.maybe, strict=True):
        counts = number >= one.first
        new = (min(sure + (surely and counts), cap), min(maybe + (possibly and counts), cap))
        if one.high is not None and new[1] > one.high:
            return None
        found.append(new)
    return tuple(found)


def _matched(lists: list[list[Value]]) -> list[Value] | None:
    """A different value for each place out of its list (augmenting paths), None if there is no such choice."""
    owner: dict[object, int] = {}
    chosen: dict[int, Value] = {}

    def place(number: int, seen: set[object]) -> bool:
        for value in lists[number]:
            name = key(value)
            if name in seen:
                continue
            seen.add(name)
            if name not in owner or place(owner[name], seen):
                owner[name], chosen[number] = number, value
                return True
        return False

    if all(place(number, set()) for number in range(len(lists))):
        return [chosen[number] for number in range(len(lists))]
    return None
