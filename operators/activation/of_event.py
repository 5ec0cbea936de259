"""The person of an event: the profile that it belongs to, with what the call itself carries first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.model.definitions import IdentityRules
from contracts.text.names import event_name
from operators.activation.told import Person
from operators.consent import CONSENT_UPDATED, PREFERENCES, said_of
from operators.extract import Identifiers


class OfEvent:
    """Reads people out of events by the rules of identity."""

    def __init__(self, rules: IdentityRules) -> None:
        self._identifiers = Identifiers(rules)
        self._names = [namespace.name for namespace in rules.namespaces]

    def person(self, body: dict[str, Any], profile: Person | None = None) -> Person:
        """The person as section "Mapping" of docs/destinations.md has them; ``old`` is whom an alias call speaks of."""
        before = profile or {}
        alias = body.get("type") == "alias"
        previous = body.get("previousId") if alias else None
        read = {**body, "previousId": None} if alias else body
        identifiers: dict[str, str] = {}
        for at, value in self._identifiers.read(read):
            identifiers.setdefault(self._names[at], value)
        context = body.get("context")
        said = (context.get("traits") if isinstance(context, Mapping) else None) or {}
        traits = {**said, **(body.get("traits") or {})} if body.get("type") != "group" else dict(said)
        found = {
            **before,
            "identifiers": {**(before.get("identifiers") or {}), **identifiers},
            "traits": {**(before.get("traits") or {}), **traits},
            "consents": {**(before.get("consents") or {}), **_consents(body)},
        }
        if isinstance(previous, str) and previous:
            found["old"] = dict.fromkeys(("id", "user_id", "anonymous_id", *(("email",) if "@" in previous else ())), previous)
        return found


def _consents(body: dict[str, Any]) -> dict[str, bool]:
    """What the event says of purposes."""
    context, properties = body.get("context"), body.get("properties")
    about = properties if body.get("type") == "track" and event_name(str(body.get("event"))) == CONSENT_UPDATED else None
    holders = (context.get("consent") if isinstance(context, Mapping) else None, about)
    named = [holder.get(PREFERENCES) for holder in holders if isinstance(holder, Mapping)]
    purposes = frozenset(name for one in named if isinstance(one, Mapping) for name in one)
    return said_of(body, about, purposes)[0] or {}
