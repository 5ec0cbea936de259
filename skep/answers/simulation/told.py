"""What a simulation tells: profiles, whose each event is, every link with what became of it, merges and splits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, NamedTuple

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


class Told(NamedTuple):
    """The answer as JSON has it, and the lines that were not taken in."""

    answer: dict[str, Any]
    unread: list[Unread]


def tell(view: View, space: Space, rules: IdentityRules, lines: Lines, unread: list[Unread]) -> Told:
    """Everything about a store that has been fed these lines; every list is sorted, so that equal input gives equal bytes."""
    people = list(view.people())
    given = {(ruling.time_us, ruling.message_id): ruling.entry for ruling in lines.rulings}
    return Told(
        {
            "profiles": _profiles(people, rules),
            "events": _events(view, lines.events, unread),
            "links": _Links(people, list(view.identity.refused()), Rules(rules), space.work.manual, given).told(space.work.matcher),
            "history": list(_history(view, rules, lines)),
        },
        unread,
    )


def _profiles(people: list[Person], rules: IdentityRules) -> list[dict[str, Any]]:
    names = [each.name for each in rules.namespaces]
    found = [
        {
            "profile": profile_id(person.key),
            "identifiers": sorted([names[each.namespace], each.value] for each in person.identifiers),
            "confidence": round(person.confidence, 6),
        }
        for person in people
    ]
    return sorted(found, key=lambda one: (one["identifiers"], one["profile"]))


def _events(view: View, events: list[Event], unread: list[Unread]) -> list[dict[str, Any]]:
    """One for each message id that was taken in, and one for each line that was not."""
    owners = dict(view.events.attributions())
    found = [(message_id, owners.get(message_id)) for message_id in {event.message_id for event in events}]
    found += [(one.message_id or "", None) for one in unread if not one.ruling]
    found.sort(key=lambda one: (one[0], one[1] or ""))
    return [{"messageId": message_id or None, "profile": profile} for message_id, profile in found]


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
        self._standing = {id(link) for person in people for link in person.links.values()}
        self._shared = rules.shared(self._identifiers.values())

    def told(self, matcher: Matcher | None) -> list[dict[str, Any]]:
        alike = [] if matcher is None else matcher.told({key for person in self._people for key in person.records})
        found = []
        for link, refusal in chain(alike, decided(self._identifiers, self._links, self._shared, self._rules)):
            a, b = (self._identifiers[end] for end in (link.a, link.b))
            found.append(
                {
                    "a": [self._rules.names[a.namespace], a.value],
                    "b": [self._rules.names[b.namespace], b.value],
                    "kind": link.kind,
                    "state": state(refusal),
                    "reason": None if refusal is None else self._reason(link, refusal),
                }
            )
        return sorted(found, key=lambda one: (one["a"], one["b"], one["kind"]))

    def _reason(self, link: Link, refusal: Refusal) -> str:
        said = reason(link, refusal, self._identifiers, self._shared, self._rules)
        ruling = self._manual.ruling(link.a, link.b) if link.void else None
        why = self._given[ruling.time_us, ruling.message].get("why") if ruling is not None else None
        return f"{said}: {why}" if why else said


def _history(view: View, rules: IdentityRules, lines: Lines) -> Iterator[dict[str, Any]]:
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
        yield {
            "time": iso(time),
            "type": kind,
            "profile": change["profile"],
            "other": change[kind],
            "cause": cause,
            "evidence": evidence,
            "rules": rules.version,
        }
