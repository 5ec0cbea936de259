"""Accounts: what is said of them, and who belongs to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from contracts.model.hashing import profile_id
from operators.people.accounts import Call, calls_of, decode_stays
from operators.records import Person, decode_person
from operators.segments.compile import Program
from operators.segments.predicates import canonical
from operators.segments.traced import made_turns, turns
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

    def traits(self, at_us: int) -> dict[str, Any]:
        """What group calls say of it, and what is computed of what its members do, at a time; every number exact."""
        return traits_of(self.row, self.committed.of_accounts, at_us)

    def turns(self, at_us: int) -> Iterator[tuple[str, tuple[int, Any]]]:
        """Of each computed trait that changes by itself after a time the name, and when it does, and to what."""
        program = self.committed.of_accounts
        for name in program.made:
            at = program.computed.get(name)
            turning = made_turns(program, name, self.row, at_us) if at is None else turns(program, at, self.row, at_us)
            if turning is not None:
                yield name, turning

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


def traits_of(person: Person, program: Program, at_us: int) -> dict[str, Any]:
    """What calls say of a person, or an account, and computed traits; numbers of sums exact."""
    traits = {name: canonical(kept[2]) for name, kept in person.traits.items() if kept[2] is not None and name not in program.made}
    for name in program.made:
        value = program.shown(person, name, at_us)
        if value is not None:
            traits[name] = value
    return traits


def dumped(traits: dict[str, Any]) -> bytes:
    """Traits as the dump has them."""
    return orjson.dumps(traits, option=orjson.OPT_SORT_KEYS)
