"""People made of the parts that they add up from: in the place of those whose identifiers or events are others now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from contracts.model.batches import Event
from operators import consent
from operators.people.devices import Given
from operators.people.heads import nobodys, owner_key
from operators.people.recompute import component, exchange
from operators.people.region import Decided, Links
from operators.people.work import Work
from operators.profile import fold, join
from operators.records import NOBODY, OWNED, Identifier, Person
from operators.stitch.clusters import lead
from operators.stitch.owners import Owner


class Joined:
    """A cluster as it is now: its key, whether it holds a person's identifier, its links, and who was there with some of it.
    ``kept``: the one who has just these identifiers, under the same key."""

    def __init__(self, work: Work, identifiers: list[Identifier], was: list[Person]) -> None:
        self.identifiers = identifiers
        self.key = lead(identifiers).hash
        self.was = was
        self.named = named(work, identifiers)
        same = (
            len(was) == 1 and was[0].key == self.key and {each.hash for each in was[0].identifiers} == {each.hash for each in identifiers}
        )
        self.kept = was[0] if same else None
        self.links: Links = {}


def named(work: Work, identifiers: Iterable[Identifier]) -> bool:
    """Whether some of these are a person's."""
    return any(work.rules.person[each.namespace] for each in identifiers)


class Making:
    """Makes people of what was ``decided``."""

    def __init__(self, work: Work, decided: Decided) -> None:
        self._work, self._store, self._heads = work, work.store, work.heads
        self.was = {each.hash: person for person in decided.people.values() for each in person.identifiers}
        self.home: dict[bytes, Joined] = {}
        """By identifier."""
        for identifiers in decided.clusters:
            was = {person.key: person for each in identifiers if (person := self.was.get(each.hash)) is not None}
            cluster = Joined(work, identifiers, list(was.values()))
            self.home.update((each.hash, cluster) for each in identifiers)
        for key, link in decided.standing.items():
            self.home[link.a].links[key] = link
        self.dirty: set[bytes] = set()
        """Keys of the parts that have got or lost stored events."""
        self._old: dict[bytes, Person] = {}
        self._new: dict[bytes, Person] = {}

    def clusters(self) -> Iterable[Joined]:
        """All of them."""
        return {id(cluster): cluster for cluster in self.home.values()}.values()

    # ---- who is who

    def before(self, identifier: bytes) -> bytes:
        """The key of who held an identifier."""
        return self._store.shard.alias.get(identifier) or identifier

    def after(self, identifier: bytes) -> bytes:
        """The key of who holds an identifier now."""
        cluster = self.home.get(identifier)
        return cluster.key if cluster is not None else self.before(identifier)

    def whose(self, anchor: bytes, owner: Owner) -> bytes:
        """The key of the person who has an event now, by its owner."""
        if owner[0] != NOBODY:
            return self.after(owner[1] if owner[0] == OWNED else anchor)
        identifiers = self._around(anchor)
        if not named(self._work, identifiers):
            return self.after(anchor)
        return self._store.shared_key(next(each for each in identifiers if each.hash == anchor))

    def _around(self, identifier: bytes) -> list[Identifier]:
        """The identifiers of who holds one of them now."""
        cluster = self.home.get(identifier)
        holder = self._store.holder(identifier) if cluster is None else None
        return cluster.identifiers if cluster is not None else holder.identifiers if holder is not None else []

    def _holder(self, identifier: bytes) -> Person | None:
        cluster = self.home.get(identifier)
        found = self._new.get(cluster.key) if cluster is not None else None
        return found or (cluster.kept if cluster is not None else None) or self._store.holder(identifier)

    def concerned(self, given: Iterable[Given]) -> Iterator[Identifier]:
        """The identifiers of those who have events or had them that are given to others, of whom parts do not say everything."""
        for anchor in {owner_key(each.kept.anchor, owner)[:16] for each in given for owner in (each.kept.owner, each.owner)}:
            yield from self._around(anchor)

    # ---- parts

    def make(self) -> None:
        """Make those people anew whose parts are others now."""
        for key in sorted(self.dirty):
            if key[:16] not in self.home:
                person = self._store.holder(key[:16])
                assert person is not None, "who owns events is somebody"
                outside = Joined(self._work, person.identifiers, [person])
                outside.links = person.links
                self.home.update((each.hash, outside) for each in person.identifiers)
        remade = [cluster for cluster in self.clusters() if cluster.kept is None or self._is_dirty(cluster.identifiers)]
        for cluster in self.clusters():
            if cluster.kept is not None:
                if cluster.kept.links != cluster.links:
                    cluster.kept.links = cluster.links
                    self.also(cluster.kept)
                self._store.dirty[cluster.kept.key] = cluster.kept
        plan = [(cluster, *self._parts_of(cluster)) for cluster in remade]
        shared = [
            each
            for cluster in remade
            for each in cluster.identifiers
            if each.device is not None and (each.device.nobody or nobodys(each.hash) in self.dirty)
        ]
        self._load({key for _, _, keys in plan for key in keys} | {nobodys(each.hash) for each in shared})
        for cluster, whole, keys in plan:
            person = self._heads.blank(cluster.key)
            person.identifiers = sorted(cluster.identifiers, key=lambda each: (each.namespace, each.value))
            person.links = cluster.links
            for other in whole:
                join(person, other, self._work.program)
            for key in keys:
                join(person, self._heads.part(key), self._work.program)
            self._new[person.key] = person
            self._old.update((each.key, each) for each in cluster.was)
        for each in shared:
            self._share(each, self.home[each.hash])

    def _is_dirty(self, identifiers: Iterable[Identifier]) -> bool:
        return bool(self.dirty) and any(key in self.dirty for each in identifiers for key in (each.hash, nobodys(each.hash)))

    def _parts_of(self, cluster: Joined) -> tuple[list[Person], list[bytes]]:
        """What a cluster adds up from: people as they are, and parts of others."""
        whole: list[Person] = []
        here = {each.hash for each in cluster.identifiers}
        for person in cluster.was:
            nobody = any(each.device is not None and each.device.nobody for each in person.identifiers)
            moves = nobody and named(self._work, person.identifiers) != cluster.named
            if not moves and not self._is_dirty(person.identifiers) and all(each.hash in here for each in person.identifiers):
                whole.append(person)
                here -= {each.hash for each in person.identifiers}
        keys = []
        for each in cluster.identifiers:
            if each.hash not in here:
                continue
            if each.device.own if each.device is not None else each.anchor:
                keys.append(each.hash)
            if each.device is not None and each.device.nobody and not cluster.named:
                keys.append(nobodys(each.hash))
        return whole, keys

    def _share(self, device: Identifier, cluster: Joined) -> None:
        """Bring the profile of a device's events that are nobody's to what is true of it."""
        key, part = self._store.shared_key(device), self._heads.part(nobodys(device.hash))
        assert device.device is not None, "nobody's events hang on a device"
        device.device.nobody = part.first is not None
        known = self._store.person(key)
        wanted = cluster.named and part.first is not None
        if known is not None and (not wanted or nobodys(device.hash) in self.dirty):
            self._old[key] = known
        if wanted and (known is None or key in self._old):
            part.key = key
            self._new[key] = part

    def _load(self, wanted: set[bytes]) -> None:
        """Make the parts that are not in memory of their moments."""
        missing = {key for key in wanted if key not in self._heads}
        if not missing:
            return
        anchors = {key[:16] for key in missing}
        for key in missing:
            cluster = self.home[key[:16]]
            each = next(one for one in cluster.identifiers if one.hash == key[:16])
            if each.device is None:
                anchors.update(self._devices_of(each, cluster))
        found = ((owner_key(kept.anchor, kept.owner), kept) for kept in self._work.moments.of(sorted(anchors)))
        self._heads.make(missing, ((key, self._work.reread(kept), kept.anchor) for key, kept in found if key in missing))

    def _devices_of(self, each: Identifier, cluster: Joined) -> Iterator[bytes]:
        """The devices on which a person's identifier was seen."""
        for end in self._store.seen_with(each, cluster.links.values()):
            if any(one.hash == end and one.device is not None for one in self._around(end)):
                yield end

    # ---- what is true of people

    def apply(self, event: Event, held: Identifier, owner: Owner) -> None:
        """Fold an event that hangs on an identifier into the person to whom it goes."""
        key = self.whose(held.hash, owner)
        person = self._new.get(key) or self._store.person(key)
        if person is None or (key in self._old and key not in self._new):
            person = self._new[key] = self._heads.blank(key)
        if key not in self._new:
            self.also(person)
        # What was before the session of a device is not what was kept of that: this event may lie before it.
        person.aside = None
        if owner[0] == NOBODY and held.device is not None:
            held.device.nobody = True
        fold(person, event, held.hash, self._work.program, self._work.clock.now)

    def also(self, person: Person) -> None:
        """Evaluate everything of somebody who stays as he is otherwise."""
        if self._store.person(person.key) is person and person.key not in self._old:
            self._old[person.key] = self._new[person.key] = person

    def also_if_decided(self, people: Iterable[Person]) -> None:
        """The same of those of whose decisions one might override another."""
        for person in people:
            if any(len(decisions) > 1 for decisions in person.consents.values()):
                self.also(person)

    def exchange(self) -> None:
        """Put them in the place of those who were there."""
        for person in self._new.values():
            if person.consents:
                # In one order, whatever they were added up from.
                person.consents = {purpose: dict(sorted(person.consents[purpose].items())) for purpose in sorted(person.consents)}
                consent.resolve(person, self._holder)
        exchange(self._work, self._old, self._new, self._near)

    def _near(self) -> list[bytes]:
        """The identifiers that evidence connects with these, in order."""
        store = self._store
        holders = {person.key: person for person in map(store.holder, self.home) if person is not None}
        people = component(store, self._work.manual, holders.values())
        return sorted(each.hash for person in people.values() for each in person.identifiers)
