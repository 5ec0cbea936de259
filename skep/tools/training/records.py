"""The records of a file of events: what manual and deterministic links join, with their current traits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from contracts.envelope import Refusal, check_digits, content_id, decode, event_time
from contracts.model.definitions import IdentityRules
from operators.components import Components
from operators.extract import Identifiers
from operators.judge import Judge
from operators.match.clusters import Record
from operators.match.evidence import Evidence
from operators.records import Identifier, Link, moment_contract, moment_message, moment_raw
from operators.stitch.clusters import accepted, lead
from operators.stitch.rules import Rules
from operators.view.space import View

EVENT_MAX_BYTES = 1_000_000
Pair = tuple[int, str]
"""Position of a namespace, and a value."""


@dataclass(slots=True)
class Person:
    """One record: its identifiers as ``(namespace, value)``, its compared traits, its blocks and ``members``, its evidence in them."""

    record: Record
    identifiers: list[tuple[str, str]]
    traits: dict[str, Any]
    blocks: list[bytes]
    members: list[Identifier]


@dataclass(slots=True)
class Records:
    """The records by the hash of their lead; ``unread`` lines were no events, ``nobody``'s had no identifier.

    ``void``: pairs that are unlinked by hand; ``shared``: devices that identify nobody.
    """

    people: dict[bytes, Person] = field(default_factory=dict)
    void: set[tuple[bytes, bytes]] = field(default_factory=set)
    shared: set[bytes] = field(default_factory=set)
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
    """The records of a space as its evidence makes them by these rules, whatever its people are by those in force."""
    evidence = _Evidence(rules)
    judge = Judge(view.program.definitions, unknown_ok=True, future_skew_us=0, max_event_bytes=0)
    for time_us, row in view.events.moments():
        event = judge.reread(moment_raw(row), view.meta.contracts[moment_contract(row)])
        evidence.hear(event.body, time_us, moment_message(row), event.traits)
    for ruling in view.identity.rulings():
        ends = [{"namespace": namespace, "value": value} for namespace, value in (ruling.a, ruling.b)]
        evidence.rule({"a": ends[0], "b": ends[1], "type": "link" if ruling.link else "unlink"}, ruling.time_us, ruling.message)
    return evidence.records()


class _Evidence:
    """Everything that a file says about who is who."""

    def __init__(self, rules: IdentityRules) -> None:
        self._rules = rules
        self._inner = Rules(rules)
        self._read = Identifiers(rules)
        self._identifiers: dict[bytes, Identifier] = {}
        self._links: dict[tuple[bytes, bytes], Link] = {}
        self._manual: dict[tuple[Pair, Pair], tuple[int, str, bool]] = {}
        self._likeness = Evidence(rules.probabilistic) if rules.probabilistic is not None else None
        self._persons: dict[bytes, set[bytes]] = defaultdict(set)
        self._found = Records()

    def read(self, line: bytes) -> None:
        try:
            body = decode(line, EVENT_MAX_BYTES)
            check_digits(line)
            time_us, _, _ = event_time(body)
        except Refusal:
            self._found.unread += 1
            return
        message = body["messageId"] if type(body.get("messageId")) is str else content_id(body)
        if body.get("type") in {"link", "unlink"}:
            self.rule(body, time_us, message)
            return
        traits = body.get("traits")
        self.hear(body, time_us, message, traits if body.get("type") == "identify" and type(traits) is dict else None)

    def hear(self, body: dict[str, Any], time_us: int, message: str, traits: dict[str, Any] | None) -> None:
        """Take an event in."""
        self._found.events += 1
        keys = [self._see(namespace, value, time_us) for namespace, value in self._read.read(body)]
        if not keys:
            self._found.nobody += 1
            return
        for other in keys[1:]:
            self._link(keys[0], other, time_us)
        persons = [key for key in keys if self._inner.person[self._identifiers[key].namespace]]
        for key in keys:
            if persons and not self._inner.person[self._identifiers[key].namespace]:
                self._persons[key].add(persons[0])
        if self._likeness is not None:
            self._likeness.tell(self._identifiers[(persons or keys)[0]], (time_us, message), traits, body)

    def _hash(self, namespace: int, value: str) -> bytes:
        return blake2b(f"{self._inner.names[namespace]}:{value}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

    def _see(self, namespace: int, value: str, time_us: int) -> bytes:
        key = self._hash(namespace, value)
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

    def rule(self, body: dict[str, Any], time_us: int, message: str) -> None:
        """Take a manual entry in."""
        ends = []
        for end in (body.get("a"), body.get("b")):
            known = self._read.normalize(str(end.get("namespace")), end.get("value")) if type(end) is dict else None
            if known is None:
                self._found.unread += 1
                return
            ends.append(known)
        a, b = sorted(ends)
        said = (time_us, message, body["type"] == "link")
        # Of one time and id, the unlink holds.
        self._manual[a, b] = max(said, self._manual.get((a, b), said), key=lambda each: (each[0], each[1], not each[2]))

    def records(self) -> Records:
        for key, cluster in self._clusters().items():
            self._found.people[key] = self._person(key, cluster)
        return self._found

    def _clusters(self) -> dict[bytes, list[bytes]]:
        links, void = [], self._found.void
        for pair, (time, _, linked) in self._manual.items():
            if linked:
                a, b = (self._see(*end, time) for end in pair)
                links.append(Link(a, b, manual=True, first=time, last=time))
            else:
                a, b = (self._hash(*end) for end in pair)
                void.update(((a, b), (b, a)))
        for ends, link in self._links.items():
            link.void = ends in void
            links.append(link)
        self._found.shared = self._shared()
        standing = accepted(self._identifiers, links, self._found.shared, self._inner)
        clusters = Components(self._identifiers, ((link.a, link.b) for link in standing)).parts()
        return {lead([self._identifiers[key] for key in cluster]).hash: cluster for cluster in clusters}

    def _shared(self) -> set[bytes]:
        after = self._inner.shared_after
        found = set()
        for device, persons in self._persons.items():
            most = after[self._identifiers[device].namespace]
            if most is not None and sum((person, device) not in self._found.void for person in persons) >= most:
                found.add(device)
        return found

    def _person(self, key: bytes, cluster: list[bytes]) -> Person:
        members = [self._identifiers[one] for one in cluster]
        held: dict[int, int] = defaultdict(int)
        for each in members:
            held[each.namespace] += 1
        likeness = self._likeness
        told = likeness.traits(members) if likeness is not None else {}
        texts = likeness.texts(told) if likeness is not None else {}
        return Person(
            record=Record(self._identifiers[key], dict(held), likeness.time(told, texts) if likeness is not None else 0),
            identifiers=sorted((self._inner.names[each.namespace], each.value) for each in members),
            traits={name: value for name, (_, _, value) in told.items()},
            blocks=likeness.blocks(texts, members) if likeness is not None else [],
            members=members,
        )
