"""People by likeness: what probabilistic links join and part, when records have changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from operators.match.model import Model
from operators.people.matcher import Cluster, Matcher, Parts
from operators.people.rebuild import Group
from operators.profile import resolve_consents
from operators.records import Identifier, Person, Record

if TYPE_CHECKING:
    from contracts.model.batches import Event
    from contracts.model.probabilistic import Probabilistic
    from operators.people.space import Space


class Regroup:
    """Tells the matcher what has changed in a space, and makes its people follow."""

    def __init__(self, space: Space, settings: Probabilistic, model: Model) -> None:
        self._space = space
        self.matcher = Matcher(space.store, space.manual, space.meta, settings, model)
        self._left: list[tuple[Person, Cluster]] = []
        """People whose links have changed while others were made anew: each with its records and their links."""

    # ---- the short way

    def note(self, person: Person, identifier: Identifier, event: Event) -> None:
        """An event hangs on an identifier of a person, and has been applied."""
        if self.matcher.evidence.note(identifier, event):
            self._space.store.dirty[person.key] = person
            self.refresh([person], {})

    def refresh(self, people: Iterable[Person], gone: Mapping[bytes, Record]) -> None:
        """Records of these people may be others now; ``gone``: the rows of those that are no more."""
        matcher, parts = self.matcher, {}
        for person in people:
            if len(person.records) < 2 and person.identifiers and person.key not in person.records:
                person.records = {person.key: Record([], {})}
            parts.update(matcher.parts(person))
        changed = matcher.settle(parts, gone)
        if changed:
            self._follow(matcher.decide(changed))

    def _follow(self, decided: Iterable[Cluster]) -> None:
        """Make the people those of the clusters."""
        store = self._space.store
        anew: dict[bytes, Person] = {}
        for cluster in decided:
            people = {person.key: person for person in map(store.holder, cluster.leads) if person is not None}
            whole = sum(len(person.records) for person in people.values()) == len(cluster.leads)
            if not whole or not self._join(list(people.values()), cluster):
                anew.update(people)
        if anew:
            self._space.rebuild(list(anew.values()), set())

    def _join(self, people: list[Person], cluster: Cluster) -> bool:
        """Make one person of whole ones, or leave one as it is but for its links; False, and nothing is done, if that needs moments."""
        space = self._space
        if len(people) == 1:
            self._relink(people[0], cluster)
            return True
        if not space.stitcher.unmoved(people, []):
            return False
        person = space.stitcher.unite(people)
        # Before it is told who is one person: whoever is told only of those of whom we are sure must not hear of others.
        person.confidence = cluster.weakest
        changed = space.announce_joins()
        self._relink(person, cluster)
        for each in changed:
            space.announcer.settle(each, space.clock.now)
        return True

    def _relink(self, person: Person, cluster: Cluster) -> None:
        """Give a person the links that stand within its cluster."""
        space = self._space
        before = {key: link for key, link in person.links.items() if link.weight is not None}
        after = self.matcher.links(cluster)
        for key, link in after.items():
            link.rules = before[key].rules if key in before else link.rules
        if before == after:
            return
        person.links = {key: link for key, link in person.links.items() if link.weight is None} | after
        space.store.dirty[person.key] = person
        moved: tuple[str, ...] = ()
        if cluster.weakest != person.confidence:
            person.confidence = cluster.weakest
            moved = ("confidence",)
        if any(len(decisions) > 1 for decisions in person.consents.values()):
            resolve_consents(person, space.store.holder)
            moved += tuple(f"!{purpose}" for purpose in person.consents)
        if moved:
            space.announcer.move(person, moved, space.clock.now)

    # ---- the long way

    def regroup(self, old: Collection[Person], parts: Parts, shared: Collection[bytes]) -> tuple[list[Group], list[Person]]:
        """The people to make of ``parts`` in the place of ``old``; or, if there are any, the people that have to be made anew with them."""
        matcher, store, stitcher = self.matcher, self._space.store, self._space.stitcher
        given_up, stitcher.gone = stitcher.gone, {}
        changed = matcher.begin(old, given_up, parts, shared)
        self._left = []
        groups: list[Group] = []
        outside: list[Person] = []
        for cluster in matcher.decide([*parts, *changed]):
            others = {
                person.key: person
                for person in (store.holder(key) for key in cluster.leads if not matcher.making(key))
                if person is not None
            }
            if not others:
                rows = {key: matcher.row(key) for key in cluster.leads}
                groups.append(Group(cluster.leads, matcher.links(cluster), rows, cluster.weakest))
                continue
            (first, *more) = others.values()
            if more or any(map(matcher.making, cluster.leads)) or first.records.keys() != set(cluster.leads):
                outside += others.values()
            else:
                self._left.append((first, cluster))
        return groups, outside

    def end(self) -> None:
        """The people that `regroup` was asked for stand."""
        self.matcher.end()
        left, self._left = self._left, []
        for person, cluster in left:
            self._relink(person, cluster)
