"""What is measured of a person's events: ``did`` with ``where``, ``within`` and a measure, shared by content."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contracts.definitions import Contract, Feature, Predicate, Where
from contracts.event_patterns import ALWAYS_KNOWN, NOT_DONE, event_pattern, matches
from contracts.paths import Step, parse_path
from contracts.predicates import ORDER, read_predicates
from contracts.problems import closest
from contracts.schemas import ANYTHING, Typed, names_at, typed_at
from contracts.yaml_tree import Reader, Tree

_DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(slots=True)
class Measured:
    """The features that conditions and computed traits ask for, one for each content."""

    contracts: Mapping[str, tuple[Contract, ...]]
    unknown_events_ok: bool
    features: dict[str, Feature] = field(default_factory=dict)

    def add(self, feature: Feature, limit: int | None = None) -> str:
        """The key of the feature; one that is there already has its cap raised."""
        key = feature_key(feature, limit)
        known = self.features.get(key)
        cap = feature.cap
        if known is not None:
            cap = None if known.cap is None or cap is None else max(known.cap, cap)
        self.features[key] = replace(feature, key=key, cap=cap)
        return key

    def schemas(self, events: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
        """The newest schema of each event that is meant and has a contract."""
        events = list(events)
        return [
            (name, versions[-1].schema)
            for name, versions in self.contracts.items()
            if versions and name not in NOT_DONE and any(matches(event, name) for event in events)
        ]


def feature_key(feature: Feature, limit: int | None = None) -> str:
    """Canonical JSON of what the feature measures. Equal numbers (5 and 5.0) give one key."""
    content = {
        "events": list(feature.events),
        "measure": feature.measure,
        "property": feature.property,
        "where": [[one.path, [[p.op, _number(p.operand)] for p in one.predicates]] for one in feature.where],
        "within_us": feature.within_us,
    }
    if limit is not None:
        content["limit"] = limit
    if feature.timezone != "UTC":
        content["timezone"] = feature.timezone
    return _canonical(content)


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(part) for part in value]
    if isinstance(value, dict):
        return {key: _number(part) for key, part in value.items()}
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read_events(reader: Reader, at: Tree, measured: Measured) -> tuple[str, ...]:
    """The normalised names and prefixes of a ``did``, sorted; unknown ones are problems."""
    known = sorted({*(set(measured.contracts) - NOT_DONE), *ALWAYS_KNOWN})
    found = set()
    for part in reader.texts(at, "the name of an event, a prefix such as order_*, or a list of them"):
        pattern = event_pattern(part.value)
        if not pattern or "*" in part.value[:-1]:
            reader.refuse(part, "the name of an event, or a prefix with one * at its end")
        elif pattern in NOT_DONE:
            reader.refuse(part, "something that people do", pattern, f"{pattern} calls are no events; use `trait:`")
        elif not measured.unknown_events_ok and not any(matches(pattern, name) for name in known):
            what = "a prefix of at least one event" if pattern.endswith("*") else "an event with a contract in events/"
            reader.refuse(part, what, part.value, closest(pattern, known))
        else:
            found.add(pattern)
    return tuple(sorted(found))


def read_where(reader: Reader, at: Tree | None, events: tuple[str, ...], measured: Measured) -> tuple[Where, ...]:
    """The filters on properties, sorted by path. A value means equal, a list one of them, a mapping predicates."""
    if at is None:
        return ()
    found = []
    for path, part in reader.mapping(at, "a mapping of properties to values or predicates").items():
        typed = read_property(reader, part, path, events, measured)
        if typed is None:
            continue
        parts = part.value
        if isinstance(parts, list):
            parts = {"in": part}
        elif not isinstance(parts, dict):
            parts = {"eq": part}
        predicates = read_predicates(reader, part, parts, typed)
        found.append(Where(path, tuple(sorted(predicates, key=lambda one: (one.op, _canonical(one.operand))))))
    return tuple(sorted(found, key=lambda one: one.path))


def read_property(reader: Reader, at: Tree, path: str, events: tuple[str, ...], measured: Measured) -> list[Typed] | None:
    """What each contract that has the property says of it, an empty list if nothing is known.

    None, and a problem, if the path cannot be read or the contracts exclude it.
    """
    try:
        steps = parse_path(path)
    except ValueError as error:
        reader.refuse(at, "a path such as items[].sku", str(error))
        return None
    schemas = measured.schemas(events)
    named = {name for name, _ in schemas}
    if steps[0] == "context" or not schemas or _without_contract(events, named):
        return []
    types = [typed for name, schema in schemas if (typed := _type_of(name, schema, steps)) is not None]
    if types:
        return types
    names = [name for _, schema in schemas for name in names_at(schema)]
    reader.refuse(at, f"a property of {', '.join(sorted(named))}", path, closest(str(steps[0]), names))
    return None


def _without_contract(events: tuple[str, ...], named: set[str]) -> bool:
    """Whether an event is meant of which no contract says anything."""
    exact = {event for event in events if not event.endswith("*")}
    always = {name for name in ALWAYS_KNOWN if any(matches(event, name) for event in events)}
    return bool((exact | always) - named)


def _type_of(event: str, schema: dict[str, Any], steps: tuple[Step, ...]) -> Typed | None:
    typed = typed_at(schema, steps)
    if typed is None and event in ALWAYS_KNOWN and steps == ("name",):
        return ANYTHING
    return typed


def sums(typed: Iterable[Typed] | None) -> bool:
    """Whether a property can be a number in at least one contract."""
    typed = list(typed or ())
    return not typed or any(one.kinds is None or "number" in one.kinds for one in typed)


def zoned(where: Iterable[Where]) -> bool:
    """Whether a filter compares dates, so that the time zone is part of what is measured."""
    return any(_is_date(predicate) for one in where for predicate in one.predicates)


def _is_date(predicate: Predicate) -> bool:
    if predicate.op not in {*ORDER, "between"}:
        return False
    operands = predicate.operand if predicate.op == "between" else [predicate.operand]
    return any(isinstance(operand, str) and _DATE.match(operand) for operand in operands)
