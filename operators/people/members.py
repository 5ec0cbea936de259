"""What accounts ask for when an event or an entry is done: stays gone through again, and members whose segments read what has changed."""

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
    moved, accounts.moved, accounts.waiting = accounts.moved, {}, False
    for account, names in moved.items():
        touched = work.program.asked(("account", name) for name in sorted(names))
        for key in accounts.belonging(account) if touched else ():
            person = work.store.person(key)
            assert person is not None, "who belongs to an account is somebody"
            work.announcer.move(person, touched, work.clock.now)


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
