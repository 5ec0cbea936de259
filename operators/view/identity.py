"""Identity: identifiers, the links between them, whether they stand or not, and what was ruled by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.model.hashing import profile_id
from operators.match.confidence import confidences
from operators.match.scoring import probability
from operators.people.manual import Ruling
from operators.people.pairs import link_of
from operators.records import Identifier, Link, Person
from operators.view.rows import SpaceRows
from state.snapshot.tables.identifiers import IdentifierRow
from state.snapshot.tables.identity_links import LinkRow


@dataclass(frozen=True, slots=True)
class IdentityReader:
    """The identifiers of a space and what joins them."""

    committed: SpaceRows

    def identifiers(self) -> Iterator[IdentifierRow]:
        """Every identifier, with its profile."""
        names, space = self.committed.namespaces, self.committed.space
        for person in self.committed.people():
            sure = confidences(person)
            for each in person.identifiers:
                confidence = round(sure[each.hash], 6)
                yield IdentifierRow(names[each.namespace], each.value, profile_id(person.key), each.first, each.last, confidence, space)

    def links(self) -> Iterator[LinkRow]:
        """Every link: those that stand, those that do not, and those that likeness alone speaks for."""
        names = self.committed.namespaces
        known = {each.hash: (names[each.namespace], each.value) for person in self.committed.people() for each in person.identifiers}
        for link, state in self._with_states():
            yield LinkRow(
                *known[link.a], *known[link.b], link.kind, state, link.first, link.last, link.message, link.count, link.rules, link.weight,
                self.committed.space,
            )  # fmt: skip

    def _with_states(self) -> Iterator[tuple[Link, str]]:
        for person in self.committed.people():
            yield from ((link, "accepted") for link in person.links.values())
        yield from ((link, "unlinked" if link.void else "rejected") for link in self.refused())
        yield from self._alike()

    def _alike(self) -> Iterator[tuple[Link, str]]:
        """The probabilistic links that do not stand, with their state."""
        rules = self.committed.program.definitions.identity
        ranks = {each.hash: (each.namespace, each.value) for person in self.committed.people() for each in person.identifiers}
        for person in self.committed.people():
            for key, record in person.records.items():
                for other, (bits, time) in record.matches.items():
                    if ranks[key] < ranks[other] and key + other + b"p" not in person.links:
                        accept = rules.probabilistic.accept if rules.probabilistic is not None else 1.0
                        state = "candidate" if probability(bits) < accept else "rejected"
                        yield Link(key, other, manual=False, first=time, last=time, rules=rules.version, weight=bits), state

    def refused(self) -> Iterator[Link]:
        """Every link that does not stand."""
        for key, row in self.committed.rows.rows("refused"):
            link = link_of(row)
            if link.a == key[:16]:
                yield link

    def refused_of(self, person: Person) -> dict[bytes, Link]:
        """The links that do not stand and have an end in a profile, by key."""
        found = {}
        for each in person.identifiers:
            for _, row in self.committed.rows.rows("refused", each.hash, each.hash + b"\xff" * 17) if each.refused else ():
                link = link_of(row)
                found[link.key] = link
        return found

    def identified(self, device: Identifier) -> set[bytes]:
        """The persons who were ever identified on a device."""
        if device.device is None:
            return set()
        rows = self.committed.rows.rows("identified", device.hash, device.hash + b"\xff" * 16)
        return {*device.device.persons, *(key[16:] for key, _ in rows)}

    def ruling(self, a: bytes, b: bytes) -> Ruling | None:
        """The manual entry that rules a pair of identifiers, in either order."""
        return self.committed.rulings.ruling(a, b)

    def rulings(self) -> Iterator[Ruling]:
        """The manual entries in force, each of its pair."""
        return iter(self.committed.rulings.rulings.values())

    def hash(self, namespace: str, value: str) -> bytes:
        """The hash of an identifier, whether anybody has it or not."""
        return self.committed.hasher.identifier(namespace, value)
