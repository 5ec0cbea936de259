"""The clusters of a set of links: greedy acceptance in a fixed order, by the rules of the identity file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping

from operators.components import Components
from operators.records import Identifier, Link
from operators.refusal import UNLINKED, Refusal
from operators.stitch.rules import Held, Rules


def order(link: Link, identifiers: Mapping[bytes, Identifier], rules: Rules) -> tuple[object, ...]:
    """The place of a link in the order of acceptance, the first the smallest."""
    a, b = identifiers[link.a], identifiers[link.b]
    lower = max(a.namespace, b.namespace)
    layer = (lower, -link.last) if rules.newest else (link.first, lower)
    return (
        not link.manual,
        *layer,
        a.namespace + b.namespace,
        f"{rules.names[a.namespace]}:{a.value}",
        f"{rules.names[b.namespace]}:{b.value}",
    )


def accepted(identifiers: Mapping[bytes, Identifier], links: Collection[Link], shared: Collection[bytes], rules: Rules) -> list[Link]:
    """The links that stand. ``shared``: devices of which only manual links may. Void links never stand."""
    return [link for link, refusal in decided(identifiers, links, shared, rules) if refusal is None]


def decided(
    identifiers: Mapping[bytes, Identifier], links: Collection[Link], shared: Collection[bytes], rules: Rules
) -> Iterator[tuple[Link, Refusal | None]]:
    """Each link in the order of acceptance, with what refuses it; None if it stands."""
    standing = []
    for link in links:
        if link.manual or not (link.void or link.a in shared or link.b in shared):
            standing.append(link)
        else:
            yield link, UNLINKED if link.void else rules.on_shared[identifiers[_device(link, shared)].namespace]
    ordered = sorted(standing, key=lambda link: order(link, identifiers, rules))
    beyond = _beyond_limit(ordered, rules)
    clusters = _Clusters(identifiers, rules)
    for link in ordered:
        yield link, rules.beyond_links if id(link) in beyond else clusters.add(link.a, link.b)


def reason(link: Link, refusal: Refusal, identifiers: Mapping[bytes, Identifier], shared: Collection[bytes], rules: Rules) -> str:
    """What refuses a link, in words."""
    ends = (link.a, link.b) if _device(link, shared) == link.a or refusal.rule != "shared_after" else (link.b, link.a)
    return refusal.words(*(rules.named(identifiers[end]) for end in ends))


def _device(link: Link, shared: Collection[bytes]) -> bytes:
    """Which end of a link is the shared device."""
    return link.a if link.a in shared else link.b


def _beyond_limit(ordered: list[Link], rules: Rules) -> set[int]:
    """By `id`, the links that are not among the first ``limits.links`` by recency at both of their ends; manual ones are."""
    if len(ordered) <= rules.links_max:
        return set()
    ends: dict[bytes, list[Link]] = defaultdict(list)
    for link in ordered:
        if not link.manual:
            ends[link.a].append(link)
            ends[link.b].append(link)
    refused: set[int] = set()
    for each in ends.values():
        if len(each) > rules.links_max:
            by_age = sorted(each, key=(lambda link: -link.last) if rules.newest else (lambda link: link.first))
            refused.update(id(link) for link in by_age[rules.links_max :])
    return refused


class _Clusters:
    """Clusters that grow, each with how many values of each namespace it holds."""

    def __init__(self, identifiers: Mapping[bytes, Identifier], rules: Rules) -> None:
        self._identifiers = identifiers
        self._rules = rules
        self._components = Components()
        self._held: dict[bytes, Held] = {}
        """By root, of those that have grown."""

    def add(self, a: bytes, b: bytes) -> Refusal | None:
        """Join the clusters of two identifiers if the rules allow it; else what refuses that."""
        a, b = self._components.root(a), self._components.root(b)
        if a == b:
            return None
        held = self._rules.together(self._holds(a), self._holds(b))
        if isinstance(held, Refusal):
            return held
        self._components.join(a, b)
        self._held[a] = held
        return None

    def _holds(self, root: bytes) -> Held:
        return self._held.get(root) or {self._identifiers[root].namespace: 1}


def lead(identifiers: Collection[Identifier]) -> Identifier:
    """The identifier that names the cluster: highest namespace, then first seen, then the smaller text."""
    return min(identifiers, key=lambda each: (each.namespace, each.first, each.value))
