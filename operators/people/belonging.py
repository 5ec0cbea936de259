"""Which accounts people belong to: kept beside the accounts, and told."""

from __future__ import annotations

from typing import Any

from contracts.text.times import iso, iso_or_none
from operators.change_log import ChangeLog
from operators.people.accounts import TOLD, Accounts, told_of
from operators.people.store import PeopleStore
from operators.records import Person
from operators.stays import Stay, is_unsure, stays


def belonging_told(person: Person) -> list[str]:
    """The accounts that somebody was told to belong to last, in order."""
    return sorted(name[1:] for name, now in person.told.items() if name[:1] == TOLD and now)


class Belonging:
    """Appends to the change log who has joined which account, or has left it."""

    def __init__(self, accounts: Accounts, store: PeopleStore, log: ChangeLog) -> None:
        self._accounts = accounts
        self._store = store
        self._log = log

    def tell(self, person: Person, account: str) -> None:
        """Bring what is kept and told of a person at one account up to date; later, if the stays have to be gone through again."""
        calls = person.accounts.get(account)
        if calls is not None and is_unsure(calls):
            self._accounts.unsure.add(person.key)
            self._accounts.waiting = True
            return
        found = [] if calls is None else stays(calls)
        self._accounts.keep(account, person.key, found)
        name, now = TOLD + account, found[-1][1] is None if found else None
        before = person.told.get(name)
        if before is now:
            return
        self._store.dirty[person.key] = person
        if now is None:
            del person.told[name]
        else:
            person.told[name] = now
        if now:
            self._log.append("account.joined", person, account=account, evidence={"since": iso(found[-1][0])})
        elif before:
            self._left(person, account, found)

    def tell_all(self, person: Person) -> None:
        """The same of all accounts that the person has to do with, or had."""
        if self._accounts.some:
            for account in sorted({*person.accounts, *told_of(person)}):
                self.tell(person, account)

    def gone(self, person: Person) -> None:
        """A person who vanishes leaves every account."""
        if self._accounts.some:
            self._accounts.count_again(person)
        for account in sorted(told_of(person)) if self._accounts.some else ():
            self._accounts.keep(account, person.key, [])
            if person.told.pop(TOLD + account):
                self._left(person, account, [])

    def _left(self, person: Person, account: str, found: list[Stay]) -> None:
        """``found``: the stays that there are; without any it has not been so."""
        evidence: dict[str, Any] = {"until": iso_or_none(found[-1][1]) if found else None}
        self._log.append("account.left", person, account=account, evidence=evidence)
