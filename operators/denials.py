"""What a refused record withdraws: its denials of consent, as far as they can be read."""

from __future__ import annotations

from typing import Any

from contracts.envelope import CALLS
from contracts.model.batches import Denial, Event
from contracts.model.definitions import IdentityRules
from contracts.text.names import event_name
from contracts.text.times import parse_time
from operators.consents import consents
from operators.extract import Identifiers, identifier_text

CONSENT_UPDATED = "consent_updated"
"""The event whose properties are decisions."""


class Denials:
    """Reads the denials of refused records by one set of definitions."""

    def __init__(self, rules: IdentityRules, identifiers: Identifiers, purposes: frozenset[str]) -> None:
        self._namespaces = rules.namespaces
        self._identifiers = identifiers
        self._purposes = purposes

    def read(self, body: dict[str, Any], message_id: str, time_us: int) -> tuple[Denial, ...]:
        """The denials of a record at a time; none if it has no identifier that can be read."""
        about = body.get("properties") if _may_be_about_consent(body) else None
        said, unread = consents(body, about if type(about) is dict else None, self._purposes)
        denied = [purpose for purpose, granted in (said or {}).items() if not granted]
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
