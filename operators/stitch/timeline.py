"""How clusters grow along the order of links: what each of them held at each place in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from operators.components import Components
from operators.records import Identifier
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules

Place = tuple[Any, ...]
"""Where a link stands in the order of acceptance (`operators.stitch.clusters.order`)."""
FIRST: Place = ()
"""Before every link."""


class Grown:
    """A cluster from one place on: how many values of each namespace it holds. ``above``: what it becomes part of."""

    __slots__ = ("above", "held", "place")

    def __init__(self, place: Place, held: Held) -> None:
        self.place = place
        self.held = held
        self.above: Grown | None = None


class Timeline:
    """Clusters of some identifiers, grown link by link in the order of acceptance, which can be asked of any place behind them."""

    def __init__(self, identifiers: Mapping[bytes, Identifier], rules: Rules) -> None:
        self._identifiers = identifiers
        self._rules = rules
        self._components = Components()
        self._alone: dict[bytes, Grown] = {}
        self._grown: dict[bytes, Grown] = {}
        """By root."""

    def add(self, place: Place, a: bytes, b: bytes) -> bool:
        """Join the clusters of two identifiers; False if the rules refuse that."""
        root, other = self._components.root(a), self._components.root(b)
        if root == other:
            return True
        one, two = self._top(root), self._top(other)
        held = self._rules.together(one.held, two.held)
        if isinstance(held, Refusal):
            return False
        self._components.join(root, other)
        one.above = two.above = self._grown[root] = Grown(place, held)
        return True

    def root(self, key: bytes) -> bytes:
        """What stands for the cluster of an identifier behind all links."""
        return self._components.root(key)

    def before(self, key: bytes, place: Place) -> Grown:
        """The cluster of an identifier as the links before a place have made it."""
        found = self._leaf(key)
        while found.above is not None and found.above.place < place:
            found = found.above
        return found

    def at(self, key: bytes, place: Place) -> Grown:
        """The same with what stands at the place."""
        found = self._leaf(key)
        while found.above is not None and found.above.place <= place:
            found = found.above
        return found

    def steps(self, key: bytes) -> Iterator[Grown]:
        """The cluster of an identifier from place to place, itself alone first."""
        found: Grown | None = self._leaf(key)
        while found is not None:
            yield found
            found = found.above

    def _top(self, root: bytes) -> Grown:
        return self._grown.get(root) or self._leaf(root)

    def _leaf(self, key: bytes) -> Grown:
        found = self._alone.get(key)
        if found is None:
            found = self._alone[key] = Grown(FIRST, {self._identifiers[key].namespace: 1})
        return found


def loses(key: bytes, before: Timeline, after: Timeline, spaces: tuple[int, ...], *, size: bool) -> Place | None:
    """The first place from which an identifier's cluster holds fewer values of some of these namespaces (with ``size``: fewer
    identifiers) in one timeline than in the other; None if there is none."""
    now: Grown | None = after.before(key, FIRST)
    for was in before.steps(key):
        while now is not None and now.above is not None and now.above.place <= was.place:
            now = now.above
        assert now is not None, "an identifier alone is a cluster"
        if fewer(now.held, was.held, spaces, size=size):
            return was.place
    return None


def fewer(now: Held, was: Held, spaces: tuple[int, ...], *, size: bool) -> bool:
    """Whether a cluster holds fewer values of some namespaces than another; with ``size``, fewer in all."""
    for space in spaces:
        if now.get(space, 0) < was.get(space, 0):
            return True
    return size and sum(now.values()) < sum(was.values())
