"""Candidates: records that share all fields of a line, by an index to which one record can be added and from which it can be taken."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from contracts.probabilistic import BlockLine, Probabilistic
from operators.match.values import value_at

Key = TypeVar("Key", int, str, bytes)
"""What names a record."""


class Sighting(NamedTuple):
    """A record was seen with the values of a windowed line: its block, and when (µs)."""

    block: str
    time_us: int


class Blocks(NamedTuple):
    """Where one record stands in the index: the blocks that it is in for good, and its sightings in windowed ones."""

    fixed: tuple[str, ...]
    seen: tuple[Sighting, ...] = ()


def blocks_of(traits: Mapping[str, Any], rules: Probabilistic) -> tuple[str, ...]:
    """The blocks of a record by its traits; a line of which it lacks a field gives none."""
    found = ((at, _values(traits, line)) for at, line in enumerate(rules.block) if line.within_us is None)
    return tuple(_name(at, values) for at, values in found if values)


def sightings_of(body: Mapping[str, Any], time_us: int, rules: Probabilistic) -> tuple[Sighting, ...]:
    """The windowed blocks of an event."""
    found = ((at, _values(body, line)) for at, line in enumerate(rules.block) if line.within_us is not None)
    return tuple(Sighting(_name(at, values), time_us) for at, values in found if values)


def _values(holder: Mapping[str, Any], line: BlockLine) -> list[str] | None:
    values = []
    for field in line.fields:
        text = value_at(holder, field.path)
        if text is None:
            return None
        values.append(text[: field.first])
    return values


def _name(line: int, values: Iterable[str]) -> str:
    return "\x1f".join((str(line), *values))


class Index(Generic[Key]):
    """Which records are in which block. A block of more than ``block_limit`` records makes nobody a candidate."""

    def __init__(self, rules: Probabilistic) -> None:
        self._limit = rules.block_limit
        self._within = {str(at): line.within_us for at, line in enumerate(rules.block) if line.within_us is not None}
        self._fixed: dict[str, set[Key]] = defaultdict(set)
        self._seen: dict[str, list[tuple[int, Key]]] = defaultdict(list)

    def add(self, key: Key, blocks: Blocks) -> None:
        for block in blocks.fixed:
            self._fixed[block].add(key)
        for sighting in blocks.seen:
            insort(self._seen[sighting.block], (sighting.time_us, key))

    def remove(self, key: Key, blocks: Blocks) -> None:
        """Take a record out; ``blocks`` are those with which it was added."""
        for block in blocks.fixed:
            members = self._fixed[block]
            members.discard(key)
            if not members:
                del self._fixed[block]
        for sighting in blocks.seen:
            seen = self._seen[sighting.block]
            at = bisect_left(seen, (sighting.time_us, key))
            if at < len(seen) and seen[at] == (sighting.time_us, key):
                del seen[at]
            if not seen:
                del self._seen[sighting.block]

    def candidates(self, key: Key, blocks: Blocks) -> set[Key]:
        """The records to compare with one: those in a block with it that is not too large."""
        found: set[Key] = set()
        for block in blocks.fixed:
            members = self._fixed.get(block, ())
            if len(members) <= self._limit:
                found.update(members)
        for sighting in blocks.seen:
            if self._crowded(sighting):
                continue
            near = {(time, other) for time, other in self._near(sighting) if other != key and other not in found}
            found.update(other for time, other in near if not self._crowded(Sighting(sighting.block, time)))
        found.discard(key)
        return found

    def skipped(self) -> dict[str, int]:
        """The blocks that are too large, with the number of their records; of a windowed one the largest window's."""
        large = {block: len(members) for block, members in self._fixed.items() if len(members) > self._limit}
        for block, seen in self._seen.items():
            most = max((len({key for _, key in self._near(Sighting(block, time))}) for time in {time for time, _ in seen}), default=0)
            if most > self._limit:
                large[block] = most
        return large

    def blocks(self) -> Iterator[int]:
        """The sizes of all fixed blocks."""
        return (len(members) for members in self._fixed.values())

    def _near(self, sighting: Sighting) -> list[tuple[int, Key]]:
        seen = self._seen.get(sighting.block, [])
        within = self._within[sighting.block.split("\x1f", 1)[0]]
        low = bisect_left(seen, sighting.time_us - within, key=lambda each: each[0])
        return seen[low : bisect_right(seen, sighting.time_us + within, key=lambda each: each[0])]

    def _crowded(self, sighting: Sighting) -> bool:
        near = self._near(sighting)
        return len(near) > self._limit and len({key for _, key in near}) > self._limit


def shown(block: str, rules: Probabilistic) -> str:
    """A block as a person reads it: ``[last_name, birth_date] = smith, 1971-06-24``."""
    line, *values = block.split("\x1f")
    return f"[{rules.block[int(line)].text}] = {', '.join(values)}"
