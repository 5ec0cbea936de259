"""What validation, upcasts and scores cost a document, beside the bare library on the same decoded documents."""

from __future__ import annotations

import gc
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import jsonschema_rs
import orjson

from contracts import load
from contracts.model.batches import Event
from contracts.model.definitions import Definitions
from contracts.model.versions import trial_order
from operators.judge import Judge, _upcast
from operators.quality.scorer import Scorer
from skep.tools.demo.events import make_demo
from skep.tools.starter import shop_contracts

BATCH = 2000
_READ_AT_US = 1_790_000_000_000_000
_BY_TRAITS = {"identify", "group"}
_KEPT = {"events", "types", "consent.yaml", "identity.yaml"}
_SHOP = {path.as_posix(): text for path, text in shop_contracts().items() if path.parts[0] in _KEPT}
_VIEWED = orjson.loads(_SHOP["events/product_viewed/1-0-0.json"])

Bare = dict[str, tuple[Callable[[Any], bool], ...]]
Call = tuple[str, str, dict[str, Any], int, dict[str, Any]]
"""The arguments of one choice of a version: event, place, what is judged, time in µs, body."""


def judging(people: int, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """The three scenes, on the demo shop's events: as they are, a fifth of an old model, three versions of one event."""
    lines = make_demo(people, events, seed).lines
    accepted, _ = _judge(load(_SHOP)).judge_many(lines, 0, _READ_AT_US)
    viewed = [event.raw for event in accepted if event.name == "product_viewed"]
    # Of five events two are views of products: every other view is sent in the new model.
    new = set(viewed[::2])
    upcasts = [_as_version(2, line) if line in new else line for line in lines]
    return {
        "validation": _scene(load(_SHOP), lines, rounds),
        "upcasts": _scene(load(_with_versions()), upcasts, rounds),
        "versions": _scene(load(_with_versions()), [_as_version(number, line) for number, line in enumerate(viewed)], rounds),
    }


def _with_versions() -> dict[str, str]:
    """The shop's contracts, with product_viewed 1-0-1 (a property more) and 2-0-0 (one renamed, one new, one in cents)."""
    properties = dict(_VIEWED["properties"])
    added = {**_VIEWED, "properties": {**properties, "shelf": {"type": "string"}}}
    del properties["product_id"]
    new = {"product": _VIEWED["properties"]["product_id"], "channel": {"type": "string"}, "price": {"type": "number", "minimum": 0}}
    renamed = {**_VIEWED, "properties": {**properties, "shelf": {"type": "string"}, **new}, "required": ["product", "channel"]}
    old = {"product_id": "p", "price": 1.5, "name": "honey"}
    upcast = {
        "upcast": "1-0-1 to 2-0-0",
        "steps": [{"rename": {"product_id": "product"}}, {"default": {"channel": "web"}}, {"convert": {"path": "price", "multiply": 100}}],
        "examples": [{"old": old, "new": {"product": "p", "price": 150, "name": "honey", "channel": "web"}}],
    }
    # JSON is YAML.
    folder = {"1-0-1.json": added, "2-0-0.json": renamed, "1-0-1-to-2-0-0.yaml": upcast}
    return _SHOP | {f"events/product_viewed/{name}": orjson.dumps(content).decode() for name, content in folder.items()}


def _as_version(number: int, line: bytes) -> bytes:
    """Every third document is of 1-0-0, of 1-0-1, of 2-0-0."""
    body = orjson.loads(line)
    properties = body["properties"]
    if number % 3:
        properties["shelf"] = "top"
    if number % 3 == 2:
        properties |= {"product": properties.pop("product_id"), "channel": "app"}
    return orjson.dumps(body)


def _scene(definitions: Definitions, lines: list[bytes], rounds: int) -> dict[str, Any]:
    """Batch by batch each is measured in turn, in another order each time, over fresh events; medians of all batches, in ns a document."""
    judge = _judge(definitions)
    bare: Bare = {
        event: tuple(jsonschema_rs.validator_for(one.schema).is_valid for one in trial_order(versions))
        for event, versions in definitions.contracts.items()
    }
    scorer = Scorer(definitions)
    spent: dict[str, list[float]] = defaultdict(list)
    documents = upcasted = 0
    gc.collect()
    gc.disable()
    for turn in range(rounds):
        counted: dict[tuple[int, str], int] = defaultdict(int)
        for number, start in enumerate(range(0, len(lines), BATCH), turn):
            began = time.thread_time_ns()
            events, _ = judge.judge_many(lines[start : start + BATCH], start, _READ_AT_US)
            spent["step"].append((time.thread_time_ns() - began) / len(events))
            calls = [_call(event) for event in events]
            casts = [call for event, call in zip(events, calls, strict=True) if _reading(judge, event) is not None]
            tasks: list[tuple[str, Callable[[], object]]] = [
                ("bare", partial(_bare, bare, calls)),
                ("flow", partial(_flow, judge, calls)),
                ("upcasts", partial(_cast, judge, casts)),
                ("scores", partial(scorer.score, events, counted=partial(_count, counted))),
            ]
            for name, task in tasks[number % 4 :] + tasks[: number % 4]:
                began = time.thread_time_ns()
                task()
                spent[name].append((time.thread_time_ns() - began) / len(events))
            for key, scores in scorer.score(events).items():
                counted[key] += scores.events
            documents, upcasted = documents + len(events), upcasted + len(casts)
    gc.enable()
    ns = {name: round(median(each)) for name, each in spent.items()}
    return {
        "documents": documents,
        "upcasted_share": round(upcasted / documents, 3),
        "bare_ns": ns["bare"],
        "flow_ns": ns["flow"],
        "ratio": round(ns["bare"] / ns["flow"], 3),
        "upcast_ns": ns["upcasts"],
        "upcast_ns_each": round(ns["upcasts"] * documents / upcasted) if upcasted else None,
        "score_ns": ns["scores"],
        "added_by_upcasts": round(ns["upcasts"] / ns["flow"], 3),
        "added_by_scores": round(ns["scores"] / ns["flow"], 3),
        "added": round((ns["upcasts"] + ns["scores"]) / ns["flow"], 3),
        "step_ns": ns["step"],
        "added_to_step": round((ns["upcasts"] + ns["scores"]) / (ns["step"] - ns["upcasts"]), 3),
    }


def _judge(definitions: Definitions) -> Judge:
    return Judge(definitions, unknown_ok=False, future_skew_us=1 << 60, max_event_bytes=1_000_000)


def _call(event: Event) -> Call:
    name = event.contract.partition("/")[0]
    place = "traits" if name in _BY_TRAITS else "properties"
    judged = event.body.get(place) or {}
    if event.type in {"page", "screen"}:
        judged = event.properties
    return name, place, judged, event.time_us, event.body


def _reading(judge: Judge, event: Event) -> Any:
    version = judge._versions.find(event.contract)
    return None if version is None else version.upcast


def _count(counted: dict[tuple[int, str], int], hour: int, event: str) -> int:
    return counted[hour, event]


def _bare(validators: Bare, calls: list[Call]) -> None:
    for event, _, judged, _, _ in calls:
        for is_valid in validators[event]:
            if is_valid(judged):
                break


def _flow(judge: Judge, calls: list[Call]) -> None:
    version = judge._version
    for event, place, judged, time_us, body in calls:
        version(event, place, judged, time_us, body)


def _cast(judge: Judge, calls: list[Call]) -> None:
    upcasts = {event: trial[0] for event, trial in judge._versions.trial.items()}
    for event, place, judged, _, body in calls:
        version = upcasts[event]
        if version.upcast is not None:
            _upcast(version.name, version.upcast, body, place, judged)
