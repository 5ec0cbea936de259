"""`skep identity doctor`: limits that were hit, hubs, suspicious values, shared devices, and rules that would help."""

from __future__ import annotations

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import orjson

from contracts.model.hashing import profile_id
from operators.people.rebuilds import Rebuilds
from operators.records import Identifier, Link, Person
from operators.stitch.clusters import IDENTIFIERS, LINKS
from operators.view.space import View
from skep.answers.identity.evidence import Evidence, text_of
from skep.cli.console import out, table
from skep.cli.layout import Column, ident, number, prose
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

Told = dict[str, Any]


def examine(settings: Settings, space: str | None) -> list[Told]:
    """What is wrong with the identities of each space, as JSON has it."""
    with open_views(settings, space) as views:
        return [_Examined(view).told() for view in views.values()]


class _Examined:
    """One pass over all people; components with refused links are decided once each."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._rules = view.program.definitions.identity
        self._hubs: list[tuple[int, str, Told]] = []
        self._values: list[tuple[int, str, Told]] = []
        self._shared: list[tuple[int, str, Told]] = []
        self._limits: list[Told] = []
        self._placeholders: list[Told] = []
        self._on_devices: dict[int, Counter[int]] = defaultdict(Counter)
        """By threshold and namespace: links that ``shared_after`` would refuse."""
        self._people: dict[tuple[int, int], set[bytes]] = defaultdict(set)

    def told(self) -> Told:
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
        return {
            "space": self._view.space,
            "profiles": profiles,
            "limits": self._limits,
            "hubs": _largest(self._hubs),
            "suspicious": [*_largest(self._values), *self._placeholders],
            "shared_devices": _largest(self._shared),
            "proposals": [*self._blocking(), *self._sharing()],
            "rebuilds": _rebuilds(self._view.cost()),
        }

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
        ends = [link.b if link.a == each.hash else link.a for link in links]
        homes = {evidence.home[end].key if evidence is not None else person.key for end in ends}
        told: Told = {
            "identifier": [space.name, each.value],
            "profile": profile_id(person.key),
            "accepted": sum(link.a + link.b in person.links or link.manual for link in links),
            "refused": 0,
            "people": len(homes | {person.key}),
        }
        told["refused"] = len(links) - told["accepted"]
        if len(links) >= HUB:
            self._hubs.append((len(links), text_of(told["identifier"]), told))
        if space.scope == "person":
            if len(homes - {person.key}) >= MANY and not space.unique:
                self._values.append((len(homes), text_of(told["identifier"]), {**told, "why": "of many people"}))
            elif _PLACEHOLDER.search(each.value) and len(self._placeholders) < MOST:
                self._placeholders.append({**told, "why": "looks like a placeholder"})
        elif each.device is not None and each.device.identified >= MANY:
            persons = each.device.identified
            self._shared.append((persons, text_of(told["identifier"]), {**told, "persons": persons}))
            for threshold in SHARED_AFTER:
                if persons >= threshold:
                    self._on_devices[threshold][each.namespace] += len(links)
                    self._people[threshold, each.namespace] |= homes | {person.key}

    def _limited(self, evidence: Evidence) -> None:
        """Profiles at which links are refused by a limit, with how many."""
        found: Counter[tuple[bytes, int]] = Counter()
        degree = Counter(end for link in evidence.links if not link.manual for end in (link.a, link.b))
        held = Counter((person.key, each.namespace) for person in evidence.people.values() for each in person.identifiers)
        for link in evidence.links:
            refusal = evidence.refusals[id(link)]
            if refusal in {IDENTIFIERS, LINKS} or (refusal is not None and refusal >= 0 and not self._rules.namespaces[refusal].unique):
                found.update(
                    {(evidence.home[end].key, refusal) for end in (link.a, link.b) if self._full(evidence, end, refusal, degree, held)}
                )
        for (key, refusal), count in sorted(found.items()):
            name = {IDENTIFIERS: "limits.identifiers", LINKS: "limits.links"}.get(
                refusal
            ) or f"limit of {self._rules.namespaces[refusal].name}"
            size = len(evidence.people[key].identifiers)
            self._limits.append({"profile": profile_id(key), "limit": name, "identifiers": size, "refused": count})

    def _full(self, evidence: Evidence, end: bytes, refusal: int, degree: Counter[bytes], held: Counter[tuple[bytes, int]]) -> bool:
        """Whether the limit is hit on this side of a refused link: more than half full, so that a small newcomer is not blamed."""
        person = evidence.home[end]
        if refusal == IDENTIFIERS:
            return len(person.identifiers) * 2 > self._rules.limit_identifiers
        if refusal == LINKS:
            return degree[end] > self._rules.limit_links
        return held[person.key, refusal] * 2 > (self._rules.namespaces[refusal].limit or 0)

    # ---- proposals

    def _blocking(self) -> Iterator[Told]:
        """Each suspicious value as one more of ``blocked``, which names all of them, since a list there replaces the default."""
        for one in [*_largest(self._values), *self._placeholders]:
            values = orjson.dumps([*sorted(self._rules.blocked_values), one["identifier"][1]]).decode()
            effect = {"links": one["accepted"] + one["refused"], "people": one["people"]}
            yield {
                "why": f"{text_of(one['identifier'])}: {one['why']}",
                "write": f"blocked: {{values: {values}}}",
                "effect": effect,
                "estimate": True,
            }

    def _sharing(self) -> Iterator[Told]:
        for at, space in enumerate(self._rules.namespaces):
            for threshold in SHARED_AFTER:
                links = self._on_devices[threshold][at]
                if links and (space.shared_after is None or space.shared_after > threshold):
                    why = f"{space.name}: devices with {threshold} persons or more"
                    effect = {"links": links, "people": len(self._people[threshold, at])}
                    yield {"why": why, "write": f"shared_after: {threshold}", "effect": effect, "estimate": True}


def _rebuilds(cost: Rebuilds) -> Told:
    behind = [
        {"identifier": [one.namespace, one.value], "rebuilds": one.rebuilds, "identifiers": one.identifiers}
        for one in cost.largest()[:MOST]
    ]
    return {"rebuilds": cost.rebuilds, "identifiers": cost.identifiers, "seconds": cost.busy_us / 1e6, "behind": behind}


def _largest(found: list[tuple[int, str, Told]]) -> list[Told]:
    return [told for _, _, told in heapq.nsmallest(MOST, ((-size, name, told) for size, name, told in found), key=lambda one: one[:2])]


def show(told: Told) -> None:
    """Findings for people."""
    out.print(f"space {told['space']}: {told['profiles']:,} profiles", style="bold")
    limits = [(one["limit"], one["profile"], one["identifiers"], one["refused"]) for one in told["limits"]]
    _table("limits that were hit", ("limit", ident("profile"), number("identifiers"), number("links refused")), limits)
    columns = (prose("identifier"), number("links accepted"), number("refused"), number("people"))
    _table("hubs", columns, [_row(one) for one in told["hubs"]])
    _table("suspicious values", (*columns, prose("why")), [(*_row(one), one["why"]) for one in told["suspicious"]])
    _table("shared devices", (*columns, number("persons")), [(*_row(one), one["persons"]) for one in told["shared_devices"]])
    cost = told["rebuilds"]
    behind = [(text_of(one["identifier"]), one["rebuilds"], one["identifiers"]) for one in cost["behind"]]
    title = f"identifiers behind {cost['rebuilds']:,} rebuilds, which took {cost['seconds']:,.1f} s"
    _table(title, (prose("identifier"), number("rebuilds"), number("identifiers")), behind)
    rows = [(one["why"], one["write"], one["effect"]["links"], one["effect"]["people"]) for one in told["proposals"]]
    _table(
        "proposals (their effect is an estimate)",
        (prose("for"), prose("in contracts/identity.yaml"), number("links"), number("people")),
        rows,
    )


def _row(one: Told) -> tuple[Any, ...]:
    return text_of(one["identifier"]), one["accepted"], one["refused"], one["people"]


def _table(title: str, columns: tuple[str | Column, ...], rows: list[tuple[Any, ...]]) -> None:
    out.print(f"\n{title}: {len(rows):,}", style="bold")
    if rows:
        table(columns, rows[: MOST * 2])
    if len(rows) > MOST * 2:
        out.print(f"… and {len(rows) - MOST * 2:,} more; --json prints all")
