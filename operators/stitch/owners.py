"""Sessions of a device, and whose an anonymous event is: the four rules, over everything known of the device."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable

import msgspec

from operators.records import NOBODY, OWNED, PERSONS, RUNS, SELF, Device, Run
from operators.stitch.rules import Rules

Key = tuple[int, str]
"""``(time, message id)``"""
Owner = tuple[int, bytes]
"""`SELF`, `NOBODY`, or `OWNED` and the hash of the person identifier."""

Older = Callable[[], Iterable[tuple[bytes, Key]]]
"""Gives the persons identified on a device, with the last time, beside those in `Device.persons`, who are later."""

Cluster = Callable[[bytes], bytes]
"""Person identifier → something that stands for its cluster."""

ITSELF: Owner = (SELF, b"")
NO_ONE: Owner = (NOBODY, b"")


class Visit(msgspec.Struct, gc=False):
    """One event that carries the device: when, the person identified by it (None: nobody), and whether it is anonymous
    and hangs on this device."""

    at: Key
    person: bytes | None
    anonymous: bool


class Session(msgspec.Struct, gc=False):
    """Visits without a silence longer than the gap."""

    start: int
    end: int
    identified: list[tuple[Key, bytes]]


def sessions(visits: list[Visit], rules: Rules) -> list[Session]:
    """The sessions of a device; ``visits`` in order of time and message id."""
    found: list[Session] = []
    for visit in visits:
        time = visit.at[0]
        if not found or time - found[-1].end > rules.gap:
            found.append(Session(time, time, []))
        found[-1].end = time
        if visit.person is not None:
            found[-1].identified.append((visit.at, visit.person))
    return found


def attribute(visits: list[Visit], rules: Rules, cluster: Cluster, *, shared: bool) -> tuple[dict[str, Owner], Device]:
    """Owners of the anonymous events by message id, and the device as it stands behind its last visit."""
    runs = sessions(visits, rules)
    starts = [session.start for session in runs]
    logins = [login for session in runs for login in session.identified]
    owners: dict[str, Owner] = {}
    device = Device(0, 0, [], anonymous=False, persons={}, login=logins[0][0][0] if logins else None, own=False, nobody=False)
    for visit in visits:
        if visit.anonymous:
            session = runs[bisect_right(starts, visit.at[0]) - 1]
            owner = _owner(visit.at, session, logins, rules, cluster, shared=shared) if rules.by_session else ITSELF
            owners[visit.at[1]] = owner
            device.own |= owner[0] == SELF
            device.nobody |= owner[0] == NOBODY
    for at, person in logins:
        device.persons[person] = at
    device.identified = len(device.persons)
    last = runs[-1]
    device.start, device.end = last.start, last.end
    for at, person in last.identified:
        extend(device, at, person)
    device.anonymous = any(visit.anonymous and visit.at[0] >= last.start for visit in visits)
    return owners, device


def _owner(at: Key, session: Session, logins: list[tuple[Key, bytes]], rules: Rules, cluster: Cluster, *, shared: bool) -> Owner:
    if session.identified:
        before = bisect_right(session.identified, at, key=lambda login: login[0])
        return OWNED, session.identified[max(before - 1, 0)][1]
    if not logins:
        return ITSELF
    if shared:
        return NO_ONE
    start = session.start
    here = bisect_left(logins, start, key=lambda login: login[0][0])
    since = bisect_left(logins, start - rules.backstitch, key=lambda login: login[0][0])
    if here:
        several = len({cluster(person) for person in {person for _, person in logins[since:here]}}) > 1
        return NO_ONE if several else (OWNED, logins[here - 1][1])
    (time, _), person = logins[here]
    return (OWNED, person) if time <= start + rules.backstitch else NO_ONE


def extend(device: Device, at: Key, person: bytes) -> None:
    """Add an identification that is later than all in the device's latest session."""
    runs = device.runs
    if runs and runs[-1].person == person:
        runs[-1].last = at
        return
    runs.append(Run(person, at, at))
    if len(runs) > RUNS:
        del runs[0]
        device.cut = True


def forget_older(device: Device) -> dict[bytes, Key]:
    """Leave only the last `PERSONS` in a device; returns the others."""
    persons = device.persons
    if len(persons) <= PERSONS:
        return {}
    ordered = sorted(persons, key=persons.__getitem__)
    return {person: persons.pop(person) for person in ordered[:-PERSONS]}


def owner_in_order(device: Device, at: Key, rules: Rules, cluster: Cluster, older: Older, *, shared: bool) -> Owner | None:
    """Whose an anonymous event is that lies in the device's latest session, with all identifications known in order.

    ``older`` gives who was identified beside those whom the device knows. None: it was too long ago in the session to say.
    """
    if not rules.by_session:
        return ITSELF
    if device.runs:
        if device.cut and at < device.runs[0].first:
            return None
        person = device.runs[0].person
        for run in device.runs:
            if run.first <= at:
                person = run.person
        return OWNED, person
    if not device.persons:
        return ITSELF
    if shared:
        return NO_ONE
    if device.identified > 1 and _several(device, device.start - rules.backstitch, cluster, older):
        return NO_ONE
    return OWNED, max(device.persons, key=lambda person: device.persons[person])


def _several(device: Device, since: int, cluster: Cluster, older: Older) -> bool:
    """Whether people of more than one cluster were identified since a time."""
    found = {cluster(person) for person, last in device.persons.items() if last[0] >= since}
    if len(found) != 1:
        return len(found) > 1
    if device.identified == len(device.persons) or any(last[0] < since for last in device.persons.values()):
        return False
    return any(last[0] >= since and cluster(person) not in found for person, last in older())
