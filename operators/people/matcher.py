"""Probabilistic links of a space: how alike its records are, and which clusters come of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from contracts.model.probabilistic import Probabilistic
from operators.match import clusters
from operators.match.clusters import Decision, Joining, Match
from operators.match.evidence import Evidence
from operators.match.model import Model
from operators.match.scoring import Scorer, probability, weight
from operators.meta import Meta
from operators.people.blocks import BlockIndex
from operators.people.compared import Compared, Known, Parts
from operators.people.manual import Manual
from operators.people.store import PeopleStore
from operators.records import Link, Person, Record
from operators.refusal import UNLINKED, Refusal


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
        self._manual = manual
        self._rules = store.rules
        self._shares = any(store.rules.shared_after)
        self.evidence = Evidence(settings)
        self.index = BlockIndex(store.shard.blocks, settings.block_limit, meta)
        scorer = Scorer(model)
        self.compared = Compared(store, self.evidence, scorer)
        self._joining = Joining(settings.accept, settings.support, scorer.joint, self.compared.says)
        self._review, self._accept = weight(settings.review), weight(settings.accept)

    def settle(self, present: Parts, gone: Mapping[bytes, Record]) -> set[bytes]:
        """Bring the index and the matches up to date; returns the records of which a link has come, changed or gone.

        ``present``: the identifiers of records that are new or may be different; ``gone``: the rows of records that are no more.
        """
        changed: set[bytes] = set()
        crossed: set[bytes] = set()
        for key, row in gone.items():
            self.compared.forget(key)
            for block in row.blocks:
                if self.index.remove(block, key):
                    crossed.add(block)
            for other in row.matches:
                if other not in gone:
                    del self.compared.touched(other).matches[key]
                    changed.add(other)
        different = []
        for key, identifiers in present.items():
            before, after = self.compared.before(key), self.compared.see(key, identifiers)
            row = self.compared.row(key)
            if before is not None and self._same(before, after) and row.blocks == after.blocks:
                continue
            self.compared.part(key)
            self.compared.touched(key)
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
        mine = self.compared.known(key)
        found: set[bytes] = set()
        for block in mine.blocks:
            members = self.index.members(block)
            if members is None:
                continue
            for other in members - found:
                if other != key and self.evidence.near(block, mine.identifiers, self.compared.known(other).identifiers):
                    found.add(other)
        return found

    def _compare(self, key: bytes, candidates: Collection[bytes]) -> set[bytes]:
        """Link a record to those of its candidates that are alike; returns all whose links are others now."""
        mine, row = self.compared.known(key), self.compared.row(key)
        found: dict[bytes, list[Any]] = {}
        for other in candidates:
            bits = self.compared.weight(key, other)
            if bits >= self._review:
                time = max(mine.record.last, self.compared.known(other).record.last)
                found[other] = [bits, time]
        changed = {other for other in row.matches.keys() | found.keys() if row.matches.get(other) != found.get(other)}
        for other in changed:
            theirs = self.compared.touched(other).matches
            if other in found:
                theirs[key] = list(found[other])
            else:
                theirs.pop(key, None)
        if changed:
            self.compared.touched(key).matches = found
            changed.add(key)
        return changed

    def _reconsider(self, block: bytes) -> set[bytes]:
        """A block has become too large, or no longer is: all pairs in it may be candidates no more, or again."""
        changed: set[bytes] = set()
        for key in list(self.index.everybody(block)):
            changed |= self._compare(key, self._candidates(key))
        return changed

    def decide(self, start: Iterable[bytes]) -> list[Cluster]:
        """The clusters of these records and of all that links of at least ``accept`` connect with them."""
        decisions, ordered = self._decisions(start)
        groups = clusters.members(ordered, decisions)
        home = {key: at for at, group in enumerate(groups) for key in group}
        links: list[list[Match]] = [[] for _ in groups]
        weakest = [1.0 for _ in groups]
        for match, refusal, joins in decisions:
            if refusal is None:
                at = home[match.a]
                links[at].append(match)
                if joins:
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
            records[key] = self.compared.known(key).record
            for other, (bits, _) in self.compared.row(key).matches.items():
                if bits >= self._accept:
                    if other not in records:
                        edge.append(other)
                    if key < other and self._barred(key, other) is None:
                        matches.append(Match(key, other, bits))
        ranks = {key: _rank(record) for key, record in records.items()}
        matches = [match if ranks[match.a] < ranks[match.b] else Match(match.b, match.a, match.weight) for match in matches]
        ordered = sorted(records, key=ranks.__getitem__)
        return clusters.decide({key: records[key] for key in ordered}, matches, self._rules, self._joining), ordered

    def _barred(self, a: bytes, b: bytes) -> Refusal | None:
        """What refuses a link whatever its weight."""
        if self._manual.rulings and self._manual.void(a, b):
            return UNLINKED
        if not self._shares:
            return None
        shared = next((known for known in map(self.compared.known, (a, b)) if known.shared), None)
        return None if shared is None else self._rules.on_shared[shared.record.lead.namespace]

    def links(self, cluster: Cluster) -> dict[bytes, Link]:
        """The accepted links within a cluster, as a person has them."""
        found = {}
        for a, b, bits in cluster.links:
            time = self.compared.row(a).matches[b][1]
            link = Link(a, b, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
            found[link.key] = link
        return found

    def told(self, leads: Collection[bytes]) -> Iterator[tuple[Link, Refusal | None]]:
        """Every link of these records, and what refuses it if it does not stand."""
        decisions = {(each.match.a, each.match.b): each for each in self._decisions(leads)[0]}
        for key in leads:
            for other, (bits, time) in self.compared.row(key).matches.items():
                if _rank(self.compared.known(key).record) < _rank(self.compared.known(other).record):
                    link = Link(key, other, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
                    each, barred = decisions.get((key, other)), self._barred(key, other)
                    below = Refusal("accept", figure=probability(bits)) if each is None else each.refusal
                    yield link, barred or below

    def begin(self, old: Collection[Person], given_up: Mapping[bytes, Record], parts: Parts, shared: Collection[bytes]) -> set[bytes]:
        """Records are made anew: those of ``old`` and ``given_up`` give way to ``parts``; returns as `settle` does. End it with `end`.

        ``shared``: the devices among them that identify nobody.
        """
        self.compared.shared = shared
        rows = {key: row for person in old for key, row in person.records.items() if key not in self.compared.making}
        rows.update(given_up)
        gone = {key: row for key, row in {**rows, **self.compared.making}.items() if key not in parts}
        kept = {key: self.compared.making.get(key) or rows.get(key) or Record([], {}) for key in parts}
        self.compared.making.update(kept)
        changed = self.settle(parts, gone)
        for key in gone:
            self.compared.making.pop(key, None)
        for person in old:
            person.records = {key: row for key, row in person.records.items() if key not in gone}
        return changed

    def making(self, key: bytes) -> bool:
        """Whether a record is among those that people are being made of."""
        return key in self.compared.making

    def end(self) -> None:
        """The people stand."""
        self.compared.making, self.compared.shared = {}, None

    def committed(self, *, forgotten: bool) -> None:
        """After a commit: memory stays within its limits. ``forgotten``: the store has let people out of its cache."""
        self.index.committed()
        self.compared.trim(forgotten=forgotten)


def _rank(record: clusters.Record) -> tuple[int, str]:
    return record.lead.namespace, record.lead.value
