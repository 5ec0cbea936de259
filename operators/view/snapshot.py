"""A space's committed rows in the form in which the snapshot takes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from operators.quality.scores import HOUR_US, share
from operators.versions import Reading
from operators.view.space import View
from operators.view.told_rows import told_tables
from state.ledger import LedgerReader
from state.snapshot.rows import Settled
from state.snapshot.tables.account_members import MemberRow
from state.snapshot.tables.accounts import AccountRow
from state.snapshot.tables.changes import LoggedRow
from state.snapshot.tables.quality import QualityRow
from state.snapshot.tables.quarantine import RefusedRow


@dataclass(frozen=True, slots=True)
class SnapshotRows:
    """What a space tells the snapshot (`state.snapshot.rows`)."""

    view: View
    ledger: LedgerReader | None = field(default=None, kw_only=True)

    @property
    def clock_us(self) -> int | None:
        return self.view.meta.clock

    def applied(self) -> dict[str, int]:
        return self.view.meta.applied

    def settled(self) -> Iterator[Settled]:
        return self.view.quarantine.settled()

    def readings(self) -> dict[str, Reading]:
        return self.view.readings()

    def tables(self) -> Mapping[str, Iterable[tuple[Any, ...]]]:
        view = self.view
        return {
            "attributions": view.events.attributed(),
            "profiles": view.profiles.rows(),
            "identifiers": view.identity.identifiers(),
            "identity_links": view.identity.links(),
            "identity_history": view.history.rows(),
            "consents": view.profiles.consents(),
            "accounts": self._accounts(),
            "account_members": self._members(),
            "quarantine": self._quarantine(),
            "changes": (LoggedRow(sequence, body, view.space) for sequence, body in view.changes()),
            "quality": self._quality(),
            **told_tables(self.ledger, view.space),
        }

    def _accounts(self) -> Iterator[AccountRow]:
        now = self.view.at(None)
        for account in self.view.accounts.all():
            stays = [member.stays for member in account.members()]
            yield AccountRow(account.id, self.view.space, account.traits(now), sum(each[-1][1] is None for each in stays), len(stays))

    def _members(self) -> Iterator[MemberRow]:
        for account in self.view.accounts.all():
            for member in account.members():
                for since, until in member.stays:
                    yield MemberRow(account.id, member.profile, since, until, self.view.space)

    def _quarantine(self) -> Iterator[RefusedRow]:
        for row in self.view.quarantine.entries():
            yield RefusedRow(
                row.id, row.reason, row.detail, row.event or None, row.contract or None, row.partition, row.position, row.received_at_us,
                row.raw, self.view.space,
            )  # fmt: skip

    def _quality(self) -> Iterator[QualityRow]:
        for hour, source, event, scores in self.view.quality.scores():
            yield QualityRow(
                hour * HOUR_US, source, event, scores.events, scores.records - scores.events, scores.refused, scores.newest_us,
                share(scores.carried()), scores.present, scores.unknown_events, scores.unknown, scores.looked, scores.outside,
                self.view.space,
            )  # fmt: skip
