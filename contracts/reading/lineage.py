"""What uses what: from the properties of events over traits and segments to destinations, and to the namespaces of identifiers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from contracts.envelope import BY_TRAITS
from contracts.language.features import Measured
from contracts.meaning.inheritance import Inheritance
from contracts.meaning.properties import Properties
from contracts.model.definitions import MEMBERSHIPS, Definitions, IdentityRules, Segment
from contracts.model.destinations import Destination
from contracts.model.event_patterns import matches
from contracts.model.uses import Use
from contracts.text.problems import Problem, listed
from contracts.text.yaml_tree import Tree
from schemalogic.paths import Step, parse_path, path_text

_IDENTITY = "identity.yaml"
_ROOTS = {"properties": None, "traits": BY_TRAITS}


def all_uses(  # noqa: PLR0917
    measured: Measured,
    of_accounts: Measured,
    segments: Iterable[Segment],
    destinations: Iterable[Destination],
    identity: Tree | None,
    rules: IdentityRules,
) -> tuple[Use, ...]:
    """What the definitions use, as they say, and every segment for a destination that none of them names; in the order of the files."""
    told = [one.name for one in destinations if "profile.updated" in one.changes]
    emitted = [
        Use("destination", name, "trait", "", trait, at.file, at.line, at.key) for trait, at in measured.emits.items() for name in told
    ]
    read = [*measured.uses, *of_accounts.uses, *emitted]
    found = [*read, *_feeds(segments, destinations), *_namespaces(measured.properties, identity, rules)]
    return tuple(sorted(found, key=lambda one: (one.file, one.line, one.kind, one.name, one.path)))


def _feeds(segments: Iterable[Segment], destinations: Iterable[Destination]) -> Iterator[Use]:
    segments = list(segments)
    chosen = {name for segment in segments for name in segment.activate}
    for destination in destinations:
        if destination.name not in chosen and MEMBERSHIPS & {*destination.changes}:
            for segment in segments:
                yield Use("destination", destination.name, "segment", "", segment.name, f"destinations/{destination.name}.yaml", 1, "")


def check_told(uses: Iterable[Use], destinations: Iterable[Destination], problems: list[Problem]) -> None:
    """Problems of segments that name a destination which is told of no change of a segment."""
    deaf = {one.name: one for one in destinations if one.changes and not MEMBERSHIPS & {*one.changes}}
    for use in uses:
        if use.kind == "destination" and use.of == "segment" and use.name in deaf:
            expected = "a destination that is told of segment.entered or segment.exited"
            found = f"{use.name}, which is told of {listed(deaf[use.name].changes)} only"
            hint = f"contracts/destinations/{use.name}.yaml: add it to `changes`"
            problems.append(Problem(use.file, use.line, use.key, expected, found, hint))


def _namespaces(properties: Properties, identity: Tree | None, rules: IdentityRules) -> Iterator[Use]:
    lines = _lines(identity)
    for namespace in rules.namespaces:
        for path in namespace.paths:
            line, key = lines.get((namespace.name, path), (0, ""))
            for event, below in _events_at(properties, path):
                yield Use("namespace", namespace.name, "property", event, below, _IDENTITY, line, key)


def _events_at(properties: Properties, path: str) -> Iterator[tuple[str, str]]:
    """The events that declare a property at a path of the whole event; without any, the path itself."""
    steps = parse_path(path)
    found = False
    if steps[0] in _ROOTS and len(steps) > 1:
        names = _ROOTS[str(steps[0])] or [name for name in properties.contracts if name not in BY_TRAITS]
        for event in names:
            typed = properties.typed(event, path_text(steps[1:])) if properties.contracts.get(event) else None
            if typed is not None and typed.places:
                found = True
                yield event, path_text(steps[1:])
    if not found:
        yield "", path


def _lines(identity: Tree | None) -> dict[tuple[str, str], tuple[int, str]]:
    found: dict[tuple[str, str], tuple[int, str]] = {}
    listed = identity.value.get("namespaces") if identity is not None and isinstance(identity.value, dict) else None
    for item in listed or ():
        parts = item.value if isinstance(item.value, dict) else {}
        source = parts.get("from")
        for at in [] if source is None else source if isinstance(source.value, list) else [source]:
            found[str(parts["name"].value) if "name" in parts else "", str(at.value)] = (at.line, at.key)
    return found


def properties_of(definitions: Definitions) -> Properties:
    """The properties of the definitions' contracts."""
    return Properties(definitions.contracts, definitions.types, definitions.files, definitions.upcasts)


def inheritance_of(definitions: Definitions) -> Inheritance:
    """What the traits and segments of the definitions inherit from properties."""
    return Inheritance(definitions.uses, properties_of(definitions), definitions.traits, definitions.account_traits)


def uses(definitions: Definitions) -> list[Use]:
    """Every property that a trait, a segment, a destination or a namespace rests on, also through others.

    Each is told with the line in which the one that rests on it says so; its event may be a prefix such as ``order_*``.
    """
    direct: dict[tuple[str, str], list[Use]] = {}
    for use in definitions.uses:
        direct.setdefault((use.kind, use.name), []).append(use)
    found = [resolved for use in definitions.uses for resolved in _resolved(use, direct, frozenset())]
    return list(dict.fromkeys(found))


def _resolved(use: Use, direct: dict[tuple[str, str], list[Use]], seen: frozenset[tuple[str, str]]) -> Iterator[Use]:
    if use.of == "property":
        yield use
        return
    key = (use.of, use.path)
    if key not in seen:
        for below in direct.get(key, ()):
            for one in _resolved(below, direct, seen | {key}):
                yield replace(use, of="property", event=one.event, path=one.path, measured=one.measured)


def used_by(definitions: Definitions, event: str, path: str | None = None) -> list[Use]:
    """What rests on a property, on what is in it, or on what it is in; without a path on anything of the event."""
    steps = parse_path(path) if path else None
    return [
        use
        for use in uses(definitions)
        if use.event
        and matches(use.event, event)
        and (steps is None or (use.path and not use.path.startswith("context.") and touches(steps, parse_path(use.path))))
    ]


def touches(one: tuple[Step, ...], other: tuple[Step, ...]) -> bool:
    """Whether one path leads to the other's value, into it, or to what it is in; an index is some item."""
    return all(a == b or (not isinstance(a, str) and not isinstance(b, str)) for a, b in zip(one, other, strict=False))
