"""Conditions on accounts that segments ask for, as segments of accounts: an account is in them, as a person is, and changes by itself."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.model.definitions import Condition, Definitions, InAccount, Segment, leaves
from contracts.model.event_patterns import matches
from contracts.model.of_accounts import of_accounts
from operators.origins import origin_parts
from operators.segments.compile import Program
from operators.segments.forms import of_account


class OnAccounts(Program):
    """What is there of accounts, ready to run."""

    def __init__(self, definitions: Definitions) -> None:
        asked = {(of_account(one), segment.timezone): one for segment in definitions.segments for one in _conditions(segment.who)}
        segments = tuple(Segment(str(at), 1, one.of, timezone=zone) for at, ((_, zone), one) in enumerate(asked.items()))
        super().__init__(of_accounts(definitions, segments))
        self.touches = tuple(touched for touched, _ in asked)
        """By number of a segment: what those who belong to an account are asked about when it enters or leaves that."""
        self._matters: dict[str, bool] = {}
        self.counts = bool(self.features)
        """Whether anything is computed of what members do."""

    def matters(self, contract: str) -> bool:
        """Whether an event that a contract of `Meta.contracts` accepted may be counted."""
        found = self._matters.get(contract)
        if found is None:
            event = origin_parts(contract)[0].partition("/")[0]
            wanted = not event or any(matches(pattern, event) for one in self.features for pattern in one.events)
            found = self._matters[contract] = wanted
        return found

    def asks(self, name: str) -> bool:
        """Whether an event of this name may be counted."""
        route = self.route(name)
        return bool(route.always or route.by_text)

    def turned(self, differ: int) -> tuple[tuple[str, str], ...]:
        """What members are asked about when an account has entered these segments, as bits, or left them."""
        return tuple(dict.fromkeys(touched for at, touched in enumerate(self.touches) if differ >> at & 1))


def _conditions(condition: Condition) -> Iterator[InAccount]:
    return (each for each in leaves(condition) if isinstance(each, InAccount))
