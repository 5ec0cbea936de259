"""Reading a space's state: the dump, one profile, and the rows of the snapshot. Never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import msgspec
import orjson

from contracts.model.definitions import Definitions
from contracts.model.hashing import Hasher, profile_id
from contracts.model.partitions import file_of
from contracts.text.numbers import number_text
from contracts.text.times import iso
from operators.match.scoring import probability
from operators.past import Past
from operators.people import manual, rebuilds
from operators.people import meta as meta_row
from operators.people.history import TYPES
from operators.people.meta import Meta
from operators.people.pairs import link_of
from operators.people.quarantine import Edit, decode_row
from operators.people.rebuilds import Rebuilds
from operators.profile import decision, joining
from operators.quality.scores import (
    HOUR_MAX,
    HOUR_MIN,
    NAMES_FROM,
    NAMES_TO,
    Name,
    Scores,
    decode_name,
    decode_scores,
    hour_key,
    name_of,
    scores_of,
    source_of,
)
from operators.records import (
    NOBODY,
    OWNED,
    SEEN_OPEN,
    Identifier,
    Link,
    Person,
    decode_page,
    decode_person,
    moment_message,
    moment_owner,
    moment_raw,
)
from operators.segments.compile import Program
from operators.segments.predicates import canonical
from operators.stitch.confidence import confidences
from operators.versions import Reading, Readings
from state.errors import BeforeClock, NoState
from state.keys import MARKS, MARKS_END, moment_key, moment_parts, sequence_key, sequence_of, time_of
from state.keys import NOBODY as NO_ANCHOR
from state.shard import SecondaryShard


class Rows(Protocol):
    """Committed rows of a shard, as a primary or a secondary sees them."""

    def row(self, family: str, key: bytes) -> bytes | None: ...

    def rows(self, family: str, start: bytes = b"", end: bytes | None = None) -> Iterator[tuple[bytes, bytes]]: ...


class Quarantined(msgspec.Struct):
    """One entry of the quarantine (`operators.people.quarantine`); ``id`` is ``q-`` and its number."""

    id: str
    reason: str
    detail: str
    schema_path: str
    partition: str
    position: int
    received_at_us: int | None
    raw: bytes
    event: str = ""
    contract: str = ""
    stored_at_us: int | None = None
    original: bytes | None = None
    edits: list[Edit] = []


class View:
    """A space as last committed. ``load`` gives the definitions of a digest."""

    def __init__(self, rows: Rows, space: str, hasher: Hasher, load: Callable[[str], Definitions]) -> None:
        self._rows = rows
        self.space = space
        self._hasher = hasher
        self._load = load
        self._program: tuple[str, Program] | None = None

    @classmethod
    def open(cls, path: Path, space: str, hasher: Hasher, load: Callable[[str], Definitions]) -> View:
        """Open beside whoever writes. Raises NoState if nothing has run here yet."""
        return cls(SecondaryShard(path), space, hasher, load)

    def refresh(self) -> None:
        """See what has been committed since."""
        if isinstance(self._rows, SecondaryShard):
            self._rows.refresh()

    def close(self) -> None:
        if isinstance(self._rows, SecondaryShard):
            self._rows.close()

    @property
    def meta(self) -> Meta:
        """Positions, clocks and counters; empty before the first commit."""
        row = self._rows.row("meta", meta_row.KEY)
        return meta_row.decode(row) if row is not None else Meta()

    @property
    def program(self) -> Program:
        """The definitions in force, compiled."""
        digest = self.meta.digest
        if not digest:
            raise NoState(f"space {self.space}: no definitions have taken effect yet. Run `skep run --once` first.")
        if self._program is None or self._program[0] != digest:
            self._program = (digest, Program(self._load(digest)))
        return self._program[1]

    def readings(self) -> dict[str, Reading]:
        """By the name of an old contract: how the documents that it accepted are read now."""
        meta = self.meta
        return Readings(self.program.definitions).all(meta.contracts) if meta.digest else {}

    # ---- what is there

    def cost(self) -> Rebuilds:
        """What rebuilds of people have cost."""
        row = self._rows.row("meta", rebuilds.KEY)
        return rebuilds.decode(row) if row is not None else Rebuilds()

    def status(self) -> dict[str, Any]:
        """Counters, clock, partitions, segment sizes, quarantine by reason."""
        meta, cost = self.meta, self.cost()
        names = [segment.name for segment in self.program.segments] if meta.digest else []
        stopped = {one.source for one in meta.broken.values() if one.stops}
        return {
            "space": self.space,
            "received": meta.received,
            "applied": meta.events,
            "duplicate": meta.duplicate,
            "conflict": meta.conflict,
            "quarantined": sum(meta.quarantine.values()) - meta.conflict,
            "dropped": meta.dropped,
            "unidentified": meta.unidentified,
            "clock": _iso(meta.clock),
            "partitions": {
                name: {
                    "position": position,
                    "clock": _iso(meta.clocks.get(name)),
                    "finished": name in meta.finished or name != meta.partition(file_of(name)),
                    "stopped": source_of(name) in stopped,
                }
                for name, position in sorted(meta.applied.items())
            },
            "people": meta.people,
            "segments": {name: meta.sizes.get(name, 0) for name in names},
            "quarantine": dict(sorted(meta.quarantine.items())),
            "late": [
                {"source": source, "too_late": count, "received": meta.sources.get(source, 0)}
                for source, count in sorted(meta.late.items())
            ],
            "merges": meta.merges,
            "splits": meta.splits,
            "changes": meta.changes,
            "definitions": meta.digest,
            "remembered": meta.remembered,
            "large_blocks": meta.large_blocks,
            "uncorrected": meta.uncorrected,
            "denials": meta.denials,
            "rebuilds": {"rebuilds": cost.rebuilds, "identifiers": cost.identifiers, "seconds": cost.busy_us / 1e6},
            "unread_consents": [
                {"purpose": purpose, "source": source, "decisions": count}
                for purpose, counts in sorted(meta.unread.items())
                for source, count in sorted(counts.items())
            ],
            "broken": [{**one.told(one.value), "since": iso(one.since_us), "stops": one.stops} for one in meta.broken.values()],
            "stopped": sorted(stopped),
        }

    def people(self) -> Iterator[Person]:
        """Every profile, by key."""
        for _, row in self._rows.rows("people"):
            yield decode_person(row)

    def holder(self, namespace: str, value: str) -> Person | None:
        """The profile that holds an identifier."""
        lead = self._rows.row("alias", self._hasher.identifier(namespace, value))
        row = None if lead is None else self._rows.row("people", lead)
        return None if row is None else decode_person(row)

    def by_id(self, profile: str) -> Person | None:
        """The profile with an id; an id that has been merged away finds the profile that its identifier is in now."""
        try:
            key = bytes.fromhex(profile.removeprefix("p_"))
        except ValueError:
            return None
        row = self._rows.row("people", self._rows.row("alias", key) or key)
        return None if row is None else decode_person(row)

    def ids(self, beginning: str) -> list[str]:
        """Up to two ids of profiles of now that begin so: ``p_`` and hexadecimal digits."""
        digits = beginning.removeprefix("p_")
        try:
            start, end = (bytes.fromhex(digits.ljust(32, fill)) for fill in "0f")
        except ValueError:
            return []
        return [profile_id(key) for key, _ in islice(self._rows.rows("people", start, end + b"\0"), 2)]

    def at(self, at_us: int | None) -> int:
        """The time to answer for: the clock if none is asked. Raises BeforeClock."""
        clock = self.meta.clock
        if at_us is None:
            return clock if clock is not None else 0
        if clock is not None and at_us < clock:
            raise BeforeClock(f"space {self.space} has come to {iso(clock)}; ask for that time or a later one, not {iso(at_us)}.")
        return at_us

    # ---- a profile

    def describe(self, person: Person, at_us: int) -> dict[str, Any]:
        """A profile as people and the dump see it."""
        program = self.program
        return {
            "id": profile_id(person.key),
            "space": self.space,
            "traits": traits_of(person, program, at_us),
            "features": features_of(person, program, at_us),
            "segments": segments_of(person, program, at_us),
            "consents": dict(sorted(person.granted.items())),
            "confidence": person.certainty,
        }

    def profile(self, namespace: str, value: str, at_us: int | None = None) -> dict[str, Any] | None:
        """The living profile that holds an identifier; the value is normalised as in events by the caller."""
        person = self.holder(namespace, value)
        return None if person is None else self.show(person, at_us)

    def show(self, person: Person, at_us: int | None = None) -> dict[str, Any]:
        """A profile with its identifiers, first and last seen, version, and what counts of the purposes that nobody decided."""
        names = self.program.definitions.identity.namespaces
        return {
            **self.describe(person, self.at(at_us)),
            "consent_defaults": {name: default for name, default in sorted(self.program.defaults.items()) if name not in person.granted},
            "identifiers": [[names[i.namespace].name, i.value, iso(i.first), iso(i.last)] for i in _ranked(person)],
            "first_seen": _iso(person.first),
            "last_seen": _iso(person.last),
            "version": person.version,
        }

    # ---- the dump

    def dump(self, at_us: int | None = None) -> Iterator[bytes]:
        """Canonical JSON lines, sorted: everything that converges, and nothing else."""
        return iter(sorted(self._dump(self.at(at_us))))

    def _dump(self, at_us: int) -> Iterator[bytes]:
        names = [each.name for each in self.program.definitions.identity.namespaces]
        for person in self.people():
            pairs = {each.hash: [names[each.namespace], each.value] for each in person.identifiers}
            profile = profile_id(person.key)
            yield _line(kind="profile", **self.describe(person, at_us))
            for each in person.identifiers:
                first, last = iso(each.first), iso(each.last)
                namespace, value = pairs[each.hash]
                yield _line(
                    kind="identifier", space=self.space, namespace=namespace, value=value, profile=profile, first_seen=first, last_seen=last
                )
            for link in person.links.values():
                first, last = iso(link.first), iso(link.last)
                weight = {} if link.weight is None else {"weight": round(link.weight, 6)}
                yield _line(
                    kind="link",
                    space=self.space,
                    a=pairs[link.a],
                    b=pairs[link.b],
                    type=link.kind,
                    first_seen=first,
                    last_seen=last,
                    message=link.message,
                    count=link.count,
                    **weight,
                )
        for message, profile in self.attributions():
            yield _line(kind="message", space=self.space, id=message, profile=profile)

    # ---- rows of the snapshot

    def applied(self) -> dict[str, int]:
        """The last applied record of each partition."""
        return self.meta.applied

    def marks(self) -> dict[str, bytes]:
        """What was read of the file of each partition, of those that are marked."""
        return {key[len(MARKS) :].decode(): row for key, row in self._rows.rows("meta", MARKS, MARKS_END)}

    @property
    def clock_us(self) -> int | None:
        return self.meta.clock

    def identifiers(self) -> Iterator[tuple[str, str, str, int, int, float]]:
        """Namespace, value, profile id, first and last seen, confidence."""
        names = [each.name for each in self.program.definitions.identity.namespaces]
        for person in self.people():
            sure = confidences(person)
            for each in person.identifiers:
                yield names[each.namespace], each.value, profile_id(person.key), each.first, each.last, round(sure[each.hash], 6)

    def links(self) -> Iterator[tuple[str, str, str, str, str, str, int, int, str, int, int, float | None]]:
        """Both ends, kind, state (accepted, rejected, unlinked, candidate), first and last seen, first message, count, version of the
        rules, weight in bits."""
        names = [each.name for each in self.program.definitions.identity.namespaces]
        known = {each.hash: (names[each.namespace], each.value) for person in self.people() for each in person.identifiers}
        for person in self.people():
            for link in person.links.values():
                yield *known[link.a], *known[link.b], link.kind, "accepted", *_seen(link)
        for link in self.refused():
            yield *known[link.a], *known[link.b], link.kind, "unlinked" if link.void else "rejected", *_seen(link)
        for link, state in self._alike():
            yield *known[link.a], *known[link.b], link.kind, state, *_seen(link)

    def _alike(self) -> Iterator[tuple[Link, str]]:
        """The probabilistic links that do not stand, with their state."""
        rules = self.program.definitions.identity
        ranks = {each.hash: (each.namespace, each.value) for person in self.people() for each in person.identifiers}
        for person in self.people():
            for key, record in person.records.items():
                for other, (bits, time) in record.matches.items():
                    if ranks[key] < ranks[other] and key + other + b"p" not in person.links:
                        accept = rules.probabilistic.accept if rules.probabilistic is not None else 1.0
                        state = "candidate" if probability(bits) < accept else "rejected"
                        yield Link(key, other, manual=False, first=time, last=time, rules=rules.version, weight=bits), state

    def refused(self) -> Iterator[Link]:
        """Every link that does not stand."""
        for key, row in self._rows.rows("refused"):
            link = link_of(row)
            if link.a == key[:16]:
                yield link

    def refused_of(self, person: Person) -> dict[bytes, Link]:
        """The links that do not stand and have an end in a profile, each under a key of its own."""
        found = {}
        for each in person.identifiers:
            for key, row in self._rows.rows("refused", each.hash, each.hash + b"\xff" * 17) if each.refused else ():
                link = link_of(row)
                found[link.a + link.b + key[32:]] = link
        return found

    def identified(self, device: Identifier) -> set[bytes]:
        """The persons who were ever identified on a device."""
        if device.device is None:
            return set()
        rows = self._rows.rows("identified", device.hash, device.hash + b"\xff" * 16)
        return {*device.device.persons, *(key[16:] for key, _ in rows)}

    def history(self) -> Iterator[tuple[str, int, int | None, int | None, str, str | None, list[tuple[str, str]], str, str, int]]:
        """Profile id, sequence, clock, time, type, other profile, identifiers, type and id of the cause, version of the rules."""
        names = [each.name for each in self.program.definitions.identity.namespaces]
        known = {each.hash: (names[each.namespace], each.value) for person in self.people() for each in person.identifiers}
        for profile, number, turn in self.past.everything():
            identifiers = [known.get(each) or ("", f"h_{each.hex()}") for each in turn.hashes()]
            other = profile_id(turn.other) if turn.other else None
            yield (
                profile_id(profile), number, turn.clock, turn.time, TYPES[turn.kind], other, identifiers, turn.by, turn.cause, turn.rules,
            )  # fmt: skip

    def profiles(self) -> Iterator[tuple[str, int | None, int | None, dict[str, Any], float]]:
        """Profile id, first and last seen, traits at the clock, confidence."""
        program, now = self.program, self.at(None)
        for person in self.people():
            yield profile_id(person.key), person.first, person.last, traits_of(person, program, now), person.certainty

    def consents(self) -> Iterator[tuple[str, str, bool, int]]:
        """Profile id, purpose, granted, when that was decided."""
        for person in self.people():
            links = joining(person, self.holds)
            for purpose, decisions in sorted(person.consents.items()):
                time, _, granted = decision(decisions, links)
                yield profile_id(person.key), purpose, granted, time

    def holds(self, identifier: bytes) -> Person | None:
        """The profile that holds the identifier of this hash."""
        lead = self._rows.row("alias", identifier)
        row = None if lead is None else self._rows.row("people", lead)
        return None if row is None else decode_person(row)

    def attributions(self) -> Iterator[tuple[str, str]]:
        """Message id, profile id; not the unidentified."""
        return ((message, profile) for message, profile, _ in self.attributed())

    def attributed(self) -> Iterator[tuple[str, str, float]]:
        """Message id, profile id, and the confidence of the identifier that the message hangs on, or of the one that owns it."""
        rules = self.program.definitions.identity
        homes: dict[bytes, tuple[tuple[str, float], tuple[str, float]]] = {}
        """Identifier → its profile, and the profile of its events that belong to nobody; each with the confidence."""
        for person in self.people():
            named = any(rules.namespaces[each.namespace].scope == "person" for each in person.identifiers)
            sure = confidences(person)
            for each in person.identifiers:
                home = profile_id(person.key), round(sure[each.hash], 6)
                homes[each.hash] = home, (profile_id(self._shared(each)), 1.0) if named else home
        for anchor, _, row in self._moments():
            owner, key = moment_owner(row)
            if anchor != NO_ANCHOR:
                yield moment_message(row), *(homes[key][0] if owner == OWNED else homes[anchor][owner == NOBODY])

    def _shared(self, identifier: Identifier) -> bytes:
        namespace = self.program.definitions.identity.namespaces[identifier.namespace].name
        return self._hasher.shared(namespace, identifier.value)

    def _moments(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Anchor, time and row of everything that is kept."""
        for key, row in self._rows.rows("moments"):
            anchor, time_us, _ = moment_parts(key)
            yield anchor, time_us, row
        for key, page in self._rows.rows("pages"):
            for stored in decode_page(page):
                yield key[:16], stored.time_us, stored.row

    def moments(self) -> Iterator[tuple[int, bytes]]:
        """Time and row of every accepted event, in no order."""
        return ((time_us, row) for _, time_us, row in self._moments())

    def quarantine(self) -> Iterator[Quarantined]:
        """Every entry, oldest first."""
        for key, row in self._rows.rows("quarantine"):
            found = _quarantined(key, row)
            if found is not None:
                yield found

    def settled(self) -> Iterator[tuple[str, str, int, int | None]]:
        """Records that were dropped, or applied after an edit: id, partition, position, and where control applied it.

        What the archive has of them from elsewhere is no event.
        """
        for key, stored in self._rows.rows("quarantine"):
            row = decode_row(stored)
            if row.gone:
                yield _quarantine_id(key), row.partition, row.position, row.settled_at

    def quarantined(self, name: str) -> Quarantined | None:
        """One entry by its id."""
        number = name.removeprefix("q-")
        if not number.isdecimal() or len(number) > 18:
            return None
        row = self._rows.row("quarantine", sequence_key(int(number)))
        return None if row is None else _quarantined(sequence_key(int(number)), row)

    def message(self, message_id: str) -> bytes | None:
        """The bytes of the accepted event with this id, while the id is remembered."""
        key = blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        seen = self._rows.row("seen", key)
        if seen is None:
            return None
        if len(seen) > SEEN_OPEN:
            page = self._rows.row("pages", seen[8:])
            return next((moment_raw(each.row) for each in decode_page(page or b"\x90") if each.message == key), None)
        row = self._rows.row("moments", moment_key(seen[8:], time_of(seen[:8]), key))
        return None if row is None else moment_raw(row)

    def changes(self, since: int = 0) -> Iterator[tuple[int, bytes]]:
        """Change events behind a sequence number, as JSON."""
        for key, row in self._rows.rows("changes", sequence_key(since + 1)):
            yield sequence_of(key), row

    # ---- evidence

    def ruling(self, a: bytes, b: bytes) -> manual.Ruling | None:
        """The manual entry that rules a pair of identifiers, in either order."""
        row = self._rows.row("manual", min(a, b) + max(a, b))
        return None if row is None else manual.decode(row)

    @property
    def past(self) -> Past:
        """What happened to people."""
        return Past(self._rows)

    def hash(self, namespace: str, value: str) -> bytes:
        """The hash of an identifier, whether anybody has it or not."""
        return self._hasher.identifier(namespace, value)

    def rulings(self) -> Iterator[manual.Ruling]:
        """The manual entries in force, each of its pair."""
        return (manual.decode(row) for _, row in self._rows.rows("manual"))

    # ---- quality

    def quality(self, start: int = HOUR_MIN, end: int = HOUR_MAX) -> Iterator[tuple[int, str, str, Scores]]:
        """Hour (since 1970), source, event and what was counted, from an hour on to the one before ``end``."""
        for key, row in self._rows.rows("quality", hour_key(start), hour_key(end)):
            yield *scores_of(key), decode_scores(row)

    def event_names(self) -> dict[tuple[str, str], Name]:
        """By source and event: the names that sources have used."""
        return {name_of(key): decode_name(row) for key, row in self._rows.rows("quality", NAMES_FROM, NAMES_TO)}

    def answer(self, message_id: str) -> dict[str, Any] | None:
        """What came of a control entry."""
        row = self._rows.row("answers", message_id.encode())
        return None if row is None else orjson.loads(row)


def traits_of(person: Person, program: Program, at_us: int) -> dict[str, Any]:
    """Plain and computed traits; numbers of sums exact."""
    traits = {name: canonical(kept[2]) for name, kept in person.traits.items() if kept[2] is not None and name not in program.computed}
    for name, at in program.computed.items():
        value = program.cells[at].value(person.cells[at], at_us)
        if value is not None:
            traits[name] = orjson.Fragment(number_text(value)) if program.features[at].measure == "sum" else canonical(value)
    return traits


def features_of(person: Person, program: Program, at_us: int) -> dict[str, Any]:
    """The value of every counting or summing feature by its key."""
    found: dict[str, Any] = {}
    for at, feature in enumerate(program.features):
        if feature.measure in {"times", "distinct", "sum"}:
            value = program.cells[at].value(person.cells[at], at_us)
            found[feature.key] = orjson.Fragment(number_text(value)) if feature.measure == "sum" else value
    return found


def segments_of(person: Person, program: Program, at_us: int) -> list[str]:
    """The names of the segments that hold at a time, sorted."""
    bits = program.members(person, at_us)
    return sorted(segment.name for at, segment in enumerate(program.segments) if bits >> at & 1)


def _quarantined(key: bytes, row: bytes) -> Quarantined | None:
    kept = decode_row(row)
    if kept.gone:
        return None
    return Quarantined(
        _quarantine_id(key), kept.reason, kept.detail, kept.schema_path, kept.partition, kept.position, kept.received_at_us, kept.raw,
        kept.event, kept.contract, kept.stored_at_us, kept.original, kept.edits,
    )  # fmt: skip


def _quarantine_id(key: bytes) -> str:
    return f"q-{sequence_of(key)}"


def _ranked(person: Person) -> list[Identifier]:
    return sorted(person.identifiers, key=lambda each: (each.namespace, each.value))


def _seen(link: Link) -> tuple[int, int, str, int, int, float | None]:
    return link.first, link.last, link.message, link.count, link.rules, link.weight


def _iso(time_us: int | None) -> str | None:
    return None if time_us is None else iso(time_us)


def _line(**fields: Any) -> bytes:
    return orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
