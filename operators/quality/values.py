"""What an event holds below its top level, and which of its values lie outside of what is usual; seen on a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from contracts.model.event_patterns import matches
from contracts.model.expectations import Range
from operators.quality.scores import Pair
from schemalogic.declarations import Property
from schemalogic.paths import Step

ITEMS_MAX = 20
"""Items of one list that are looked at."""

Usual = Callable[[Any], bool]


class Values:
    """Looks at documents of one contract; ``nothing``: there is nothing that it would see."""

    def __init__(self, event: str, properties: Iterable[Property], ranges: Iterable[Range]) -> None:
        ranges = [one for one in ranges if matches(one.event, event)]
        self._carried: dict[tuple[Step, ...], list[tuple[str, str]]] = {}
        """Where objects are → the optional properties in them, as ``(name, path)``."""
        self._valued: list[tuple[str, tuple[Step, ...], Usual]] = []
        for one in properties:
            name, above = one.steps[-1], one.steps[:-1]
            if above and isinstance(name, str) and not one.required:
                self._carried.setdefault(above, []).append((name, one.path))
            usual = _usual(one, [each for each in ranges if each.property == one.path])
            if usual is not None:
                self._valued.append((one.path, one.steps, usual))
        self.nothing = not self._carried and not self._valued

    def look(self, sent: list[dict[str, Any]], present: dict[str, Pair], outside: dict[str, Pair]) -> None:
        """Count the nested optional properties of these documents, and their unusual values."""
        for steps, carried in self._carried.items():
            objects = [one for one in _at(sent, steps) if type(one) is dict]
            for name, path in carried if objects else ():
                pair = present.setdefault(path, [0, 0])
                pair[0] += len(objects) - list(map(dict.get, objects, repeat(name))).count(None)
                pair[1] += len(objects)
        for path, steps, usual in self._valued:
            values = [value for value in _at(sent, steps) if value is not None]
            if values:
                pair = outside.setdefault(path, [0, 0])
                pair[0] += sum(1 for value in values if not usual(value))
                pair[1] += len(values)


def _at(sent: list[Any], steps: tuple[Step, ...]) -> list[Any]:
    """The values at a path of these documents; of a list, those of its first items."""
    found = sent
    for step in steps:
        if step is None:
            found = [item for one in found if type(one) is list for item in one[:ITEMS_MAX]]
        else:
            found = [one[step] for one in found if type(one) is dict and step in one]
    return found


def _usual(one: Property, ranges: list[Range]) -> Usual | None:
    """Whether a value is usual: a number within the ranges, else within its examples; another value one of the examples."""
    if ranges:
        bounds = [(each.least, each.most) for each in ranges]
        return lambda value: not _number(value) or all(_within(value, *each) for each in bounds)
    examples = one.usual
    if not examples:
        return None
    numbers = [value for value in examples if _number(value)]
    if numbers:
        least, most = min(numbers), max(numbers)
        return lambda value: _within(value, least, most) if _number(value) else value in examples
    return lambda value: value in examples


def _number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _within(value: float, least: float | None, most: float | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)
