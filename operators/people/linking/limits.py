"""The questions that all ways of linking ask: what a cluster may hold, and what an identifier may be linked to."""

from __future__ import annotations

from collections import Counter

from operators.people.linking.linked import Pairs, Slots
from operators.people.manual import Manual
from operators.people.store import PeopleStore
from operators.people.visits import Visits
from operators.records import Identifier, Person


class Limits:
    """``limits``, ``unique`` and ``shared_after`` of the rules, asked of what is stored."""

    def __init__(self, store: PeopleStore, manual: Manual, visits: Visits) -> None:
        self.store = store
        self.manual = manual
        self.rules = store.rules
        self._visits = visits
        self.shares = any(store.rules.shared_after)
        """Whether a device may be shared at all."""

    def fits(self, everyone: list[Identifier]) -> bool:
        """Whether one cluster may hold all of these."""
        rules = self.rules
        if len(everyone) > rules.identifiers_max:
            return False
        for space, number in Counter(each.namespace for each in everyone).items():
            most = rules.most[space]
            if most is not None and number > most:
                return False
        return True

    def has_room(self, person: Person, space: int) -> bool:
        """Whether a cluster may hold one more identifier of a namespace."""
        most = self.rules.most[space]
        if len(person.identifiers) >= self.rules.identifiers_max:
            return False
        return most is None or sum(each.namespace == space for each in person.identifiers) < most

    def degree(self, person: Person, identifier: Identifier) -> int:
        """How many links an identifier has that count for ``limits.links``; more if that is less than the limit anyway."""
        most = len(person.links) + identifier.refused
        if most < self.rules.links_max:
            return most
        key = identifier.hash
        return identifier.refused + sum(key in (link.a, link.b) for link in person.links.values() if not link.manual)

    def may_link(self, people: list[Person], size: int, center: Identifier, others: list[Identifier]) -> bool:
        """Whether links from one identifier to others, in a cluster of this size, pass no limit and leave what was refused as it is."""
        return self._few_links(people, size, center, others) and not any(self.unpins(center, other) for other in others)

    def _few_links(self, people: list[Person], size: int, center: Identifier, others: list[Identifier]) -> bool:
        """Whether no end of the new links passes ``limits.links``; in its cluster it has one link at most to each other identifier."""
        most = self.rules.links_max
        refused = max(each.refused for each in (center, *others))
        if min(size - 1, sum(len(person.links) for person in people) + len(others)) + refused <= most:
            return True
        degree: Counter[bytes] = Counter({each.hash: each.refused for each in (center, *others)})
        for person in people:
            for link in person.links.values():
                if not link.manual:
                    degree[link.a] += 1
                    degree[link.b] += 1
        fresh = [other for other in others if not any(center.hash + other.hash in person.links for person in people)]
        return degree[center.hash] + len(fresh) <= most and all(degree[other.hash] + 1 <= most for other in fresh)

    def unpins(self, one: Identifier, other: Identifier) -> bool:
        """Whether refused links are refused only because this was seen with one unique namespace so far, and that ends here."""
        most = self.rules.most
        return any(
            end.refused > 0 and end.rivals >= 0 and most[end.rivals] == 1 and end.rivals != beside.namespace
            for end, beside in ((one, other), (other, one))
        )

    def any_shared(self, named: Pairs, pairs: Pairs, slots: Slots) -> bool:
        """Whether a device among ``pairs`` is shared, or is with the person whom an event identifies that names ``named``."""
        rules, anchor = self.rules, self.rules.anchor(named)
        identifies = rules.person[anchor[0]]
        for pair, slot in zip(pairs, slots, strict=True):
            if slot is None:
                if identifies and rules.shared_after[pair[0]] == 1:
                    return True
            elif rules.is_shared(slot[1]) or (identifies and self._visits.turns_shared(slot[1], self.store.hash(anchor))):
                return True
        return False
