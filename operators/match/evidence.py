"""What events say that probabilistic links are made of: the newest values of compared traits, and sightings in windowed blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from contracts.model.batches import Event
from contracts.model.probabilistic import BlockLine, Probabilistic
from operators.match.values import value_at
from operators.records import Identifier
from schemalogic.paths import parse_path

BLOCK_BYTES = 16
"""Bytes of a block's name: the number of its line, and a hash of the values."""


class Evidence:
    """Reads it by the rules, and puts it at the identifier that the event hangs on."""

    def __init__(self, rules: Probabilistic) -> None:
        self._fixed = [(at, line) for at, line in enumerate(rules.block) if line.within_us is None]
        self._windowed = [(at, line, line.within_us) for at, line in enumerate(rules.block) if line.within_us is not None]
        self._within = {at: within for at, _, within in self._windowed}
        self._compared = [compare.trait for compare in rules.compare]
        self._paths = list(dict.fromkeys([*self._compared, *(field.path for _, line in self._fixed for field in line.fields)]))
        self.names = frozenset(name for path in self._paths for name in (path, parse_path(path)[0]) if isinstance(name, str))
        """The traits that are compared or blocked on, at the top."""

    def note(self, identifier: Identifier, event: Event) -> bool:
        """Put what the event says at the identifier; returns whether it says anything new."""
        return self.tell(identifier, (event.time_us, event.message_id), event.traits, event.body)

    def tell(self, identifier: Identifier, at: tuple[int, str], told: Mapping[str, Any] | None, body: Mapping[str, Any]) -> bool:
        """The same of an event's time and message id, its traits and its whole body."""
        changed = False
        if told:
            traits = identifier.traits
            for name, value in told.items():
                if name in self.names:
                    known = traits.get(name)
                    if known is None or at > (known[0], known[1]):
                        traits[name] = [*at, value]
                        changed = True
        for number, line, within in self._windowed:
            values = _values(body, line)
            if values is not None:
                intervals = identifier.seen.setdefault(_name(number, values), [])
                changed |= _see(intervals, at[0], 2 * within)
        return changed

    def traits(self, identifiers: Iterable[Identifier]) -> dict[str, list[Any]]:
        """The newest of each trait over the identifiers of a record, as ``[time, message id, value]``."""
        newest: dict[str, list[Any]] = {}
        for each in identifiers:
            for name, said in each.traits.items():
                known = newest.get(name)
                if known is None or (said[0], said[1]) > (known[0], known[1]):
                    newest[name] = said
        return newest

    def texts(self, traits: Mapping[str, list[Any]]) -> dict[str, str]:
        """The comparable text at each path that rules name; without those where there is none."""
        values = {name: said[2] for name, said in traits.items()}
        found = ((path, value_at(values, path)) for path in self._paths)
        return {path: text for path, text in found if text is not None}

    def time(self, traits: Mapping[str, list[Any]], texts: Mapping[str, str]) -> int:
        """The time of the newest value that is compared, 0 if there is none."""
        there = (path for path in self._compared if path in texts)
        return max((traits[path if path in traits else str(parse_path(path)[0])][0] for path in there), default=0)

    def blocks(self, texts: Mapping[str, str], identifiers: Iterable[Identifier]) -> list[bytes]:
        """The blocks of a record: by its traits, and those in which it was seen."""
        found: dict[bytes, None] = {}
        for number, line in self._fixed:
            if all(field.path in texts for field in line.fields):
                found[_name(number, [texts[field.path][: field.first] for field in line.fields])] = None
        for each in identifiers:
            if each.seen:
                found.update(dict.fromkeys(each.seen))
        return list(found)

    def near(self, block: bytes, ones: Iterable[Identifier], others: Iterable[Identifier]) -> bool:
        """Whether two records that share a block are candidates by it: in a windowed one, if they were seen near each other."""
        within = self._within.get(block[0])
        if within is None:
            return True
        theirs = [interval for each in others for interval in each.seen.get(block, ())]
        return any(
            start - within <= other_end and other_start <= end + within
            for each in ones
            for start, end in each.seen.get(block, ())
            for other_start, other_end in theirs
        )


def _values(holder: Mapping[str, Any], line: BlockLine) -> list[str] | None:
    values = []
    for field in line.fields:
        text = value_at(holder, field.path)
        if text is None:
            return None
        values.append(text[: field.first])
    return values


def _name(line: int, values: Iterable[str]) -> bytes:
    text = "\x1f".join(values).encode("utf-8", "surrogatepass")
    return bytes((line,)) + blake2b(text, digest_size=BLOCK_BYTES - 1).digest()


def _see(intervals: list[list[int]], time: int, gap: int) -> bool:
    """Add a time to intervals in order, of which those at most ``gap`` apart are one; returns whether they have changed."""
    start = end = time
    kept = []
    for interval in intervals:
        if interval[0] <= time <= interval[1]:
            return False
        if interval[0] - gap <= time <= interval[1] + gap:
            start, end = min(start, interval[0]), max(end, interval[1])
        else:
            kept.append(interval)
    intervals[:] = sorted([*kept, [start, end]])
    return True
