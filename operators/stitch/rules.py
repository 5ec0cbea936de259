"""The identity rules in the form in which the inner loops use them."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.model.definitions import IdentityRules
from operators.records import Identifier
from operators.refusal import Refusal

Held = dict[int, int]
"""By position of a namespace: how many values of it a cluster holds."""

Pair = tuple[int, str]
"""An identifier: position of its namespace, value."""


class Rules:
    """Per namespace, by position: is it a person's, how many values a cluster may hold, from how many persons on a device is shared."""

    def __init__(self, rules: IdentityRules) -> None:
        spaces = rules.namespaces
        self.version = rules.version
        self.names = tuple(each.name for each in spaces)
        self.position = {each.name: at for at, each in enumerate(spaces)}
        self.person = tuple(each.scope == "person" for each in spaces)
        self.devices_first = any(not person and any(self.person[at:]) for at, person in enumerate(self.person))
        """Whether some device comes before some person's identifiers: events are linked to it then, in place of these."""
        self.most = tuple(1 if each.unique else each.limit for each in spaces)
        self.shared_after = tuple(each.shared_after for each in spaces)
        self.newest = rules.conflict == "newest"
        self.identifiers_max = rules.limit_identifiers
        self.links_max = rules.limit_links
        self.gap = rules.session_gap_us
        self.backstitch = rules.backstitch_us
        self.by_session = rules.owner == "session"
        self.beyond_links = Refusal("limits.links", limit=self.links_max, by="newest" if self.newest else "oldest")
        self.beyond_identifiers = Refusal("limits.identifiers", limit=self.identifiers_max)
        self.beyond_most = tuple(
            Refusal("unique" if most == 1 else "limit", name, most or 0) for name, most in zip(self.names, self.most, strict=True)
        )
        self.on_shared = tuple(Refusal("shared_after", name, after or 0) for name, after in zip(self.names, self.shared_after, strict=True))
        """What refuses a link, by each of the rules; the last two by namespace."""

    def together(self, one: Held, two: Held) -> Held | Refusal:
        """How many values two clusters hold in one, or what refuses that."""
        total, most, fits = dict(one), self.most, True
        for space, number in two.items():
            known = total.get(space)
            if known is None:
                total[space] = number
            else:
                total[space] = known + number
                limit = most[space]
                fits = fits and (limit is None or known + number <= limit)
        if sum(total.values()) > self.identifiers_max:
            return self.beyond_identifiers
        return total if fits else self._too_many(total, one, two)

    def _too_many(self, total: Held, one: Held, two: Held) -> Refusal:
        """The first namespace of which two clusters hold too many values in one."""
        limits = ((space, self.most[space]) for space in one if space in two)
        return next(self.beyond_most[space] for space, limit in limits if limit is not None and total[space] > limit)

    def is_shared(self, device: Identifier) -> bool:
        """Whether ``shared_after`` persons have been identified on a device."""
        limit = self.shared_after[device.namespace]
        return limit is not None and device.device is not None and device.device.identified >= limit

    def shared(self, identifiers: Iterable[Identifier]) -> set[bytes]:
        """The shared devices among these."""
        return {each.hash for each in identifiers if self.is_shared(each)}

    def named(self, identifier: Identifier) -> str:
        """``namespace:value``"""
        return f"{self.names[identifier.namespace]}:{identifier.value}"

    def anchor(self, pairs: tuple[Pair, ...]) -> Pair:
        """The identifier that an event hangs on: its first person identifier, else its first device."""
        person = self.person
        for pair in pairs:
            if person[pair[0]]:
                return pair
        return pairs[0]
