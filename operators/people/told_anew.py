"""What is different when everybody has been made anew: told of those together whose identifiers have changed hands, in commits of bounded
size. Who is told of takes his version, and what was told of him, over from the generation of before, which ends there for him."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from operators.change_log import Cause
from operators.meta import Underway
from operators.moment_row import moment_message, moment_owner
from operators.people.callings import Callings
from operators.people.clock import BEFORE_ALL
from operators.people.pairs import Refusals
from operators.people.recompute import exchange, versions
from operators.people.stored import committed
from operators.people.work import Work
from operators.records import NOBODY, OWNED, Person, decode_person
from operators.segments.carried import Memberships
from operators.stitch.owners import Owner
from operators.stitch.rules import Pair
from state.other_generation import OtherGeneration

PEOPLE = 200
"""Who is told of in one commit, beside those whose identifiers they have, or had."""

_THERE, LAST = 0, 2
"""What is told, as `Underway.within` has it: of those who were there, and last of events; in between of those who are new."""

Group = tuple[dict[bytes, Person], dict[bytes, Person]]
"""Those before and those now who have identifiers of one another, by key."""


class ToldAnew:
    """Tells of everybody, in order of their keys: of those who were there, of those who are new, then whose events are whose now."""

    def __init__(self, work: Work, change: Underway) -> None:
        self._work, self._store, self._shard = work, work.store, work.shard
        self._before = OtherGeneration(work.shard)
        self._refusals = Refusals(self._before.refused)
        self._names = [each.name for each in work.load(change.before).identity.namespaces]
        self._memberships = Memberships(work.load(change.before).segments, work.program.segments)
        self._change = change
        self._telling = False
        work.first, work.earlier, self._store.earlier = self._tell_first, self.tell, self.tell

    def end(self) -> None:
        """Everybody has been told of."""
        self._work.first = self._work.earlier = self._store.earlier = None

    def _tell_first(self, pairs: Iterable[Pair]) -> None:
        """Tell of whoever had one of these identifiers: it may be somebody else's from now on."""
        for pair in pairs:
            key = self._before.alias.get(self._store.hash(pair))
            if key is not None:
                self.tell(key)

    def tell(self, key: bytes) -> None:
        """Tell of whoever is, or was, there under a key, with all whose identifiers went to one another; perhaps while an event is
        applied, which has changed nothing of any of them yet."""
        if self._telling:
            return
        work, log, store, accounts = self._work, self._work.log, self._store, self._work.accounts
        said = log.cause, log.time, log.clock
        waiting = store.moves, store.callings, accounts.again
        store.moves, store.callings, accounts.again = {}, Callings(work.rules.names), {}
        with work.history.aside():
            self._begin()
            self._tell_group(key)
            work.remember()
        log.cause, log.time, log.clock = said
        store.moves, store.callings, accounts.again = waiting

    def _begin(self) -> None:
        """What is told has the definitions as its cause."""
        change, now, log = self._change, self._work.clock.now, self._work.log
        cause: Cause = {"type": "definition", "digest": change.after}
        log.cause, log.time, log.clock = cause, change.time, change.clock if now == BEFORE_ALL else now

    def _tell_group(self, key: bytes) -> None:
        self._telling = True
        group = self._group(key)
        if group is not None:
            self._tell(*group)
            self._change.people += len(group[1])
        self._telling = False

    def slice(self, change: Underway) -> bool:
        """The next people; returns whether that was all. Call it with nothing pending, and commit behind it."""
        family = self._before.people if change.within == _THERE else self._shard.people
        rows = list(islice(family.committed(change.cursor + b"\0"), PEOPLE))
        if not rows:
            change.cursor, change.within = b"", change.within + 1
            return change.within > LAST
        self._begin()
        if change.within == LAST:
            self._work.announcer.reassigned(self._reassigned(decode_person(row) for _, row in rows))
        else:
            for key, _ in rows:
                self._tell_group(key)
            self._work.remember()
        change.cursor = rows[-1][0]
        return False

    def _group(self, key: bytes) -> Group | None:
        """Somebody with all whose identifiers went to one another; None if they have been told of."""
        old: dict[bytes, Person] = {}
        new: dict[bytes, Person] = {}
        edge, reached = [key], {key}
        while edge:
            key = edge.pop()
            row, person = self._before.people.get(key), self._store.person(key)
            if row is not None:
                # Without the traits of a wide one: the chunks under this key are those of whoever is there now.
                old[key] = decode_person(row)
                self._before.people.delete(key)
            if person is not None and person.edition != self._store.edition:
                new[key] = person
            near = [self._shard.alias.get(each.hash) for each in old[key].identifiers] if key in old else []
            near += [self._before.alias.get(each.hash) for each in new[key].identifiers] if key in new else []
            for found in near:
                if found is not None and found not in reached:
                    reached.add(found)
                    edge.append(found)
        return (old, new) if old or new else None

    def _tell(self, old: dict[bytes, Person], new: dict[bytes, Person]) -> None:
        work, store = self._work, self._store
        was = {each.hash: key for key, person in old.items() for each in person.identifiers}
        home = {each.hash: key for key, person in new.items() for each in person.identifiers}
        for identifier in was.keys() | home.keys():
            if was.get(identifier) != home.get(identifier):
                store.moves[identifier] = was.get(identifier, b"")
        for person in old.values():
            store.callings.changes(person, self._names)
            # All timers are those of the people who are there now.
            person.armed = None
            for segment in self._memberships.carry(person):
                work.announcer.left(person, segment.name, segment.version)
        made = versions(self._refusals, old.values())
        for person in new.values():
            # What the steps told of him beside, nobody has heard.
            person.told, person.bits = {}, b""
            self._date(person, made)
        exchange(work, old, new, list, counted=False)
        work.accounts.again.clear()

    def _date(self, person: Person, made: dict[bytes, int]) -> None:
        """A link keeps the version of the rules under which it was made first."""
        for key, link in person.links.items():
            link.rules = made.get(key, link.rules)
        for each in person.identifiers:
            for link in self._store.refusals.of(each.hash) if each.refused else ():
                if made.get(link.key, link.rules) != link.rules:
                    link.rules = made[link.key]
                    self._store.refusals.put(link)

    # ---- events that are somebody else's

    def _reassigned(self, people: Iterator[Person]) -> dict[tuple[bytes, bytes], list[str]]:
        """Ids of messages on the devices of these people whose owner has changed, by the keys of (who would have them by the owner
        before, who has them now)."""
        devices = sorted({each.hash for person in people for each in person.identifiers if each.device is not None})
        before: dict[bytes, Owner] = {}
        for _, stored in committed(self._before, devices):
            before[stored.message] = moment_owner(stored.row)
        found: list[tuple[int, str, bytes, bytes]] = []
        for anchor, stored in committed(self._shard, devices):
            owner, known = moment_owner(stored.row), before.get(stored.message)
            if known is not None and owner != known:
                was, now = self._whose(anchor, known), self._whose(anchor, owner)
                if was != now:
                    found.append((stored.time_us, moment_message(stored.row), was, now))
        reassigned: dict[tuple[bytes, bytes], list[str]] = {}
        for _, message, was, now in sorted(found):
            reassigned.setdefault((was, now), []).append(message)
        return reassigned

    def _whose(self, anchor: bytes, owner: Owner) -> bytes:
        """The key of the person who has, or would have, an event by its owner."""
        store = self._store
        if owner[0] == OWNED:
            return self._shard.alias.get(owner[1]) or owner[1]
        holder, each = store.linked(anchor)
        if owner[0] == NOBODY and any(store.rules.person[one.namespace] for one in holder.identifiers):
            return store.shared_key(each)
        return holder.key
