"""`events` of a destination: which of the events of the envelope are forwarded."""

from __future__ import annotations

from collections.abc import Iterable

from contracts.envelope import ALWAYS_KNOWN
from contracts.meaning.properties import Properties
from contracts.model.event_patterns import matches

NAMELESS_CALLS = ("identify", "group", "alias")
"""The calls without a name of their own, which `events` calls so."""


def is_wanted(patterns: Iterable[str], name: str) -> bool:
    """Whether one of the patterns means an event of this normalised name, or the call of this name."""
    return any(matches(pattern, name) for pattern in patterns)


def nameable_events(properties: Properties) -> tuple[str, ...]:
    """What `events` may name."""
    return tuple(sorted({*properties.contracts, *ALWAYS_KNOWN, *NAMELESS_CALLS}))


def events_meant(patterns: Iterable[str], properties: Properties) -> list[str] | None:
    """The events with a contract that are meant; None if some may have none, so that anything may be in them."""
    patterns = list(patterns)
    meant = [name for name, versions in sorted(properties.contracts.items()) if versions and is_wanted(patterns, name)]
    unknown = [one for one in (*NAMELESS_CALLS, *ALWAYS_KNOWN) if is_wanted(patterns, one) and not properties.contracts.get(one)]
    return None if unknown or not meant else meant
