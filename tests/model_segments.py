"""What Skep means by traits and segments: paths, measures, predicates and conditions, each under its name of the language."""

from __future__ import annotations

import hashlib
import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import count, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import orjson
import re2

from contracts.model.batches import Event
from contracts.model.definitions import Condition, Definitions, Feature, OtherField, Predicate, Segment, SequenceStep, Where
from contracts.text.numbers import MICRO, micros, number_text
from tests.model_expressions import evaluate, number
from tests.model_links import EPOCH, instant


# ── values and measures ─────────────────────────────────────────────────────────────────────────────────────────────
class Exact(NamedTuple):
    """A computed number, in 10⁻⁶."""

    micros: int


class Several(NamedTuple):
    """What a measure is of each value of a property."""

    values: list[object]


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


def matches(feature: Feature, event: Event, at: int, *, such: bool = True) -> bool:
    """Whether the feature looks at the event, ``such``: one that satisfies its ``where``. Dates alone are days of its zone."""
    if feature.measure == "by_source":
        return event.type == "identify" and not set(event.sources).isdisjoint(feature.option("sources"))
    if feature.sent:
        return event.type == "identify"
    named = any(event.name == n or (n[-1:] == "*" and event.name.startswith(n[:-1])) for n in feature.events)
    return event.name != "" and named and in_window(feature, event.time_us, at) and (not such or is_such(feature, event))


def in_window(feature: Feature, time: int, at: int) -> bool:
    inside = feature.within_us is None or at - feature.within_us < time <= at - feature.until_us
    return inside and (feature.between is None or feature.between[0] <= time <= feature.between[1])


def is_such(feature: Feature, event: Event) -> bool:
    return all(some_value(root_of(event, w.path), w.path, written(w.predicates, event), feature.timezone) for w in feature.where)


def root_of(event: Event, path: str) -> object:
    """Where a path begins: `context.…` reads the event's context, any other its properties."""
    return event.body if re.split(r"[.\[]", path)[0] == "context" else event.properties


class Read(NamedTuple):
    """A matching event; of one with a property the value, and what makes it different from other values."""

    event: Event
    key: bytes
    value: object

    @property
    def time_us(self) -> int:
        return self.event.time_us


def measured(feature: Feature, events: Sequence[Event], at: int) -> object:
    """The feature's value at a time. Of a path with ``[]`` each item counts, in its order."""
    if feature.measure == "sequence":
        return in_order(feature, events, at)
    if feature.by is not None:
        return Several([measured(replace(feature, by=None), mine, at) for mine in apart(feature, feature.by, events, at)])
    if feature.measure == "unbroken":
        return unbroken(feature, events, at)
    looks = replace(feature, within_us=None, between=None) if feature.measure == "first_time" else feature
    found = [e for e in events if matches(looks, e, at, such=feature.measure != "latest")]
    if feature.session_us is not None:
        done = sessions([e.time_us for e in events if e.name and in_window(feature, e.time_us, at)], feature.session_us)
        began = next((times[0] for times in done[-1:] if at - times[-1] <= feature.session_us), at + 1)
        found = [e for e in found if e.time_us >= began]
    read = [(e, value) for e in found for value in values_of(feature, e)]
    valued = [Read(e, json(value), value) for e, value in read if value is not MISSING]
    return MEASURES[feature.measure](feature, valued if feature.property else [Read(e, b"", None) for e in found], at)


def apart(feature: Feature, by: str, events: Sequence[Event], at: int) -> list[list[Event]]:
    """The events of each value of a property that some matching event has."""
    keyed = [(json(value), e) for e in events for value in [values_at(e.properties, by)[0]] if value is not MISSING]
    return [[e for key, e in keyed if key == one] for one in {key for key, e in keyed if matches(feature, e, at)}]


def values_of(feature: Feature, event: Event) -> list[object]:
    """What an event says of the property; of an identify call's trait that is no list the one value."""
    if not feature.sent:
        return values_at(root_of(event, feature.property or ""), feature.property or "")
    whole = values_at(event.traits or {}, (feature.property or "").removesuffix("[]"))
    return values_at(whole[0], "[]") if (feature.property or "").endswith("[]") and isinstance(whole[0], list) else whole


def counted(number: int, feature: Feature) -> Exact:
    """No further than conditions ask."""
    return Exact(min(number, number if feature.cap is None else feature.cap) * MICRO)


def by_source(feature: Feature, found: list[Read]) -> list[list[Read]]:
    """What each of the listed sources says."""
    return [[one for one in found if source in one.event.sources] for source in feature.option("sources")]


def numbers(found: list[Read]) -> list[int]:
    return [exact for one in found for exact in [micros(one.value)] if exact is not None]


def average(values: Sequence[int]) -> object:
    return Exact(round(Fraction(sum(values), len(values)))) if values else MISSING


def deviation(values: Sequence[int]) -> object:
    """Of all of them, half to even."""
    if not values:
        return MISSING
    variance = sum((value - Fraction(sum(values), len(values))) ** 2 for value in values) / len(values)
    whole = math.isqrt(math.floor(variance))
    half = Fraction(2 * whole + 1, 2) ** 2
    return Exact(whole + (variance > half or (variance == half and whole % 2 == 1)))


def newest(valued: list[Read], limit: int) -> object:
    """The newest different values, in order of their keys."""
    kept = sorted({one.key: one for one in valued}.values(), key=lambda one: (one.time_us, one.key))[-limit:]
    return [one.value for one in sorted(kept, key=lambda one: one.key)] or MISSING


def weight(feature: Feature, name: str) -> int:
    """Of an event, by the longest pattern that means it."""
    said = [(len(n), w) for n, w in feature.option("weights") if name == n or (n[-1] == "*" and name.startswith(n[:-1]))]
    return max(said)[1] if said else MICRO


def top(feature: Feature, valued: list[Read]) -> object:
    """The values of the most weight, of equal weights in order of their keys."""
    weights: dict[bytes, int] = defaultdict(int)
    for one in valued:
        weights[one.key] += weight(feature, one.event.name)
    values = {one.key: one.value for one in valued}
    best = sorted((key for key in weights if weights[key] > 0), key=lambda key: (-weights[key], key))[: feature.option("k")]
    return MISSING if not best else values[best[0]] if feature.option("k") == 1 else [values[key] for key in best]


def percentile(values: list[int], share: int) -> object:
    """Of the numbers to three digits the least up to which at least the share of them lies."""
    rounded = sorted(int(round(Decimal(value), 3 - len(str(abs(value))))) if abs(value) >= 1000 else value for value in values)
    return next((Exact(one) for place, one in enumerate(rounded, 1) if Fraction(place, len(rounded)) >= Fraction(share, MICRO)), MISSING)


def day(time: int, zone: str = "UTC") -> int:
    """As dates count them, also of a time that is the day before the first of them, or the one after the last, in the zone."""
    inside = EPOCH + timedelta(microseconds=time)
    near = min(max(inside, datetime(1, 1, 2)), datetime(9999, 12, 30)).replace(tzinfo=UTC)  # noqa: DTZ001 - as EPOCH is
    offset = near.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()
    return 1 + (inside - datetime(1, 1, 1) + offset) // timedelta(days=1)  # noqa: DTZ001


def streak(unit: str, times: list[int], at: int) -> int:
    """How many days, or weeks from Monday on, in a row, up to today's or yesterday's."""
    calendar = {(day(time) - 1) // 7 if unit == "weeks" else day(time) for time in times}
    today = (day(at) - 1) // 7 if unit == "weeks" else day(at)
    last = next((each for each in (today, today - 1) if each in calendar), None)
    return 0 if last is None else next(n for n in count(1) if last - n not in calendar)


def sessions(times: list[int], gap: int) -> list[list[int]]:
    cuts = [0, *(n for n in range(1, len(times)) if times[n] - times[n - 1] > gap), len(times)]
    return [times[start:stop] for start, stop in pairwise(cuts) if times]


def session_length(how: str, lengths: list[int]) -> object:
    if not lengths:
        return MISSING
    return average(lengths) if how == "mean" else Exact(lengths[-1] if how == "last" else sum(lengths))


def decayed(found: list[Read], half_life: int, at: int) -> int:
    """What each number, or each event, comes to by now, to six places."""
    past = [(one.time_us, micros(one.value) or 0 if one.key else MICRO) for one in found if one.time_us <= at]
    return sum(round(number * 2.0 ** ((time - at) / half_life)) for time, number in past)


def since(times: list[int], at: int, pick: Callable[[list[int]], int]) -> object:
    past = [time for time in times if time <= at]
    return Exact(at - pick(past)) if past else MISSING


def unbroken(feature: Feature, events: Sequence[Event], at: int) -> object:
    """How long it has been so, by the newest writes of the trait; nothing there counts from the first event on."""
    (where,) = feature.where
    name = where.path.split(".")[0].split("[")[0]
    writes = [(e.time_us, e.traits or {}) for e in events if e.type == "identify" and name in (e.traits or {})][-feature.option("kept") :]
    told = [(min(e.time_us for e in events), {}), *writes] if events else []
    since = None
    for time, said in told:
        such = some_value(said, where.path, where.predicates, feature.timezone)
        since = None if not such else time if since is None else since
    return MISSING if since is None else Exact(at - since)


def in_order(feature: Feature, events: Sequence[Event], at: int) -> bool:
    """Whether some events are the steps of a sequence, by all ways to choose them."""
    steps = feature.option("steps")
    seen: list[tuple[int, bytes, list[SequenceStep]]] = []
    for event in events:
        value = values_at(root_of(event, feature.property), feature.property)[0] if feature.property else None
        such = [s for s in steps if matches(replace(feature, events=s.events, where=s.where, within_us=None), event, at)]
        if such and value is not MISSING and event.time_us <= at and in_window(feature, event.time_us, at):
            seen.append((event.time_us, json(value), such))
    seen = seen[-feature.option("kept") :]
    found = ([(t, s) for t, k, such in seen if k == key for s in such] for key in {key for _, key, _ in seen})
    return any(goes_on(feature, times, (start,), 1, at) for times in found for start, step in times if step is steps[0])


def goes_on(feature: Feature, seen: list[tuple[int, SequenceStep]], ends: tuple[int, ...], number: int, at: int) -> bool:
    """Whether the steps from a number on can come behind others, which ended so. What has no end of its own ends with the next that has."""
    steps, span = feature.option("steps"), feature.option("span_us")
    if number == len(steps):
        return ends[-1] <= at and (span is None or ends[-1] - ends[0] < span)
    step, before = steps[number], ends[-1]
    if step.never and step.within_us is None:
        return goes_on(feature, seen, ends, number + 1, at)
    if step.never:
        candidates = [before + step.within_us]
    else:
        candidates = [t for t, s in seen if s is step and before < t and (step.within_us is None or t < before + step.within_us)]
    barred = [step] if step.never else []
    for earlier in reversed(steps[:number]):
        if not earlier.never or earlier.within_us is not None:
            break
        barred.append(earlier)
    broken = [t for t, s in seen if any(s is one for one in barred)]
    clear = [end for end in candidates if not any(before < t < end for t in broken)]
    return any(goes_on(feature, seen, (*ends, end), number + 1, at) for end in clear)


MEASURES: dict[str, Callable[[Feature, list[Read], int], object]] = {
    "times": lambda f, found, at: counted(len(found), f),
    "sum": lambda f, found, at: Exact(sum(numbers(found))),
    "avg": lambda f, found, at: average(numbers(found)),
    "min": lambda f, found, at: Exact(min(numbers(found))) if numbers(found) else MISSING,
    "max": lambda f, found, at: Exact(max(numbers(found))) if numbers(found) else MISSING,
    "stddev": lambda f, found, at: deviation(numbers(found)),
    "decayed_sum": lambda f, found, at: Exact(decayed(found, f.option("half_life"), at)),
    "percentile": lambda f, found, at: percentile(numbers(found), f.option("at")),
    "distinct": lambda f, found, at: counted(len({one.key for one in found}), f),
    "distinct_days": lambda f, found, at: counted(len({day(one.time_us, f.timezone) for one in found}), f),
    "active_periods": lambda f, found, at: counted(len({(at - one.time_us) // f.option("each") for one in found}), f),
    "first": lambda f, found, at: found[0].value if found else MISSING,
    "last": lambda f, found, at: found[-1].value if found else MISSING,
    "by_source": lambda f, found, at: next((of[-1].value for of in by_source(f, found) if of), MISSING),
    "latest": lambda f, found, at: is_such(f, found[-1].event) if found else MISSING,
    "first_time": lambda f, found, at: bool(found) and in_window(f, found[0].time_us, at),
    "since_first": lambda f, found, at: since([one.time_us for one in found], at, min),
    "since_last": lambda f, found, at: since([one.time_us for one in found], at, max),
    "set": lambda f, found, at: newest(found, f.option("limit")),
    "list": lambda f, found, at: [one.value for one in found[-f.option("limit") :]] or MISSING,
    "top": lambda f, found, at: top(f, found),
    "interval_mean": lambda f, found, at: average([b.time_us - a.time_us for a, b in pairwise(found)]),
    "streak": lambda f, found, at: Exact(streak(f.option("unit"), [one.time_us for one in found], at) * MICRO),
    "session_count": lambda f, found, at: Exact(len(sessions([one.time_us for one in found], f.option("gap_us"))) * MICRO),
    "session_length": lambda f, found, at: session_length(
        f.option("how"), [each[-1] - each[0] for each in sessions([one.time_us for one in found], f.option("gap_us"))]
    ),
}
"""Of matching events in order of ``(time, message id)``; of a measure of a property those that have it."""


def traits_of(definitions: Definitions, events: Sequence[Event], at: int, sent: Mapping[str, object] | None = None) -> dict[str, object]:
    """Plain ones are registers: the last write stands, null hides. Computed names hide plain ones, also when missing. ``sent``: what is
    said otherwise than by identify calls."""
    traits: dict[str, object] = {**(sent or {})}
    for event in events:
        if event.type == "identify":
            traits.update(event.traits or {})
    for trait in definitions.traits:
        if trait.kind != "plain" and trait.feature is not None:
            traits[trait.name] = measured(definitions.features[trait.feature], events, at)
    expressions = {trait.name: trait.expression for trait in definitions.traits if trait.expression is not None}
    known = {name: value for name, value in traits.items() if value is not None and value is not MISSING and name not in expressions}

    def value_at(path: str) -> object:
        key, _, word = STEP.findall(path)[0]
        made = expressions.get(word or key)
        if made is not None:
            return evaluate(made, value_at)
        value = values_at(known, path)[0]
        if isinstance(value, Exact):
            return Fraction(value.micros, MICRO)
        return None if value is MISSING else value if number(value) is None else number(value)

    for name, expression in expressions.items():
        found = evaluate(expression, value_at)
        if found is not None:
            known[name] = Exact(int(found * MICRO)) if isinstance(found, Fraction) else found
    return known


# ── predicates ──────────────────────────────────────────────────────────────────────────────────────────────────────
def some_value(root: object, path: str, predicates: Sequence[Predicate], timezone: str, at: int = 0) -> bool:
    """One value of the path satisfies all of them; ``at`` is now, which few of them look at."""
    return any(all(satisfies(value, p, timezone, at) for p in predicates) for value in values_at(root, path))


def written(predicates: Sequence[Predicate], has: Event | dict[str, object]) -> list[Predicate]:
    """The predicates with the values of the other fields that they name, of an event or among traits."""
    found = []
    for each in predicates:
        operand = each.operand
        if isinstance(operand, OtherField):
            inside = isinstance(has, Event) and re.split(r"[.\[]", operand.path)[0] == "context"
            root = has if isinstance(has, dict) else has.body if inside else has.properties
            operand = values_at(root, operand.path)[0]
        found.append(Predicate(each.op, operand, each.ignore_case))
    return found


KINDS: dict[type, str] = {bool: "boolean", Exact: "number", int: "number", float: "number", str: "text", list: "list", dict: "object"}


def satisfies(value: object, predicate: Predicate, timezone: str, at: int = 0) -> bool:
    """A missing value satisfies nothing but that it is missing, or empty."""
    if predicate.operand is MISSING:
        return False
    if value is MISSING:
        return (predicate.op, predicate.operand) in (("exists", False), ("is", "empty"))
    operand = predicate.operand
    if predicate.ignore_case:
        value, operand = small(value), small(operand)
    return OPERATORS[predicate.op](value, operand, timezone, at)


def small(value: object) -> object:
    """Its texts in small letters, each sign by itself."""
    if isinstance(value, dict):
        return {name: small(each) for name, each in value.items()}
    if isinstance(value, list):
        return [small(each) for each in value]
    return "".join(sign.lower()[:1] for sign in value) if isinstance(value, str) else value


def equal(value: object, *operands: object) -> bool:
    return json(value) in map(json, operands)


def of_item(item: object, operand: Sequence[Any], zone: str, at: int) -> bool:
    """Predicates of the item itself, or of what stands at paths in it."""
    item = MISSING if item is None else item
    return all(some_value(item, p.path, p.predicates, zone, at) if isinstance(p, Where) else satisfies(item, p, zone, at) for p in operand)


def is_kind(value: object, operand: object) -> bool:
    return value in ("", [], {}) if operand == "empty" else KINDS.get(type(value)) == operand


def part(test: Callable[[Any, Any], bool], holds: bool = True, of: type = str) -> Callable[[object, Any, str, int], bool]:
    return lambda value, operand, zone, at: isinstance(value, str) and isinstance(operand, of) and test(value, operand) is holds


OPERATORS: dict[str, Callable[[object, Any, str, int], bool]] = {
    "eq": lambda value, operand, zone, at: equal(value, operand),
    "ne": lambda value, operand, zone, at: not equal(value, operand),
    "in": lambda value, operand, zone, at: isinstance(operand, list) and equal(value, *operand),
    "not_in": lambda value, operand, zone, at: isinstance(operand, list) and not equal(value, *operand),
    "gt": lambda value, operand, zone, at: ordered(value, "gt", operand, zone),
    "gte": lambda value, operand, zone, at: ordered(value, "gte", operand, zone),
    "lt": lambda value, operand, zone, at: ordered(value, "lt", operand, zone),
    "lte": lambda value, operand, zone, at: ordered(value, "lte", operand, zone),
    "between": lambda value, operand, zone, at: ordered(value, "gte", operand[0], zone) and ordered(value, "lte", operand[1], zone),
    "exists": lambda value, operand, zone, at: operand is True,
    "is": lambda value, operand, zone, at: is_kind(value, operand),
    "contains": part(operator.contains),
    "not_contains": part(operator.contains, False),
    "contains_any": part(lambda value, operand: any(each in value for each in operand), of=list),
    "starts_with": part(str.startswith),
    "not_starts_with": part(str.startswith, False),
    "ends_with": part(str.endswith),
    "not_ends_with": part(str.endswith, False),
    "matches": part(lambda value, operand: re2.search(operand, value) is not None),
    "before": lambda value, operand, zone, at: dated(value, operand, zone) and ordered(value, "lt", operand, zone),
    "after": lambda value, operand, zone, at: dated(value, operand, zone) and ordered(value, "gt", operand, zone),
    "on": lambda value, operand, zone, at: (
        dated(value, operand, zone) and ordered(value, "gte", operand, zone) and ordered(value, "lte", operand, zone)
    ),
    "within": lambda value, operand, zone, at: any(at - operand < start <= at for start in begins(value, zone)),
    "older_than": lambda value, operand, zone, at: any(start <= at - operand for start in begins(value, zone)),
    "in_next": lambda value, operand, zone, at: any(at < start <= at + operand for start in begins(value, zone)),
    "anniversary_in_next": lambda value, operand, zone, at: any(anniversary(day, operand, zone, at) for day in local(value, zone)),
    "month": lambda value, operand, zone, at: any(all(satisfies(day.month, p, zone) for p in operand) for day in local(value, zone)),
    "day_of_month": lambda value, operand, zone, at: any(all(satisfies(day.day, p, zone) for p in operand) for day in local(value, zone)),
    "day_of_week": lambda value, operand, zone, at: any(
        all(satisfies(day.isoweekday(), p, zone) for p in operand) for day in local(value, zone)
    ),
    "hour": lambda value, operand, zone, at: any(
        ":" in str(value) and all(satisfies(day.hour, p, zone) for p in operand) for day in local(value, zone)
    ),
    "semver_eq": lambda value, operand, zone, at: versions(value, operand, operator.eq),
    "semver_gt": lambda value, operand, zone, at: versions(value, operand, operator.gt),
    "semver_gte": lambda value, operand, zone, at: versions(value, operand, operator.ge),
    "semver_lt": lambda value, operand, zone, at: versions(value, operand, operator.lt),
    "semver_lte": lambda value, operand, zone, at: versions(value, operand, operator.le),
    "near": lambda value, operand, zone, at: haversine(value, operand) <= math.sin(min(operand["km"] / 2 / EARTH_KM, math.pi / 2)) ** 2,
    "includes": lambda value, operand, zone, at: isinstance(value, list) and any(equal(item, operand) for item in value),
    "includes_any": lambda value, operand, zone, at: isinstance(value, list) and any(equal(item, *operand) for item in value),
    "includes_all": lambda value, operand, zone, at: (
        isinstance(value, list) and all(any(equal(item, o) for item in value) for o in operand)
    ),
    "excludes_all": lambda value, operand, zone, at: isinstance(value, list) and not any(equal(item, *operand) for item in value),
    "size": lambda value, operand, zone, at: isinstance(value, list) and all(satisfies(len(value), p, zone, at) for p in operand),
    "any_item": lambda value, operand, zone, at: isinstance(value, list) and any(of_item(item, operand, zone, at) for item in value),
    "every_item": lambda value, operand, zone, at: (
        isinstance(value, list) and value != [] and all(of_item(i, operand, zone, at) for i in value)
    ),
}
"""Of values that are there."""


def ordered(value: object, op: str, operand: object, timezone: str) -> bool:
    """As intervals with both ends included: a number or a text is a point, a date alone is its day."""
    left, right = interval(value, timezone), interval(operand, timezone)
    if left and right and left[0] == "date" and right[0] == "text":
        left = ("text", value, value)  # only the operand decides whether dates are compared
    if not left or not right or left[0] != right[0]:
        return False
    return bool({"gt": left[1] > right[2], "gte": left[1] >= right[1], "lt": left[2] < right[1], "lte": left[2] <= right[2]}[op])


EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)


def dated(value: object, operand: object, zone: str) -> bool:
    return all(found is not None and found[0] == "date" for found in (interval(value, zone), interval(operand, zone)))


def begins(value: object, zone: str) -> list[int]:
    """When a date begins; nothing of what is none."""
    found = interval(value, zone)
    return [found[1]] if found and found[0] == "date" else []


def local(value: object, zone: str) -> list[datetime]:
    """A date as the clocks of the zone have it; nothing of what is none, or outside of the years 1 to 9999."""
    try:
        days = [EPOCH_UTC + timedelta(microseconds=start) for start in begins(value, zone)]
        return [datetime.fromisoformat(str(value)) if len(str(value)) == 10 else day.astimezone(ZoneInfo(zone)) for day in days]
    except OverflowError:
        return [datetime.fromisoformat(str(value))] if len(str(value)) == 10 else []


def anniversary(day: datetime, operand: int, zone: str, at: int) -> bool:
    """Of the days from today on, the first that is the same day of its year is today or starts soon enough."""
    today = (EPOCH_UTC + timedelta(microseconds=at)).astimezone(ZoneInfo(zone)).date()
    leap = (day.month, day.day) == (2, 29)
    for n in range(366 + 1):
        that = today + timedelta(days=n)
        february = leap and (that.month, that.day) == (2, 28) and (that + timedelta(days=1)).month == 3
        if (that.month, that.day) == (day.month, day.day) or february:
            return n == 0 or begins(that.isoformat(), zone)[0] <= at + operand
    return False


VERSION = re.compile(r"(\d+)(\.\d+)?(\.\d+)?(?:(?<=\d)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)", re.ASCII)


def version(value: object) -> tuple[Any, ...] | None:
    """Three numbers, whether it is a release, and the parts before one: numbers before words."""
    found = VERSION.fullmatch(value) if isinstance(value, str) else None
    if found is None or ((found[4] or found[5]) and not found[3]):
        return None
    numbers = [(part or ".0").removeprefix(".") for part in found.groups()[:3]]
    parts = found[4][1:].split(".") if found[4] else []
    padded = [part for part in (*numbers, *parts) if part.isdigit() and part[0] == "0" and part != "0"]
    if padded or "" in parts or "" in (found[5] or "+0")[1:].split("."):
        return None
    return [int(number) for number in numbers], not parts, [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in parts]


def versions(value: object, operand: object, test: Callable[[Any, Any], bool]) -> bool:
    one, other = version(value), version(operand)
    return one is not None and other is not None and test(one, other)


EARTH_KM = 6371.0088


def haversine(value: object, operand: Any) -> float:
    """Of the angle between two places in degrees: 0 where they are one, 1 on the other side of the earth, infinite of what is no place."""
    if not isinstance(value, dict):
        return math.inf
    there = [micros(value.get(name)) for name in ("lat", "lon")]
    here = [micros(operand[name]) for name in ("lat", "lon")]
    if None in there or abs(there[0]) > 90 * MICRO or abs(there[1]) > 180 * MICRO:  # type: ignore[arg-type,operator]
        return math.inf
    (lat, lon), (other_lat, other_lon) = ([each / MICRO for each in place] for place in (here, there))  # type: ignore[operator]
    degree = math.pi / 180
    north, east = math.sin((other_lat - lat) * degree / 2), math.sin((other_lon - lon) * degree / 2)
    return north * north + math.cos(lat * degree) * math.cos(other_lat * degree) * (east * east)


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
            start, end = (((day + timedelta(days=n)).replace(tzinfo=zone) - EPOCH_UTC) // timedelta(microseconds=1) for n in (0, 1))
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
    at: int
    accounts: Sequence[dict[str, object]] = ()
    seen: Sequence[int] = ()
    """The traits of those that the profile belongs to; ``seen`` are the times of all its events."""
    identifiers: Sequence[tuple[str, str]] = ()
    """Namespace and value of each, the lead first, of one namespace those that were seen first before others."""
    lists: Mapping[str, Sequence[tuple[str, str]]] = {}
    written: Callable[[str, object], object] = lambda _namespace, value: value
    """A value of a namespace as identifiers are written, if it can be one."""


def holds(segment: Segment, condition: Condition, facts: Facts) -> bool:
    return FORMS[condition.form](segment, condition, facts)


def did(segment: Segment, condition: Any, facts: Facts) -> bool:
    found = facts.features[condition.feature]
    several = found.values if isinstance(found, Several) else [found]
    return any(all(satisfies(one, each, segment.timezone) for each in written(condition.predicates, facts.traits)) for one in several)


def trait(segment: Segment, condition: Any, facts: Facts) -> bool:
    if condition.feature is not None:
        return all(satisfies(facts.features[condition.feature], each, segment.timezone) for each in condition.lasting)
    return some_value(facts.traits, condition.path, written(condition.predicates, facts.traits), segment.timezone, facts.at)


def has(segment: Segment, condition: Any, facts: Facts) -> bool:
    mine = [value for namespace, value in facts.identifiers if namespace == condition.namespace]
    asked = []
    for op, operand, small in ((each.op, each.operand, each.ignore_case) for each in condition.predicates):
        several = operand if isinstance(operand, list) else [operand]
        kept = [facts.written(condition.namespace, one) for one in several] if op in {"eq", "ne", "in", "not_in"} else several
        asked.append(Predicate(op, kept if isinstance(operand, list) else kept[0], small))
    return any(all(satisfies(value, each, segment.timezone) for each in asked) for value in mine)


def sample(condition: Any, facts: Facts) -> bool:
    chosen = next((one for one in facts.identifiers if condition.by in {None, one[0]}), None)
    if chosen is None:
        return False
    bits = hashlib.sha256(f"{condition.seed}:{chosen[0]}:{chosen[1]}".encode()).hexdigest()[:8]
    return int(bits, 16) < Fraction(condition.percent, 100 * MICRO) * 2**32


FORMS: dict[str, Callable[[Segment, Any, Facts], bool]] = {
    "all": lambda segment, condition, facts: all(holds(segment, each, facts) for each in condition.of),
    "any": lambda segment, condition, facts: any(holds(segment, each, facts) for each in condition.of),
    "at_least": lambda segment, condition, facts: sum(holds(segment, each, facts) for each in condition.of) >= condition.n,
    "not": lambda segment, condition, facts: not holds(segment, condition.of, facts),
    "trait": trait,
    "did": did,
    "sequence": lambda segment, condition, facts: facts.features[condition.feature] is True,
    "segment": lambda segment, condition, facts: condition.segment in facts.segments,
    "new_within": lambda segment, condition, facts: bool(facts.seen) and min(facts.seen) > facts.at - condition.within_us,
    "inactive_for": lambda segment, condition, facts: bool(facts.seen) and max(facts.seen) <= facts.at - condition.for_us,
    "has": has,
    "sample": lambda segment, condition, facts: sample(condition, facts),
    "in_list": lambda segment, condition, facts: any(
        (namespace, facts.written(namespace, value)) in facts.identifiers for namespace, value in facts.lists[condition.list]
    ),
    "account": lambda segment, condition, facts: any(
        holds(segment, condition.of, facts._replace(traits=traits)) for traits in facts.accounts
    ),
    "consent": lambda segment, condition, facts: facts.granted[condition.purpose],
}
