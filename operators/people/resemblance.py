"""People by likeness, the short way: whom probabilistic links join and part when an event has changed records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from contracts.model.batches import Event
from operators.people.compared import parts_of
from operators.people.fold import announce_joins
from operators.people.linking.linked import Linked
from operators.people.matcher import Cluster, Matcher
from operators.people.recompute import rebuild
from operators.people.regroup import relink
from operators.people.store import Pair
from operators.people.work import Work
from operators.records import Identifier, Person, Record


def note(work: Work, matcher: Matcher, person: Person, identifier: Identifier, event: Event) -> None:
    """An event hangs on an identifier of a person, and has been applied."""
    if matcher.evidence.note(identifier, event):
        work.store.dirty[person.key] = person
        _refresh(work, matcher, [person], {})


def stitched(work: Work, matcher: Matcher, event: Event, anchor: Pair, before: list[Person], *, linked: Linked) -> None:
    """An event hangs on an identifier, and has been applied; ``before``: the people whom it was about until then."""
    store = work.store
    person, identifier = store.slots[anchor]
    if linked.again:
        note(work, matcher, person, identifier, event)
        return
    matcher.evidence.note(identifier, event)
    now = [found[0] for found in map(store.slot, event.identifiers) if found is not None]
    people = {person.key: person for person in [*before, *now] if store.person(person.key) is person}
    _refresh(work, matcher, people.values(), linked.gone)


def _refresh(work: Work, matcher: Matcher, people: Iterable[Person], gone: Mapping[bytes, Record]) -> None:
    """Records of these people may be others now; ``gone``: the rows of those that are no more."""
    parts: dict[bytes, list[Identifier]] = {}
    for person in people:
        if len(person.records) < 2 and person.identifiers and person.key not in person.records:
            person.records = {person.key: Record([], {})}
        parts.update(parts_of(person))
    _follow(work, matcher, matcher.decide(matcher.settle(parts, gone)))


def _follow(work: Work, matcher: Matcher, decided: Iterable[Cluster]) -> None:
    """Make the people those of the clusters."""
    anew: dict[bytes, Person] = {}
    for cluster in decided:
        people = matcher.compared.holders(cluster.leads)
        whole = sum(len(person.records) for person in people) == len(cluster.leads)
        if not whole or not _join(work, matcher, people, cluster):
            anew.update((person.key, person) for person in people)
    if anew:
        rebuild(work, anew.values(), set())


def _join(work: Work, matcher: Matcher, people: list[Person], cluster: Cluster) -> bool:
    """Make one person of whole ones, or leave one as it is but for its links; False, and nothing is done, if that needs moments."""
    union = work.stitcher.union
    if len(people) == 1:
        relink(work, matcher, people[0], cluster)
        return True
    if not union.unmoved(people, []):
        return False
    linked = Linked()
    person = union.of_people(linked, people)
    # Before it is told who is one person: whoever is told only of those of whom we are sure must not hear of others.
    person.confidence = cluster.weakest
    changed = announce_joins(work, linked)
    relink(work, matcher, person, cluster)
    for each in changed:
        work.announcer.settle(each, work.clock.now)
    return True
