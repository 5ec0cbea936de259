"""Events: whose each of them is, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from contracts.envelope import message_hash
from contracts.model.hashing import profile_id
from operators.match.confidence import confidences
from operators.moment_row import moment_message, moment_owner, moment_raw
from operators.records import NOBODY, OWNED, SEEN_BESIDE, Identifier, Person, Stored, decode_moments, decode_page, decode_stored, place
from operators.view.identity import IdentityReader
from operators.view.rows import SpaceRows
from state.keys import NOBODY as NO_ANCHOR
from state.keys import period_key, period_of
from state.snapshot.tables.attributions import AttributionRow

_BEHIND = b"\xff" * 32
"""Behind every key that begins with what it is added to."""


@dataclass(frozen=True, slots=True)
class EventReader:
    """The accepted events of a space."""

    committed: SpaceRows

    def attributions(self) -> Iterator[tuple[str, str]]:
        """Message id, profile id; not the unidentified."""
        return ((row.message_id, row.profile_id) for row in self.attributed())

    def attributed(self) -> Iterator[AttributionRow]:
        """Whose each message is; its confidence is that of the identifier that it hangs on, or of the one that owns it."""
        rules = self.committed.program.definitions.identity
        homes: dict[bytes, tuple[tuple[str, float], tuple[str, float]]] = {}
        """Identifier → its profile, and the profile of its events that belong to nobody; each with the confidence."""
        for person in self.committed.people():
            named = any(rules.namespaces[each.namespace].scope == "person" for each in person.identifiers)
            sure = confidences(person)
            for each in person.identifiers:
                home = profile_id(person.key), round(sure[each.hash], 6)
                homes[each.hash] = home, (profile_id(self._shared(each)), 1.0) if named else home
        space = self.committed.space
        for anchor, _, row in self._moments():
            owner, key = moment_owner(row)
            if anchor != NO_ANCHOR:
                home = homes[key][0] if owner == OWNED else homes[anchor][owner == NOBODY]
                yield AttributionRow(moment_message(row), *home, space)

    def of(self, person: Person) -> Iterator[tuple[bytes, Stored]]:
        """The events of a profile, in no order, each with the hash of the identifier on which it hangs. Reads what hangs on its
        identifiers, and on devices that were seen with them but are not its own.
        """
        if person.first is None or person.last is None:
            return
        span = person.first, person.last
        if not person.identifiers:
            device = self._device(person)
            yield from ((device, each) for each in self.hanging(device, *span) if moment_owner(each.row)[0] == NOBODY)
            return
        rules = self.committed.program.definitions.identity
        own = {each.hash for each in person.identifiers}
        named = any(rules.namespaces[each.namespace].scope == "person" for each in person.identifiers)
        beside = {end for link in IdentityReader(self.committed).refused_of(person).values() for end in (link.a, link.b)}
        for anchor in sorted(own | beside):
            for each in self.hanging(anchor, *span):
                owner, key = moment_owner(each.row)
                if key in own if owner == OWNED else anchor in own and not (owner == NOBODY and named):
                    yield anchor, each

    def _device(self, person: Person) -> bytes:
        """The device whose events of nobody a profile without identifiers is."""
        everybody = (each for one in self.committed.people() for each in one.identifiers)
        return next(each.hash for each in everybody if self._shared(each) == person.key)

    def hanging(self, anchor: bytes, first: int, last: int) -> Iterator[Stored]:
        """What hangs on an identifier between two times in µs, whosever it is, in no order; of what is sealed all."""
        rows = self.committed.rows
        for _, page in rows.rows("pages", anchor, anchor + _BEHIND):
            yield from decode_page(page)
        for period in range(period_of(first), period_of(last) + 1):
            start = period_key(period) + anchor
            for key, row in rows.rows("moments", start, start + _BEHIND):
                yield from decode_moments(key, row)

    def _shared(self, identifier: Identifier) -> bytes:
        namespace = self.committed.program.definitions.identity.namespaces[identifier.namespace].name
        return self.committed.hasher.shared(namespace, identifier.value)

    def _moments(self) -> Iterator[tuple[bytes, int, bytes]]:
        """Anchor, time and row of everything that is kept."""
        for key, row in self.committed.rows.rows("moments"):
            for stored in decode_moments(key, row):
                yield key[4:20], stored.time_us, stored.row
        for key, page in self.committed.rows.rows("pages"):
            for stored in decode_page(page):
                yield key[:16], stored.time_us, stored.row

    def moments(self) -> Iterator[tuple[int, bytes]]:
        """Time and row of every accepted event, in no order."""
        return ((time_us, row) for _, time_us, row in self._moments())

    def message(self, message_id: str) -> bytes | None:
        """The bytes of the accepted event with this id, while the id is remembered."""
        found = self.remembered(message_hash(message_id))
        return None if found is None else moment_raw(found.row)

    def remembered(self, message: bytes) -> Stored | None:
        """The event of a message hash, where its id is remembered."""
        where = self.lies(message)
        row = None if where is None else self.committed.rows.row(*where)
        if where is None or row is None:
            return None
        return next((each for each in decode_stored(*where, row) if each.message == message), None)

    def lies(self, message: bytes) -> tuple[str, bytes] | None:
        """The family and the key of the row that should hold the event of a message hash, while its id is remembered."""
        first, seen = message, self.committed.rows.row("seen", message)
        if seen is not None and len(seen) == SEEN_BESIDE:
            first, seen = seen, self.committed.rows.row("seen", seen)
        return None if seen is None else place(first, seen)
