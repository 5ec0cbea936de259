"""The committed rows of a space, and the definitions that they were computed by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher
from contracts.text.times import iso
from operators import meta as meta_row
from operators.apart import decode_whole
from operators.epochs import CONTROL
from operators.extract import Identifiers
from operators.meta import Meta, Underway
from operators.origins import origin_parts
from operators.people.manual import Rulings
from operators.records import Person, decode_person
from operators.segments.carried import Carried, Memberships
from operators.segments.compile import Program
from operators.segments.on_accounts import OnAccounts
from operators.versions import Reading, Readings
from state.errors import BeforeClock, NoState
from state.shard import OTHER


class Rows(Protocol):
    """Committed rows of a shard, as a primary or a secondary sees them."""

    def row(self, family: str, key: bytes) -> bytes | None: ...

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]: ...


class SpaceRows:
    """What every reader of a space begins with. ``load`` gives the definitions of a digest."""

    def __init__(self, rows: Rows, space: str, hasher: Hasher, load: Callable[[str], Definitions]) -> None:
        self.rows = rows
        self.space = space
        self.hasher = hasher
        self._load = load
        self._program: tuple[str, Program] | None = None
        self._rulings: tuple[str, int, Rulings] | None = None
        self._of_accounts: tuple[str, OnAccounts] | None = None
        self._carried: tuple[str, str, Carried] | None = None
        self._memberships: tuple[str, str, Memberships] | None = None

    @property
    def meta(self) -> Meta:
        """Positions, clocks and counters; empty before the first commit."""
        row = self.rows.row("meta", meta_row.KEY)
        return meta_row.decode(row) if row is not None else Meta()

    @property
    def program(self) -> Program:
        """The definitions in force, compiled."""
        digest = self.meta.digest
        if not digest:
            raise NoState(f"space {self.space}: no definitions have taken effect yet. Run `skep run --once` first.")
        if self._program is None or self._program[0] != digest:
            self._program = (digest, Program(self._load(digest)))
            self._program[1].account_of = self._account
        return self._program[1]

    @property
    def rulings(self) -> Rulings:
        """What was said by hand, as the definitions in force read it."""
        meta, rules = self.meta, self.program.definitions.identity
        entries = meta.applied.get(CONTROL, 0)
        if self._rulings is None or self._rulings[:2] != (meta.digest, entries):
            found = Rulings(self.rows.rows("manual"), self.hasher)
            found.use(Identifiers(rules))
            self._rulings = meta.digest, entries, found
        return self._rulings[2]

    @property
    def of_accounts(self) -> OnAccounts:
        """What the definitions in force say of accounts, compiled."""
        program = self.program
        if self._of_accounts is None or self._of_accounts[0] != program.definitions.digest:
            self._of_accounts = program.definitions.digest, OnAccounts(program.definitions)
        return self._of_accounts[1]

    def _account(self, account: str) -> Person | None:
        row = self.rows.row("accounts", self.hasher.account(account))
        return None if row is None else decode_person(row)

    @property
    def namespaces(self) -> list[str]:
        """The names of the identity rules' namespaces, by their number."""
        return [each.name for each in self.program.definitions.identity.namespaces]

    def readings(self) -> dict[str, Reading]:
        """By the name of an old contract: how the documents that it accepted are read now."""
        meta = self.meta
        return Readings(self.program.definitions).all(origin_parts(each)[0] for each in meta.contracts) if meta.digest else {}

    def at(self, at_us: int | None) -> int:
        """The time to answer for: the clock if none is asked. Raises BeforeClock."""
        clock = self.meta.clock
        if at_us is None:
            return clock if clock is not None else 0
        if clock is not None and at_us < clock:
            raise BeforeClock(f"space {self.space} has come to {iso(clock)}; ask for that time or a later one, not {iso(at_us)}.")
        return at_us

    def people(self) -> Iterator[Person]:
        """Every profile, by key."""
        meta = self.meta
        for _, row in self.rows.rows("people"):
            yield self.numbered(row, meta)

    def holds(self, identifier: bytes) -> Person | None:
        """The profile that holds the identifier of this hash."""
        lead = self.rows.row("alias", identifier)
        return None if lead is None else self.person(lead)

    def person(self, key: bytes) -> Person | None:
        """The profile of a key."""
        row = self.rows.row("people", key)
        return None if row is None else self.numbered(row, self.meta)

    def numbered(self, row: bytes, meta: Meta) -> Person:
        """A profile as the definitions in force number what is in it, whether it has been brought along to them or not."""
        found, change = decode_whole(row, partial(self.rows.row, "traits")), meta.change
        if change is not None and change.switched and found.edition != meta.edition:
            if change.anew:
                return self._told(found, change)
            if self._carried is None or self._carried[:2] != (change.before, change.after):
                self._carried = change.before, change.after, Carried(self._load(change.before), self._load(change.after))
            self._carried[2].carry(found)
        return found

    def _told(self, person: Person, change: Underway) -> Person:
        """Somebody made anew of whom has not been told yet, with what has been told of him before."""
        row = self.rows.row(f"{OTHER}people", person.key)
        person.bits, person.told, person.version = b"", {}, 0
        if row is not None:
            before = decode_person(row)
            if self._memberships is None or self._memberships[:2] != (change.before, change.after):
                carried = Memberships(self._load(change.before).segments, self._load(change.after).segments)
                self._memberships = change.before, change.after, carried
            self._memberships[2].carry(before)
            person.bits, person.told, person.version = before.bits, before.told, before.version
        return person
