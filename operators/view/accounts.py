"""Accounts: what is said of them, and who belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from contracts.model.hashing import profile_id
from operators.people.accounts import Call, calls_of, decode_stays
from operators.records import Person, decode_person
from operators.segments.predicates import canonical
from operators.stays import Stay
from operators.view.rows import SpaceRows

_BEHIND = b"\xff" * 33
"""Behind every key that begins with an account's."""


@dataclass(frozen=True, slots=True)
class AccountMember:
    """Somebody who belongs to an account, or did; the stays are in order."""

    profile: str
    stays: list[Stay]


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a space, as committed."""

    committed: SpaceRows
    row: Person

    @property
    def id(self) -> str:
        return self.row.identifiers[0].value

    @property
    def traits(self) -> dict[str, Any]:
        """What group calls say of it, every number exact."""
        return {name: canonical(kept[2]) for name, kept in self.row.traits.items() if kept[2] is not None}

    def members(self) -> Iterator[AccountMember]:
        """Everybody who has, or had, a stay."""
        key = self.row.key
        for row_key, row in self.committed.rows.rows("members", key, key + _BEHIND):
            yield AccountMember(profile_id(row_key[16:]), decode_stays(row))


@dataclass(frozen=True, slots=True)
class AccountReader:
    """The accounts of a space."""

    committed: SpaceRows

    def all(self) -> Iterator[Account]:
        """Every account, in no order that says anything."""
        for _, row in self.committed.rows.rows("accounts"):
            yield Account(self.committed, decode_person(row))

    def of(self, account: str) -> Account | None:
        """The account of an id."""
        row = self.committed.rows.row("accounts", self.committed.hasher.account(account))
        return None if row is None else Account(self.committed, decode_person(row))

    def calls(self, account: str) -> Iterator[Call]:
        """The group calls that name an account."""
        key = self.committed.hasher.account(account)
        return calls_of(self.committed.rows.rows("calls", key, key + _BEHIND))

    def of_person(self, person: Person) -> Iterator[tuple[str, Stay]]:
        """The stays of a profile, by account and in order."""
        for account in sorted(person.accounts):
            row = self.committed.rows.row("members", self.committed.hasher.account(account) + person.key)
            for stay in [] if row is None else decode_stays(row):
                yield account, stay
