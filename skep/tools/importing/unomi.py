"""Segments of Apache Unomi: JSON with trees of conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from skep.tools.importing.draft import Clause, DraftedSegment, duration, every, everybody, missing, named, negated, some

FOLDED = "Unomi's index folds case and accents; here case is folded, accents count"
_EVENTS = {"view": "page_viewed"}
_VALUES = (
    "propertyValue",
    "propertyValueInteger",
    "propertyValueDouble",
    "propertyValueDate",
    "propertyValueDateExpr",
    "propertyValueBoolean",
)
_SEVERAL = ("propertyValues", "propertyValuesInteger", "propertyValuesDouble", "propertyValuesDate", "propertyValuesDateExpr")
_TEXT = {"contains": "contains", "startsWith": "starts_with", "endsWith": "ends_with", "matchesRegex": "matches"}
_ORDER = {"lessThan": "lt", "lessThanOrEqualTo": "lte", "greaterThan": "gt", "greaterThanOrEqualTo": "gte"}
_LISTS = {"all": "includes_all", "hasSomeOf": "includes_any", "hasNoneOf": "includes_any"}
_NEGATIVE = frozenset({"notEquals", "notIn", "missing", "notContains", "isNotDay", "hasNoneOf"})
_UNITS = {"meters": 0.001, "m": 0.001, "kilometers": 1.0, "km": 1.0, "miles": 1.609344, "mi": 1.609344}


def read(document: Any) -> list[DraftedSegment]:
    """One segment, or a list of them."""
    found = [one for one in (document if isinstance(document, list) else [document]) if isinstance(one, dict)]
    names: dict[str, str] = {}
    for one in found:
        identity = str((one.get("metadata") or {}).get("id") or len(names))
        names[identity] = named(identity, names.values())
    return [
        DraftedSegment(name, str((one.get("metadata") or {}).get("name") or ""), _condition(one.get("condition") or {}, names))
        for one, name in zip(found, names.values(), strict=True)
    ]


def _condition(node: Mapping[str, Any], names: Mapping[str, str]) -> Clause:
    kind, given = node.get("type"), node.get("parameterValues") or {}
    match kind:
        case "booleanCondition":
            parts = [_condition(one, names) for one in given.get("subConditions") or []]
            if not parts:
                return everybody()
            return some(parts) if str(given.get("operator", "and")).lower() == "or" else every(parts)
        case "notCondition":
            return negated(_condition(given.get("subCondition") or {}, names))
        case "matchAllCondition":
            return everybody()
        case "profilePropertyCondition":
            return _property(given)
        case "profileSegmentCondition":
            inside = some([Clause({"segment": names.get(str(one), named(str(one)))}) for one in given.get("segments") or []])
            return negated(inside) if given.get("matchType") == "notIn" else inside
        case "pastEventCondition":
            return _past(given)
    return missing(str(kind), f"a condition of type {kind}")


def _property(given: Mapping[str, Any]) -> Clause:
    path = str(given.get("propertyName", ""))
    if not path.startswith("properties."):
        return missing(path, f"what Unomi keeps of a profile under {path}")
    found = _predicate(given)
    if found is None:
        return missing(f"{path} {given.get('comparisonOperator')}", f"the operator {given.get('comparisonOperator')}")
    predicate, note = found
    node = Clause({"trait": path.removeprefix("properties."), **predicate}).noted(note)
    return negated(node) if given.get("comparisonOperator") in _NEGATIVE else node


def _predicate(given: Mapping[str, Any]) -> tuple[dict[str, Any], str] | None:
    """The predicates that hold of what a positive operator asks for, and a note; what is negative holds of missing values there, too."""
    operator = str(given.get("comparisonOperator", ""))
    value = next((given[key] for key in _VALUES if given.get(key) is not None), None)
    several = next((list(given[key]) for key in _SEVERAL if given.get(key)), [])
    text = isinstance(value, str) and not any(given.get(key) for key in ("propertyValueDate", "propertyValueDateExpr"))
    folded, note = ({"ignore_case": True}, FOLDED) if text or any(isinstance(one, str) for one in several) else ({}, "")
    match operator:
        case "equals" | "notEquals":
            return {"eq": value, **folded}, note
        case "in" | "notIn" if several:
            return {"in": several, **folded}, note
        case "inContains" if several:
            return {"contains_any": several, "ignore_case": True}, FOLDED
        case "exists" | "missing":
            return {"exists": True}, ""
        case "between" if len(several) == 2:
            return {"between": several}, ""
        case "isDay" | "isNotDay":
            return {"on": str(value)[:10]}, "a day in UTC"
        case "notContains":
            return {"contains": value, "ignore_case": True}, FOLDED
        case "distance":
            return _near(given)
    if operator in _ORDER:
        return _ordered(_ORDER[operator], value)
    if operator in _TEXT:
        return {
            _TEXT[operator]: value,
            **({} if operator == "matchesRegex" else {"ignore_case": True}),
        }, "" if operator == "matchesRegex" else FOLDED
    if operator in _LISTS and several:
        return {_LISTS[operator]: several, **folded}, note
    return None


def _ordered(word: str, value: Any) -> tuple[dict[str, Any], str]:
    """Also what is relative to now: ``now-30d``."""
    found = re.fullmatch(r"now-(\d+)([smhdwMy])(?:/\w)?", str(value))
    if found is None:
        return {word: value}, ""
    units = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "M": "month", "y": "year"}
    length, note = duration(int(found[1]), units[found[2]])
    return {"within" if word.startswith("gt") else "older_than": length}, note


def _near(given: Mapping[str, Any]) -> tuple[dict[str, Any], str] | None:
    center = given.get("center")
    where: list[Any] = center.split(",") if isinstance(center, str) else [(center or {}).get("lat"), (center or {}).get("lon")]
    unit = _UNITS.get(str(given.get("unit", "meters")))
    if len(where) != 2 or None in where or unit is None:
        return None
    return {"near": {"lat": float(where[0]), "lon": float(where[1]), "km": round(float(given.get("distance") or 0) * unit, 6)}}, ""


def _past(given: Mapping[str, Any]) -> Clause:
    """Events that have happened, or not, so often, in the last days or between two dates."""
    asked = _event(given.get("eventCondition") or {})
    if isinstance(asked, Clause):
        return asked
    events, wheres, notes = asked
    if not events:
        return missing("pastEventCondition", "events of any type: name them with `did`")
    did: dict[str, Any] = {"did": events[0] if len(events) == 1 else events, **({"where": wheres} if wheres else {})}
    if given.get("numberOfDays"):
        did["within"] = f"{int(given['numberOfDays'])}d"
    elif given.get("fromDate") or given.get("toDate"):
        did["between"] = [str(given.get("fromDate") or "0001-01-01"), str(given.get("toDate") or "9999-12-31")]
    if given.get("operator") == "eventsNotOccurred":
        return negated(Clause(did)).noted(*notes)
    least, most = given.get("minimumEventCount"), given.get("maximumEventCount")
    times = {"gte": int(least or 1), **({"lte": int(most)} if most is not None else {})}
    return Clause({**did, **({} if times == {"gte": 1} else {"times": times})}).noted(*notes)


def _event(node: Mapping[str, Any]) -> tuple[list[str], dict[str, Any], list[str]] | Clause:
    """The names of events, what is asked of their properties, and notes; or a condition that cannot be said."""
    kind, given = node.get("type"), node.get("parameterValues") or {}
    if kind == "eventTypeCondition":
        name = str(given.get("eventTypeId"))
        return [_EVENTS.get(name, name)], {}, [f"{name} is {_EVENTS[name]} here"] if name in _EVENTS else []
    if kind == "eventPropertyCondition":
        path, found = str(given.get("propertyName", "")), _predicate(given)
        if found is None or given.get("comparisonOperator") in _NEGATIVE or not path.startswith("properties."):
            return missing(f"{path} {given.get('comparisonOperator')}", f"a condition on {path} of an event")
        return [], {path.removeprefix("properties."): found[0]}, [found[1]]
    if kind == "booleanCondition" and str(given.get("operator", "and")).lower() == "and":
        events: list[str] = []
        wheres: dict[str, Any] = {}
        notes: list[str] = []
        for one in given.get("subConditions") or []:
            part = _event(one)
            if isinstance(part, Clause):
                return part
            events, wheres, notes = [*events, *part[0]], {**wheres, **part[1]}, [*notes, *part[2]]
        return (events, wheres, notes) if len(events) < 2 else missing("pastEventCondition", "one event of two types at once")
    return missing(str(kind), f"a condition of type {kind} on events")
