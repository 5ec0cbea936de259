"""Probabilistic links of a space: how alike its records are, and which clusters come of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from contracts.model.probabilistic import Probabilistic
from operators.match.evidence import Evidence
from operators.match.growth import Growth
from operators.match.links import Joining, Match, rank
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
    """Records of one person, by lead. ``moved``: those that have come to it or changed, with the links between them and all of it that
    stand. ``weakest``: the probability of the weakest link on the strongest way from any of them to any other."""

    leads: list[bytes]
    moved: set[bytes]
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
        self._growth = Growth(store.rules, Joining(settings.accept, settings.support, scorer.joint, self.compared.says))
        self._again: set[bytes] = set()
        """Records of which it was decided while people are made, which do not stand yet."""
        self._review, self._accept = weight(settings.review), weight(settings.accept)

    def settle(self, present: Parts, gone: Mapping[bytes, Record]) -> set[bytes]:
        """Bring the index and the matches up to date; returns records of which links have come, changed or gone: one end of each at
        least, and the other end of those that are gone if it is not known to `decide`.

        ``present``: the identifiers of records that are new or may be different; ``gone``: the rows of records that are no more.
        """
        changed: set[bytes] = set()
        crossed: set[bytes] = set()
        for key, row in gone.items():
            self.compared.forget(key)
            self._growth.drop(key)
            for block in row.blocks:
                if self.index.remove(block, key):
                    crossed.add(block)
            for other in row.matches:
                if other not in gone:
                    del self.compared.touched(other).matches[key]
                    if not self._growth.holds(other):
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
        """Link a record to those of its candidates that are alike; returns as `settle` does."""
        mine, row = self.compared.known(key), self.compared.row(key)
        found: dict[bytes, list[Any]] = {}
        for other, bits in self.compared.weights(key, candidates):
            if bits >= self._review:
                time = max(mine.record.last, self.compared.known(other).record.last)
                found[other] = [bits, time]
        changed = {other for other in row.matches.keys() | found.keys() if row.matches.get(other) != found.get(other)}
        if not changed:
            return changed
        told = {key}
        for other, theirs in self.compared.touched_all(changed):
            if other in found:
                theirs.matches[key] = found[other]
            else:
                theirs.matches.pop(key, None)
                if not self._growth.holds(other):
                    told.add(other)
        self.compared.touched(key).matches = found
        return told

    def _reconsider(self, block: bytes) -> set[bytes]:
        """A block has become too large, or no longer is: all pairs in it may be candidates no more, or again."""
        changed: set[bytes] = set()
        for key in list(self.index.everybody(block)):
            changed |= self._compare(key, self._candidates(key))
        return changed

    def decide(self, start: Iterable[bytes]) -> list[Cluster]:
        """The clusters that are others since records came, changed or went, and those of records to ``start`` from; by rank."""
        self._load(start)
        grown = self._growth.grow()
        return [Cluster(leads, moved, links, 1.0 if bits is None else probability(bits)) for leads, moved, links, bits in grown]

    def _load(self, start: Iterable[bytes]) -> None:
        """Tell what is known of these records, and of all that links connect with them and nobody has told of."""
        growth, told = self._growth, set[bytes]()
        edge = list(start)
        while edge:
            key = edge.pop()
            if key in told:
                continue
            told.add(key)
            matches = self.compared.row(key).matches.items()
            links = [(other, bits) for other, (bits, _) in matches if bits >= self._accept and self._barred(key, other) is None]
            growth.put(key, self.compared.known(key).record, links)
            edge.extend(other for other, _ in links if not growth.holds(other))

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
        return self.linked(cluster.links if len(cluster.moved) == len(cluster.leads) else self._growth.ties(cluster.leads))

    def linked(self, matches: Iterable[Match]) -> dict[bytes, Link]:
        """Links that stand, as a person has them."""
        found = {}
        for a, b, bits in matches:
            time = self.compared.row(a).matches[b][1]
            link = Link(a, b, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
            found[link.key] = link
        return found

    def told(self, leads: Collection[bytes]) -> Iterator[tuple[Link, Refusal | None]]:
        """Every link of these records, and what refuses it if it does not stand."""
        self._load(key for key in leads if not self._growth.holds(key))
        self._growth.grow()
        decisions = {(match.a, match.b): refusal for match, refusal in self._growth.decisions(leads)}
        for key in leads:
            for other, (bits, time) in self.compared.row(key).matches.items():
                if rank(self.compared.known(key).record) < rank(self.compared.known(other).record):
                    link = Link(key, other, manual=False, first=time, last=time, rules=self._rules.version, weight=bits)
                    below = Refusal("accept", figure=probability(bits))
                    yield link, self._barred(key, other) or decisions.get((key, other), below)

    def begin(self, old: Collection[Person], given_up: Mapping[bytes, Record], parts: Parts, shared: Collection[bytes]) -> set[bytes]:
        """Records are made anew: those of ``old`` and ``given_up`` give way to ``parts``; returns the records to decide of, which are
        also those of earlier calls. End it with `end`.

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
        self._again |= changed | parts.keys()
        return set(self._again)

    def making(self, key: bytes) -> bool:
        """Whether a record is among those that people are being made of."""
        return key in self.compared.making

    def end(self) -> None:
        """The people stand."""
        self.compared.making, self.compared.shared, self._again = {}, None, set()

    def committed(self, *, forgotten: bool) -> None:
        """After a commit: memory stays within its limits. ``forgotten``: the store has let people out of its cache."""
        self.index.committed()
        if self.compared.trim(forgotten=forgotten):
            self._growth.clear()

    def let_go(self) -> None:
        """Take apart what is kept of clusters, which refers to each other in rings: another matcher takes this one's place."""
        self._growth.clear()
