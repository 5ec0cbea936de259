"""What Skep means, without an engine: `dump` computes the state at a time T from the set of accepted events.

It is batch, quadratic and plain, to be read line by line beside `docs/architecture.md`: links (`tests.model_links`), links
by likeness (`tests.model_matching`), then whose an event is, traits, consent (`tests.model_consent`) and segments. It shares
with the engine only the types of the contracts, the keyed hash, the text of a number and the match weight of one pair.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson

from contracts.model import definitions as d
from contracts.model.batches import Event
from contracts.model.definitions import Definitions, Feature, IdentityRules, Predicate
from contracts.model.hashing import Hasher, profile_id
from contracts.text.numbers import MICRO, micros, number_text
from tests.model_consent import Denial, consents_of, waiting
from tests.model_links import (
    EPOCH,
    Ident,
    Identity,
    Link,
    accepted,
    anchor_of,
    event_links,
    identifications,
    instant,
    is_person,
    is_shared,
    join,
    lead,
    link_order,
    manual_entries,
    moment,
    within_link_limit,
)
from tests.model_matching import confidence_of, join_likely, likely_links, records_of, weigher


# ── clusters ────────────────────────────────────────────────────────────────────────────────────────────────────────
def resolve(definitions: Definitions, events: Sequence[Event], control: Iterable[Mapping[str, Any]]) -> Identity:
    rules = definitions.identity
    manual, unlinked = manual_entries(rules, control)
    times: dict[Ident, list[int]] = defaultdict(list)
    for event in events:
        for identifier in event.identifiers:
            times[identifier].append(event.time_us)
    for link in manual:
        times[link.a].append(link.first_seen)
        times[link.b].append(link.first_seen)
    seen = {identifier: (min(at), max(at)) for identifier, at in times.items()}
    shared = {d for d in seen if is_shared(rules, d, identifications(rules, events, d, unlinked))}

    def standing(links: list[Link]) -> list[Link]:
        return [link for link in links if (link.a, link.b) not in unlinked and not {link.a, link.b} & shared]

    identity = Identity(seen, [], {identifier: frozenset([identifier]) for identifier in seen}, unlinked)
    candidates = manual + within_link_limit(rules, standing(event_links(events)))
    for link in sorted(candidates, key=lambda link: link_order(rules, link)):
        join(rules, identity, link)
    if rules.probabilistic is not None:
        records = records_of(rules, events, identity)
        weight = weigher(definitions)
        join_likely(rules, identity, records, standing(likely_links(rules.probabilistic, records, weight)), weight)
    return identity


# ── whose event ─────────────────────────────────────────────────────────────────────────────────────────────────────
def session_of(rules: IdentityRules, events: Sequence[Event], device: Ident, event: Event) -> tuple[int, int]:
    """First and last time of the device's session around the event; a silence longer than the gap cuts."""
    times = [e.time_us for e in events if device in e.identifiers]
    cuts = [0] + [i for i in range(1, len(times)) if times[i] - times[i - 1] > rules.session_gap_us] + [len(times)]
    sessions = [(times[start], times[stop - 1]) for start, stop in pairwise(cuts)]
    return next((start, end) for start, end in sessions if start <= event.time_us <= end)


def owner_of(rules: IdentityRules, events: Sequence[Event], device: Ident, event: Event, identity: Identity) -> Ident | None:
    """Whom an anonymous event of the device goes to: a person identifier, the device itself, or nobody (None)."""
    if rules.owner == "device":
        return device
    identified = identifications(rules, events, device, identity.unlinked)
    start, end = session_of(rules, events, device, event)
    if during := [(at, person) for at, person in identified if start <= at[0] <= end]:
        so_far = [person for at, person in during if at <= moment(event)]
        return so_far[-1] if so_far else during[0][1]
    if is_shared(rules, device, identified):
        return None
    if before := [(at[0], person) for at, person in identified if at[0] < start]:
        recent = [person for time, person in before if time >= start - rules.backstitch_us]
        return None if len({identity.cluster[person] for person in recent}) > 1 else before[-1][1]
    if identified:
        first, person = identified[0]
        return person if first[0] <= start + rules.backstitch_us else None
    return device


class People(NamedTuple):
    """Which profile each identifier and each message belongs to, and each profile's events."""

    of_identifier: dict[Ident, str]
    of_message: dict[str, str]
    profiles: dict[str, list[Event]]


def attribute(rules: IdentityRules, events: Sequence[Event], identity: Identity, hasher: Hasher) -> People:
    people = People({}, {}, {})
    for identifier, cluster in identity.cluster.items():
        index, value = lead(identity, cluster)
        pid = profile_id(hasher.identifier(rules.namespaces[index].name, value))
        people.of_identifier[identifier] = pid
        people.profiles[pid] = []
    for event in events:
        anchor = anchor_of(rules, event)
        if anchor is None:
            continue
        owner = anchor if is_person(rules, anchor) else owner_of(rules, events, anchor, event, identity)
        if owner is None and any(is_person(rules, i) for i in identity.cluster[anchor]):
            pid = profile_id(hasher.shared(rules.namespaces[anchor[0]].name, anchor[1]))
        else:
            pid = people.of_identifier[owner or anchor]
        people.of_message[event.message_id] = pid
        people.profiles.setdefault(pid, []).append(event)
    return people


# ── traits and features ─────────────────────────────────────────────────────────────────────────────────────────────
class Exact(NamedTuple):
    """A computed number, in 10⁻⁶."""

    micros: int


MISSING = object()
"""The value at a path that is not there."""
STEP = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d*)\]|\.?([^.\[\]]+)')


def values_at(root: object, path: str) -> list[object]:
    """The values that a path reaches: one (perhaps MISSING), or with ``[]`` one for each item, none of an empty list."""
    values: list[object] = [root]
    for key, index, name in STEP.findall(path):
        if not key and not name and index == "":
            values = [item for value in values for item in (value if isinstance(value, list) else [MISSING])]
        elif index:
            values = [value[int(index)] if isinstance(value, list) and int(index) < len(value) else MISSING for value in values]
        else:
            values = [value.get(name or key, MISSING) if isinstance(value, dict) else MISSING for value in values]
    return [MISSING if value is None else value for value in values]


def canonical(value: object) -> object:
    """The value for orjson, every number as its exact text."""
    if isinstance(value, dict):
        return {k: canonical(v) for k, v in value.items()}
    if isinstance(value, list):
        return [canonical(v) for v in value]
    exact = value.micros if isinstance(value, Exact) else micros(value)
    return value if exact is None else orjson.Fragment(number_text(exact))


def json(value: object) -> bytes:
    return orjson.dumps(canonical(value), option=orjson.OPT_SORT_KEYS)


def matches(feature: Feature, event: Event, at: int) -> bool:
    """Whether the feature looks at the event. Dates alone in a ``where`` are days of its zone."""
    named = any(event.name == n or (n[-1:] == "*" and event.name.startswith(n[:-1])) for n in feature.events)
    inside = feature.within_us is None or at - feature.within_us < event.time_us <= at
    roots = [(event.body if re.split(r"[.\[]", w.path)[0] == "context" else event.properties, w) for w in feature.where]
    return event.name != "" and named and inside and all(some_value(root, w.path, w.predicates, feature.timezone) for root, w in roots)


def measured(feature: Feature, events: Sequence[Event], at: int, limit: int = 0) -> object:
    """The feature's value; ``limit`` is that of a ``set``. A path with ``[]`` gives the first item's."""
    found = [e for e in events if matches(feature, e, at)]
    if feature.measure == "times":
        return Exact(min(len(found), len(found) if feature.cap is None else feature.cap) * MICRO)
    read = [(e.time_us, value) for e in found for value in values_at(e.properties, feature.property or "")[:1]]
    valued = [(time, json(value), value) for time, value in read if value is not MISSING]
    if feature.measure == "sum":
        return Exact(sum(micros(value) or 0 for _, _, value in valued))
    if feature.measure == "distinct":
        different = len({key for _, key, _ in valued})
        return Exact(min(different, different if feature.cap is None else feature.cap) * MICRO)
    if not valued:
        return MISSING
    if feature.measure == "set":
        newest = {key: (time, key, value) for time, key, value in valued}
        kept = sorted(newest.values(), key=lambda v: v[:2])[-limit:]
        return [value for _, _, value in sorted(kept, key=lambda v: v[1])]
    return valued[0 if feature.measure == "first" else -1][2]


def traits_of(definitions: Definitions, events: Sequence[Event], at: int) -> dict[str, object]:
    """Plain ones are registers: the last write stands, null hides. Computed names hide plain ones, also when missing."""
    traits: dict[str, object] = {}
    for event in events:
        if event.type == "identify":
            traits.update(event.traits or {})
    for trait in definitions.traits:
        if trait.kind != "plain" and trait.feature is not None:
            traits[trait.name] = measured(definitions.features[trait.feature], events, at, trait.limit)
    return {name: value for name, value in traits.items() if value is not None and value is not MISSING}


# ── predicates ──────────────────────────────────────────────────────────────────────────────────────────────────────
def some_value(root: object, path: str, predicates: Sequence[Predicate], timezone: str) -> bool:
    """One value of the path satisfies all of them."""
    return any(all(satisfies(value, p, timezone) for p in predicates) for value in values_at(root, path))


KINDS = {bool: "boolean", Exact: "number", int: "number", float: "number", str: "text", list: "list", dict: "object"}


def satisfies(value: object, predicate: Predicate, timezone: str) -> bool:
    op, operand = predicate.op, predicate.operand
    if op == "exists":
        return (value is not MISSING) is operand
    if op == "is":
        return value is MISSING or value in ("", [], {}) if operand == "empty" else KINDS.get(type(value)) == operand
    if value is MISSING:
        return False
    if op in ("eq", "ne"):
        return (json(value) == json(operand)) is (op == "eq")
    if op in ("in", "not_in"):
        return (json(value) in [json(o) for o in operand]) is (op == "in")
    if op == "between":
        return ordered(value, "gte", operand[0], timezone) and ordered(value, "lte", operand[1], timezone)
    if op in ("gt", "gte", "lt", "lte"):
        return ordered(value, op, operand, timezone)
    if not isinstance(value, str) or not isinstance(operand, str):
        return False
    found = {"contains": operand in value, "starts_with": value.startswith(operand), "ends_with": value.endswith(operand)}
    return found[op.replace("not_", "")] is not op.startswith("not_")


def ordered(value: object, op: str, operand: object, timezone: str) -> bool:
    """As intervals with both ends included: a number or a text is a point, a date alone is its day."""
    left, right = interval(value, timezone), interval(operand, timezone)
    if left and right and left[0] == "date" and right[0] == "text":
        left = ("text", value, value)  # only the operand decides whether dates are compared
    if not left or not right or left[0] != right[0]:
        return False
    return bool({"gt": left[1] > right[2], "gte": left[1] >= right[1], "lt": left[2] < right[1], "lte": left[2] <= right[2]}[op])


DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?", re.ASCII)


def interval(value: object, timezone: str) -> tuple[str, Any, Any] | None:
    """Kind, first and last of a value that has an order; dates in µs. A date-time without an offset is UTC."""
    exact = value.micros if isinstance(value, Exact) else micros(value)
    if exact is not None:
        return "number", exact, exact
    if not isinstance(value, str):
        return None
    try:
        if DATE.fullmatch(value) and len(value) > 10:
            return "date", instant(value), instant(value)
        if DATE.fullmatch(value):
            day, zone = datetime.fromisoformat(value), ZoneInfo(timezone)
            start, end = (instant((day + timedelta(days=n)).replace(tzinfo=zone).isoformat()) for n in (0, 1))
            return "date", start, end - 1
    except (ValueError, OverflowError):
        pass  # 2026-02-31 is a text
    return "text", value, value


# ── segments ────────────────────────────────────────────────────────────────────────────────────────────────────────
class Facts(NamedTuple):
    """What the conditions of one profile look at; ``granted`` holds every purpose, ``segments`` those decided so far,
    ``confidence`` is that of the profile, in six decimals."""

    traits: dict[str, object]
    features: dict[str, object]
    granted: dict[str, bool]
    segments: list[str]
    confidence: float


def holds(segment: d.Segment, condition: d.Condition, facts: Facts) -> bool:
    match condition:
        case d.All(of):
            return all(holds(segment, c, facts) for c in of)
        case d.AnyOf(of):
            return any(holds(segment, c, facts) for c in of)
        case d.Not(of):
            return not holds(segment, of, facts)
        case d.TraitIs(path, predicates):
            return some_value(facts.traits, path, predicates, segment.timezone)
        case d.Did(feature, predicates):
            return all(satisfies(facts.features[feature], p, segment.timezone) for p in predicates)
        case d.MemberOf(name):
            return name in facts.segments
        case d.ConsentIs(purpose):
            return facts.granted[purpose]


# ── dump ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def seen(first_us: int, last_us: int) -> dict[str, object]:
    first, last = (EPOCH + timedelta(microseconds=time) for time in (first_us, last_us))
    return {"first_seen": first.isoformat(timespec="microseconds") + "Z", "last_seen": last.isoformat(timespec="microseconds") + "Z"}


def dump(
    events: Iterable[Event],
    control: Iterable[Mapping[str, Any]],
    definitions: Definitions,
    at: int,
    *,
    hasher: Hasher,
    space: str = "shop",
    denials: Iterable[Denial] = (),
) -> list[bytes]:
    """The state at time ``at`` (µs) as sorted canonical JSON lines: a function of the set of events, entries and refused denials."""
    taken = accepted(events)
    denied = waiting(definitions, denials, taken)
    identity = resolve(definitions, taken, control)
    people = attribute(definitions.identity, taken, identity, hasher)
    lines = [*identity_lines(definitions.identity, identity, people)]
    lines += [{"kind": "message", "id": mid, "profile": pid} for mid, pid in people.of_message.items()]
    for pid, mine in people.profiles.items():
        members = [identifier for identifier, home in people.of_identifier.items() if home == pid]
        theirs = [(identifier, denial) for identifier, denial in denied if identifier in members]
        confidence = min((confidence_of(identity, member) for member in members), default=1.0)
        told = profile(definitions, mine, identity, at, confidence, denied=theirs)
        lines.append({"kind": "profile", "id": pid, "confidence": rounded(confidence), **told})
    return sorted(json({"space": space, **line}) for line in lines)


def rounded(value: float) -> orjson.Fragment:
    """A number as it is printed where it is no exact one: to six decimals."""
    return orjson.Fragment(orjson.dumps(round(value, 6)))


def identity_lines(rules: IdentityRules, identity: Identity, people: People) -> Iterator[dict[str, object]]:
    for (index, value), times in identity.seen.items():
        whose = {"value": value, "profile": people.of_identifier[index, value]}
        yield {"kind": "identifier", "namespace": rules.namespaces[index].name, **whose, **seen(*times)}
    for link in identity.links:
        ends = {end: [rules.namespaces[index].name, value] for end, (index, value) in (("a", link.a), ("b", link.b))}
        weight = {} if link.weight is None else {"weight": rounded(link.weight)}
        told = {"type": link.kind, "message": link.message, "count": link.count}
        yield {"kind": "link", **told, **weight, **ends, **seen(link.first_seen, link.last_seen)}


def profile(
    definitions: Definitions,
    events: Sequence[Event],
    identity: Identity,
    at: int,
    confidence: float = 1.0,
    *,
    denied: Sequence[tuple[Ident, Denial]] = (),
) -> dict[str, object]:
    traits = traits_of(definitions, events, at)
    shown = [f for f in definitions.features.values() if f.measure in ("times", "sum", "distinct")]
    features = {f.key: measured(f, events, at) for f in shown}
    consents = consents_of(definitions, events, identity, denied)
    granted = {p.name: consents.get(p.name, p.default) for p in definitions.purposes}
    facts = Facts(traits, features, granted, [], round(confidence, 6))
    for segment in definitions.segments:
        sure = segment.confidence is None or facts.confidence >= segment.confidence
        if sure and (segment.purpose is None or granted[segment.purpose]) and holds(segment, segment.who, facts):
            facts.segments.append(segment.name)
    return {"traits": traits, "features": features, "segments": sorted(facts.segments), "consents": consents}
