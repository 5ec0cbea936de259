"""The records of a space as they are compared, in memory as long as there is room.

A *record* is what manual and deterministic links join. A person is one record, or several that probabilistic links join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from operators.components import Components
from operators.match import links
from operators.match.evidence import Evidence as Likeness
from operators.match.joint import Evidence
from operators.match.scoring import Prepared, Said, Scorer
from operators.people.store import PeopleStore
from operators.records import Identifier, Person, Record
from operators.stitch.clusters import lead

RECORDS_MAX = 200_000
"""Records whose comparable values are kept in memory; all are forgotten when there are more."""
PAIRS_MAX = 2_000_000
"""Pairs whose weights are kept in memory; all are forgotten when there are more."""
Parts = Mapping[bytes, list[Identifier]]
"""The identifiers of records, by lead."""


class Known(NamedTuple):
    """A record as it is compared: its values, the time of the newest, its blocks, its identifiers; ``shared``: it is a device
    that identifies nobody."""

    record: links.Record
    prepared: Prepared
    blocks: list[bytes]
    identifiers: list[Identifier]
    shared: bool


def parts_of(person: Person) -> dict[bytes, list[Identifier]]:
    """The records of a person, by lead."""
    if len(person.records) < 2:
        return {person.key: person.identifiers} if person.identifiers else {}
    by_hash = {each.hash: each for each in person.identifiers}
    joined = Components(by_hash, ((link.a, link.b) for link in person.links.values() if link.weight is None))
    parts = [[by_hash[each] for each in part] for part in joined.parts()]
    return {lead(part).hash: part for part in parts}


class Compared:
    """Records, their rows, and what pairs of them weigh."""

    def __init__(self, store: PeopleStore, evidence: Likeness, scorer: Scorer) -> None:
        self._store = store
        self._rules = store.rules
        self._evidence = evidence
        self._scorer = scorer
        self._known: dict[bytes, Known] = {}
        self._pairs: dict[bytes, dict[bytes, Said]] = {}
        self._pairs_held = 0
        self.making: dict[bytes, Record] = {}
        """Rows of records that are in no person yet, while people are made of them."""
        self.shared: Collection[bytes] | None = None
        """The shared devices among those."""
        self._read: dict[bytes, Record] = {}
        """Rows of people who are in the store's cache."""

    def row(self, key: bytes) -> Record:
        """The row of a record, by its lead."""
        found = self.making.get(key) or self._read.get(key)
        if found is None:
            found = self._read[key] = self.holder(key).records[key]
        return found

    def holder(self, key: bytes) -> Person:
        """Who holds a record, by its lead."""
        known = self._known.get(key)
        if known is not None:
            # Most people are in the cache; a read of the store for each link would cost as much as all the rest.
            slot = self._store.slots.get((known.record.lead.namespace, known.record.lead.value))
            if slot is not None:
                return slot[0]
        person = self._store.holder(key)
        assert person is not None, "a record's lead is an identifier of somebody"
        return person

    def touched(self, key: bytes) -> Record:
        """The row of a record that is about to change."""
        found = self.making.get(key)
        if found is None:
            person = self.holder(key)
            self._store.dirty[person.key] = person
            found = person.records[key]
        return found

    def touched_all(self, keys: Iterable[bytes]) -> list[tuple[bytes, Record]]:
        """The rows of records that are about to change. Mostly several of them are of one person, who is then looked up once."""
        found, last = [], None
        for key in keys:
            row = self.making.get(key)
            if row is None:
                row = last.records.get(key) if last is not None else None
                if row is None:
                    last = self.holder(key)
                    self._store.dirty[last.key] = last
                    row = last.records[key]
            found.append((key, row))
        return found

    def holders(self, keys: Iterable[bytes]) -> list[Person]:
        """Who holds these records, everybody once."""
        found: list[Person] = []
        for key in keys:
            if all(key not in person.records for person in found):
                found.append(self.holder(key))
        return found

    def known(self, key: bytes) -> Known:
        """A record as it is compared."""
        found = self._known.get(key)
        if found is None:
            found = self.see(key, parts_of(self.holder(key))[key])
        return found

    def before(self, key: bytes) -> Known | None:
        """A record as it was compared last, if that is in memory."""
        return self._known.get(key)

    def see(self, key: bytes, identifiers: list[Identifier]) -> Known:
        """A record that is new or may be different, with these identifiers."""
        traits = self._evidence.traits(identifiers)
        texts = self._evidence.texts(traits)
        held: dict[int, int] = {}
        for each in identifiers:
            held[each.namespace] = held.get(each.namespace, 0) + 1
        first = next(each for each in identifiers if each.hash == key)
        shared = self._rules.is_shared(first) if self.shared is None else key in self.shared
        record = links.Record(first, held, self._evidence.time(traits, texts))
        # A copy, since a person's own list takes in the identifiers of those who join.
        found = Known(record, self._scorer.prepared(texts), self._evidence.blocks(texts, identifiers), list(identifiers), shared)
        self._known[key] = found
        return found

    def part(self, key: bytes) -> None:
        """Forget what a record weighs beside others."""
        for other in self._pairs.pop(key, ()):
            theirs = self._pairs.get(other)
            if theirs is not None:
                theirs.pop(key, None)

    def weights(self, key: bytes, others: Collection[bytes]) -> list[tuple[bytes, float]]:
        """The match weight of a record and each of others, in bits."""
        mine = self._weighed(key, others)
        return [(other, mine[other][0]) for other in others]

    def says(self, ones: Sequence[bytes], twos: Sequence[bytes]) -> Evidence:
        """What all pairs between two groups of records say for clusters in which they are."""
        if len(ones) > len(twos):
            ones, twos = twos, ones
        total = 0
        for one in ones:
            mine = self._weighed(one, twos)
            for two in twos:
                total += mine[two][1]
        return total

    def _weighed(self, key: bytes, others: Collection[bytes]) -> dict[bytes, Said]:
        """What is known of a record beside others, among them these."""
        mine = self._pairs.get(key)
        if mine is None:
            mine = self._pairs[key] = {}
        new = [other for other in others if other not in mine]
        if new:
            pairs = self._pairs
            said = self._scorer.weigh_all(self.known(key).prepared, [self.known(other).prepared for other in new])
            for other, each in zip(new, said, strict=True):
                mine[other] = each
                theirs = pairs.get(other)
                if theirs is None:
                    pairs[other] = {key: each}
                else:
                    theirs[key] = each
            self._pairs_held += len(new)
        return mine

    def forget(self, key: bytes) -> None:
        """A record is no more."""
        self._known.pop(key, None)
        self._read.pop(key, None)
        self.part(key)

    def trim(self, *, forgotten: bool) -> bool:
        """After a commit: memory stays within its limits. ``forgotten``: the store has let people out of its cache. Returns whether
        all records have been forgotten."""
        if forgotten:
            self._read = {}
        if len(self._known) <= RECORDS_MAX and self._pairs_held <= PAIRS_MAX:
            return False
        self._known, self._pairs, self._pairs_held = {}, {}, 0
        return True
