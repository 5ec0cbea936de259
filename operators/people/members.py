"""What accounts ask for when an event or an entry is done: stays gone through again."""

from __future__ import annotations

from operators.people.recompute import rebuild
from operators.people.work import Work
from operators.records import Person
from operators.stays import is_unsure


def settle(work: Work) -> None:
    """Do all of it."""
    accounts = work.accounts
    while accounts.unsure:
        key = min(accounts.unsure)
        accounts.unsure.discard(key)
        person = work.store.person(key)
        if person is not None and any(map(is_unsure, person.accounts.values())):
            # In order of time no call is missed.
            rebuild(work, [_start(work, person)], set())
    accounts.moved.clear()
    accounts.waiting = False


def _start(work: Work, person: Person) -> Person:
    """With whom a person is computed anew: of a device's events that belong to nobody, with who holds the device."""
    store = work.store
    for account in () if person.identifiers else person.accounts:
        for call in work.accounts.calls(work.accounts.key(account)):
            holder = store.holder(call.anchor)
            for each in holder.identifiers if holder is not None else ():
                if each.hash == call.anchor and store.shared_key(each) == person.key:
                    assert holder is not None, "it has identifiers"
                    return holder
    return person
