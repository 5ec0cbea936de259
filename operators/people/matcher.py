"""Probabilistic links of a space: its records, how alike they are, and which clusters come of it.

A *record* is what manual and deterministic links join. A person is one record, or several that probabilistic links join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from contracts.model.probabilistic import Probabilistic
from operators.components import Components
from operators.match import clusters
from operators.match.clusters import Decision, Match, reason
from operators.match.evidence import Evidence
from operators.match.model import Model
from operators.match.scoring import Prepared, Scorer, probability, weight
from operators.people.blocks import BlockIndex
from operators.people.manual import Manual
from operators.people.meta import Meta
from operators.people.store import PeopleStore
from operators.records import Identifier, Link, Person, Record
from operators.stitch.clusters import lead
from operators.stitch.reasons import shared_devices

RECORDS_MAX = 200_000
"""Records whose comparable values are kept in memory; all are forgotten when there are more."""
PAIRS_MAX = 2_000_000
"""Match weights that are kept in memory; all are forgotten when there are more."""


Parts = Mapping[bytes, list[Identifier]]
"""The identifiers of records, by lead."""


class Known(NamedTuple):
    """A record as it is compared: its values, the time of the newest, its blocks, its identifiers; ``shared``: it is a device
    that identifies nobody."""

    record: clusters.Record
    prepared: Prepared
    blocks: list[bytes]
    identifiers: list[Identifier]
    shared: bool


class Cluster(NamedTuple):
    """Records of one person, by lead, and the links between them that stand. ``weakest``: the probability of the weakest link on
    the strongest way from any of them to any other."""

    leads: list[bytes]
    links: list[Match]
    weakest: float


class Matcher:
    """Keeps the records of all people compared. A change is told in three steps: `settle` says which records are new or
    different and which are gone, `decide` what follows for the clusters, and the caller makes people of them."""

    def __init__(self, store: PeopleStore, manual: Manual, meta: Meta, settings: Probabilistic, model: Model) -> None:
        self._store = store
        self._manual = manual
        self._rules = store.rules
        self._shares = any(store.rules.shared_after)
        self._support = settings.support
        self.evidence = Evidence(settings)
        self.index = BlockIndex(store.shard.blocks, settings.block_limit, meta)
        self._scorer = Scorer(model)
        self._review, self._accept = weight(settings.review), weight(settings.accept)
        self._known: dict[bytes, Known] = {}
        self._pairs: dict[bytes, dict[bytes, float]] = {}
        self._pairs_held = 0
        self._rows: dict[bytes, Record] = {}
        """Rows of records that are in no person yet, while people are made of them."""
        self._read: dict[bytes, Record] = {}
        """Rows of people who are in the store's cache."""
        self._shared: Collection[bytes] | None = None
        """The shared devices among those."""

    # ---- records

    def parts(self, person: Person) -> dict[bytes, list[Identifier]]:
        """The records of a person, by lead."""
        if len(person.records) < 2:
            return {person.key: person.identifiers} if person.identifiers else {}
        by_hash = {each.hash: each for each in person.identifiers}
        joined = Components(by_hash, ((link.a, link.b) for link in person.links.values() if link.weight is None))
        parts = [[by_hash[each] for each in part] for part in joined.parts()]
        return {lead(part).hash: part for part in parts}

    def row(self, key: bytes) -> Record:
        """The row of a record, by its lead."""
        found = self._rows.get(key) or self._read.get(key)
        if found is None:
            found = self._read[key] = self._holder(key).records[key]
        return found

    def _holder(self, key: bytes) -> Person:
        known = self._known.get(key)
        if known is not None:
            # Most people are in the cache; a read of the store for each link would cost as much as all the rest.
            slot = self._store.slots.get((known.record.lead.namespace, known.record.lead.value))
            if slot is not None:
                return slot[0]
        person = self._store.holder(key)
        assert person is not None, "a record's lead is an identifier of somebody"
        return person

    def _touched(self, key: bytes) -> Record:
        """The row of a record that is about to change."""
        found = self._rows.get(key)
        if found is None:
            person = self._holder(key)
            self._store.dirty[person.key] = person
            found = person.records[key]
        return found

    def known(self, key: bytes) -> Known:
        """A record as it is compared."""
        found = self._known.get(key)
        if found is None:
            found = self._see(key, self.parts(self._holder(key))[key])
        return found

    def _see(self, key: bytes, identifiers: list[Identifier]) -> Known:
        traits = self.evidence.traits(identifiers)
        texts = self.evidence.texts(traits)
        held: dict[int, int] = {}
        for each in identifiers:
            held[each.namespace] = held.get(each.namespace, 0) + 1
        first = next(each for each in identifiers if each.hash == key)
        shared = bool(shared_devices([first], self._rules)) if self._shared is None else key in self._shared
        record = clusters.Record(first, held, self.evidence.time(traits, texts))
        # A copy, since a person's own list takes in the identifiers of those who join.
        found = Known(record, self._scorer.prepared(texts), self.evidence.blocks(texts, identifiers), list(identifiers), shared)
        self._known[key] = found
        return found

    def _part(self, key: bytes) -> None:
        """Forget what a record weighs beside others."""
        for other in self._pairs.pop(key, ()):
            theirs = self._pairs.get(other)
            if theirs is not None:
                theirs.pop(key, None)

    def weight(self, a: bytes, b: bytes) -> float:
        """The match weight of two records, in bits."""
        mine = self._pairs.setdefault(a, {})
        found = mine.get(b)
        if found is None:
            found = mine[b] = self._scorer.weight(self.known(a).prepared, self.known(b).prepared)
            self._pairs.setdefault(b, {})[a] = found
            self._pairs_held += 1
        return found

    # ---- what has changed

    def settle(self, present: Parts, gone: Mapping[bytes, Record]) -> set[bytes]:
        """Bring the index and the matches up to date; returns the records of which a link has come, changed or gone.

        ``present``: the identifiers of records that are new or may be different; ``gone``: the rows of records that are no more.
        """
        changed: set[bytes] = set()
        crossed: set[bytes] = set()
        for key, row in gone.items():
            self._known.pop(key, None)
            self._read.pop(key, None)
            self._part(key)
            for block in row.blocks:
                if self.index.remove(block, key):
                    crossed.add(block)
            for other in row.matches:
                if other not in gone:
                    del self._touched(other).matches[key]
                    changed.add(other)
        different = []
        for key, identifiers in present.items():
            before, after = self._known.get(key), self._see(key, identifiers)
            row = self.row(key)
            if before is not None and self._same(before, after) and row.blocks == after.blocks:
                continue
            self._part(key)
            self._touched(key)
            different.append(key)
            here, there = set(row.blocks), set(after.blocks)
            crossed.update(block for block in here - there if self.index.remove(block, key))
            crossed.update(block for block in there - here if self.index.add(block, key))
            row.blocks = after.blocks
            changed.add(key)
        for key in different:
            changed |= self._compare(key, self._candidates(key))
        for block in crossed:
            changed |= self._reconsider(block)
        return changed

    @staticmethod
    def _same(before: Known, after: Known) -> bool:
        """Whether a record is compared as before. Windowed blocks may have new sightings, so that no record with any is the same."""
        one, two = before.record, after.record
        same = one.lead.hash == two.lead.hash and one.held == two.held and one.last == two.last and before.prepared == after.prepared
        return same and not any(each.seen for each in after.identifiers)

    def _candidates(self, key: bytes) -> set[bytes]:
        mine = self.known(key)
        found: set[bytes] = set()
        for block in mine.blocks:
            members = self.index.members(block)
            if members is None:
                continue
            for other in members - found:
                if other != key and self.evidence.near(block, mine.identifiers, self.known(other).identifiers):
                    found.add(other)
        return found

    def _compare(self, key: bytes, candidates: Collection[bytes]) -> set[bytes]:
        """Link a record to those of its candidates that are alike; returns all whose links are others now."""
        mine, row = self.known(key), self.row(key)
        found: dict[bytes, list[Any]] = {}
        for other in candidates:
            bits = self.weight(key, other)
            if bits >= self._review:
                time = max(mine.record.last, self.known(other).record.last)
                found[other] = [bits, time]
        changed = {other for other in row.matches.keys() | found.keys() if row.matches.get(other) != found.get(other)}
        for other in changed:
            theirs = self._touched(other).matches
            if other in found:
                theirs[key] = list(found[other])
            else:
                theirs.pop(key, None)
        if changed:
            self._touched(key).matches = found
            changed.add(key)
        return changed

    def _reconsider(self, block: bytes) -> set[bytes]:
        """A block has become too large, or no longer is: all pairs in it may be candidates no more, or again."""
        changed: set[bytes] = set()
        for key in list(self.index.everybody(block)):
            changed |= self._compare(key, self._candidates(key))
        return changed

    # ---- what follows

    def decide(self, start: Iterable[bytes]) -> list[Cluster]:
        """The clusters of these records and of all that links of at least ``accept`` connect with them."""
        decisions, ordered = self._decisions(start)
        groups = clusters.members(ordered, decisions)
        home = {key: at for at, group in enumerate(groups) for key in group}
        links: list[list[Match]] = [[] for _ in groups]
        weakest = [1.0 for _ in groups]
        for match, accepted, why, *_ in decisions:
            if accepted:
                at = home[match.a]
                links[at].append(match)
                if why == "joined":
                    # They come by weight, and each joins what no stronger ones join.
                    weakest[at] = probability(match.weight)
        return [Cluster(*each) for each in zip(groups, links, weakest, strict=True)]

    def _decisions(self, start: Iterable[bytes]) -> tuple[list[Decision], list[bytes]]:
        """What becomes of each link of these records and of all that links connect with them; and the records, in rank."""
        records: dict[bytes, clusters.Record] = {}
        matches: list[Match] = []
        edge = list(start)
        while edge:
            key = edge.pop()
            if key in records:
                continue
            records[key] = self.known(key).record
            for other, (bits, _) in self.row(key).matches.items():
                if bits >= self._accept:
                    if other not in records:
                        edge.append(other)
                    if key < other and self._barred(key, other) is None:
                        matches.append(Match(key, other, bits))
        ranks = {key: _rank(record) for key, record in records.items()}
        matches = [match if ranks[match.a] < ranks[match.b] else Match(match.b, match.a, match.weight) for match in matches]
        ordered = sorted(records, key=ranks.__getitem__)
        return clusters.decide({key: records[key] for key in ordered}, matches, self._rules, self._support, self.weight), ordered

    def _barred(self, a: bytes, b: bytes) -> str | None:
        """Why a link counts for nothing, whatever its weight."""
        if self._manual.rulings and self._manual.void(a, b):
            return "unlinked by hand"
        if not self._shares:
            return None
        shared = next((known for known in map(self.known, (a, b)) if known.shared), None)
        if shared is None:
            return None
        first = shared.record.lead
        limit = self._rules.shared_after[first.namespace]
        return f"shared_after: {limit} persons or more were identified on {self._rules.names[first.namespace]}:{first.value}"

    def links(self, cluster: Cluster) -> dict[bytes, Link]:
        """The accepted links within a cluster, as a person has them."""
        found = {}
        for a, b, bits in cluster.links:
            time = self.row(a).matches[b][1]
            found[a + b + b"p"] = Link(a, b, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
        return found

    def told(self, leads: Collection[bytes]) -> Iterator[tuple[Link, str, str | None]]:
        """Every link of these records, with its state (accepted, rejected, candidate) and, if it does not stand, the reason."""
        decisions = {(each.match.a, each.match.b): each for each in self._decisions(leads)[0]}
        for key in leads:
            for other, (bits, time) in self.row(key).matches.items():
                if _rank(self.known(key).record) < _rank(self.known(other).record):
                    link = Link(key, other, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
                    each, barred = decisions.get((key, other)), self._barred(key, other)
                    if barred is not None:
                        yield link, "rejected", barred
                    elif each is None:
                        yield link, "candidate", f"probability {probability(bits):.4f}: below accept"
                    elif each.accepted:
                        yield link, "accepted", None
                    else:
                        yield link, "rejected", reason(each, self._rules, self._support)

    # ---- people that are being made

    def begin(self, old: Collection[Person], given_up: Mapping[bytes, Record], parts: Parts, shared: Collection[bytes]) -> set[bytes]:
        """Records are made anew: those of ``old`` and ``given_up`` give way to ``parts``; returns as `settle` does. End it with `end`.

        ``shared``: the devices among them that identify nobody.
        """
        self._shared = shared
        rows = {key: row for person in old for key, row in person.records.items() if key not in self._rows}
        rows.update(given_up)
        gone = {key: row for key, row in {**rows, **self._rows}.items() if key not in parts}
        kept = {key: self._rows.get(key) or rows.get(key) or Record([], {}) for key in parts}
        self._rows.update(kept)
        changed = self.settle(parts, gone)
        for key in gone:
            self._rows.pop(key, None)
        for person in old:
            person.records = {key: row for key, row in person.records.items() if key not in gone}
        return changed

    def making(self, key: bytes) -> bool:
        """Whether a record is among those that people are being made of."""
        return key in self._rows

    def end(self) -> None:
        """The people stand."""
        self._rows, self._shared = {}, None

    def clear(self) -> None:
        """Forget all records; people have none from now on."""
        self.index.clear()
        self._known, self._pairs, self._pairs_held, self._rows, self._read = {}, {}, 0, {}, {}

    def committed(self, *, forgotten: bool) -> None:
        """After a commit: memory stays within its limits. ``forgotten``: the store has let people out of its cache."""
        self.index.committed()
        if forgotten:
            self._read = {}
        if len(self._known) > RECORDS_MAX or self._pairs_held > PAIRS_MAX:
            self._known, self._pairs, self._pairs_held = {}, {}, 0


def _rank(record: clusters.Record) -> tuple[int, str]:
    return record.lead.namespace, record.lead.value
