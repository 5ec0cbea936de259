"""People over the shard: those seen lately in memory, decoded or as rows, and who holds which identifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

from contracts.model.hashing import Hasher
from operators.apart import NARROW, Chunked, decode_whole, encode_whole, forget, head
from operators.people.callings import Callings
from operators.people.pairs import Denied, Identified, Refusals
from operators.records import Identifier, Link, Person, encode
from operators.stitch.rules import Rules
from state.shard import Shard

PERSON_BYTES, ROW_BYTES = 1_000, 7
"""What a decoded person takes in memory: so much, and for each byte of its row so much more (measured)."""
KEPT_BYTES = 150
"""What a person that is kept as its row takes beside that (measured)."""
DECODED_LEAST = 0.25
"""The share of the cache that is left to decoded people, however many rows there are to keep."""
ROW_SIZE_WEIGHT = 0.05
"""How much a commit's rows count in the mean size of a row."""
HASHES_MAX = 400_000
"""Identifiers whose hash is remembered; all are forgotten when there are more."""

LARGEST = b"largest"
"""Where `meta` has the number of identifiers of the largest person there ever was."""

Pair = tuple[int, str]
Same = Any
"""A `Pair`, handed on as the object that it is: of one whose parts it knows compiled code makes another at each step."""
Slot = tuple[Person, Identifier]


class PeopleStore:
    """What the stitch, profile and segment steps read and write; `flush` encodes what changed into the pending commit."""

    def __init__(self, shard: Shard, hasher: Hasher, rules: Rules, cache_bytes: int) -> None:
        self.shard = shard
        self.rules = rules
        self.refusals = Refusals(shard.refused)
        self.identified = Identified(shard.identified)
        self.denials = Denied(shard.denials)
        self._hasher = hasher
        self._cache_bytes = cache_bytes
        self._row_bytes = 500.0
        """How long a person's row is, a running mean of those written."""
        self._persons: dict[bytes, Person] = {}
        self._rows: dict[bytes, bytes] = {}
        """Of people who have not been asked for lately; none of them has changed since it was stored."""
        self.slots: dict[Pair, Slot] = {}
        self._hashes: dict[Pair, bytes] = {}
        self.dirty: dict[bytes, Person] = {}
        self.edition = 0
        """Of the rows; somebody whose row is of an older one is brought along by ``older`` before anybody sees it."""
        self.older: Callable[[Person], None] | None = None
        self.earlier: Callable[[bytes], None] | None = None
        """Is told of a key under which somebody is going to be: of whoever was there, it has not been told yet."""
        self.missed = 0
        """People who had to be read since they were not in memory."""
        row = shard.meta.get(LARGEST)
        nobody = row is None and next(shard.people.committed(b""), None) is None
        self.largest = int.from_bytes(row, "big") if row is not None else 0 if nobody else rules.identifiers_max
        """How many identifiers a person has at most: as many as somebody ever had, or may have where that was not written down."""
        self._told = self.largest if row is not None else -1
        self.moves: dict[bytes, bytes] = {}
        """Identifiers that have changed hands since the history was written: hash → the key of who held it before, empty if nobody."""
        self.callings = Callings(rules.names)

    def hash(self, pair: Same) -> bytes:
        """The 16 bytes of an identifier."""
        found = self._hashes.get(pair)
        if found is None:
            if len(self._hashes) >= HASHES_MAX:
                self._hashes.clear()
            found = self._hashes[pair] = self._hasher.identifier(self.rules.names[pair[0]], pair[1])
        return found

    def shared_key(self, identifier: Identifier) -> bytes:
        """The key of the profile for a device's events that belong to nobody."""
        return self._hasher.shared(self.rules.names[identifier.namespace], identifier.value)

    def slot(self, pair: Same) -> Slot | None:
        """The person that holds an identifier, and the identifier in it."""
        found = self.slots.get(pair)
        if found is not None:
            return found
        key = self.hash(pair)
        # A person's identifier is mostly the lead, under which its person lies: one read in place of two.
        if self.rules.person[pair[0]] and self.person(key) is not None:
            return self.slots[pair]
        lead = self.shard.alias.get(key)
        if lead is None:
            return None
        self.person(lead)
        return self.slots[pair]

    def holder(self, identifier: bytes) -> Person | None:
        """The person that holds the identifier of this hash."""
        lead = self.shard.alias.get(identifier)
        return None if lead is None else self.person(lead)

    def linked(self, end: bytes) -> Slot:
        """The person that holds an identifier with a link, standing or not, and the identifier in it."""
        person = self.holder(end)
        assert person is not None, "whoever is linked is somebody's"
        return person, next(each for each in person.identifiers if each.hash == end)

    def seen_with(self, identifier: Identifier, links: Iterable[Link]) -> list[bytes]:
        """The other ends of an identifier's links: of those among ``links``, which stand, and of all that do not."""
        key = identifier.hash
        ends = [link.other(key) for link in links if key in (link.a, link.b)]
        return ends + self.refusals.ends(key) if identifier.refused else ends

    def person(self, key: bytes) -> Person | None:
        """The person of this key."""
        found = self._persons.get(key)
        if found is None:
            row = self._rows.get(key)
            if row is None:
                row = self.shard.people.get(key)
                if row is None:
                    return None
                self.missed += 1
            found = self.remember(decode_whole(row, self.shard.traits.get))
            if found.edition != self.edition and self.older is not None:
                self.older(found)
        return found

    def remember(self, person: Person, pairs: Sequence[Same] = ()) -> Person:
        """Put a person into the cache, under all of its identifiers. ``pairs``: these, if they are at hand."""
        self._persons[person.key] = person
        self._rows.pop(person.key, None)
        slots = self.slots
        for pair, each in zip(pairs or [(each.namespace, each.value) for each in person.identifiers], person.identifiers, strict=True):
            slots[pair] = (person, each)
        return person

    def new(self, key: bytes, identifiers: Sequence[Identifier] = ()) -> Person:
        """Somebody of whom nothing is known; the version goes on where the key had one before."""
        return Person(key, list(identifiers), {}, version=self.version(key))

    def add(self, person: Person) -> None:
        """A person that is new under its key."""
        person.edition = self.edition
        self.remember(person)
        self.largest = max(self.largest, len(person.identifiers))
        self.dirty[person.key] = person
        alias, key = self.shard.alias, person.key
        for each in person.identifiers:
            before = alias.get(each.hash) or b""
            if before != key:
                self.moves.setdefault(each.hash, before)
                alias.put(each.hash, key)

    def welcome(self, person: Person, pairs: Sequence[Same]) -> None:
        """As `add`, of somebody whose identifiers, ``pairs``, nobody has had."""
        person.edition = self.edition
        self.largest = max(self.largest, len(person.identifiers))
        self.remember(person, pairs)
        self.dirty[person.key] = person
        alias = self.shard.alias.pending
        for each in person.identifiers:
            alias[each.hash] = person.key

    def adopt(self, person: Person, identifier: Identifier, of: bytes = b"") -> None:
        """Add an identifier to a person. ``of``: the key of who had it, empty if nobody did."""
        self.callings.changes(person)
        self.moves.setdefault(identifier.hash, of)
        person.identifiers.append(identifier)
        self.largest = max(self.largest, len(person.identifiers))
        self.slots[(identifier.namespace, identifier.value)] = (person, identifier)
        self.shard.alias.put(identifier.hash, person.key)

    def remove(self, person: Person) -> None:
        """Forget a person whose identifiers are somebody else's now; its version is kept for its return."""
        self._persons.pop(person.key, None)
        forget(person, self.shard.traits)
        self.dirty.pop(person.key, None)
        self.shard.people.delete(person.key)
        self.shard.versions.put(person.key, person.version.to_bytes(8, "big"))

    def version(self, key: bytes) -> int:
        """The last version under which this key was known, 0 if it never was."""
        if self.earlier is not None:
            self.earlier(key)
        row = self.shard.versions.get(key)
        return int.from_bytes(row, "big") if row is not None else 0

    def release(self, identifier: Identifier) -> None:
        """An identifier that nothing names any more."""
        pair = identifier.namespace, identifier.value
        slot = self.slots.get(pair)
        # By other rules its namespace may have had the number of another.
        if slot is not None and slot[1].hash == identifier.hash:
            del self.slots[pair]
        self.moves.setdefault(identifier.hash, self.shard.alias.get(identifier.hash) or b"")
        self.shard.alias.delete(identifier.hash)

    @property
    def cached(self) -> int:
        """How many persons are in memory."""
        return len(self._persons) + len(self._rows)

    def flush(self) -> None:
        """Encode the persons that changed into the pending commit."""
        pending = self.shard.people.pending
        size = 0
        for key, person in self.dirty.items():
            if len(person.traits) > NARROW:
                pending[key], whole = encode_whole(person, self.shard.traits)
                size += whole
            else:
                pending[key] = row = encode(person)
                size += len(row)
        if self.dirty:
            self._row_bytes += (size / len(self.dirty) - self._row_bytes) * ROW_SIZE_WEIGHT
        self.dirty = {}
        if self.largest != self._told:
            self._told = self.largest
            self.shard.meta.put(LARGEST, self.largest.to_bytes(4, "big"))
        self.refusals.forget()
        self.identified.forget()
        self.denials.forget()

    def forget(self) -> None:
        """Let go of everybody in memory; call it behind a `flush`."""
        self._persons.clear()
        self._rows.clear()
        self.slots.clear()
        self._hashes.clear()

    def trim(self) -> bool:
        """After a commit: keep the cache within its limit. Those who came into it first are kept as rows, then forgotten.

        Returns whether anybody is no longer decoded."""
        whole, kept = self._cache_bytes, KEPT_BYTES + self._row_bytes
        room = max(whole * DECODED_LEAST, whole - len(self._rows) * kept)
        most = int(room / (PERSON_BYTES + ROW_BYTES * self._row_bytes))
        excess = len(self._persons) - most
        if excess <= 0:
            return False
        for key in list(islice(self._persons, excess + most // 8)):
            person = self._persons.pop(key)
            for each in person.identifiers:
                self.slots.pop((each.namespace, each.value), None)
            self._rows[key] = head(person) if type(person.traits) is Chunked else encode(person)
        excess = len(self._rows) - int(whole * (1 - DECODED_LEAST) / kept)
        if excess > 0:
            for key in list(islice(self._rows, excess + len(self._rows) // 8)):
                del self._rows[key]
        return True


def hung_on(store: PeopleStore, identifier: Identifier, links: Iterable[Link]) -> list[bytes]:
    """On what, beside itself, events may hang that a person's identifier owns: what it was seen with, as by `seen_with`, also where
    an event links both to a device that comes before them."""
    ends = store.seen_with(identifier, links)
    if not store.rules.devices_first:
        return ends
    devices = [found for found in map(store.linked, ends) if found[1].device is not None]
    return ends + [end for person, each in devices for end in store.seen_with(each, person.links.values())]
