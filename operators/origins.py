"""What the number in a moment's row stands for: the contract that accepted the event and, of an identify call, the sources it came from.

What a call says of traits may count by where it comes from; of other events nothing asks for that, and they keep no source.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

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

    def number(self, contract: str, sources: tuple[str, ...]) -> int:
        """That of an event with this contract, from these sources."""
        said = origin(contract, sources)
        number = self._numbers.get(said)
        if number is None:
            number = self._numbers[said] = len(self._known)
            self._known.append(said)
        return number


def united(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """The sources of an event and of its repeat."""
    return one if one == other else tuple(sorted({*one, *other}))


def number_origins(known: list[str], found: Iterable[str]) -> None:
    """Append to ``known`` those of ``found`` that are not there, and whatever else may come to be where an identify call of ``found`` and
    one that is known are repeats, so that several who take them in number them alike. All of ``found`` are of one source."""
    found = list(found)
    names = dict.fromkeys((*known, *found))
    contracts = dict.fromkeys(contract for contract, _ in map(origin_parts, names) if contract.partition("/")[0] in {"", "identify"})
    stored = dict.fromkeys(sources for _, sources in map(origin_parts, known))
    for fresh in dict.fromkeys(sources for _, sources in map(origin_parts, found) if sources):
        names |= dict.fromkeys(origin(contract, united(sources, fresh)) for sources in ((), *stored) for contract in contracts)
    known += list(names)[len(known) :]
