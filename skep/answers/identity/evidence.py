"""All evidence that connects some people: their identifiers, the links between them, and which rule refuses each that does not stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from contracts.model.hashing import profile_id
from operators.extract import Identifiers
from operators.people.manual import Ruling
from operators.records import Identifier, Link, Person
from operators.refusal import Refusal, state
from operators.stitch.clusters import decided, order, reason
from operators.stitch.rules import Rules
from operators.view.space import View
from skep.answers.profiles import by_id, check_namespace, parse
from skep.project.errors import CommandError

if TYPE_CHECKING:
    # It brings the flow's own steps, which few who ask for evidence need.
    from skep.answers.identity.likeness import Likeness

Pair = list[str]
"""``[namespace, value]``"""
Near = Mapping[bytes, list[tuple[bytes, Link]]]
"""Identifier → its neighbours and the links to them, in a stable order."""


class Evidence:
    """What `operators.people.rebuild` would decide about these people, as it was decided."""

    def __init__(self, view: View, start: Iterable[Person], likeness: Likeness | None = None) -> None:
        self.view = view
        self.likeness = likeness
        self.rules = Rules(view.program.definitions.identity)
        self.people = {person.key: person for person in connected(start, view)}
        about = list(self.people.values())
        if likeness is not None:
            beside = [view.holds(key) for person in about for key in likeness.matched(person)]
            self.people |= {person.key: person for person in beside if person is not None and person.key not in self.people}
        self.home = {each.hash: person for person in self.people.values() for each in person.identifiers}
        self.identifiers = {each.hash: each for person in self.people.values() for each in person.identifiers}
        self.shared = self.rules.shared(self.identifiers.values())
        known: dict[bytes, Link] = {}
        for person in about:
            known.update(person.links | view.identity.refused_of(person))
        alike = {key: known.pop(key) for key in list(known) if known[key].weight is not None}
        found = list(decided(self.identifiers, known.values(), self.shared, self.rules))
        found += [(link, None) for link in alike.values()] if likeness is None else self._compared(likeness)
        self.links = [link for link, _ in found]
        self.refusals = {id(link): refusal for link, refusal in found}
        """By `id` of a link: what refuses it; None if it stands."""

    def _compared(self, likeness: Likeness) -> Iterator[tuple[Link, Refusal | None]]:
        """The probabilistic links between these people, and to those who are beside them."""
        return ((link, refusal) for link, refusal in likeness.links(self.people.values()) if link.a in self.home and link.b in self.home)

    def state(self, link: Link) -> str:
        """``accepted``, ``rejected``, or of a probabilistic link below `accept` ``candidate``."""
        return state(self.refusals[id(link)])

    def pair(self, identifier: bytes) -> Pair:
        """The identifier of a hash as people know it."""
        each = self.identifiers[identifier]
        return [self.rules.names[each.namespace], each.value]

    def profile(self, identifier: bytes) -> str:
        """The id of the profile that holds an identifier."""
        return profile_id(self.home[identifier].key)

    def stands(self, link: Link) -> bool:
        return self.refusals[id(link)] is None

    def reason(self, link: Link) -> str | None:
        """Why a link does not stand, in words; None if it does."""
        refusal = self.refusals[id(link)]
        return None if refusal is None else reason(link, refusal, self.identifiers, self.shared, self.rules)

    def ruling(self, link: Link) -> Ruling | None:
        """The manual entry that makes or takes away a link."""
        return self.view.identity.ruling(link.a, link.b) if link.manual or link.void else None

    def near(self, links: Iterable[Link]) -> Near:
        """Who is joined with whom by these links."""
        found: dict[bytes, list[tuple[bytes, Link]]] = defaultdict(list)
        for link in links:
            found[link.a].append((link.b, link))
            found[link.b].append((link.a, link))
        for ends in found.values():
            ends.sort(key=lambda end: (self.rank(end[0]), not end[1].manual))
        return found

    def rank(self, identifier: bytes) -> tuple[int, str]:
        """The rank of an identifier: by namespace, then by text."""
        each = self.identifiers[identifier]
        return each.namespace, each.value

    def sorted(self, links: Iterable[Link]) -> list[Link]:
        """In the order in which the rules look at them."""
        return sorted(links, key=lambda link: order(link, self.identifiers, self.rules))


def connected(start: Iterable[Person], view: View) -> Iterator[Person]:
    """All people whom links, standing or not, connect with these."""
    found: set[bytes] = set()
    looked: set[bytes] = set()
    edge = list(start)
    while edge:
        person = edge.pop()
        if person.key in found:
            continue
        found.add(person.key)
        yield person
        looked.update(each.hash for each in person.identifiers)
        near = {end for link in view.identity.refused_of(person).values() for end in (link.a, link.b)} - looked
        edge += [holder for holder in map(view.holds, sorted(near)) if holder is not None and holder.key not in found]


def normalized(view: View, text: str) -> tuple[str, str]:
    """``NS:VALUE`` as its namespace and the value, normalised as in events. Raises CommandError for what is no identifier."""
    namespace, value = parse(text)
    definitions = view.program.definitions
    check_namespace([definitions], namespace)
    normal = Identifiers(definitions.identity).normalize(namespace, value)
    if normal is None:
        raise CommandError(f"expected an identifier that counts, found {text} → it is blocked or no {namespace} by contracts/identity.yaml")
    return namespace, normal[1]


def holder_of(view: View, text: str) -> tuple[Person, Identifier]:
    """The profile that holds ``NS:VALUE`` and the identifier in it. Raises CommandError if nobody has it."""
    namespace, value = normalized(view, text)
    person = view.profiles.holder(namespace, value)
    if person is None:
        raise CommandError(f"nobody in space {view.space} has {text}: expected an identifier of an accepted event → is it spelt so?")
    identifier = view.identity.hash(namespace, value)
    return person, next(each for each in person.identifiers if each.hash == identifier)


def profile_of(view: View, text: str) -> Person:
    """The profile of ``p_…`` or of ``NS:VALUE``. Raises CommandError if there is none."""
    if not text.startswith("p_") or ":" in text:
        return holder_of(view, text)[0]
    person = by_id(view, text)
    if person is None:
        raise CommandError(f"no profile of space {view.space} has the id {text} → `skep profile show NS:VALUE` tells ids")
    return person


def text_of(pair: Pair) -> str:
    """``namespace:value``"""
    return f"{pair[0]}:{pair[1]}"
