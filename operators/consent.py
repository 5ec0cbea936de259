"""What consent is: what an event says of it, what a refused record withdraws, and which decision counts for a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Iterable
from typing import Any

from contracts.envelope import CALLS
from contracts.model.batches import Denial, Event
from contracts.model.definitions import IdentityRules
from contracts.text.names import event_name
from contracts.text.times import parse_time
from operators.components import Components
from operators.extract import Identifiers, identifier_text
from operators.normalize import visible
from operators.records import Link, Person

# ---- what an event says

GRANTS = frozenset({
    "1", "1.0", "true", "t", "yes", "y", "on", "granted", "grant", "allowed", "allow", "accepted", "accept", "agreed", "agree", "approved",
    "consented", "enabled", "optin", "optedin", "subscribed", "subscribe",
})  # fmt: skip
"""Texts that grant: in any case and width, without what nobody sees and what stands between their words."""
DENIALS = frozenset({
    "0", "0.0", "false", "f", "no", "n", "off", "denied", "deny", "disallowed", "disallow", "declined", "decline", "rejected", "reject",
    "refused", "refuse", "revoked", "revoke", "withdrawn", "withdraw", "disagreed", "disagree", "disabled", "objected", "optout",
    "optedout", "unsubscribed", "unsubscribe",
})  # fmt: skip
"""Texts that deny, likewise."""
CONSENT_UPDATED = "consent_updated"
"""The event whose properties are decisions."""
PREFERENCES = "categoryPreferences"

_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])[\s_\u2010-\u2015-]+(?=[^\W\d_])")

Said = tuple[dict[str, bool] | None, tuple[str, ...]]
"""Decisions by purpose, None if there are none; and the purposes among them whose decision could not be read."""
NOTHING: Said = (None, ())


def said_of(body: dict[str, Any], properties: dict[str, Any] | None, purposes: frozenset[str]) -> Said:
    """What an event says of declared purposes: its context, then ``properties`` (of an event that is about consent), which win."""
    context = body.get("context")
    consent = context.get("consent") if type(context) is dict else None
    if consent is None and properties is None:
        return NOTHING
    said: dict[str, bool] = {}
    for holder in (consent, properties):
        preferences = holder.get(PREFERENCES) if type(holder) is dict else holder
        if type(preferences) is dict:
            for purpose, told in preferences.items():
                if purpose in purposes:
                    if type(told) is bool:
                        said[purpose] = told
                    elif told is not None:
                        return _spelled(consent, properties, purposes)
        elif preferences is not None:
            return _spelled(consent, properties, purposes)
    return (said, ()) if said else NOTHING


def granted(value: object) -> bool | None:
    """Whether a value grants or denies; None if it says neither."""
    if type(value) is bool:
        return value
    if type(value) is str:
        word = _BETWEEN_WORDS.sub("", visible(unicodedata.normalize("NFKC", visible(value)).casefold()))
        return True if word in GRANTS else False if word in DENIALS else None
    if (type(value) is int or type(value) is float) and value in {0, 1}:
        return value == 1
    return None


def _spelled(consent: object, properties: object, purposes: frozenset[str]) -> Said:
    """The long way: what says neither yes nor no is a denial, and told as one that could not be read."""
    said: dict[str, bool] = {}
    unread: dict[str, None] = {}
    for holder in (consent, properties):
        for purpose, told in _preferences(holder, purposes).items():
            if told is None or purpose not in purposes:
                continue
            read = granted(told)
            said[purpose] = read is True
            unread.pop(purpose, None)
            if read is None:
                unread[purpose] = None
    return (said, tuple(unread)) if said else NOTHING


def _preferences(holder: object, purposes: frozenset[str]) -> dict[str, Any]:
    """Values by purpose. In the place of the mapping, nothing and a grant name no purpose; anything else is said of every one."""
    preferences = holder.get(PREFERENCES) if type(holder) is dict else holder
    if type(preferences) is dict:
        return preferences
    empty = preferences is None or (type(preferences) in {str, list} and not preferences)
    return {} if empty or granted(preferences) is True else dict.fromkeys(sorted(purposes), preferences)


# ---- what a refused record withdraws


class Denials:
    """Reads the denials of refused records by one set of definitions."""

    def __init__(self, rules: IdentityRules, identifiers: Identifiers, purposes: frozenset[str]) -> None:
        self._namespaces = rules.namespaces
        self._identifiers = identifiers
        self._purposes = purposes

    def read(self, body: dict[str, Any], message_id: str, time_us: int) -> tuple[Denial, ...]:
        """The denials of a record at a time; none if it has no identifier that can be read."""
        about = body.get("properties") if _may_be_about_consent(body) else None
        said, unread = said_of(body, about if type(about) is dict else None, self._purposes)
        denied = [purpose for purpose, yes in (said or {}).items() if not yes]
        pairs = self._identifiers.read(body) if denied else ()
        if not pairs:
            return ()
        at, value = next((pair for pair in pairs if self._namespaces[pair[0]].scope == "person"), pairs[0])
        name = self._namespaces[at].name
        return tuple(Denial(message_id, name, value, purpose, time_us, purpose in unread) for purpose in denied)


def repeats(event: Event, carries: bool, purpose: str, time_us: int) -> bool:
    """Whether an accepted event stands for a denial of its own message: it carries the identifier and denies, not before."""
    return carries and event.time_us >= time_us and (event.consents or {}).get(purpose) is False


def said_id(body: dict[str, Any]) -> str | None:
    """The message id of a record as text; None if it says none that can be read."""
    value = body.get("messageId")
    return None if value is None else identifier_text(value)


def denied_at(body: dict[str, Any], time_us: int | None, read_at_us: int) -> int:
    """When a refused record says what it says: at the event's time if that can be read, and not after it was received."""
    received = parse_time(body.get("receivedAt"))
    limit = read_at_us if received is None or received <= 0 else received
    if time_us is None:
        time_us = parse_time(body.get("timestamp"))
    return limit if time_us is None else min(time_us, limit)


def _may_be_about_consent(body: dict[str, Any]) -> bool:
    """Whether a record is, or might be if it could be read, the track call whose properties are decisions."""
    call, name = body.get("type"), body.get("event")
    if type(call) is str and call in CALLS and call != "track":
        return False
    return type(name) is not str or event_name(name) in {CONSENT_UPDATED, ""}


# ---- what counts for a person

Holder = Callable[[bytes], Person | None]
"""Hash of an identifier → the person that holds it."""


def decide(person: Person, event: Event, anchor: bytes, declared: Container[str]) -> list[str]:
    """Record what an event decides of declared purposes, hanging on an identifier; returns the purposes that are decided anew, each
    as ``"!purpose"``. `resolve` says what it comes to."""
    touched = []
    for purpose, yes in (event.consents or {}).items():
        if purpose not in declared:
            continue
        decisions = person.consents.setdefault(purpose, {})
        known = decisions.get(anchor)
        if known is None or (event.time_us, event.message_id) > (known[0], known[1]):
            decisions[anchor] = [event.time_us, event.message_id, yes]
            touched.append(f"!{purpose}")
    return touched


def withdraw(person: Person, anchor: bytes, purpose: str, time: int, message: str) -> bool:
    """Count the denial of a refused record that hangs on an identifier of the person; whether that is what counts there now."""
    decisions = person.consents.setdefault(purpose, {})
    denied = [time, message, False]
    counts = anchor not in decisions or _newer(denied, decisions[anchor])
    if counts:
        decisions[anchor] = denied
    return counts


def _newer(one: list[Any], other: list[Any]) -> bool:
    """Of two decisions on one identifier, which counts: the newer by ``(time, message id)``, of one moment the denial."""
    return (one[0], one[1], not one[2]) > (other[0], other[1], not other[2])


def resolve(person: Person, holder: Holder) -> None:
    """Set ``granted`` from the decisions and the accepted links."""
    links = joining(person, holder)
    person.granted = {purpose: decision(person.consents[purpose], links)[2] for purpose in person.consents}


def joining(person: Person, holder: Holder) -> list[Link]:
    """The accepted links that can join the anchors of a person's decisions: its own, and those around a device that lies
    with somebody else while some of its events belong to the person."""
    links = list(person.links.values())
    if all(len(decisions) < 2 for decisions in person.consents.values()):
        return links
    mine = {each.hash for each in person.identifiers}
    others = {anchor: holder(anchor) for decisions in person.consents.values() for anchor in decisions if anchor not in mine}
    for other in {other.key: other for other in others.values() if other is not None}.values():
        links += other.links.values()
    return links


def decision(decisions: dict[bytes, list[Any]], links: Iterable[Link]) -> list[Any]:
    """The decision that stands, as ``[time, message id, granted]``, of the newest ones of each anchor.

    A later one overrides an earlier one if links first seen by then join the two anchors; denial wins among the rest.
    """
    if len(decisions) == 1:
        return next(iter(decisions.values()))
    coming = sorted(links, key=lambda link: -link.first)
    joined = Components()
    standing: list[bytes] = []
    for anchor in sorted(decisions, key=lambda anchor: (decisions[anchor][0], decisions[anchor][1])):
        while coming and coming[-1].first <= decisions[anchor][0]:
            link = coming.pop()
            joined.join(link.a, link.b)
        here = joined.root(anchor)
        standing = [*(each for each in standing if joined.root(each) != here), anchor]
    granted = all(decisions[each][2] for each in standing)
    return max((decisions[each] for each in standing if decisions[each][2] is granted), key=lambda each: (each[0], each[1]))


def join(into: Person, other: Person) -> None:
    """Add the decisions of ``other`` to those of ``into``; of each identifier that counts which is the newer."""
    for purpose, decisions in other.consents.items():
        known = into.consents.setdefault(purpose, {})
        for anchor, theirs in decisions.items():
            ours = known.get(anchor)
            if ours is None or _newer(theirs, ours):
                known[anchor] = theirs
