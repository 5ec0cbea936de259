"""What rebuilds of people cost: how many there were, how much they read, and the identifiers that are behind most of it."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from operators.records import Person
from operators.stitch.rules import Rules

KEY = b"rebuilds"
NAMED_MAX = 64
"""Identifiers that are kept by name; one more takes the place of that behind the least."""


class Behind(msgspec.Struct):
    """An identifier that held others together while they were rebuilt: how often, how many identifiers those had, and how many moments
    were read then."""

    namespace: str
    value: str
    rebuilds: int = 0
    identifiers: int = 0
    moments: int = 0
    over: int = 0
    """How many of the rebuilds have read more than the budget of one."""


class Rebuilds(msgspec.Struct):
    """Totals since the first run; ``busy_us`` is time of the processor. People computed anew by other definitions do not count."""

    rebuilds: int = 0
    identifiers: int = 0
    busy_us: int = 0
    named: dict[bytes, Behind] = {}
    moments: int = 0

    def count(self, people: Iterable[Person], rules: Rules, moments: int, over: bool, busy_us: int) -> None:
        """Some people have been made anew. What connects most is the identifier with the most links that do not stand: without it
        there would have been fewer."""
        found = [each for person in people for each in person.identifiers]
        self.rebuilds += 1
        self.identifiers += len(found)
        self.moments += moments
        self.busy_us += busy_us
        if not found:
            return
        most = max(found, key=lambda each: (each.refused, each.hash))
        behind = self.named.get(most.hash)
        if behind is None:
            if len(self.named) >= NAMED_MAX:
                del self.named[min(self.named, key=lambda key: (self.named[key].identifiers, key))]
            behind = self.named[most.hash] = Behind(rules.names[most.namespace], most.value)
        behind.rebuilds += 1
        behind.identifiers += len(found)
        behind.moments += moments
        behind.over += over

    def add(self, other: Rebuilds) -> None:
        """Count what somebody else has counted beside this."""
        self.rebuilds += other.rebuilds
        self.identifiers += other.identifiers
        self.moments += other.moments
        self.busy_us += other.busy_us
        for key, found in other.named.items():
            behind = self.named.setdefault(key, Behind(found.namespace, found.value))
            behind.rebuilds += found.rebuilds
            behind.identifiers += found.identifiers
            behind.moments += found.moments
            behind.over += found.over
        most = sorted(self.named.items(), key=lambda one: (-one[1].identifiers, one[0]))
        self.named = dict(most[:NAMED_MAX])

    def largest(self) -> list[Behind]:
        """Who is behind most of it, first."""
        return sorted(self.named.values(), key=lambda one: (-one.identifiers, one.namespace, one.value))


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Rebuilds).decode
