"""Which events a name in a condition means: one, or all that begin with a prefix (``order_*``)."""

from __future__ import annotations

from contracts.text.names import event_name


def event_pattern(text: str) -> str:
    """The normalised name, or with a trailing ``*`` the normalised prefix: ``Order *`` is ``order_*``."""
    if not text.endswith("*"):
        return event_name(text)
    start = text[:-1]
    name = event_name(start)
    separated = event_name(start + "0").endswith("_0")
    return name + ("_*" if name and separated else "*")


def matches(pattern: str, name: str) -> bool:
    """Whether a normalised name is meant by a normalised pattern."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
