"""Which clusters an event's links change: decided in the clusters that they touch, and in those that these can reach from there.

A *region* is whole people. The order of links is gone through twice in it, as it was and as it is. Where nobody has fewer than
before, what was refused stays refused, so of the links that do not stand only those are looked at that lie behind a loss, with an end in
what has lost something. Whoever would be joined from outside joins the region, and it is decided again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from operators.people.manual import Manual
from operators.people.store import PeopleStore
from operators.records import Identifier, Link, Person
from operators.refusal import Refusal
from operators.stitch.rules import Held, Rules
from operators.stitch.timeline import Place, Timeline, fewer, loses

SMALL = 64
"""Identifiers of a person up to which each is asked whether it has lost something; in larger people those with more refused links are."""

Links = dict[bytes, Link]
"""By key."""


def pins(identifier: Identifier, rules: Rules) -> bool:
    """Whether an identifier's first link, if it stands, refuses all others: they are to values of one unique namespace before its own."""
    return 0 <= identifier.rivals < identifier.namespace and rules.most[identifier.rivals] == 1


class Decided(NamedTuple):
    """``people``: whole ones, in the place of whom ``clusters`` come; ``standing``: all links that stand in these; ``fallen``:
    links that stood and do not; ``risen``: links that did not stand and do; ``unpinned``: identifiers whose refused links were
    refused by the first of all, which has fallen."""

    people: dict[bytes, Person]
    clusters: list[list[Identifier]]
    standing: Links
    fallen: Links
    risen: Links
    unpinned: list[Identifier]


class Region:
    """Decides what the links of one event change. ``fresh``: identifiers that nobody holds; ``said``: the event's links as they are
    with it; ``people``: who holds the other identifiers of the event."""

    def __init__(self, store: PeopleStore, manual: Manual, fresh: Iterable[Identifier], said: Links, people: Iterable[Person]) -> None:
        self._store = store
        self._rules = store.rules
        self._manual = manual
        self._fresh = {each.hash: each for each in fresh}
        self._said = said
        self._ends = {end for link in said.values() for end in (link.a, link.b)}
        self._known: dict[bytes, Identifier] = dict(self._fresh)
        """Identifiers of people in the region and around it."""
        self._around: dict[bytes, Timeline] = {}
        """How the clusters of these people grew, by their keys."""
        self._tops: dict[bytes, set[bytes] | None] = {}
        self._refused: dict[bytes, list[Link]] = {}
        self.people: dict[bytes, Person] = {}
        self._inside: dict[bytes, Identifier] = dict(self._fresh)
        self._home: dict[bytes, Person] = {}
        self._stood: Links = {}
        for person in people:
            self._take_in(person)
        self._places: dict[int, Place] = {}
        self._names: dict[bytes, str] = {}
        self._out: dict[bytes, Held] = {}
        """Refused links that join nobody from outside, by key: what the cluster on this side holds."""

    def decide(self) -> Decided:
        """The clusters in the place of those that the event touches."""
        tried: Links = {}
        while True:
            before, after = Timeline(self._inside, self._rules), Timeline(self._inside, self._rules)
            for link in sorted(self._stood.values(), key=self._place):
                before.add(self._place(link), link.a, link.b)
            stands: Links = {}
            for key, link in sorted({**self._stood, **tried, **self._said}.items(), key=lambda each: self._place(each[1])):
                if not self._barred(key, link) and after.add(self._place(link), link.a, link.b):
                    stands[key] = link
            fallen = {key: link for key, link in self._stood.items() if key not in stands}
            size = len(self.people)
            more = {**dict(self._may_rise(before, after, fallen, stands)), **dict(self._joined_otherwise(after))}
            if more.keys() <= tried.keys() and len(self.people) == size:
                break
            tried |= more
        unpinned = [
            each for each in self._inside.values() if each.refused and pins(each, self._rules) and self._comes_loose(each, fallen, stands)
        ]
        risen = {key: link for key, link in stands.items() if key not in self._stood}
        return Decided(
            self.people, self._clusters(after), stands, {**fallen, **{k: self._said[k] for k in fallen if k in self._said}}, risen, unpinned
        )

    def _take_in(self, person: Person) -> None:
        self.people[person.key] = person
        self._around.pop(person.key, None)
        for each in person.identifiers:
            self._inside[each.hash] = self._known[each.hash] = each
            self._home[each.hash] = person
        self._stood.update((key, link) for key, link in person.links.items() if link.weight is None)

    def _place(self, link: Link) -> Place:
        """As `order`, of which names are told once."""
        found = self._places.get(id(link))
        if found is None:
            a, b = self._known[link.a], self._known[link.b]
            lower = max(a.namespace, b.namespace)
            times = (lower, -link.last) if self._rules.newest else (link.first, lower)
            found = (not link.manual, *times, a.namespace + b.namespace, self._name(a), self._name(b))
            self._places[id(link)] = found
        return found

    def _name(self, each: Identifier) -> str:
        found = self._names.get(each.hash)
        if found is None:
            found = self._names[each.hash] = self._rules.named(each)
        return found

    def _clusters(self, after: Timeline) -> list[list[Identifier]]:
        found: dict[bytes, list[Identifier]] = {}
        for key, each in self._inside.items():
            found.setdefault(after.root(key), []).append(each)
        return list(found.values())

    # ---- what bars a link, whatever clusters hold

    def _barred(self, key: bytes, link: Link) -> bool:
        if link.manual:
            return False
        if link.void or self._rules.is_shared(self._known[link.a]) or self._rules.is_shared(self._known[link.b]):
            return True
        # What stands is within the limit at an end that the event has not touched.
        ends = [end for end in (link.a, link.b) if end in self._ends or key not in self._stood]
        return any(top is not None and key not in top for top in map(self._top, ends))

    def _top(self, end: bytes) -> set[bytes] | None:
        """The keys of the links of an identifier that are within ``limits.links``; None if all are."""
        if end not in self._tops:
            self._tops[end] = self._within_limit(end)
        return self._tops[end]

    def _within_limit(self, end: bytes) -> set[bytes] | None:
        person, here = self._home.get(end) or self._store.holder(end), self._known[end]
        if here.refused + len(self._said) + (0 if person is None else len(person.links)) <= self._rules.links_max:
            return None
        stand = {} if person is None else {k: link for k, link in person.links.items() if end in (link.a, link.b) and link.weight is None}
        if len(stand) + here.refused + len(self._said) <= self._rules.links_max:
            return None
        links = {**stand, **{link.key: link for link in self._refused_of(end)}}
        links |= {key: link for key, link in self._said.items() if end in (link.a, link.b)}
        counted = [each for each in links.items() if not (each[1].manual or each[1].void or self._on_shared(each[1]))]
        if len(counted) <= self._rules.links_max:
            return None
        counted.sort(key=lambda each: self._place(each[1]))
        counted.sort(key=(lambda each: -each[1].last) if self._rules.newest else (lambda each: each[1].first))
        return {key for key, _ in counted[: self._rules.links_max]}

    def _on_shared(self, link: Link) -> bool:
        return any(self._rules.is_shared(self._named(end)) for end in (link.a, link.b))

    def _refused_of(self, end: bytes) -> list[Link]:
        """The links of an identifier that did not stand; all their ends are known from then on."""
        found = self._refused.get(end)
        if found is None:
            found = self._refused[end] = list(self._store.refusals.of(end))
            for link in found:
                self._named(link.other(end))
        return found

    def _named(self, key: bytes) -> Identifier:
        found = self._known.get(key)
        if found is None:
            person = self._store.holder(key)
            assert person is not None, "whoever is linked is somebody's"
            self._known.update((each.hash, each) for each in person.identifiers)
            found = self._known[key]
        return found

    # ---- what was refused, and may stand

    def _may_rise(self, before: Timeline, after: Timeline, fallen: Links, stands: Links) -> Iterator[tuple[bytes, Link]]:
        """Refused links at the ends of which something was lost before their turn came. Takes in whom they would join from outside."""
        lost: dict[bytes, list[Place]] = {}
        for link in fallen.values():
            lost.setdefault(self._home[link.a].key, []).append(self._place(link))
        most, store = self._rules.most, self._store
        for key, places in lost.items():
            person = self.people[key]
            spaces = tuple({each.namespace for each in person.identifiers if most[each.namespace] is not None})
            size = len(person.identifiers) + store.largest > self._rules.identifiers_max
            for each in person.identifiers:
                if not each.refused or not (each.loose or self._comes_loose(each, fallen, stands)):
                    continue
                since: Place | None = min(places)
                if len(person.identifiers) <= SMALL or each.refused > SMALL:
                    since = loses(each.hash, before, after, spaces, size=size)
                if since is None:
                    continue
                held = after.at(each.hash, since).held
                for link in self._refused_of(each.hash):
                    other = self._known[link.other(each.hash)]
                    # Two values of a unique namespace are never one person's, whatever else is.
                    out = most[other.namespace] == 1 and other.namespace in held and not link.manual
                    if not out and self._place(link) > since and self._rises(link, each.hash, before, after, spaces, size=size):
                        yield link.key, link

    def _comes_loose(self, each: Identifier, fallen: Links, stands: Links) -> bool:
        """Whether an identifier's refused links were refused by the first of its links, and that does not stand any more."""
        key = each.hash
        mine = [self._place(link) for link in fallen.values() if key in (link.a, link.b)]
        if not mine:
            return False
        if each.rivals < 0 or self._rules.most[each.rivals] != 1 or self._manual.of(key):
            return True
        first = min(mine)
        ends = [(link, self._known[link.other(key)]) for link in stands.values() if key in (link.a, link.b)]
        return not any(end.namespace == each.rivals and self._place(link) < first for link, end in ends)

    def _rises(self, link: Link, here: bytes, before: Timeline, after: Timeline, spaces: tuple[int, ...], *, size: bool) -> bool:
        """Whether a refused link is to be tried in the region; if it would join somebody outside, they are taken in."""
        key, place = link.key, self._place(link)
        held = after.before(here, place).held
        if key in self._said or not fewer(held, before.before(here, place).held, spaces, size=size) or self._out.get(key) == held:
            return False
        other = link.other(here)
        if other in self._inside:
            return not self._barred(key, link)
        person = self._store.holder(other)
        assert person is not None, "whoever is linked is somebody's"
        if (
            self._is_beside(person, other, held, place)
            or self._barred(key, link)
            or isinstance(self._rules.together(held, self._grown(person).before(other, place).held), Refusal)
        ):
            self._out[key] = held
            return False
        self._take_in(person)
        return True

    def _is_beside(self, person: Person, other: bytes, held: Held, place: Place) -> bool:
        """Whether somebody outside is refused since a value of a unique namespace, of which there is one here, is linked with the other
        end before: mostly that is so, and to ask how the whole cluster grew takes longer."""
        for each in person.identifiers:
            if self._rules.most[each.namespace] == 1 and each.namespace in held:
                link = person.links.get(each.hash + other)
                if link is not None and self._place(link) < place:
                    return True
        return False

    def _grown(self, person: Person) -> Timeline:
        """How the clusters of somebody outside grew."""
        found = self._around.get(person.key)
        if found is None:
            self._known.update((each.hash, each) for each in person.identifiers)
            found = self._around[person.key] = Timeline(self._known, self._rules)
            for link in sorted((link for link in person.links.values() if link.weight is None), key=self._place):
                found.add(self._place(link), link.a, link.b)
        return found

    def _joined_otherwise(self, after: Timeline) -> Iterator[tuple[bytes, Link]]:
        """Refused links of two identifiers that one cluster holds now: what was refused for what clusters held stands then."""
        for cluster in self._clusters(after):
            parts: dict[bytes, list[Identifier]] = {}
            for each in cluster:
                home = self._home.get(each.hash)
                parts.setdefault(b"" if home is None else home.key, []).append(each)
            if len(parts) < 2:
                continue
            largest = max(parts, key=lambda key: len(parts[key]))
            for key, part in parts.items():
                others = {each.hash for each in cluster} - {each.hash for each in part}
                if key != largest:
                    yield from self._between(part, others)

    def _between(self, part: list[Identifier], others: set[bytes]) -> Iterator[tuple[bytes, Link]]:
        for each in part:
            for link in self._refused_of(each.hash) if each.refused else ():
                key = link.key
                if link.other(each.hash) in others and key not in self._said and not self._barred(key, link):
                    yield key, link
