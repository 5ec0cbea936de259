"""Cohorts of PostHog: JSON as its API lists and exports them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skep.tools.importing.draft import (
    Clause,
    DraftedSegment,
    duration,
    every,
    everybody,
    missing,
    named,
    negated,
    number,
    some,
    spellings,
)

LIVE = "PostHog counts cohorts anew from time to time; here membership is true at every moment"
_EVENTS = {"$pageview": "page_viewed", "$screen": "screen_viewed"}
_ORDER = {"gt": "gt", "gte": "gte", "min": "gte", "lt": "lt", "lte": "lte", "max": "lte"}
_DATES = {"is_date_exact": "on", "is_date_before": "before", "is_date_after": "after"}
_SEMVER = {f"semver_{name}": f"semver_{name}" for name in ("eq", "gt", "gte", "lt", "lte")}


def read(document: Any) -> list[DraftedSegment]:
    """Every cohort of a document: one, a list, or the page of an API."""
    found = document.get("results", [document]) if isinstance(document, dict) else document
    cohorts = [one for one in found if isinstance(one, dict) and not one.get("deleted")]
    names: dict[Any, str] = {}
    for one in cohorts:
        names[one.get("id", len(names))] = named(str(one.get("name") or f"cohort {one.get('id', '')}"), names.values())
    return [
        DraftedSegment(name, str(one.get("name") or ""), _who(one, names), (LIVE,))
        for one, name in zip(cohorts, names.values(), strict=True)
    ]


def _who(cohort: Mapping[str, Any], names: Mapping[Any, str]) -> Clause:
    if cohort.get("is_static"):
        return Clause(
            {"in_list": f"{names.get(cohort.get('id'), 'cohort')}.csv"}, ("a static cohort: export its people into contracts/lists/",)
        )
    properties = (cohort.get("filters") or {}).get("properties")
    if properties:
        return _group(properties, names)
    groups = [every([_old(part, names) for part in _parts(group)]) for group in cohort.get("groups") or [] if _parts(group)]
    return some(groups) if groups else everybody()


def _parts(group: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of the older form of a cohort: properties, or one event."""
    return list(group.get("properties") or ([dict(group)] if group.get("event_id") or group.get("action_id") else []))


def _old(part: Mapping[str, Any], names: Mapping[Any, str]) -> Clause:
    if not (part.get("event_id") or part.get("action_id")):
        return _leaf({"type": "person", **part}, names)
    kind = "performed_event_multiple" if part.get("count") else "performed_event"
    key = {"key": part.get("event_id"), "event_type": "events"} if part.get("event_id") else {"key": 0, "event_type": "actions"}
    window = {"time_value": part.get("days") or 365, "time_interval": "day"}
    return _behaviour({"value": kind, "operator": part.get("count_operator"), "operator_value": part.get("count"), **key, **window})


def _group(node: Mapping[str, Any], names: Mapping[Any, str]) -> Clause:
    if "values" in node and node.get("type") in {"AND", "OR"}:
        parts = [_group(one, names) for one in node["values"]]
        if not parts:
            return everybody()
        return every(parts) if node["type"] == "AND" else some(parts)
    return _leaf(node, names)


def _leaf(node: Mapping[str, Any], names: Mapping[Any, str]) -> Clause:
    kind = node.get("type")
    if kind in {"cohort", "static-cohort", "dynamic-cohort", "precalculated-cohort"}:
        other = node.get("value")
        if other not in names:
            found = Clause({"segment": f"cohort_{other}"}, (f"cohort {other} is not in this file: import it, too, and name it so",))
        else:
            found = Clause({"segment": names[other]})
    elif kind == "person":
        found = _compared("trait", str(node.get("key")), node)
    elif kind in {"behavioral", "behavioural"}:
        found = _behaviour(node)
    else:
        found = missing(f"{kind} {node.get('key')}", f"a filter on {kind}")
    return negated(found) if node.get("negation") else found


def _compared(subject: str, key: str, node: Mapping[str, Any]) -> Clause:
    """A person's property; what is negative there holds of those who do not have it, too."""
    predicate, negative, note = _predicate(node)
    if predicate is None:
        return missing(f"{key} {node.get('operator')}", f"the operator {node.get('operator')}")
    found = Clause({subject: key, **predicate}).noted(note)
    return negated(found) if negative else found


def _predicate(node: Mapping[str, Any]) -> tuple[dict[str, Any] | None, bool, str]:
    """The predicates, whether they are to be negated, and a note; None for an operator that we do not have."""
    operator, value = node.get("operator") or "exact", node.get("value")
    values = value if isinstance(value, list) else [value]
    negative = operator in {"is_not", "not_icontains", "not_regex", "is_not_set", "not_in", "not_between"}
    predicate: dict[str, Any] | None = None
    note = ""
    match operator:
        case "exact" | "is_not" | "in" | "not_in":
            found = [spelling for one in values for spelling in spellings(one)]
            note = "PostHog compares texts: a number and its text are both meant" if len(found) > len(values) else ""
            predicate = {"eq": found[0]} if len(found) == 1 else {"in": found}
        case "icontains" | "not_icontains":
            predicate = {
                "contains_any" if len(values) > 1 else "contains": values if len(values) > 1 else str(values[0]),
                "ignore_case": True,
            }
        case "regex" | "not_regex":
            predicate = {"matches": str(value)}
        case "is_set" | "is_not_set":
            predicate = {"exists": True}
        case "between" | "not_between" if len(values) == 2:
            predicate = {"between": list(map(number, values))}
        case _ if operator in _ORDER:
            predicate = {_ORDER[operator]: number(value)}
        case _ if operator in _SEMVER:
            predicate = {operator: str(value)}
        case _ if operator in _DATES:
            predicate, note = _date(operator, str(value))
    return predicate, negative, note


def _date(operator: str, value: str) -> tuple[dict[str, Any] | None, str]:
    """A date, or one that is relative to now (``-7d``)."""
    relative = _relative(value)
    if relative is None:
        return {_DATES[operator]: value[:10] if operator == "is_date_exact" else value}, "a date alone is a whole day, in UTC"
    length, note = relative
    word = {"is_date_before": "older_than", "is_date_after": "within"}.get(operator)
    return (None, "") if word is None else ({word: length}, note)


def _relative(value: object) -> tuple[str, str] | None:
    found = re.fullmatch(r"-(\d+)([hdwmy])", str(value))
    if found is None:
        return None
    return duration(int(found[1]), {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}[found[2]])


def _behaviour(node: Mapping[str, Any]) -> Clause:
    key, kind = node.get("key"), str(node.get("value")).replace("_times", "")
    if node.get("event_type") == "actions" or not isinstance(key, str):
        return missing(f"action {key}", "an action of PostHog: say with `did` which events it is")
    event, wheres, notes = _event(key, node)
    window, window_note = _window(node, "")
    did = {"did": event, **({"where": wheres} if wheres else {})}
    built = _built(kind, did, window, node)
    return (missing(f"{kind} {key}", f"the behaviour {kind}") if built is None else built).noted(*notes, window_note)


def _event(key: str, node: Mapping[str, Any]) -> tuple[str, dict[str, Any], list[str]]:
    """The event, what is asked of its properties, and notes."""
    notes = [f"{key} is {_EVENTS[key]} here"] if key in _EVENTS else []
    wheres: dict[str, Any] = {}
    for one in node.get("event_filters") or []:
        predicate, negative, note = _predicate(one)
        path = str(one.get("key"))
        if predicate is None or one.get("type") not in {"event", None}:
            notes.append(f"not carried over: the filter {path} {one.get('operator')} of {one.get('type')}")
            wheres[path] = {"missing": str(one.get("operator"))}
            continue
        opposite = {"eq": "ne", "in": "not_in", "contains": "not_contains", "exists": "exists"}
        if negative:
            word, operand = next(iter(predicate.items()))
            predicate = {**predicate, opposite.get(word, f"not_{word}"): False if word == "exists" else operand}
            predicate = {name: part for name, part in predicate.items() if name != word or word == "exists"}
            notes.append(f"{path}: an event without it does not match here, and does in PostHog")
        wheres[path] = predicate["eq"] if list(predicate) == ["eq"] else predicate
        notes.append(note)
    return _EVENTS.get(key, key), wheres, notes


def _window(node: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], str]:
    explicit = node.get("explicit_datetime") if not prefix else None
    if explicit:
        relative, until = _relative(explicit), node.get("explicit_datetime_to")
        if relative is not None and not until:
            return {"within": relative[0]}, relative[1]
        if relative is None:
            note = "" if until else "from that day on, without an end"
            return {"between": [str(explicit), str(until or "9999-12-31")]}, note
        ends = _relative(until)
        if ends is not None:
            return {"ago": [relative[0], ends[0]]}, relative[1] or ends[1]
    amount = node.get(f"{prefix}time_value")
    if amount is None:
        return {}, ""
    length, note = duration(float(amount), str(node.get(f"{prefix}time_interval") or "day"))
    return ({"within": length} if length else {}), note


def _built(kind: str, did: dict[str, Any], window: dict[str, Any], node: Mapping[str, Any]) -> Clause | None:
    recent, _ = _window(node, "seq_")
    match kind:
        case "performed_event":
            return Clause({**did, **window})
        case "performed_event_multiple":
            return _often(did, window, node)
        case "performed_event_first_time" if window:
            return Clause({**did, "first_time": True, **window})
        case "performed_event_regularly":
            return _regularly(did, window, node)
        case "performed_event_sequence" if recent:
            later, wheres, notes = _event(str(node.get("seq_event")), {"event_filters": node.get("seq_event_filters")})
            steps = [did, {"did": later, **({"where": wheres} if wheres else {}), **recent}]
            return Clause({"sequence": steps, **window}).noted(*notes, "the second event comes strictly later, and in less than that time")
        case "stopped_performing_event" if recent and "within" in window:
            before = Clause({**did, "ago": [window["within"], recent["within"]]})
            return every([before, negated(Clause({**did, **recent}))])
        case "restarted_performing_event" if recent and "within" in window:
            first = Clause({**did, "since_first": {"gte": window["within"]}})
            return every([first, negated(Clause({**did, "ago": [window["within"], recent["within"]]})), Clause({**did, **recent})])
    return None


def _often(did: dict[str, Any], window: dict[str, Any], node: Mapping[str, Any]) -> Clause:
    operator = {"exact": "eq"}.get(str(node.get("operator") or "eq"), str(node.get("operator") or "eq"))
    count = int(node.get("operator_value") or 0)
    times: dict[str, Any] = {operator: count}
    note = ""
    if operator in {"lt", "lte"} or count == 0:
        times = {"gte": 1, **times}
        note = "who has never done it is in no such cohort of PostHog, so at least once is asked for"
    return Clause({**did, **window, "times": times}).noted(note)


def _regularly(did: dict[str, Any], window: dict[str, Any], node: Mapping[str, Any]) -> Clause | None:
    """In so many of the last periods, once at least."""
    if node.get("operator") not in {"gte", None} or int(node.get("operator_value") or 1) != 1 or "within" not in window:
        return None
    periods = {"each": window["within"], "of": int(node.get("total_periods") or 1)}
    return Clause({**did, "active_periods": periods, "gte": int(node.get("min_periods") or 1)}).noted("periods roll back from now")
