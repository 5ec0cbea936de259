"""Limits that were hit, hubs, suspicious values, shared devices, and rules that would help."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import msgspec
import orjson
from msgspec.structs import replace

from contracts.model.hashing import profile_id
from operators.people.rebuilds import Behind, Rebuilds
from operators.records import Identifier, Link, Person
from operators.refusal import Refusal
from operators.view.space import View
from skep.answers.identity.evidence import Evidence, Pair, text_of
from skep.project.settings import Settings
from skep.project.spaces import open_views

HUB = 20
"""Links from which an identifier is a hub."""
MANY = 3
"""Profiles at the refused links of a value, or persons on a device, from which it is suspicious or shared."""
MOST = 20
"""Findings of one kind, the largest ones."""
SHARED_AFTER = (3, 5, 10)
"""Thresholds whose effect is told."""

_PLACEHOLDER = re.compile(
    r"(?i)^(.)\1{3,}$|^(test|tests|testing|example|dummy|fake|sample|foo|bar|asdf|qwerty|admin|user|customer|nobody|noreply|no-reply|none|nil|nan"
    r"|undefined|null|true|false|12345\d*|deleted|default|unbekannt|inconnu)([@+_.-].*)?$|@test\.com$"
)


class Limit(msgspec.Struct, frozen=True):
    """A limit that was hit at a profile of so many identifiers, and how many links it has refused."""

    profile: str
    limit: str
    identifiers: int
    refused: int


class Suspect(msgspec.Struct, frozen=True):
    """An identifier with its links, accepted and refused, and how many people they lead to.

    ``why`` it is suspicious, or how many ``persons`` were identified on the device that it is.
    """

    identifier: Pair
    profile: str
    accepted: int
    refused: int
    people: int
    why: str | msgspec.UnsetType = msgspec.UNSET
    persons: int | msgspec.UnsetType = msgspec.UNSET


class Effect(msgspec.Struct, frozen=True):
    """How many links a proposal takes away, of how many people."""

    links: int
    people: int


class Proposal(msgspec.Struct, frozen=True):
    """What to write into contracts/identity.yaml, and why; its effect is an estimate."""

    why: str
    write: str
    effect: Effect
    estimate: bool = True


class CostlyIdentifier(msgspec.Struct, frozen=True):
    """An identifier behind rebuilds: how many they were, of how many identifiers together, and how many stored events were read for
    them. ``over``: how many took more than `repair_moments`; if any, ``write`` is what would end that in contracts/identity.yaml."""

    identifier: Pair
    rebuilds: int
    identifiers: int
    events_read: int
    over: int
    write: str | msgspec.UnsetType = msgspec.UNSET


class Cost(msgspec.Struct, frozen=True):
    """What rebuilds have cost, and the identifiers behind most of it."""

    rebuilds: int
    identifiers: int
    events_read: int
    seconds: float
    behind: list[CostlyIdentifier]


class Diagnosis(msgspec.Struct, frozen=True):
    """What is wrong with the identities of a space; the largest findings of each kind come first."""

    space: str
    profiles: int
    limits: list[Limit]
    hubs: list[Suspect]
    suspicious: list[Suspect]
    shared_devices: list[Suspect]
    proposals: list[Proposal]
    rebuilds: Cost


Found = list[tuple[int, Suspect]]
"""Suspects, each with its size."""


def examine(settings: Settings, space: str | None) -> list[Diagnosis]:
    """What is wrong with the identities of each space."""
    with open_views(settings, space) as views:
        return [_Examined(view).told() for view in views.values()]


class _Examined:
    """One pass over all people; components with refused links are decided once each."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rules = view.program.definitions.identity
        self._hubs: Found = []
        self._values: Found = []
        self._shared: Found = []
        self._limits: list[Limit] = []
        self._placeholders: list[Suspect] = []
        self._on_devices: dict[int, Counter[int]] = defaultdict(Counter)
        """By threshold and namespace: links that ``shared_after`` would refuse."""
        self._people: dict[tuple[int, int], set[bytes]] = defaultdict(set)

    def told(self) -> Diagnosis:
        profiles, decided = 0, set[bytes]()
        for person in self._view.people():
            profiles += 1
            if not any(each.refused for each in person.identifiers):
                self._look(person, None)
            elif person.key not in decided:
                evidence = Evidence(self._view, [person])
                decided.update(evidence.people)
                for each in evidence.people.values():
                    self._look(each, evidence)
                self._limited(evidence)
        return Diagnosis(
            self._view.space,
            profiles,
            self._limits,
            _largest(self._hubs),
            [*_largest(self._values), *self._placeholders],
            _largest(self._shared),
            [*self._blocking(), *self._sharing()],
            self._cost(self._view.cost()),
        )

    def _look(self, person: Person, evidence: Evidence | None) -> None:
        """The identifiers of a profile; ``evidence`` is None if it has no refused links."""
        links: dict[bytes, list[Link]] = defaultdict(list)
        for link in [*person.links.values(), *(self._view.identity.refused_of(person).values() if evidence is not None else ())]:
            if link.weight is None:
                links[link.a].append(link)
                links[link.b].append(link)
        for each in person.identifiers:
            self._identifier(person, each, links.get(each.hash, []), evidence)

    def _identifier(self, person: Person, each: Identifier, links: list[Link], evidence: Evidence | None) -> None:
        space = self._rules.namespaces[each.namespace]
        ends = [link.other(each.hash) for link in links]
        homes = {evidence.home[end].key if evidence is not None else person.key for end in ends}
        accepted = sum(link.a + link.b in person.links or link.manual for link in links)
        people = len(homes | {person.key})
        told = Suspect([space.name, each.value], profile_id(person.key), accepted, len(links) - accepted, people)
        if len(links) >= HUB:
            self._hubs.append((len(links), told))
        if space.scope == "person":
            if len(homes - {person.key}) >= MANY and not space.unique:
                self._values.append((len(homes), replace(told, why="of many people")))
            elif _PLACEHOLDER.search(each.value) and len(self._placeholders) < MOST:
                self._placeholders.append(replace(told, why="looks like a placeholder"))
        elif each.device is not None and each.device.identified >= MANY:
            persons = each.device.identified
            self._shared.append((persons, replace(told, persons=persons)))
            for threshold in SHARED_AFTER:
                if persons >= threshold:
                    self._on_devices[threshold][each.namespace] += len(links)
                    self._people[threshold, each.namespace] |= homes | {person.key}

    def _limited(self, evidence: Evidence) -> None:
        """Profiles at which links are refused by a limit, with how many."""
        found: Counter[tuple[bytes, Refusal]] = Counter()
        degree = Counter(end for link in evidence.links if not link.manual for end in (link.a, link.b))
        names = evidence.rules.names
        held = Counter((person.key, names[each.namespace]) for person in evidence.people.values() for each in person.identifiers)
        for link in evidence.links:
            refusal = evidence.refusals[id(link)]
            if refusal is not None and self._is_limit(refusal):
                found.update(
                    {(evidence.home[end].key, refusal) for end in (link.a, link.b) if self._full(evidence, end, refusal, degree, held)}
                )
        for (key, refusal), count in sorted(found.items(), key=lambda one: (one[0][0], self._place(one[0][1]))):
            name = f"limit of {refusal.namespace}" if refusal.namespace else refusal.rule
            size = len(evidence.people[key].identifiers)
            self._limits.append(Limit(profile_id(key), name, size, count))

    def _is_limit(self, refusal: Refusal) -> bool:
        """Whether a higher number would let the link stand, unlike ``unique``; `limit: 1` is refused in its words."""
        if refusal.rule == "unique":
            return not self._rules.namespaces[self._place(refusal)].unique
        return refusal.rule in {"limits.links", "limits.identifiers", "limit"}

    def _place(self, refusal: Refusal) -> int:
        """Where a limit is told: that of links, that of identifiers, then those of namespaces, whose places in the rules these are."""
        names = [space.name for space in self._rules.namespaces]
        return names.index(refusal.namespace) if refusal.namespace else -2 if refusal.rule == "limits.links" else -1

    def _full(self, evidence: Evidence, end: bytes, refusal: Refusal, degree: Counter[bytes], held: Counter[tuple[bytes, str]]) -> bool:
        """Whether the limit is hit on this side of a refused link: more than half full, so that a small newcomer is not blamed."""
        person = evidence.home[end]
        if refusal.rule == "limits.links":
            return degree[end] > refusal.limit
        held_here = held[person.key, refusal.namespace] if refusal.namespace else len(person.identifiers)
        return held_here * 2 > refusal.limit

    # ---- proposals

    def _blocking(self) -> Iterator[Proposal]:
        """Each suspicious value as one more of ``blocked``, which names all of them, since a list there replaces the default."""
        for one in [*_largest(self._values), *self._placeholders]:
            effect = Effect(one.accepted + one.refused, one.people)
            yield Proposal(f"{text_of(one.identifier)}: {one.why}", self._blocked(one.identifier[1]), effect)

    def _blocked(self, value: str) -> str:
        values = orjson.dumps([*sorted(self._rules.blocked_values), value]).decode()
        return f"blocked: {{values: {values}}}"

    def _cost(self, cost: Rebuilds) -> Cost:
        behind = [self._behind(one) for one in sorted(cost.largest(), key=lambda one: -one.over)[:MOST]]
        return Cost(cost.rebuilds, cost.identifiers, cost.moments, cost.busy_us / 1e6, behind)

    def _behind(self, one: Behind) -> CostlyIdentifier:
        scopes = {space.name: space.scope for space in self._rules.namespaces}
        device = scopes.get(one.namespace) == "device"
        cure = f"{one.namespace}: {{shared_after: {SHARED_AFTER[0]}}}" if device else self._blocked(one.value)
        return CostlyIdentifier(
            [one.namespace, one.value], one.rebuilds, one.identifiers, one.moments, one.over, cure if one.over else msgspec.UNSET
        )

    def _sharing(self) -> Iterator[Proposal]:
        for at, space in enumerate(self._rules.namespaces):
            for threshold in SHARED_AFTER:
                links = self._on_devices[threshold][at]
                if links and (space.shared_after is None or space.shared_after > threshold):
                    why = f"{space.name}: devices with {threshold} persons or more"
                    yield Proposal(why, f"shared_after: {threshold}", Effect(links, len(self._people[threshold, at])))


def _largest(found: Found) -> list[Suspect]:
    return [one for _, one in heapq.nsmallest(MOST, found, key=lambda each: (-each[0], text_of(each[1].identifier)))]
