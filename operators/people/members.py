"""What accounts ask for when an event or an entry is done: stays gone through again, what members have done for them, and members
whose segments look at what has turned."""

from __future__ import annotations

from operators.people import doings
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
    doings.settle(work)
    before, accounts.before, accounts.waiting = accounts.before, {}, False
    now, program = work.clock.now, accounts.program
    for key, (held, otherwise) in before.items():
        found = accounts.at(key)
        differ = otherwise | (held ^ (0 if found is None else program.members(found, now)))
        doings.ask(work, key, program.turned(differ), now)


def _start(work: Work, person: Person) -> Person:
    """With whom a person is computed anew: of a device's events that belong to nobody, with who holds the device."""
    device = None if person.identifiers else doings.device_of(work, person)
    holder = None if device is None else work.store.holder(device.hash)
    return person if holder is None else holder
