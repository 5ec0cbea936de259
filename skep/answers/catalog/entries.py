"""What the catalog knows, as plain data: one entry for each event, trait, segment and destination."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Kind = Literal["event", "trait", "account trait", "segment", "destination"]
KINDS: tuple[Kind, ...] = ("event", "trait", "account trait", "segment", "destination")
USERS = ("trait", "account trait", "segment", "destination", "namespace")


class Property(msgspec.Struct, frozen=True):
    """One property of an event's newest version. ``used_by``: kind → names.

    ``present``: the share of the objects that carry an optional one, over the last 35 days; None if that is not measured.
    """

    path: str
    type: str
    required: bool
    description: str
    unit: str
    personal: str
    purposes: tuple[str, ...]
    retention: str
    present: float | None
    examples: tuple[Any, ...]
    used_by: dict[str, list[str]]


class Version(msgspec.Struct, frozen=True):
    """One version of a contract, and what it changed against the one before. Times are ISO texts, None if not known."""

    version: str
    status: str
    deprecated: str | None
    file: str
    declared: str | None
    first_event: str | None
    events: int | None
    changes: tuple[str, ...]


class Entry(msgspec.Struct, frozen=True):
    """``volume``: events accepted, profiles that have the trait, members now, or None. ``quality``: a share, None if not measured.

    ``rests_on`` and ``used_by``: kind → names. ``since``: when it was first seen in the data; ``declared``: first in definitions in force.
    """

    kind: Kind
    name: str
    owner: str
    title: str
    description: str
    versions: tuple[Version, ...]
    status: str
    volume: int | None
    quality: float | None
    personal: str
    purposes: tuple[str, ...]
    rests_on: dict[str, list[str]]
    used_by: dict[str, list[str]]
    since: str | None
    declared: str | None
    properties: tuple[Property, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """What else is to be said, as (word, value)."""
    examples: tuple[Any, ...] = ()
    source: str = ""
    """The text of the file that defines it."""

    @property
    def volume_words(self) -> str:
        """What ``volume`` counts."""
        return {"event": "events accepted", "trait": "profiles have it", "segment": "members now"}.get(self.kind, "")

    def row(self) -> dict[str, Any]:
        """The entry for programs: of facts that are called the same the last one."""
        return msgspec.structs.asdict(self) | {"facts": dict(self.facts)}

    def words(self) -> str:
        """Everything that a search looks at, in small letters."""
        texts = [self.kind, self.name, self.title, self.description, self.owner, self.status, self.personal, *self.purposes]
        for one in self.properties:
            texts += [one.path, one.description, one.personal, *one.purposes]
        texts += [value for _, value in self.facts]
        return " ".join(texts).lower()


class Catalog(msgspec.Struct, frozen=True):
    """All entries; ``clock`` is the moment of the figures (ISO), None without a snapshot."""

    entries: tuple[Entry, ...]
    clock: str | None = None
    missing: str = ""
    """How to get the figures that are not there."""
    digest: str = ""

    def find(self, words: list[str]) -> list[Entry]:
        """The entries in which every word occurs."""
        wanted = [word.lower() for word in words]
        return [entry for entry in self.entries if all(word in entry.words() for word in wanted)]
