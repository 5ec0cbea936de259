"""The records of a file of events: what manual and deterministic links join, with their current traits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from contracts.definitions import IdentityRules
from operators.extract import Identifiers
from operators.match.blocking import Blocks, Sighting, blocks_of, sightings_of
from operators.match.clusters import Record
from operators.records import Identifier, Link
from operators.stitch.clusters import accepted, lead
from operators.stitch.rules import Rules
from operators.validate import content_id, decode, event_time
from operators.versions import Refusal
from operators.view import View, traits_of

EVENT_MAX_BYTES = 1_000_000
SIGHTINGS_MAX = 1000
"""Windowed sightings of one record that are kept, the newest."""


@dataclass(slots=True)
class Person:
    """One record: its identifiers as ``(namespace, value)``, its traits, and where it stands among the blocks."""

    record: Record
    identifiers: list[tuple[str, str]]
    traits: dict[str, Any]
    blocks: Blocks


@dataclass(slots=True)
class Records:
    """The records by the hash of their lead; ``unread`` lines were no events, ``nobody``'s had no identifier."""

    people: dict[bytes, Person] = field(default_factory=dict)
    events: int = 0
    unread: int = 0
    nobody: int = 0


def read_records(path: Path, rules: IdentityRules) -> Records:
    """The records of a file of JSON lines; a line that is no event is counted and passed over."""
    with path.open("rb") as lines:
        return records_of(lines, rules)


def records_of(lines: Iterable[bytes], rules: IdentityRules) -> Records:
    """The records of events as JSON lines, in any order; lines of ``type: link`` and ``unlink`` are manual evidence."""
    evidence = _Evidence(rules)
    for line in lines:
        if line.strip():
            evidence.read(line)
    return evidence.records()


def records_of_people(view: View, rules: IdentityRules) -> Records:
    """The profiles of a space as they are now. They have no sightings, so that windowed lines find nobody."""
    found, inner, settings = Records(), Rules(rules), rules.probabilistic
    names = [namespace.name for namespace in view.program.definitions.identity.namespaces]
    now = view.at(None)
    for person in view.people():
        known = [each for each in person.identifiers if names[each.namespace] in inner.position]
        if not known:
            found.nobody += 1
            continue
        ours = [Identifier(inner.position[names[each.namespace]], each.value, each.hash, each.first, each.last) for each in known]
        first = lead(ours)
        traits = {name: value for name, value in traits_of(person, view.program, now).items() if not isinstance(value, orjson.Fragment)}
        held: dict[int, int] = defaultdict(int)
        for each in ours:
            held[each.namespace] += 1
        found.people[first.hash] = Person(
            record=Record(first, dict(held), max(each.last for each in ours)),
            identifiers=sorted((inner.names[each.namespace], each.value) for each in ours),
            traits=traits,
            blocks=Blocks(blocks_of(traits, settings) if settings else ()),
        )
    return found


class _Evidence:
    """Everything that a file says about who is who."""

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules
        self._inner = Rules(rules)
        self._read = Identifiers(rules)
        self._identifiers: dict[bytes, Identifier] = {}
        self._links: dict[tuple[bytes, bytes], Link] = {}
        self._manual: dict[tuple[bytes, bytes], tuple[int, str, bool]] = {}
        self._traits: dict[bytes, dict[str, tuple[int, str, Any]]] = defaultdict(dict)
        self._seen: dict[bytes, set[Sighting]] = defaultdict(set)
        self._persons: dict[bytes, set[bytes]] = defaultdict(set)
        self._found = Records()

    def read(self, line: bytes) -> None:
        try:
            body = decode(line, EVENT_MAX_BYTES)
            time_us, _ = event_time(body)
        except Refusal:
            self._found.unread += 1
            return
        message = body["messageId"] if type(body.get("messageId")) is str else content_id(body)
        if body.get("type") in {"link", "unlink"}:
            self._rule(body, time_us, message)
            return
        self._found.events += 1
        keys = [self._see(namespace, value, time_us) for namespace, value in self._read.read(body)]
        if not keys:
            self._found.nobody += 1
            return
        for other in keys[1:]:
            self._link(keys[0], other, time_us)
        self._tell(keys, body, time_us, message)

    def _see(self, namespace: int, value: str, time_us: int) -> bytes:
        key = blake2b(f"{self._inner.names[namespace]}:{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
        known = self._identifiers.get(key)
        if known is None:
            self._identifiers[key] = Identifier(namespace, value, key, time_us, time_us)
        else:
            known.first, known.last = min(known.first, time_us), max(known.last, time_us)
        return key

    def _link(self, a: bytes, b: bytes, time_us: int) -> None:
        known = self._links.get((a, b))
        if known is None:
            self._links[a, b] = Link(a, b, manual=False, first=time_us, last=time_us)
        else:
            known.first, known.last = min(known.first, time_us), max(known.last, time_us)

    def _rule(self, body: dict[str, Any], time_us: int, message: str) -> None:
        ends = []
        for end in (body.get("a"), body.get("b")):
            known = self._read.normalize(str(end.get("namespace")), end.get("value")) if type(end) is dict else None
            if known is None:
                self._found.unread += 1
                return
            ends.append(known)
        a, b = (self._see(*end, time_us) for end in sorted(ends))
        said = (time_us, message, body["type"] == "link")
        self._manual[a, b] = max(said, self._manual.get((a, b), said))

    def _tell(self, keys: list[bytes], body: dict[str, Any], time_us: int, message: str) -> None:
        persons = [key for key in keys if self._inner.person[self._identifiers[key].namespace]]
        for device in keys[len(persons) :] if persons else []:
            self._persons[device].add(persons[0])
        traits = body.get("traits")
        if body.get("type") == "identify" and type(traits) is dict:
            own = self._traits[keys[0]]
            for name, value in traits.items():
                if name not in own or own[name][:2] <= (time_us, message):
                    own[name] = (time_us, message, value)
        if self._rules.probabilistic is not None:
            self._seen[keys[0]].update(sightings_of(body, time_us, self._rules.probabilistic))

    def records(self) -> Records:
        for key, cluster in self._clusters().items():
            self._found.people[key] = self._person(key, cluster)
        return self._found

    def _clusters(self) -> dict[bytes, list[bytes]]:
        void = {pair for pair, (_, _, linked) in self._manual.items() if not linked}
        links = [Link(*pair, manual=True, first=time, last=time) for pair, (time, _, linked) in self._manual.items() if linked]
        for (a, b), link in self._links.items():
            link.void = (a, b) in void or (b, a) in void
            links.append(link)
        parent = {key: key for key in self._identifiers}

        def root(key: bytes) -> bytes:
            while parent[key] != key:
                parent[key] = key = parent[parent[key]]
            return key

        for link in accepted(self._identifiers, links, self._shared(), self._inner):
            parent[root(link.b)] = root(link.a)
        found: dict[bytes, list[bytes]] = defaultdict(list)
        for key in self._identifiers:
            found[root(key)].append(key)
        return {lead([self._identifiers[key] for key in cluster]).hash: cluster for cluster in found.values()}

    def _shared(self) -> set[bytes]:
        after = self._inner.shared_after
        found = set()
        for device, persons in self._persons.items():
            most = after[self._identifiers[device].namespace]
            if most is not None and len(persons) >= most:
                found.add(device)
        return found

    def _person(self, key: bytes, cluster: list[bytes]) -> Person:
        held: dict[int, int] = defaultdict(int)
        newest: dict[str, tuple[int, str, Any]] = {}
        seen: set[Sighting] = set()
        for one in cluster:
            held[self._identifiers[one].namespace] += 1
            for name, said in self._traits.get(one, {}).items():
                if name not in newest or newest[name][:2] < said[:2]:
                    newest[name] = said
            seen |= self._seen.get(one, set())
        traits = {name: value for name, (_, _, value) in newest.items()}
        rules = self._rules.probabilistic
        last = max(self._identifiers[one].last for one in cluster)
        recent = sorted(seen, key=lambda each: (each.time_us, each.block))[-SIGHTINGS_MAX:]
        return Person(
            record=Record(self._identifiers[key], dict(held), last),
            identifiers=sorted((self._inner.names[self._identifiers[one].namespace], self._identifiers[one].value) for one in cluster),
            traits=traits,
            blocks=Blocks(blocks_of(traits, rules) if rules else (), tuple(recent)),
        )
