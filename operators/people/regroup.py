"""People by likeness, the long way: what probabilistic links make of the records that a rebuild has found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from operators import consent
from operators.people.compared import Parts
from operators.people.matcher import Cluster, Matcher
from operators.people.rebuild import Group
from operators.people.work import Work
from operators.records import Person, Record
from operators.segments.compile import CONFIDENCE


class Regrouped(NamedTuple):
    """The people to make; or, if there are any ``outside``, the people that have to be made anew with them. ``left``: people outside
    whose links have changed, each with its records and their links, for `relink`."""

    groups: list[Group]
    outside: list[Person]
    left: list[tuple[Person, Cluster]]


def regroup(
    work: Work, matcher: Matcher, old: Collection[Person], parts: Parts, shared: Collection[bytes], *, gone: Mapping[bytes, Record]
) -> Regrouped:
    """The people to make of ``parts`` in the place of ``old``; ``gone``: the rows of records that have been given up before."""
    start = matcher.begin(old, gone, parts, shared)
    found = Regrouped([], [], [])
    for cluster in matcher.decide(start):
        others = {
            person.key: person
            for person in (work.store.holder(key) for key in cluster.leads if not matcher.making(key))
            if person is not None
        }
        if not others:
            rows = {key: matcher.compared.row(key) for key in cluster.leads}
            found.groups.append(Group(cluster.leads, matcher.links(cluster), rows, cluster.weakest))
            continue
        (first, *more) = others.values()
        if more or any(map(matcher.making, cluster.leads)) or first.records.keys() != set(cluster.leads):
            found.outside.extend(others.values())
        else:
            found.left.append((first, cluster))
    return found


def relink(work: Work, matcher: Matcher, person: Person, cluster: Cluster) -> None:
    """Give a person the links that stand within its cluster."""
    new = cluster.moved
    before = {key: link for key, link in person.links.items() if link.weight is not None and (link.a in new or link.b in new)}
    after = matcher.linked(cluster.links)
    for key, link in after.items():
        link.rules = before[key].rules if key in before else link.rules
    if before == after:
        return
    for key in before.keys() - after.keys():
        del person.links[key]
    person.links.update(after)
    work.store.dirty[person.key] = person
    moved: tuple[str, ...] = ()
    if cluster.weakest != person.confidence:
        person.confidence = cluster.weakest
        moved = (CONFIDENCE,)
    if any(len(decisions) > 1 for decisions in person.consents.values()):
        consent.resolve(person, work.store.holder)
        moved += tuple(f"!{purpose}" for purpose in person.consents)
    if moved:
        work.announcer.move(person, moved, work.clock.now)
