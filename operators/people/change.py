"""Definitions on their way, while events go on: first what the features that are new come to, person by person, by the definitions before;
then the switch, a small commit; then everybody is evaluated and told of. Who is read before his turn is brought along then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import islice

import orjson

from operators.meta import Underway
from operators.moment_row import moment_contract, moment_owner
from operators.people import doings
from operators.people.anew import Anew
from operators.people.clock import BEFORE_ALL
from operators.people.heads import nobodys, owner_key
from operators.people.store import hung_on
from operators.people.stored import committed
from operators.people.told_anew import LAST, ToldAnew
from operators.people.work import Work
from operators.profile import fold, next_due
from operators.records import Person

SLICE_PEOPLE = 200
"""Who is brought along in one commit at most, beside those whose events come."""
SLICE_US = 15_000
"""Time of the processor that a slice takes, about: the next one has fewer people if this one took more, since events wait for it."""
FIRST_PEOPLE = 20
"""Who is brought along in the first slice."""


def begin(work: Work, after: str, entry: str, because: list[str], *, anew: bool) -> None:
    """Other definitions are on their way; call it with nothing pending. ``anew``: they do not say the same of identities, purposes and old
    models, so that everybody is made anew."""
    meta = work.meta
    meta.change = Underway(work.digest, after, entry, because, work.log.clock, time=work.log.time, anew=anew)
    if anew:
        return
    work.use(work.digest)
    assert work.carried is not None, "definitions are on their way"
    if work.carried.added.features:
        meta.edition += 1
        work.store.edition = meta.edition
    else:
        _switch(work, meta.change)


def _switch(work: Work, change: Underway) -> None:
    """The definitions are in force for everybody: whoever reads a row numbers it as they do."""
    change.switched, change.cursor = True, b""
    work.meta.edition += 1
    work.use(change.after)


def _end(work: Work, change: Underway) -> None:
    """Everybody has been told of."""
    meta = work.meta
    meta.change = work.carried = None
    meta.keep_sizes(work.program.segments)
    if change.entry:
        answer = {"definitions": change.after, "recomputed": True, "anew": change.anew, "people": change.people, "events": change.events}
        work.shard.answers.put(change.entry.encode(), orjson.dumps({"ok": True, "type": "definitions", **answer}))


class Bringing:
    """Brings the people of a space along. It is called where somebody is read, and for a slice of those who are not."""

    def __init__(self, work: Work, spent_ns: Callable[[], int] = time.thread_time_ns) -> None:
        """``spent_ns``: how much time of the processor this thread has had."""
        self._work, self._spent_ns = work, spent_ns
        self._waiting: list[Person] | None = None
        """In a slice, those of whom features are to be computed; all of them at once."""
        self._most = FIRST_PEOPLE
        self._anew: Anew | None = None
        self._told: ToldAnew | None = None
        work.older = self.older

    def ready(self) -> None:
        """Before anything is applied: what is applied goes to both generations, or is told of those first whom it concerns."""
        change = self._work.meta.change
        if change is None or not change.anew:
            return
        if change.switched and change.within <= LAST:
            self._told = self._told or ToldAnew(self._work, change)
        elif change.stage and not change.switched:
            self._anew = self._anew or Anew(self._work)
            self._anew.open(change)

    def flush(self) -> None:
        """What has changed in a generation beside goes into the commit that is made."""
        if self._anew is not None:
            self._anew.flush()

    def trim(self) -> None:
        """Behind that commit."""
        if self._anew is not None:
            self._anew.trim()

    def slice(self, *, whole: bool = True) -> None:
        """The next people; call it with nothing pending, and commit behind it. ``whole``: no event waits for it."""
        work, change = self._work, self._work.meta.change
        assert change is not None, "definitions are on their way"
        if change.anew:
            self._slice_anew(change, whole=whole)
            return
        began = self._spent_ns()
        keys = [key for key, _ in islice(work.shard.people.committed(change.cursor + b"\0"), self._most)]
        if not keys:
            (_end if change.switched else _switch)(work, change)
            return
        self._waiting = []
        for key in keys:
            work.store.person(key)
        waiting, self._waiting = self._waiting, None
        if waiting:
            self._compute(waiting)
        change.cursor = keys[-1]
        spent_us = (self._spent_ns() - began) // 1000
        self._most = max(1, min(SLICE_PEOPLE, 2 * self._most, len(keys) * SLICE_US // max(spent_us, 1)))

    def _slice_anew(self, change: Underway, *, whole: bool) -> None:
        self.ready()
        if not change.switched:
            self._anew = self._anew or Anew(self._work)
            self._anew.slice(change, whole=whole)
            return
        self._anew = None
        if self._told is not None:
            if self._told.slice(change):
                self._told.end()
                self._told = None
        elif self._work.shard.drop_next(wait=whole):
            _end(self._work, change)

    def older(self, person: Person) -> None:
        """Bring somebody along who has just been read, and in whom nothing has changed."""
        change = self._work.meta.change
        assert change is not None, "rows are of an older edition while definitions are on their way"
        if change.anew:
            assert self._told is not None, "nobody is of an older edition before the switch"
            self._told.tell(person.key)
            return
        if change.switched:
            self._tell(person, change)
        elif self._waiting is not None:
            self._waiting.append(person)
        elif person.identifiers:
            self._compute([person])

    def _tell(self, person: Person, change: Underway) -> None:
        """Evaluate somebody by the definitions that are in force, at the clock; if his timer is late, at the moment of that."""
        work, log, now = self._work, self._work.log, self._work.clock.now
        assert work.carried is not None, "definitions are on their way"
        if person.armed is not None and BEFORE_ALL < person.armed < now:
            now = person.armed
        cause, clock = log.cause, log.clock
        log.cause, log.clock = {"type": "definition", "digest": change.after}, change.clock if now == BEFORE_ALL else now
        for segment in work.carried.carry(person):
            work.announcer.left(person, segment.name, segment.version)
        person.edition = work.meta.edition
        work.store.dirty[person.key] = person
        work.timers.arm(person, next_due(person, work.program, now))
        doings.arm(work, person)
        work.announcer.settle(person, now)
        change.people += 1
        log.cause, log.clock = cause, clock

    # ---- what the new features come to

    def _compute(self, people: Iterable[Person]) -> None:
        """Fold the events of people, as they are committed, into the features that are new."""
        work, change, carried = self._work, self._work.meta.change, self._work.carried
        assert carried is not None, "definitions are on their way"
        assert change is not None, "definitions are on their way"
        program, contracts, now = carried.narrow, work.meta.contracts, work.clock.now
        owners, anchors = self._owners(people)
        parts: dict[bytes, Person] = {}
        for anchor, stored in committed(work.shard, sorted(anchors)):
            row = stored.row
            person = owners.get(owner_key(anchor, moment_owner(row)))
            if person is None or not carried.matters(contracts[moment_contract(row)]):
                continue
            event = work.judge.stored(row, stored.time_us, contracts)
            event.consents = event.group = None
            if not program.sent:
                event.traits = None
            change.events += 1
            part = parts.get(person.key)
            if part is None:
                part = parts[person.key] = Person(b"", [], {})
            fold(part, event, anchor, program, now)
        for person in {each.key: each for each in owners.values()}.values():
            carried.widen(person, parts.get(person.key))
            person.edition = work.meta.edition
            work.store.dirty[person.key] = person

    def _owners(self, people: Iterable[Person]) -> tuple[dict[bytes, Person], set[bytes]]:
        """Who has the events of which owner, those of nobody on their devices with them, and on which anchors these hang."""
        store, owners, anchors = self._work.store, dict[bytes, Person](), set[bytes]()
        for person in people:
            named = any(self._work.rules.person[each.namespace] for each in person.identifiers)
            for each in person.identifiers:
                owners[each.hash] = person
                if each.device is None:
                    # Events that it owns may hang on any device on which it was seen.
                    anchors.update(hung_on(store, each, person.links.values()), [each.hash] if each.anchor else ())
                    continue
                anchors.add(each.hash)
                if each.device.nobody:
                    shared = store.person(store.shared_key(each)) if named else person
                    if shared is not None and (shared is person or shared.edition != store.edition):
                        owners[nobodys(each.hash)] = shared
        return owners, anchors
