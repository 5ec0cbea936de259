"""The properties of events, as traits and segments see them: by the newest version of each contract, with the types of the project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from contracts.envelope import ALWAYS_KNOWN, NOT_DONE
from contracts.meaning.tags import NOTHING, Tags, tags_at
from contracts.model.definitions import Contract
from contracts.model.event_patterns import matches
from contracts.model.upcast_steps import Step as UpcastStep
from contracts.model.upcast_steps import Upcast
from contracts.model.versions import newest, version_text
from schemalogic.document import Document
from schemalogic.keywords import UnreadableDraft
from schemalogic.paths import Step, parse_path, path_text
from schemalogic.typed import ANYTHING, Typed, names_at, typed_at, typed_below

DEPTH_MAX = 6
COUNT_MAX = 2_000
"""How deep and how many properties of one contract are listed; a schema may contain itself."""


@dataclass(slots=True)
class Properties:
    """What contracts say of properties. ``contracts``: event → its versions, empty if they cannot be read."""

    contracts: Mapping[str, tuple[Contract, ...]]
    types: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    upcasts: Mapping[str, tuple[Upcast, ...]] = field(default_factory=dict)
    _documents: dict[str, Document] = field(default_factory=dict)
    _typed: dict[tuple[str, str], Typed | None] = field(default_factory=dict)

    def document(self, contract: Contract) -> Document:
        """The file of one version."""
        found = self._documents.get(contract.file)
        if found is None:
            found = self._documents[contract.file] = Document(contract.file, contract.schema, self.types, self.files)
        return found

    def documents(self) -> list[Document]:
        """Every file of events and types that can be read."""
        found = [self.document(one) for versions in self.contracts.values() for one in versions]
        for name, schema in self.types.items():
            # A type of another draft is refused for that alone.
            with suppress(UnreadableDraft):
                found.append(Document(f"types/{name}.json", schema, self.types, self.files))
        return found

    def events(self, patterns: Iterable[str]) -> list[str]:
        """The events with a contract that can be read and that one of the patterns means."""
        patterns = list(patterns)
        return [
            name
            for name, versions in sorted(self.contracts.items())
            if versions and name not in NOT_DONE and any(matches(pattern, name) for pattern in patterns)
        ]

    def newest(self, event: str) -> Document | None:
        """The file of the newest version of an event's contract."""
        versions = self.contracts.get(event)
        return self.document(newest(versions)) if versions else None

    def typed(self, event: str, path: str) -> Typed | None:
        """What the newest version says of a property; None if it excludes it. ValueError if the path cannot be read."""
        key = (event, path)
        if key not in self._typed:
            document, steps = self.newest(event), parse_path(path) if path else ()
            found = ANYTHING if document is None else typed_at(document, steps)
            self._typed[key] = ANYTHING if found is None and event in ALWAYS_KNOWN and steps == ("name",) else found
        return self._typed[key]

    def tags(self, event: str, path: str) -> Tags:
        """The tags of a property by the newest version; none if it is not there."""
        document = self.newest(event)
        if document is None or self.typed(event, path) is None:
            return NOTHING
        return tags_at(document, parse_path(path) if path else ())

    def names(self, event: str) -> tuple[str, ...]:
        """The names that the newest version declares, for hints."""
        document = self.newest(event)
        root = None if document is None else typed_at(document, ())
        return () if root is None else names_at(root)

    def gone(self, event: str, path: str) -> str:
        """Why a property is not in the newest version of a contract that once had it: when it went, and its new name."""
        versions, steps = self.contracts.get(event, ()), parse_path(path)
        if not versions:
            return ""
        now = newest(versions)
        having = [one for one in versions if one is not now and _declares(self.document(one), steps)]
        before = [one.version for one in having if one.version < now.version]
        if not before:
            drafts = [one for one in having if one.status == "draft"]
            return f"only the draft {version_text(drafts[0].version)} has it" if drafts else ""
        first = next(one for one in versions if one.version > max(before) and one.status != "draft")
        place = self.document(first).root
        place = place.at("properties") if isinstance(place.schema, dict) and "properties" in place.schema else place
        hint = f"removed in {version_text(first.version)}, {place.where}"
        renamed = self._renamed(event, path)
        return f"{hint}; its name is now {renamed}" if renamed else hint

    def _renamed(self, event: str, path: str) -> str:
        """The name that the upcasts of the event give a property; empty if they leave it."""
        old = path
        for upcast in self.upcasts.get(event, ()):
            for step in upcast.steps:
                path = _after(step, path)
        return path if path != old and self.typed(event, path) is not None else ""


def _after(step: UpcastStep, path: str) -> str:
    """The path of a property after one step of an upcast."""
    if step.kind == "rename" and path in step.spec:
        return path_text((*parse_path(path)[:-1], *parse_path(step.spec[path])))
    return str(step.spec["to"]) if step.kind == "move" and step.spec.get("from") == path else path


def _declares(document: Document, steps: tuple[Step, ...]) -> bool:
    typed = typed_at(document, steps)
    return typed is not None and bool(typed.places)


def listed_properties(document: Document) -> Iterator[tuple[str, Typed]]:
    """Every named property of a contract with its path, in the order of the file; items are ``products[].sku``."""
    root = typed_at(document, ())
    if root is not None:
        for steps, typed in islice(_below(root, ()), COUNT_MAX):
            yield path_text(steps), typed


def _below(typed: Typed, steps: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], Typed]]:
    if len(steps) >= DEPTH_MAX:
        return
    inner = typed
    if steps and typed.kinds is not None and "list" in typed.kinds:
        item = typed_below(typed, (None,))
        if item is None:
            return
        steps, inner = (*steps, None), item
        if not names_at(item) and any(place.schema.get("items") for place in typed.places if isinstance(place.schema, dict)):
            yield steps, item
    for name in names_at(inner):
        found = typed_below(inner, (name,))
        if found is not None:
            yield (*steps, name), found
            yield from _below(found, (*steps, name))
