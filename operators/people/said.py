"""What an event says of links where the short way does not: its links as they are with it, and what is kept of those that do not stand."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from contracts.model.batches import Event
from operators.people.linking.linked import Linked, meet, new_link
from operators.people.region import Decided, Links, pins
from operators.people.store import Slot
from operators.people.work import Work
from operators.records import Identifier, Link
from operators.stitch.clusters import order

Known = Mapping[bytes, Identifier]


class SaidLinks:
    """The identifiers of an event, and those of its links that have not been ``linked`` yet."""

    def __init__(self, work: Work, event: Event, linked: Linked) -> None:
        self._work, self._store, self._event = work, work.store, event
        self.slots: list[Slot | None] = [work.store.slot(pair) for pair in event.identifiers]
        time = event.time_us
        self.ends = [
            slot[1] if slot is not None else Identifier(*pair, work.store.hash(pair), time, time)
            for pair, slot in zip(event.identifiers, self.slots, strict=True)
        ]
        self.fresh = [end for end, slot in zip(self.ends, self.slots, strict=True) if slot is None]
        self.links: Links = {}
        self._known: set[bytes] = set()
        """Which of these were known."""
        for slot in self.slots:
            if slot is not None and time < slot[1].first:
                work.store.callings.changes(slot[0])
        for end in self.ends:
            end.first, end.last = min(end.first, time), max(end.last, time)
        for end in self.ends[1 + linked.done :] if linked.person is None else ():
            self._say(self.ends[0], end)

    def _say(self, first: Identifier, end: Identifier) -> None:
        key, slot = first.hash + end.hash, self.slots[0]
        known = slot[0].links.get(key) if slot is not None else None
        if known is None and first.refused and end.refused:
            known = self._store.refusals.get(first.hash, end.hash)
        if known is None:
            link = new_link(first.hash, end.hash, self._event, self._work.rules.version)
            link.void = self._work.manual.void(first.hash, end.hash)
        else:
            self._known.add(key)
            link = replace(known)
            link.again(self._event.time_us, self._event.message_id)
        self.links[key] = link

    def turns_shared(self) -> bool:
        """Whether a device becomes one that identifies nobody by this event."""
        rules, visits = self._work.rules, self._work.stitcher.visits
        anchor = rules.anchor(self._event.identifiers)
        person = self._store.hash(anchor)
        return rules.person[anchor[0]] and any(visits.turns_shared(end, person) for end in self.ends)

    def write(self, decided: Decided, known: Known) -> None:
        """Bring the rows of links that do not stand, and what identifiers know of them, to what was decided."""
        refusals = self._store.refusals
        for each in decided.unpinned:
            self._loosen(each, known)
        for key, link in decided.risen.items():
            if key not in self.links or key in self._known:
                refusals.delete(link)
                for end in (known[link.a], known[link.b]):
                    end.refused -= 1
                    if end.loose == end.refused and pins(end, self._work.rules):
                        # It may not have been one of the loose ones, so that the other ends do not know of all that are left.
                        self._loosen(end, known)
                    end.loose = min(end.loose, end.refused)
        for key, link in self.links.items():
            if key not in self._known:
                self._meet(known[link.a], known[link.b], known)
            if key not in decided.standing and key not in decided.fallen:
                if key in self._known:
                    refusals.put(link)
                else:
                    self._refuse(link, decided.standing, known)
                a, b = known[link.a], known[link.b]
                if b.loose < b.refused and b.rivals == a.namespace and not self._is_out(link, decided.standing, known):
                    # It is the first of the links of its lower end, so that those are no longer refused by one that stands.
                    self._loosen(b, known)
        for link in decided.fallen.values():
            self._refuse(link, decided.standing, known)

    def _refuse(self, link: Link, standing: Links, known: Known) -> None:
        out = self._is_out(link, standing, known)
        self._store.refusals.put(link)
        for end in (known[link.a], known[link.b]):
            end.refused += 1
            end.loose += not out

    def _is_out(self, link: Link, standing: Links, known: Known) -> bool:
        """Whether a link does not stand whatever clusters hold, as in `operators.people.rebuild`."""
        rules, a, b = self._work.rules, known[link.a], known[link.b]
        if link.void or link.manual:
            return link.void
        if rules.is_shared(a) or rules.is_shared(b):
            return True
        if rules.most[a.namespace] != 1:
            return False
        if a.namespace == b.namespace:
            return True
        if b.rivals != a.namespace or b.loose or self._work.manual.of(b.hash):
            return False
        place = order(link, known, rules)
        return any(order(each, known, rules) < place for each in standing.values() if b.hash in (each.a, each.b))

    def _meet(self, one: Identifier, other: Identifier, known: Known) -> None:
        for end, beside in ((one, other), (other, one)):
            if end.refused > 0 and pins(end, self._work.rules) and end.rivals != beside.namespace:
                self._loosen(end, known)
        meet(one, other)

    def _loosen(self, identifier: Identifier, known: Known) -> None:
        """Refused links of an identifier may stand from now on if clusters are smaller."""
        identifier.loose = identifier.refused
        for end in self._store.refusals.ends(identifier.hash):
            other = known.get(end)
            if other is None:
                person, other = self._store.linked(end)
                self._store.dirty[person.key] = person
            other.loose = min(other.loose + 1, other.refused)
