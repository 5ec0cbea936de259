"""The JSON Schemas of ``quality.yaml`` and of upcasts, for the editor."""

from __future__ import annotations

from typing import Any

from contracts.reading.quality import BOUNDS, CHECKS, SEVERITIES
from contracts.versions.upcasts.steps import CHECKS as STEPS
from contracts.versions.upcasts.values import EPOCHS, TYPES, UNITS
from skep.tools.editor.words import Schema, choice, described, duration, fields, items, offered, text

_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_MEANING = {
    "completeness": "the share of optional properties that are there, or of each property by its path",
    "quarantined": "the share of records that are refused",
    "unknown_properties": "the share of events with a property that no contract declares",
    "out_of_range": "the share of values outside of the examples or of the range, or of each property by its path",
    "freshness": "how old the newest event may be",
    "volume": "how many times the usual number of events",
}


def quality_schema(names: Any) -> Schema:
    """``quality.yaml``."""
    checks = {check: described(_check(check), _MEANING[check]) for check in CHECKS}
    expectation = fields(
        {
            "event": offered(names.events, "the name of an event, or a prefix such as order_*"),
            "source": text("only what comes from this source of skep.yaml"),
            **checks,
            "within": duration("over this window: whole hours from 1h to 7d", default="1h"),
            "severity": choice(SEVERITIES, "what happens when it does not hold", default="warn"),
        },
        ("event",),
        anyOf=[{"required": [check]} for check in CHECKS],
    )
    usual = {"type": "object", "additionalProperties": {"type": "object", "additionalProperties": _bounds({"type": "number"})}}
    return fields({
        "expectations": items(expectation, "what the events of a name must keep"),
        "ranges": described(usual, "usual values: event, then property, then gte and lte"),
    })  # fmt: skip


def _check(check: str) -> Schema:
    if check == "freshness":
        return fields({"lte": duration("at most so old")}, ("lte",))
    if check == "volume":
        return _bounds({"type": "number", "minimum": 0})
    if check in {"completeness", "out_of_range"}:
        narrowed = {"type": "object", "propertyNames": {"not": {"enum": list(BOUNDS)}}, "additionalProperties": _bounds(_SHARE)}
        return {"anyOf": [_bounds(_SHARE), narrowed]}
    return _bounds(_SHARE)


def _bounds(value: Schema) -> Schema:
    words = {"gte": "at least", "lte": "at most"}
    return fields({side: described(value, words[side]) for side in BOUNDS}, minProperties=1)


def upcast_schema(_names: Any) -> Schema:
    """``events/<event>/<OLD>-to-<NEW>.yaml``."""
    kinds = {kind: described(schema, _STEPS[kind]) for kind, schema in _steps().items()}
    step = fields({**kinds, "examples": _examples("what the step does")}, oneOf=[{"required": [kind]} for kind in STEPS])
    return fields(
        {
            "upcast": text("the versions, as the file is named, such as 1-0-0 to 2-0-0"),
            "steps": items(step, "what is done to a document, one after the other", minItems=1),
            "examples": _examples("documents before and after all steps"),
        },
        ("upcast", "steps"),
    )


_STEPS = {
    "rename": "old names and their new names in the same object",
    "move": "to another path",
    "default": "a value where there is none",
    "constant": "a value, whatever is there",
    "map": "each old value to a new one",
    "convert": "to another unit, type or way to write a time",
    "split": "a text into several",
    "join": "several texts into one",
    "drop": "paths that go",
}


def _steps() -> dict[str, Schema]:
    path = text("a path such as address.city or products[].price")
    paths = items(path, minItems=2)
    values: Schema = {"type": "object", "minProperties": 1}
    ways: dict[str, Schema] = {
        "unit": fields({"from": choice(UNITS), "to": choice(UNITS)}, ("from", "to")),
        "multiply": {"type": "number", "not": {"enum": [0, 1]}},
        "type": choice(TYPES),
        "time": {"anyOf": [choice(EPOCHS), fields({"format": text(), "zone": text()}, ("format",))]},
    }
    one_way = [{"required": [way]} for way in ways]
    places: Schema = {"type": "integer", "minimum": 0, "maximum": 12, "description": "decimal places that are kept"}
    number = {"properties": {"type": {"const": "number"}}, "required": ["type"]}
    rounding: Schema = {"anyOf": [{"required": ["unit"]}, {"required": ["multiply"]}, number]}
    otherwise = {"anyOf": [choice(("keep", "drop", "refuse")), fields({"value": {}}, ("value",))]}
    return {
        "rename": {**values, "additionalProperties": text()},
        "move": fields({"from": path, "to": path}, ("from", "to")),
        "default": values,
        "constant": values,
        "map": fields({"path": path, "values": values, "otherwise": otherwise}, ("path", "values")),
        "convert": fields({"path": path, **ways, "places": places}, ("path",), oneOf=one_way, dependencies={"places": rounding}),
        "split": fields({"path": path, "by": {"type": "string", "minLength": 1}, "into": paths}, ("path", "by", "into")),
        "join": fields({"paths": paths, "with": {"type": "string"}, "into": path}, ("paths", "with", "into")),
        "drop": items(path, minItems=1),
    }


def _examples(description: str) -> Schema:
    return items(fields({"old": {"type": "object"}, "new": {"type": "object"}}, ("old", "new")), description)
