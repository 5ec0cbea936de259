"""The long way: people computed anew from their moments, in the place of those who were there, and every difference announced."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

from operators.people.blocks import BlockIndex
from operators.people.rebuild import Group, Rebuilt, anchors_of, component, versions
from operators.people.regroup import end, regroup
from operators.people.work import Work
from operators.profile import next_due
from operators.records import Person, Record

NONE_GONE: Mapping[bytes, Record] = {}


def rebuild(work: Work, start: Iterable[Person], anchors: set[bytes], gone: Mapping[bytes, Record] = NONE_GONE) -> None:
    """Compute the people connected with these anew, and announce every difference. ``gone``: rows of records given up before."""
    began = time.thread_time_ns()
    old = component(work.store, work.manual, start)
    compute(work, old, anchors | anchors_of(old.values()), gone)
    work.cost.count(old.values(), work.rules, (time.thread_time_ns() - began) // 1000)


def compute(
    work: Work, old: dict[bytes, Person], anchors: set[bytes], gone: Mapping[bytes, Record] = NONE_GONE, *, everybody: bool = False
) -> None:
    """The people of these anchors, made anew in the place of ``old``, with those whom likeness draws in; differences are announced."""
    matcher, store = work.matcher, work.store
    while True:
        evidence = matcher.evidence if matcher is not None else None
        made = versions(store, old.values())
        rebuilt = Rebuilt(store, work.manual, work.program, work.reread, work.clock.now, evidence=evidence, made=made)
        parts = rebuilt.read(sorted(anchors))
        if matcher is None:
            groups = [Group([key]) for key in parts]
            break
        groups, outside, left = regroup(work, matcher, list(old.values()), parts, rebuilt.shared, gone=gone)
        if not outside:
            break
        gone = NONE_GONE
        old = component(store, work.manual, [*old.values(), *outside])
        anchors = anchors | anchors_of(old.values())
    new = rebuilt.build(groups)
    rebuilt.settle(old.values())
    _replace(work, old, new, () if everybody else sorted(anchors))
    work.announcer.reassigned(rebuilt.reassigned)
    if matcher is not None:
        end(work, matcher, left)


def _replace(work: Work, old: dict[bytes, Person], new: dict[bytes, Person], near: Sequence[bytes]) -> None:
    """Put rebuilt people in the place of what was; announce who came, split and vanished, then what holds of each.

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
        survivor = next((home[end] for end in (*mine, *near) if end in home), None)
        announcer.vanished(old[key], survivor)
        if survivor is not None:
            store.remember(survivor)
    for key in sorted(new):
        work.timers.arm(new[key], next_due(new[key], work.program, now))
        announcer.settle(new[key], now)


def _add(work: Work, person: Person, known: Person | None) -> None:
    """Store a rebuilt person; ``known``: who was there under this key."""
    if known is not None:
        person.version, person.told, person.bits, person.armed = known.version, known.told, known.bits, known.armed
    else:
        person.version = work.store.version(person.key)
    work.store.add(person)
    if known is None:
        work.announcer.created(person)


def clear_records(work: Work) -> None:
    """Forget which records were compared, by whatever rules."""
    index = BlockIndex(work.shard.blocks, 0, work.meta) if work.matcher is None else work.matcher.index
    index.clear()
