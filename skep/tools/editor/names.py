"""What the project's files may name."""

from __future__ import annotations

from dataclasses import dataclass, field

from skep.tools.editor.events import Offer


@dataclass(frozen=True, slots=True)
class Names:
    """What the project's files may name; nothing is known of a project that cannot be read."""

    events: tuple[str, ...] = ()
    unknown_events_ok: bool = True
    offers: dict[str, Offer] = field(default_factory=dict)
    properties: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    mappings: tuple[str, ...] = ()
