"""What becomes true of people, and the change events that say so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from contracts.model.hashing import profile_id
from operators.change_log import TIMER, ChangeLog, confidence_told, membership, tell_confidence
from operators.meta import Meta
from operators.people.belonging import Belonging, belonging_told
from operators.people.clock import BEFORE_ALL
from operators.people.history import History
from operators.people.store import PeopleStore
from operators.people.timers import Timers
from operators.profile import changed_at, next_due
from operators.records import Person, shown
from operators.segments.compile import CONFIDENCE, Program

REASSIGNED_MAX = 1_000
"""Messages that one change names."""
Hide = Callable[[str, Any], Any]
"""(name of a trait, value) → the value as it may leave the shard"""


class Announcer:
    """Evaluates people by one set of definitions and appends every difference to the change log."""

    def __init__(
        self, meta: Meta, log: ChangeLog, store: PeopleStore, timers: Timers, program: Program, *,
        history: History, belonging: Belonging, hide: Hide | None,
    ) -> None:  # fmt: skip
        self._meta = meta
        self._log = log
        self._store = store
        self._timers = timers
        self._program = program
        self._history = history
        self._belonging = belonging
        self._hide = hide
        self._told = [membership(each.name, each.version, each.purpose, program.definitions.digest) for each in program.segments]

    def created(self, person: Person) -> None:
        """A profile id that was not there."""
        self._history.created(person.key)
        self._store.callings.created(person.key)
        self._created(person)

    def welcome(self, person: Person, rules: int) -> None:
        """A profile id that was not there, of somebody whose identifiers nobody has had. ``rules``: the version of the identity rules."""
        self._history.welcome(person, rules)
        self._created(person)

    def _created(self, person: Person) -> None:
        self._meta.people += 1
        tell_confidence(person)
        self._log.append("profile.created", person)

    def split(self, parent: Person, person: Person) -> None:
        """A profile whose identifiers were another's."""
        self._meta.splits += 1
        self._confidence(parent)
        split = profile_id(person.key)
        self._log.append("identity.split", parent, split=split, evidence={"split": split, "confidence": confidence_told(person)})

    def reassigned(self, moved: Mapping[tuple[bytes, bytes], list[str]]) -> None:
        """Events that were one profile's belong to another now, by the profiles' keys; not the event that is just being applied."""
        for (was, now), messages in moved.items():
            person = self._store.person(now)
            assert person is not None, "who owns events is somebody"
            self._store.dirty[person.key] = person
            told = [message for message in messages if message != self._log.cause]
            before = self._store.person(was)
            sure = None if before is None else confidence_told(before)
            for at in range(0, len(told), REASSIGNED_MAX):
                some = told[at : at + REASSIGNED_MAX]
                evidence = {"messages": len(some), "confidence": sure}
                self._log.append("events.reassigned", person, **{"from": profile_id(was)}, messages=some, evidence=evidence)

    def vanished(self, person: Person, into: Person | None) -> None:
        """A profile id goes: out of its segments, then merged; erased if no evidence names any of it (into is None)."""
        for at in _set(int.from_bytes(person.bits, "little")):
            self._membership(person, at, entered=False)
        self._belonging.gone(person)
        self._meta.people -= 1
        self._history.vanished(person.key, b"" if into is None else into.key)
        if into is None:
            self._log.append("profile.erased", person, evidence={"reason": "no evidence names it any more"})
        else:
            self._meta.merges += 1
            self._confidence(into)
            merged = profile_id(person.key)
            evidence = {"merged": merged, "confidence": confidence_told(person), "version": person.version}
            self._log.append("identity.merged", into, merged=merged, evidence=evidence)
        self._store.remove(person)

    def settle(self, person: Person, now: int, touched: tuple[Any, ...] | None = None) -> None:
        """Evaluate everything about a person; ``touched``: what an event has changed of somebody unknown before it."""
        certainty = self._confidence(person)
        self._consents(person)
        self._belonging.tell_all(person)
        self._emit(person, self._program.emitted, now)
        if touched is None or now == BEFORE_ALL:
            self.evaluate(person, self._program.all_segments, now)
        else:
            unsure = () if certainty == 1.0 else (CONFIDENCE,)
            self._enter(person, self._program.plan(touched + unsure).segments, now)

    def _enter(self, person: Person, order: tuple[int, ...], now: int) -> None:
        """The first memberships: those of a blank person, less and more what the segments in ``order`` say."""
        bits, cells = self._program.blank, person.cells
        evaluators, without = self._program.evaluators, self._program.without
        for at in order:
            needed = without[at]
            holds = (needed is None or needed in cells) and evaluators[at](person, now, bits)
            if holds is not (bits >> at & 1 == 1):
                bits ^= 1 << at
        person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
        for at in _set(bits):
            self._membership(person, at, entered=True)

    def move(self, person: Person, touched: tuple[Any, ...], now: int) -> None:
        """Evaluate what these features, traits and consents, and `CONFIDENCE`, can move."""
        plan = self._program.plan(touched)
        if plan.confidence:
            self._confidence(person)
        if plan.consents:
            self._consents(person)
        if plan.emitted:
            self._emit(person, plan.emitted, now)
        if plan.segments:
            self.evaluate(person, plan.segments, now)

    def fire(self, due: int, key: bytes, now: int) -> bool:
        """A person's timer is due; returns whether it is a person's."""
        person = self._store.person(key)
        if person is None or person.armed != due:
            return person is not None
        person.armed = None
        self._store.dirty[key] = person
        if due == BEFORE_ALL:
            due, order, following = now, self._program.all_segments, next_due(person, self._program, now)
            emitted = self._program.emitted
            self._log.cause = {"type": "clock"}
        else:
            touched, following = changed_at(person, self._program, due)
            plan = self._program.plan(touched)
            order, emitted = plan.segments, plan.emitted
            self._log.cause = TIMER
        self._log.clock = due
        self._emit(person, emitted, due)
        self.evaluate(person, order, due)
        self._timers.arm(person, following)
        return True

    def evaluate(self, person: Person, order: tuple[int, ...], now: int) -> None:
        """Bring the memberships of some segments up to date; before the clock runs, when it does."""
        if now == BEFORE_ALL:
            self._timers.arm(person, BEFORE_ALL)
            self._store.dirty[person.key] = person
            return
        held = person.bits
        bits = before = int.from_bytes(held, "little")
        evaluators, without, cells, known = self._program.evaluators, self._program.without, person.cells, 8 * len(held)
        for at in order:
            needed = without[at]
            holds = (needed is None or needed in cells) and evaluators[at](person, now, bits)
            # Each segment comes once, so that what is held of it is what it was.
            if holds is not (at < known and held[at >> 3] >> (at & 7) & 1 == 1):
                bits ^= 1 << at
                self._membership(person, at, entered=holds)
        if bits != before:
            person.bits = bits.to_bytes((bits.bit_length() + 7) // 8, "little")
            self._store.dirty[person.key] = person

    def left(self, person: Person, segment: str, version: int) -> None:
        """A person leaves a segment that the definitions no longer have."""
        self._sizes(segment, -1)
        self._log.append("segment.exited", person, segment=segment, evidence={"segment_version": version})

    def _membership(self, person: Person, at: int, *, entered: bool) -> None:
        self._sizes(self._program.segments[at].name, 1 if entered else -1)
        self._log.moved(person, self._told[at], entered=entered)

    def _sizes(self, segment: str, by: int) -> None:
        sizes = self._meta.sizes
        sizes[segment] = sizes.get(segment, 0) + by

    def _confidence(self, person: Person) -> float:
        """Tell how sure we are who a person is, if that is not what was told last, with what has been told of the person by then:
        a destination with a floor adds it or takes it back. Returns the confidence as it is shown."""
        before, confidence = confidence_told(person), person.certainty
        if confidence == before:
            return confidence
        tell_confidence(person)
        self._store.dirty[person.key] = person
        evidence = {"before": before, "confidence": confidence, **self._holds(person)}
        self._log.append("identity.confidence", person, evidence=evidence)
        return confidence

    def _holds(self, person: Person) -> dict[str, Any]:
        """The memberships, decided consents and emitted traits that have been told of a person, and the accounts if there are any."""
        held, told = int.from_bytes(person.bits, "little"), person.told
        segments = [segment for at, segment in enumerate(self._program.segments) if held >> at & 1]
        hide = self._hide or (lambda _name, value: value)
        accounts = belonging_told(person)
        return {
            "segments": [{"segment": each.name, "version": each.version, "purpose": each.purpose} for each in segments],
            "consents": {name[1:]: told[name] for name in sorted(told) if name[:1] == "!"},
            "traits": {name: hide(name, shown(told[name])) for name in self._program.emitted if told.get(name) is not None},
            **({"accounts": accounts} if accounts else {}),
        }

    def _consents(self, person: Person) -> None:
        for purpose in sorted(person.granted):
            granted, told = person.granted[purpose], "!" + purpose
            if person.told.get(told) is not granted:
                person.told[told] = granted
                self._store.dirty[person.key] = person
                self._log.append("consent.changed", person, purpose=purpose, granted=granted, evidence={"granted": granted})
        if len(person.told) > len(person.granted):
            self._undecided(person)

    def _undecided(self, person: Person) -> None:
        """The decisions that were told and belong to somebody else now: ``granted`` null, the default stands again."""
        for told in sorted(told for told in person.told if told[:1] == "!" and told[1:] not in person.granted):
            del person.told[told]
            self._store.dirty[person.key] = person
            self._log.append("consent.changed", person, purpose=told[1:], granted=None, evidence={"granted": None})

    def _emit(self, person: Person, names: Iterable[str], now: int) -> None:
        for name in names:
            if now == BEFORE_ALL and name in self._program.timed:
                # What depends on the time is told when the clock runs.
                self._timers.arm(person, BEFORE_ALL)
                continue
            value = self._program.trait(person, name, now)
            if person.told.get(name) != value:
                person.told[name] = value
                self._store.dirty[person.key] = person
                value = shown(value)
                if self._hide is not None:
                    value = self._hide(name, value)
                self._log.append("profile.updated", person, trait=name, value=value, evidence={"trait": name, "value": value})


def _set(bits: int) -> list[int]:
    """Which bits are set; of many segments somebody is in few."""
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found
