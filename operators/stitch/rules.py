"""The identity rules in the form in which the inner loops use them."""

from __future__ import annotations

from contracts.model.definitions import IdentityRules

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
        self.most = tuple(1 if each.unique else each.limit for each in spaces)
        self.shared_after = tuple(each.shared_after for each in spaces)
        self.newest = rules.conflict == "newest"
        self.identifiers_max = rules.limit_identifiers
        self.links_max = rules.limit_links
        self.gap = rules.session_gap_us
        self.backstitch = rules.backstitch_us
        self.by_session = rules.owner == "session"

    def anchor(self, pairs: tuple[Pair, ...]) -> Pair:
        """The identifier that an event hangs on: its first person identifier, else its first device."""
        person = self.person
        for pair in pairs:
            if person[pair[0]]:
                return pair
        return pairs[0]
