"""The long way: people computed anew from their moments, in the place of those who were there, and every difference announced."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from operators.apart import forget
from operators.people import doings
from operators.people.collected import Collected
from operators.people.manual import Manual
from operators.people.pairs import Refusals
from operators.people.rebuild import Group, Rebuilt
from operators.people.regroup import regroup, relink
from operators.people.store import PeopleStore
from operators.people.work import Work
from operators.profile import next_due
from operators.records import Person, Record

NONE_GONE: Mapping[bytes, Record] = {}


def rebuild(work: Work, start: Iterable[Person], anchors: set[bytes], gone: Mapping[bytes, Record] = NONE_GONE) -> None:
    """Compute the people connected with these anew, and announce every difference. ``gone``: rows of records given up before."""
    began, start = time.thread_time_ns(), list(start)
    work.reading.begin((each.namespace, each.value) for person in start for each in person.identifiers[:1])
    old = component(work.store, work.manual, start)
    compute(work, old, anchors | _anchors_of(old.values()), gone)
    work.cost.count(old.values(), work.rules, *work.reading.end(), (time.thread_time_ns() - began) // 1000)


def compute(
    work: Work, old: dict[bytes, Person], anchors: set[bytes], gone: Mapping[bytes, Record] = NONE_GONE, *, everybody: bool = False
) -> None:
    """The people of these anchors, made anew in the place of ``old``, with those whom likeness draws in; differences are announced."""
    matcher, store = work.matcher, work.store
    while True:
        collected = Collected(work, versions(store.refusals, old.values()), None if matcher is None else matcher.evidence)
        parts = collected.read(sorted(anchors))
        if matcher is None:
            groups = [Group([key]) for key in parts]
            break
        groups, outside, left = regroup(work, matcher, list(old.values()), parts, collected.shared, gone=gone)
        if not outside:
            break
        gone = NONE_GONE
        old = component(store, work.manual, [*old.values(), *outside])
        anchors = anchors | _anchors_of(old.values())
    rebuilt = Rebuilt(work, collected)
    new = rebuilt.build(groups)
    rebuilt.settle(old.values())
    exchange(
        work, old, new, lambda: [] if everybody else [end for end in sorted(anchors) if store.holder(end) is not None], whole=everybody
    )
    work.announcer.reassigned(rebuilt.reassigned)
    if matcher is not None:
        matcher.end()
        for person, cluster in left:
            relink(work, matcher, person, cluster)


def exchange(
    work: Work,
    old: Mapping[bytes, Person],
    new: Mapping[bytes, Person],
    near: Callable[[], Sequence[bytes]],
    *,
    whole: bool = False,
    counted: bool = True,
) -> None:
    """Put rebuilt people in the place of what was; announce who came, split and vanished, then what holds of each.
    ``whole``: everybody is among them; without ``counted`` what they have done for accounts is right already.

    Who vanishes goes to who holds the lead, else another of the identifiers, else one of those ``near``, that evidence connects.
    """
    store, announcer, now = work.store, work.announcer, work.clock.now
    home = {each.hash: person for person in new.values() for each in person.identifiers}
    was = {each.hash: person for person in old.values() for each in person.identifiers}
    for key, person in was.items():
        if key not in home:
            store.release(next(each for each in person.identifiers if each.hash == key))
    for key in sorted(new):
        _add(work, new[key], old.get(key))
    for key in sorted(new.keys() - old.keys()):
        for parent in sorted({was[each.hash].key for each in new[key].identifiers if each.hash in was} & new.keys()):
            announcer.split(new[parent], new[key])
    for key in sorted(old.keys() - new.keys()):
        mine = [key, *(each.hash for each in old[key].identifiers)]
        survivor = next((home[end] for end in mine if end in home), None)
        if survivor is None:
            survivor = next((home.get(end) or store.holder(end) for end in near()), None)
        announcer.vanished(old[key], survivor)
        if survivor is not None:
            store.remember(survivor)
            store.dirty[survivor.key] = survivor
    for person in new.values() if counted else ():
        work.accounts.count_again(person)
    if whole:
        doings.settle(work)
    for key in sorted(new):
        doings.arm(work, new[key])
        work.timers.arm(new[key], next_due(new[key], work.program, now))
        announcer.settle(new[key], now)


def _add(work: Work, person: Person, known: Person | None) -> None:
    """Store a rebuilt person; ``known``: who was there under this key."""
    if known is not None:
        work.store.callings.changes(known)
        if known.traits is not person.traits:
            forget(known, work.store.shard.traits)
        person.version, person.told, person.bits, person.armed = known.version, known.told, known.bits, known.armed
    else:
        person.version = work.store.version(person.key)
    work.store.add(person)
    if known is None:
        work.announcer.created(person)


def component(store: PeopleStore, manual: Manual, start: Iterable[Person]) -> dict[bytes, Person]:
    """All people whom any evidence, standing or not, connects with these; by key."""
    found: dict[bytes, Person] = {}
    reached: Counter[bytes] = Counter()
    """Identifier → how many of its refused links have been followed from their other end."""
    edge = list(start)
    while edge:
        person = edge.pop()
        if person.key in found:
            continue
        found[person.key] = person
        near: set[bytes] = set()
        for each in person.identifiers:
            if each.refused > reached[each.hash]:
                ends = store.refusals.ends(each.hash)
                reached.update(ends)
                near.update(ends)
            if manual.rulings:
                near.update(end for key, _ in manual.of(each.hash) for end in (key[:16], key[16:]))
            if each.device is not None and each.device.nobody:
                shared = store.person(store.shared_key(each))
                if shared is not None:
                    edge.append(shared)
        edge += [holder for holder in map(store.holder, sorted(near)) if holder is not None]
    return found


def versions(refusals: Refusals, people: Iterable[Person]) -> dict[bytes, int]:
    """By key of a link: the version of the rules under which it was made."""
    people = list(people)
    found = {key: link.rules for person in people for key, link in person.links.items()}
    for each in (each for person in people for each in person.identifiers if each.refused):
        found.update((link.key, link.rules) for link in refusals.of(each.hash))
    return found


def _anchors_of(people: Iterable[Person]) -> set[bytes]:
    """Every identifier of these people: where their moments hang."""
    return {each.hash for person in people for each in person.identifiers}
