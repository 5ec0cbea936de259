"""The records of a file of events: what manual and deterministic links join, with their current traits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from contracts.envelope import NotAccepted, check_digits, content_id, decode, event_time
from contracts.model.definitions import IdentityRules
from operators.extract import Identifiers
from operators.judge import Judge
from operators.match.evidence import Evidence
from operators.match.links import Record
from operators.records import Identifier
from operators.stitch.rules import Pair, Rules
from operators.stitch.sightings import Sightings
from operators.view.space import View

EVENT_MAX_BYTES = 1_000_000


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
    contracts = view.meta.contracts
    for time_us, row in view.events.moments():
        event = judge.stored(row, time_us, contracts)
        evidence.hear(event.body, time_us, event.message_id, event.traits)
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
        self._seen = Sightings(self._inner, self._hash, {})
        self._manual: dict[tuple[Pair, Pair], tuple[int, str, bool]] = {}
        self._likeness = Evidence(rules.probabilistic) if rules.probabilistic is not None else None
        self._persons: dict[bytes, set[bytes]] = defaultdict(set)
        self._found = Records()

    def read(self, line: bytes) -> None:
        try:
            body = decode(line, EVENT_MAX_BYTES)
            check_digits(line)
            time_us, _, _ = event_time(body)
        except NotAccepted:
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
        pairs = self._read.read(body)
        if not pairs:
            self._found.nobody += 1
            return
        keys = [self._hash(pair) for pair in pairs]
        self._seen.event(pairs, keys, time_us, message)
        first = pairs.index(self._inner.anchor(pairs))
        anchor = keys[first]
        for pair, key in zip(pairs, keys, strict=True):
            if self._inner.person[pairs[first][0]] and not self._inner.person[pair[0]]:
                self._persons[key].add(anchor)
        if self._likeness is not None:
            self._likeness.tell(self._seen.identifiers[anchor], (time_us, message), traits, body)

    def _hash(self, pair: Pair) -> bytes:
        return blake2b(f"{self._inner.names[pair[0]]}:{pair[1]}".encode("utf-8", "surrogatepass"), digest_size=16).digest()

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
        void, found = self._found.void, self._found
        for (a, b), (time, message, linked) in self._manual.items():
            if linked:
                self._seen.manual(a, b, time, message)
            else:
                ends = self._hash(a), self._hash(b)
                void.update((ends, ends[::-1]))
        identified = ((device, one) for device, persons in self._persons.items() for one in persons if (one, device) not in void)
        parts = self._seen.settle(lambda a, b: (a, b) in void, identified)
        found.shared = self._seen.shared
        found.people = {key: self._person(key, members) for key, members in parts.items()}
        return found

    def _person(self, key: bytes, members: list[Identifier]) -> Person:
        held: dict[int, int] = defaultdict(int)
        for each in members:
            held[each.namespace] += 1
        likeness = self._likeness
        told = likeness.traits(members) if likeness is not None else {}
        texts = likeness.texts(told) if likeness is not None else {}
        return Person(
            record=Record(self._seen.identifiers[key], dict(held), likeness.time(told, texts) if likeness is not None else 0),
            identifiers=sorted((self._inner.names[each.namespace], each.value) for each in members),
            traits={name: value for name, (_, _, value) in told.items()},
            blocks=likeness.blocks(texts, members) if likeness is not None else [],
            members=members,
        )
