"""From definitions and figures to the catalog's entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contracts.envelope import ALWAYS_KNOWN
from contracts.language.expression_text import words
from contracts.meaning.classes import CLASSES
from contracts.meaning.inheritance import Inheritance
from contracts.meaning.properties import Properties, listed_properties
from contracts.meaning.tags import Tags, tags_at
from contracts.model.definitions import Contract, Definitions, Feature, Segment
from contracts.model.destinations import Destination
from contracts.model.event_patterns import matches
from contracts.model.traits import Trait
from contracts.model.uses import Use
from contracts.model.versions import newest, version_text
from contracts.reading.lineage import inheritance_of, properties_of, touches, uses
from contracts.text.times import iso
from schemalogic.declarations import declared
from schemalogic.paths import parse_path, path_text
from skep.answers.catalog.entries import USERS, Catalog, Entry, Kind, Property, Version
from skep.answers.catalog.figures import Counted, Figures
from skep.answers.catalog.words import differences, duration_words, feature_words, type_words

MISSING = "volume, quality and since come from the snapshot: `skep run --once` or `skep snapshot` publishes one"


def collect(definitions: Definitions, figures: Figures) -> Catalog:
    """The whole catalog: events, then traits, those of accounts, segments and destinations, each by name."""
    made = _Collector(definitions, figures, uses(definitions), properties_of(definitions), inheritance_of(definitions))
    entries = [*made.events(), *made.traits(), *made.account_traits(), *made.segments(), *made.destinations()]
    return Catalog(tuple(entries), figures.clock, "" if figures.has_snapshot else MISSING, definitions.digest)


_MADE = ("computed", "made of other traits")


@dataclass(slots=True)
class _Collector:
    definitions: Definitions
    figures: Figures
    resolved: list[Use]
    """Every property that something rests on, also through others."""
    known: Properties
    inherited: Inheritance

    def events(self) -> Iterator[Entry]:
        for event, versions in self.definitions.contracts.items():
            contract = newest(versions)
            properties = tuple(self._properties(event, contract))
            counted = self.figures.events.get(event, Counted())
            yield Entry(
                kind="event",
                name=event,
                owner=contract.owner,
                title=str(contract.schema.get("title", "")),
                description=str(contract.schema.get("description", "")),
                versions=tuple(self._versions(versions)),
                status=contract.status,
                volume=counted.count if self.figures.has_snapshot else None,
                quality=self.figures.quality(event),
                personal=_strictest(one.personal for one in properties),
                purposes=_once(purpose for one in properties for purpose in one.purposes),
                rests_on={},
                used_by=_users(use for use in self.resolved if use.event and matches(use.event, event)),
                since=counted.first,
                declared=min(filter(None, (self.figures.declared.get(one.file) for one in versions)), default=None),
                properties=properties,
                facts=tuple(self._promises(event, contract)),
                examples=tuple(contract.schema.get("examples", ())),
                source=self.definitions.files.get(contract.file, ""),
            )

    def _promises(self, event: str, contract: Contract) -> Iterator[tuple[str, str]]:
        sla = contract.sla
        if sla.freshness_us is not None:
            yield "promised freshness", f"the newest event is at most {duration_words(sla.freshness_us)} old"
        if sla.completeness is not None:
            yield "promised completeness", f"{sla.completeness:.0%} of the optional properties are there"
        for upcast in self.definitions.upcasts.get(event, ()):
            steps = ", ".join(step.kind for step in upcast.steps) or "nothing changes"
            yield f"upcast {version_text(upcast.old)} to {version_text(upcast.new)}", steps
        for one in self.definitions.expectations:
            if matches(one.event, event):
                yield f"expected of {one.property or one.check}", one.name
        counted, scored = self.figures.events.get(event), self.figures.scored.get(event)
        if counted:
            yield "newest event", counted.last or ""
        if self.figures.has_snapshot:
            yield "records in quarantine", f"{self.figures.refused.get(event, 0):,}"
        if scored and scored.completeness is not None:
            yield "completeness", f"{scored.completeness:.1%} of the optional properties are there"
        if scored and scored.unknown:
            yield "unknown properties", f"in {scored.unknown:,} records"

    def _versions(self, versions: tuple[Contract, ...]) -> Iterator[Version]:
        before: dict[str, tuple[str, bool]] | None = None
        for contract in versions:
            required = {one.path for one in declared(contract.schema, self.definitions.types).properties if one.required}
            now = {path: (type_words(typed), path in required) for path, typed in listed_properties(self.known.document(contract))}
            counted = self.figures.contracts.get(contract.name)
            yield Version(
                version=version_text(contract.version),
                status=contract.status,
                deprecated=None if contract.deprecated_us is None else iso(contract.deprecated_us)[:10],
                file=f"contracts/{contract.file}",
                declared=self.figures.declared.get(contract.file),
                first_event=counted.first if counted else None,
                events=(counted.count if counted else 0) if self.figures.has_snapshot else None,
                changes=tuple(differences(before, now)),
            )
            before = now

    def _properties(self, event: str, contract: Contract) -> Iterator[Property]:
        required = {one.path for one in declared(contract.schema, self.definitions.types).properties if one.required}
        by_path: dict[str, list[Use]] = {}
        for use in self.resolved:
            if use.event and matches(use.event, event) and use.path and not use.path.startswith("context."):
                by_path.setdefault(use.path, []).append(use)
        used = [(parse_path(path), found) for path, found in by_path.items()]
        document = self.known.document(contract)
        for path, typed in listed_properties(document):
            steps = parse_path(path)
            tags = tags_at(document, steps)
            yield Property(
                path=path,
                type=type_words(typed),
                required=path in required,
                description=tags.description,
                unit=tags.unit or (f"as {tags.unit_of} says" if tags.unit_of else ""),
                personal=tags.personal,
                purposes=_purposes(tags),
                retention=duration_words(tags.retention_us) if tags.retention_us is not None else "",
                present=self.figures.present.get((event, path)),
                examples=tags.examples,
                used_by=_users(use for other, found in used if touches(steps, other) for use in found),
            )

    def traits(self) -> Iterator[Entry]:
        plain = {name: Trait(name, "plain") for name in self.known.names("identify")}
        for trait in sorted({**plain, **{one.name: one for one in self.definitions.traits}}.values(), key=lambda one: one.name):
            events = self._below("trait", trait.name) or (["identify"] if trait.kind == "plain" and trait.name in plain else [])
            tags = self.inherited.of("trait", trait.name)
            if trait.kind == "plain" and trait.name in plain:
                tags = tags.joined(self.known.tags("identify", path_text((trait.name,))))
            feature = self.definitions.features.get(trait.feature or "")
            about = trait.about
            written, described = self._made(trait, feature)
            facts = {
                "how": described if about.description and written in _MADE else written,
                "changes are told": "yes" if trait.emit else "no",
                "people are found by it": "yes" if about.searchable else "",
                "kept at most": "" if tags.retention_us is None else duration_words(tags.retention_us),
            }
            yield Entry(
                kind="trait",
                name=trait.name,
                owner=about.owner or ", ".join(_once(filter(None, map(self._owner, events)))),
                title=about.title,
                description=about.description or described,
                versions=(),
                status="live",
                volume=self.figures.traits.get(trait.name, 0) if self.figures.has_snapshot else None,
                quality=self._worst(events),
                personal=tags.personal,
                purposes=_purposes(tags),
                rests_on={"event": events} if events else {},
                used_by=self._direct("trait", trait.name),
                since=min(filter(None, (self.figures.events.get(event, Counted()).first for event in events)), default=None),
                declared=self.figures.declared.get(f"traits.yaml:{trait.name}"),
                facts=tuple((word, said) for word, said in facts.items() if said),
            )

    def _made(self, trait: Trait, feature: Feature | None) -> tuple[str, str]:
        """How a trait comes about, in a word and in words."""
        if feature is not None:
            return _MADE[0], feature_words(feature)
        if trait.expression is not None:
            return _MADE[1], words(trait.expression)
        written = "written by identify calls"
        return written, self.known.tags("identify", path_text((trait.name,))).description or written

    def account_traits(self) -> Iterator[Entry]:
        for trait in sorted(self.definitions.account_traits, key=lambda one: one.name):
            kind: Kind = "account trait"
            events, tags, about = self._below(kind, trait.name), self.inherited.of(kind, trait.name), trait.about
            written, described = self._made(trait, self.definitions.account_features.get(trait.feature or ""))
            yield Entry(
                kind=kind,
                name=trait.name,
                owner=about.owner or ", ".join(_once(filter(None, map(self._owner, events)))),
                title=about.title,
                description=about.description or f"{described}, of the members of an account",
                versions=(),
                status="live",
                volume=None,
                quality=self._worst(events),
                personal=tags.personal,
                purposes=_purposes(tags),
                rests_on={**({"event": events} if events else {}), **self._named(kind, trait.name)},
                used_by=self._direct(kind, trait.name),
                since=min(filter(None, (self.figures.events.get(event, Counted()).first for event in events)), default=None),
                declared=self.figures.declared.get("accounts.yaml"),
                facts=(("how", described if about.description else written),),
            )

    def segments(self) -> Iterator[Entry]:
        for segment in sorted(self.definitions.segments, key=lambda one: one.name):
            counted = self.figures.segments.get(segment.name)
            tags, events = self.inherited.of("segment", segment.name), self._below("segment", segment.name)
            yield Entry(
                kind="segment",
                name=segment.name,
                owner=segment.owner,
                title=segment.title,
                description="",
                versions=(self._segment_version(segment, counted),),
                status="live",
                volume=(counted.count if counted else 0) if self.figures.has_snapshot else None,
                quality=self._worst(events),
                personal=tags.personal,
                purposes=_once([*([segment.purpose] if segment.purpose else []), *_purposes(tags)]),
                rests_on={**({"event": events} if events else {}), **self._named("segment", segment.name)},
                used_by=self._direct("segment", segment.name),
                since=counted.first if counted else None,
                declared=self.figures.declared.get(segment.file),
                facts=(("purpose", segment.purpose or "none: everybody may be a member"), ("time zone", segment.timezone)),
                source=self.definitions.files.get(segment.file, ""),
            )

    def _segment_version(self, segment: Segment, counted: Counted | None) -> Version:
        first, declared_at = counted.first if counted else None, self.figures.declared.get(segment.file)
        return Version(str(segment.version), "live", None, f"contracts/{segment.file}", declared_at, first, None, ())

    def destinations(self) -> Iterator[Entry]:
        for destination in sorted(self.definitions.destinations, key=lambda one: one.name):
            rests_on = self._named("destination", destination.name)
            tags = Tags()
            for kind, names in rests_on.items():
                for name in names:
                    tags = tags.joined(self.inherited.of(kind, name))
            owned = [one.owner for one in self.definitions.segments if one.name in rests_on.get("segment", ())]
            yield self._destination(destination, rests_on, tags, _once(filter(None, owned)))

    def _destination(self, destination: Destination, rests_on: dict[str, list[str]], tags: Tags, owners: tuple[str, ...]) -> Entry:
        file = f"destinations/{destination.name}.yaml"
        return Entry(
            kind="destination",
            name=destination.name,
            owner=", ".join(owners),
            title=f"{destination.kind} {destination.path}".rstrip(),
            description=f"told of {', '.join(destination.changes or _asked(destination))}",
            versions=(),
            status="live",
            volume=None,
            quality=None,
            personal=tags.personal,
            purposes=_once(one.purpose for one in self.definitions.segments if one.purpose and one.name in rests_on.get("segment", ())),
            rests_on=rests_on,
            used_by={},
            since=self.figures.declared.get(file),
            declared=self.figures.declared.get(file),
        )

    def _owner(self, event: str) -> str:
        versions = self.definitions.contracts.get(event)
        return newest(versions).owner if versions else ""

    def _worst(self, events: Iterable[str]) -> float | None:
        """The lowest quality of the events that something rests on."""
        return min((found for event in events if (found := self.figures.quality(event)) is not None), default=None)

    def _below(self, kind: str, name: str) -> list[str]:
        """The events that something rests on, also through others."""
        patterns = {use.event for use in self.resolved if (use.kind, use.name) == (kind, name) and use.event}
        known = [*self.definitions.contracts, *(one for one in ALWAYS_KNOWN if one not in self.definitions.contracts)]
        return [event for event in known if any(matches(pattern, event) for pattern in patterns)]

    def _named(self, kind: str, name: str) -> dict[str, list[str]]:
        """The traits and segments that something names."""
        found: dict[str, list[str]] = {}
        for use in self.definitions.uses:
            if (use.kind, use.name) == (kind, name) and use.of != "property" and use.path not in found.setdefault(use.of, []):
                found[use.of].append(use.path)
        return {of: sorted(names) for of, names in found.items()}

    def _direct(self, of: str, name: str) -> dict[str, list[str]]:
        """What names a trait or a segment."""
        return _users(use for use in self.definitions.uses if use.of == of and use.path == name)


def _users(found: Iterable[Use]) -> dict[str, list[str]]:
    users: dict[str, set[str]] = {}
    for use in found:
        users.setdefault(use.kind, set()).add(use.name)
    return {kind: sorted(users[kind]) for kind in USERS if kind in users}


def _strictest(classes: Iterable[str]) -> str:
    return max(classes, key=lambda one: CLASSES.index(one) if one in CLASSES else 0, default="none")


def _purposes(tags: Tags) -> tuple[str, ...]:
    return tuple(sorted(tags.purposes or ()))


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _asked(destination: Destination) -> tuple[str, ...]:
    """What a destination of another kind than `file` is told of."""
    parts = (("who is in", destination.audiences), ("traits", destination.traits), ("events", destination.events))
    return tuple(f"{word} {', '.join(names)}" for word, names in parts if names) or ("who is in its segments",)
