"""What a simulation tells: profiles, whose each event is, every link with what became of it, merges and splits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

import msgspec
import orjson

from contracts.model.batches import Event
from contracts.model.definitions import IdentityRules
from contracts.model.hashing import profile_id
from contracts.text.times import iso
from operators.people.manual import Manual
from operators.people.matcher import Matcher
from operators.people.space import Space
from operators.records import Link, Person
from operators.refusal import Refusal, state
from operators.stitch.clusters import decided, reason
from operators.stitch.rules import Rules
from operators.view.space import View
from skep.answers.simulation.lines import Lines, Unread

_KINDS = {"identity.merged": "merged", "identity.split": "split"}


class Profile(msgspec.Struct):
    """A profile with its identifiers, ``[namespace, value]``."""

    profile: str
    identifiers: list[list[str]]
    confidence: float


class Owned(msgspec.Struct):
    """Whose an event is; nobody's, if it was not taken in."""

    message_id: str | None = msgspec.field(name="messageId")
    profile: str | None


class Linked(msgspec.Struct):
    """A link, whether it was accepted, and why not."""

    a: list[str]
    b: list[str]
    kind: str
    state: str
    reason: str | None


class Happened(msgspec.Struct):
    """A profile was ``merged`` with another or ``split`` from it; ``rules``: the version of the rules."""

    time: str
    type: str
    profile: str
    other: str
    cause: dict[str, Any]
    evidence: dict[str, Any]
    rules: int


class Simulation(msgspec.Struct):
    """What rules made of a file; every list is sorted, so that equal input gives equal bytes."""

    profiles: list[Profile]
    events: list[Owned]
    links: list[Linked]
    history: list[Happened]


class Told(NamedTuple):
    """The answer, and the lines that were not taken in."""

    answer: Simulation
    unread: list[Unread]


def tell(view: View, space: Space, rules: IdentityRules, lines: Lines, unread: list[Unread]) -> Told:
    """Everything about a store that has been fed these lines."""
    people = list(view.people())
    given = {(ruling.time_us, ruling.message_id): ruling.entry for ruling in lines.rulings}
    links = _Links(people, list(view.identity.refused()), Rules(rules), space.work.manual, given).told(space.work.matcher)
    events, history = _events(view, lines.events, unread), list(_history(view, rules, lines))
    return Told(Simulation(_profiles(people, rules), events, links, history), unread)


def _profiles(people: list[Person], rules: IdentityRules) -> list[Profile]:
    names = [each.name for each in rules.namespaces]
    found = [
        Profile(
            profile_id(person.key),
            sorted([names[each.namespace], each.value] for each in person.identifiers),
            round(person.confidence, 6),
        )
        for person in people
    ]
    return sorted(found, key=lambda one: (one.identifiers, one.profile))


def _events(view: View, events: list[Event], unread: list[Unread]) -> list[Owned]:
    """One for each message id that was taken in, and one for each line that was not."""
    owners = dict(view.events.attributions())
    found = [(message_id, owners.get(message_id)) for message_id in {event.message_id for event in events}]
    found += [(one.message_id or "", None) for one in unread if not one.ruling]
    found.sort(key=lambda one: (one[0], one[1] or ""))
    return [Owned(message_id or None, profile) for message_id, profile in found]


class _Links:
    """All evidence, by pair and kind, and what became of it."""

    def __init__(
        self, people: list[Person], refused: list[Link], rules: Rules, manual: Manual, given: dict[tuple[int, str], dict[str, Any]]
    ) -> None:
        self._rules = rules
        self._people = people
        self._manual = manual
        self._given = given
        self._identifiers = {each.hash: each for person in people for each in person.identifiers}
        self._links = [link for person in people for link in person.links.values() if link.weight is None] + refused
        self._shared = rules.shared(self._identifiers.values())

    def told(self, matcher: Matcher | None) -> list[Linked]:
        alike = [] if matcher is None else matcher.told({key for person in self._people for key in person.records})
        every = chain(alike, decided(self._identifiers, self._links, self._shared, self._rules))
        return sorted((self._linked(*one) for one in every), key=lambda one: (one.a, one.b, one.kind))

    def _linked(self, link: Link, refusal: Refusal | None) -> Linked:
        a, b = ([self._rules.names[each.namespace], each.value] for each in (self._identifiers[link.a], self._identifiers[link.b]))
        return Linked(a, b, link.kind, state(refusal), None if refusal is None else self._reason(link, refusal))

    def _reason(self, link: Link, refusal: Refusal) -> str:
        said = reason(link, refusal, self._identifiers, self._shared, self._rules)
        ruling = self._manual.ruling(link.a, link.b) if link.void else None
        why = self._given[ruling.time_us, ruling.message].get("why") if ruling is not None else None
        return f"{said}: {why}" if why else said


def _history(view: View, rules: IdentityRules, lines: Lines) -> Iterator[Happened]:
    """Merges and splits in the order in which they happened, each with the message that made it so."""
    names = [each.name for each in rules.namespaces]
    said = {event.message_id: event for event in reversed(lines.events)}
    given = {ruling.message_id: ruling for ruling in lines.rulings}
    for _, row in view.changes():
        change = orjson.loads(row)
        kind = _KINDS.get(change["type"])
        if kind is None:
            continue
        cause = change["cause"]
        if cause["type"] == "message":
            event = said[cause["id"]]
            time = event.time_us
            evidence: dict[str, Any] = {"identifiers": [[names[at], value] for at, value in event.identifiers]}
        else:
            ruling = given[cause["id"]]
            time, evidence = ruling.time_us, {part: ruling.entry.get(part) for part in ("a", "b", "why")}
        yield Happened(iso(time), kind, change["profile"], change[kind], cause, evidence, rules.version)
