"""What traits and segments inherit from the properties that they are made of, and whether what they do is allowed by that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import cast

from contracts.meaning.classes import Personal
from contracts.meaning.properties import Properties
from contracts.meaning.tags import NOTHING, Tags
from contracts.model.definitions import Segment
from contracts.model.traits import About, Trait
from contracts.model.uses import Use
from contracts.text.problems import Problem, listed


@dataclass(slots=True)
class Inheritance:
    """The tags of what is used, by all the uses of a project, and by what its traits say of themselves."""

    uses: tuple[Use, ...]
    properties: Properties
    traits: Iterable[Trait] = ()
    of_accounts: Iterable[Trait] = ()
    _known: dict[tuple[str, str], Tags] = field(default_factory=dict)
    _by_user: dict[tuple[str, str], list[Use]] = field(default_factory=dict)
    _said: dict[tuple[str, str], Tags] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._said.update((("trait", trait.name), _said(trait.about)) for trait in self.traits)
        self._said.update((("account trait", trait.name), _said(trait.about)) for trait in self.of_accounts)
        for use in self.uses:
            self._by_user.setdefault((use.kind, use.name), []).append(use)

    def of(self, kind: str, name: str) -> Tags:
        """The personal class, purposes and retention of a trait or a segment: the strictest of all that it uses.

        A filter says nothing of the value itself: only a sensitive one makes what is counted by it personal.
        """
        if (kind, name) not in self._known:
            self._known[kind, name] = NOTHING
            self._known[kind, name] = self.inherited(kind, name).joined(self._said.get((kind, name), NOTHING))
        return self._known[kind, name]

    def inherited(self, kind: str, name: str) -> Tags:
        """The same without what a trait says of itself."""
        found = NOTHING
        for use in self._by_user.get((kind, name), ()):
            found = found.joined(self.used(use))
        return found

    def used(self, use: Use) -> Tags:
        """The tags of what is used."""
        if use.of != "property":
            return self.of(use.of, use.path)
        found = NOTHING
        for event in events_of(use, self.properties):
            tags = self.properties.tags(event, use.path)
            if not use.measured and tags.personal != "sensitive":
                tags = replace(tags, personal="none")
            found = found.joined(tags)
        return found


def _said(about: About) -> Tags:
    limits = (about.limit,) if about.limit else ()
    return Tags(cast("Personal", about.personal or "none"), about.purposes, about.retention_us, limits=limits)


def events_of(use: Use, properties: Properties) -> list[str]:
    """The events with a contract whose property is used."""
    if use.event in properties.contracts:
        return [use.event]
    return properties.events([use.event]) if use.event else []


def check_purposes(inheritance: Inheritance, segments: Iterable[Segment], problems: list[Problem]) -> None:
    """Problems of the segments that use what may not serve their purpose, and of traits that would be told for none."""
    purposes = {segment.name: segment.purpose for segment in segments}
    told: set[tuple[str, str, tuple[str, ...]]] = set()
    for use in inheritance.uses:
        is_emit = use.kind == "destination" and use.of == "trait"
        if not is_emit and (use.kind != "segment" or use.name not in purposes):
            continue
        tags = inheritance.used(use)
        key = (use.kind, use.path if is_emit else use.name, tags.limits)
        purpose = None if is_emit else purposes[use.name]
        if tags.purposes is None or purpose in tags.purposes or key in told:
            continue
        told.add(key)
        problems.append(_refused(use, purpose, tags, is_emit=is_emit))


def _refused(use: Use, purpose: str | None, tags: Tags, *, is_emit: bool) -> Problem:
    what = use.path or use.event
    served = listed(sorted(tags.purposes or ())) or "no purpose"
    said = f"{' and '.join(tags.limits)} {'says' if len(tags.limits) == 1 else 'say'} so"
    if is_emit:
        expected = f"a trait that may serve any purpose: {use.name} is told of its changes whatever people agreed to"
        return Problem(use.file, use.line, use.key, expected, f"{what}, which may serve only {served}", said)
    if purpose is None:
        expected = f"a segment with a purpose: {what} may serve only {served}"
        return Problem(use.file, use.line, use.key, expected, "no purpose", f"{said}; add `purpose: {min(tags.purposes or ('',))}`")
    return Problem(use.file, use.line, use.key, f"something that may serve {purpose}", f"{what}, which may serve only {served}", said)
