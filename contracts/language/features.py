"""What is measured of a person's events: ``did`` with ``where``, ``within`` and a measure, shared by content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from contracts.envelope import ALWAYS_KNOWN, NOT_DONE
from contracts.language.claims import is_zoned
from contracts.language.looked_up import found_by
from contracts.language.nested import where_of
from contracts.language.predicates import Others, read_predicates
from contracts.meaning.properties import Properties
from contracts.model.definitions import Feature, OtherField, Predicate, SequenceStep, Where
from contracts.model.event_patterns import event_pattern, matches
from contracts.model.lookup import Lookup
from contracts.model.uses import Use
from contracts.text.problems import choices
from contracts.text.yaml_tree import Reader, Tree
from schemalogic.paths import parse_path
from schemalogic.typed import ANYTHING, Typed, either


@dataclass(slots=True)
class Measured:
    """The features that conditions and computed traits ask for, one for each content, and what is read for them."""

    properties: Properties
    unknown_events_ok: bool
    features: dict[str, Feature] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    emits: dict[str, Tree] = field(default_factory=dict)
    """Where traits are said to be told of."""
    tightens: dict[str, dict[str, Tree]] = field(default_factory=dict)
    """The keys of traits of which some make stricter what contracts say."""
    passing: dict[str, str] = field(default_factory=dict)
    """The traits that are made of one that changes at every moment, with that."""
    session_gap_us: int = 0
    """A longer silence ends a session."""
    lookups: Mapping[str, Lookup | None] = field(default_factory=dict)
    """By name; None is one that cannot be read."""
    user: tuple[Literal["trait", "account trait", "segment"], str] = ("segment", "")
    """The trait or segment that is being read."""
    traits: Literal["trait", "account trait"] = "trait"
    """What the traits are that are read with this."""
    call: Literal["identify", "group"] = "identify"
    """Which calls say those that are sent."""

    def add(self, feature: Feature) -> str:
        """The key of the feature; one that is there already has its cap raised."""
        key = feature_key(feature)
        known = self.features.get(key)
        cap = feature.cap
        if known is not None:
            cap = None if known.cap is None or cap is None else max(known.cap, cap)
        self.features[key] = replace(feature, key=key, cap=cap)
        return key

    def note(
        self, of: Literal["property", "trait", "account trait", "segment"], event: str, path: str, at: Tree, *, measured: bool = False
    ) -> None:
        """Keep in mind that the trait or segment that is being read uses something."""
        self.uses.append(Use(*self.user, of, event, path, at.file, at.line, at.key, measured))


def feature_key(feature: Feature) -> str:
    """Canonical JSON of what the feature measures. Equal numbers (5 and 5.0) give one key."""
    content: dict[str, Any] = {
        "events": list(feature.events),
        "measure": feature.measure,
        "property": feature.property,
        "where": _number(feature.where),
        "within_us": feature.within_us,
    }
    content |= {name: _number(option) for name, option in feature.options}
    if feature.sent:
        content["sent"] = True
    if feature.until_us:
        content["until_us"] = feature.until_us
    if feature.between is not None:
        content["between"] = feature.between
    if feature.session_us is not None:
        content["session_us"] = feature.session_us
    if feature.by is not None:
        content["by"] = feature.by
    if feature.timezone != "UTC":
        content["timezone"] = feature.timezone
    return _canonical(content)


def _said(predicate: Predicate) -> list[Any]:
    return [predicate.op, _number(predicate.operand), *(["ignore_case"] if predicate.ignore_case else [])]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(value: Any) -> Any:
    if isinstance(value, Predicate):
        return _said(value)
    if isinstance(value, OtherField):
        return {value.of: value.path}
    if isinstance(value, Where):
        return [value.path, _number(value.predicates)]
    if isinstance(value, SequenceStep):
        return [list(value.events), _number(value.where), value.within_us, value.never]
    if isinstance(value, (list, tuple)):
        return [_number(part) for part in value]
    if isinstance(value, dict):
        return {key: _number(part) for key, part in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_events(reader: Reader, at: Tree, measured: Measured) -> tuple[str, ...]:
    """The normalised names and prefixes of a ``did``, sorted; unknown ones are problems."""
    known = sorted({*(set(measured.properties.contracts) - NOT_DONE), *ALWAYS_KNOWN})
    found = set()
    for part in reader.texts(at, "the name of an event, a prefix such as order_*, or a list of them"):
        pattern = event_pattern(part.value)
        if not pattern or "*" in part.value[:-1]:
            reader.refuse(part, "the name of an event, or a prefix with one * at its end")
        elif pattern in NOT_DONE:
            reader.refuse(part, "something that people do", pattern, f"{pattern} calls are no events; use `trait:`")
        elif not measured.unknown_events_ok and not any(matches(pattern, name) for name in known):
            what = "a prefix of at least one event" if pattern.endswith("*") else "an event with a contract in events/"
            reader.refuse(part, what, part.value, choices(pattern, known))
        else:
            found.add(pattern)
            measured.note("property", pattern, "", part)
    return tuple(sorted(found))


def read_where(reader: Reader, at: Tree | None, events: tuple[str, ...], measured: Measured) -> tuple[Where, ...]:
    """The filters on properties, sorted by path. A value means equal, a list one of them, a mapping predicates."""
    if at is None:
        return ()
    found = []
    if isinstance(at.value, list):
        reader.refuse(at, "a mapping of properties to values or predicates", None, "leave the `- ` out: `property: value`")
        return ()

    def other(reader: Reader, at: Tree, path: str) -> Typed | None:
        known = read_property(reader, at, path, events, measured)
        return None if known is None else either(known.values()) if known else ANYTHING

    others = Others("property", other, "an event is held against what it says itself, {property: …}; a trait changes after it")
    for path, part in reader.mapping(at, "a mapping of properties to values or predicates").items():
        typed = read_property(reader, part, path, events, measured)
        if typed is None:
            continue
        found.append(where_of(reader, part, path, list(typed.values()), partial(read_predicates, others=others)))
    return tuple(sorted(found, key=lambda one: one.path))


def read_property(
    reader: Reader, at: Tree, path: str, events: tuple[str, ...], measured: Measured, *, shown: bool = False
) -> dict[str, Typed] | None:
    """What each contract that has the property says of it, by event; empty if nothing is known.

    None, and a problem, if the path cannot be read or the contracts exclude it. ``shown``: its value is part of what is measured.
    """
    try:
        steps = parse_path(path)
    except ValueError as error:
        reader.refuse(at, "a path such as items[].sku", str(error))
        return None
    if steps[:2] == ("context", "lookup") and not found_by(reader, at, steps, measured.lookups):
        return None
    properties = measured.properties
    for event in events:
        measured.note("property", event, path, at, measured=shown)
    named = properties.events(events)
    if steps[0] == "context" or not named or _without_contract(events, set(named)):
        return {}
    types = {name: typed for name in named if (typed := properties.typed(name, path)) is not None}
    if types:
        return types
    gone = next((hint for name in named if (hint := properties.gone(name, path))), "")
    names = [name for event in named for name in properties.names(event)]
    below = path.removeprefix("properties.")
    written = f"write {below}" if below != path and any(properties.typed(name, below) for name in named) else ""
    reader.refuse(at, f"a property of {', '.join(named)}", path, gone or written or choices(str(steps[0]), names))
    return None


def _without_contract(events: tuple[str, ...], named: set[str]) -> bool:
    """Whether an event is meant of which no contract says anything."""
    exact = {event for event in events if not event.endswith("*")}
    always = {name for name in ALWAYS_KNOWN if any(matches(event, name) for event in events)}
    return bool((exact | always) - named)


def zoned(where: Iterable[Where]) -> bool:
    """Whether a filter compares dates, so that the time zone is part of what is measured."""
    return any(is_zoned(predicate) for one in where for predicate in one.predicates)
