"""What the number in a moment's row stands for: the contract that accepted the event and, of an identify call, the sources it came from.

What a call says of traits may count by where it comes from; of other events nothing asks for that, and they keep no source.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from contracts.model.event import Event

_BETWEEN = "\n"


def origin(contract: str, sources: tuple[str, ...]) -> str:
    """As `Meta.contracts` lists it. ``sources`` are sorted."""
    return _BETWEEN.join((contract, *sources)) if sources else contract


@cache
def origin_parts(found: str) -> tuple[str, tuple[str, ...]]:
    """The contract, "" is none, and the sources, of which an earlier version kept none."""
    contract, *sources = found.split(_BETWEEN)
    return contract, tuple(sources)


class Origins:
    """Numbers origins; ``known`` are those that have a number, their place in it, and it grows."""

    def __init__(self, known: list[str]) -> None:
        self._known = known
        self._numbers = {each: number for number, each in enumerate(known)}

    def number(self, event: Event) -> int:
        """That of the event."""
        said = origin(event.contract, event.sources) if event.sources else event.contract
        number = self._numbers.get(said)
        if number is None:
            number = self._numbers[said] = len(self._known)
            self._known.append(said)
        return number


def united(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The sources of an event and of its repeat."""
    return one if one == other else tuple(sorted({*one, *other}))


def number_origins(known: list[str], found: Iterable[str]) -> None:
    """Append to ``known`` those of ``found`` that are not there, and whatever else may come to be where the events of one are repeats of
    the events of another, so that several who take them in number them alike."""
    names = dict.fromkeys((*known, *found))
    parts = [one for one in map(origin_parts, names) if one[1]]
    sources = dict.fromkeys(each[1] for each in parts)
    while len(more := sources | dict.fromkeys(united(one, other) for one in sources for other in sources)) > len(sources):
        sources = more
    names |= dict.fromkeys(origin(contract, each) for contract in dict.fromkeys(each[0] for each in parts) for each in sources)
    known += list(names)[len(known) :]
