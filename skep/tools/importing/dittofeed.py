"""Segments of Dittofeed: JSON with an entry node and the nodes that it leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skep.tools.importing.draft import Clause, DraftedSegment, every, everybody, missing, named, number, seconds, some, spellings

TEXTS = "Dittofeed compares texts: a number and its text are both meant"
_TIMES = {"=": "eq", ">=": "gte", "<": "lt"}


def read(document: Any) -> list[DraftedSegment]:
    """One segment, a list of them, or an object that has them under ``segments``."""
    found = document.get("segments", [document]) if isinstance(document, dict) else document
    segments = [one for one in found if isinstance(one, dict)]
    names: dict[str, str] = {}
    for one in segments:
        names[str(one.get("id", len(names)))] = named(str(one.get("name") or "segment"), names.values())
    return [
        DraftedSegment(name, str(one.get("name") or ""), _definition(one.get("definition") or one, name))
        for one, name in zip(segments, names.values(), strict=True)
    ]


def _definition(definition: Mapping[str, Any], name: str) -> Clause:
    nodes = {str(one.get("id")): one for one in definition.get("nodes") or []}
    return _node(definition.get("entryNode") or {}, nodes, name)


def _node(node: Mapping[str, Any], nodes: Mapping[str, Any], name: str) -> Clause:
    kind = node.get("type")
    match kind:
        case "And" | "Or":
            parts = [_node(nodes.get(str(one), {}), nodes, name) for one in node.get("children") or []]
            if not parts:
                return everybody()
            return every(parts) if kind == "And" else some(parts)
        case "Trait":
            return _trait(node)
        case "Includes":
            return Clause({"trait": _path(node), "includes": node.get("item")})
        case "NotIncludes":
            return Clause({"not": Clause({"trait": _path(node), "includes": node.get("item")})})
        case "Performed":
            return _performed(node)
        case "KeyedPerformed":
            key = str(node.get("key", ""))
            told = f"the events of one {key} alone, that of the journey, are counted there; here all are"
            return _performed(node).noted(f"{told}: with `each: {key}` those of one and the same {key}, whichever it is")
        case "LastPerformed" if not node.get("whereProperties"):
            wheres, notes = _wheres(node.get("hasProperties") or [])
            return Clause({"did": node.get("event"), "latest": True, "where": wheres}).noted(*notes)
        case "RandomBucket":
            share = round(float(node.get("percent") or 0) * 100, 6)
            return Clause(
                {"sample": {"percent": int(share) if share == int(share) else share, "seed": name}},
                ("other people than in Dittofeed, as many",),
            )
        case "SubscriptionGroup":
            purpose = named(str(node.get("subscriptionGroupId")))
            return Clause({"consent": purpose}, (f"a subscription group: declare the purpose {purpose} in contracts/consent.yaml",))
        case "Manual":
            return Clause({"in_list": f"{name}.csv"}, ("a manual segment: put its people into contracts/lists/",))
        case "Everyone":
            return everybody()
    return missing(f"{kind} {node.get('event') or ''}".strip(), f"a node of type {kind}")


def _path(node: Mapping[str, Any]) -> str:
    """A JSONPath as a path of ours."""
    return str(node.get("path", "")).removeprefix("$.").removeprefix("$")


def _trait(node: Mapping[str, Any]) -> Clause:
    found = _predicate(node.get("operator") or {})
    if found is None:
        kind = (node.get("operator") or {}).get("type")
        return missing(f"{_path(node)} {kind}", f"the operator {kind}")
    predicate, note = found
    return Clause({"trait": _path(node), **predicate}).noted(note)


def _predicate(operator: Mapping[str, Any]) -> tuple[dict[str, Any], str] | None:
    value = operator.get("value")
    match operator.get("type"):
        case "Equals":
            return _equal(value)
        case "NotEquals":
            found = spellings(value)
            return ({"ne": found[0]} if len(found) == 1 else {"not_in": found}), TEXTS if len(found) > 1 else ""
        case "Exists":
            return {"exists": True}, ""
        case "NotExists":
            return {"exists": False}, ""
        case "GreaterThanOrEqual":
            return {"gte": number(value)}, ""
        case "LessThan":
            return {"lt": number(value)}, ""
        case "Within":
            return {"within": seconds(float(operator.get("windowSeconds") or 0))}, ""
        case "HasBeen":
            predicate, note = _equal(value)
            length = seconds(float(operator.get("windowSeconds") or 0))
            return {**predicate, "for": {"lt": length} if operator.get("comparator") == "LT" else length}, note
        case "AbsoluteTimestamp":
            return {str(operator.get("direction", "after")).lower(): str(operator.get("absoluteTimestamp"))}, ""
    return None


def _equal(value: Any) -> tuple[dict[str, Any], str]:
    found = spellings(value)
    return ({"eq": found[0]}, "") if len(found) == 1 else ({"in": found}, TEXTS)


def _performed(node: Mapping[str, Any]) -> Clause:
    wheres, notes = _wheres(node.get("properties") or [])
    body: dict[str, Any] = {"did": node.get("event"), **({"where": wheres} if wheres else {})}
    if node.get("withinSeconds"):
        body["within"] = seconds(float(node["withinSeconds"]))
    times = {_TIMES.get(str(node.get("timesOperator") or ">="), "gte"): int(node.get("times", 1))}
    return Clause({**body, **({} if times == {"gte": 1} else {"times": times})}).noted(*notes)


def _wheres(properties: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    wheres: dict[str, Any] = {}
    notes: list[str] = []
    for one in properties:
        found, path = _predicate(one.get("operator") or {}), _path(one)
        if found is None or {"within", "for"} & found[0].keys():
            kind = (one.get("operator") or {}).get("type")
            wheres[path] = {"missing": kind}
            notes.append(f"cannot be said here: {path} {kind} of an event")
            continue
        wheres[path] = found[0]["eq"] if list(found[0]) == ["eq"] else found[0]
        notes.append(found[1])
    return wheres, notes
