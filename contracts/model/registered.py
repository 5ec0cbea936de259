"""Schemas of a Confluent-compatible registry as contracts: what such a file says beside its schema, and how it is made.

``x-registry`` at the root of a contract: ``{"subject", "version", "id", "record"}``, and of bare documents ``"fields"``. Records
of a producer that frames them (a zero byte, the id in four bytes, JSON) are judged by the contract with that id.
``record`` says what the producer sends: ``event``, events as Skep knows them, or ``document``, bare documents that become the
properties of a track call; ``fields`` then says which of its paths are the event's ``timestamp``, ``userId`` and so on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contracts.text.names import event_name
from contracts.text.problems import Problem, closest
from contracts.text.schema_files import key_of
from schemalogic.lines import line_at
from schemalogic.paths import parse_path

KEY = "x-registry"
FIELDS = ("timestamp", "userId", "anonymousId", "messageId", "sentAt", "receivedAt")
_KEYS = ("subject", "version", "id", "record", "fields")
_SAID = {
    "timestamp": ("timestamp", "occurred_at", "occurredat", "event_time", "eventtime", "created_at", "createdat", "time", "ts"),
    "userId": ("userid", "user_id", "customerid", "customer_id", "accountid", "account_id"),
    "anonymousId": ("anonymousid", "anonymous_id", "deviceid", "device_id", "visitorid", "visitor_id"),
    "messageId": ("messageid", "message_id", "eventid", "event_id"),
}
"""What producers call the fields of an event, small letters."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A contract's place in the registry; ``fields``: field of the event → path in the document."""

    subject: str
    version: int
    id: int
    record: Literal["event", "document"]
    fields: tuple[tuple[str, str], ...] = ()


def read_registered(file: str, text: str, schema: dict[str, Any], problems: list[Problem]) -> Registered | None:
    """What ``x-registry`` says; None if it is not there, or is not as it must be."""
    said = schema.get(KEY)
    if said is None:
        return None
    before = len(problems)

    def refuse(path: list[str], expected: str, found: object, hint: str = "") -> None:
        problems.append(Problem(file, line_at(text, [KEY, *path]), key_of([KEY, *path]), expected, json.dumps(found)[:60], hint))

    if not isinstance(said, dict):
        refuse([], f"an object with {', '.join(_KEYS)}", said)
        return None
    for key in said:
        if key not in _KEYS:
            refuse([key], f"one of the keys {', '.join(_KEYS)}", key, closest(key, _KEYS))
    if not (isinstance(said.get("subject"), str) and said["subject"]):
        refuse(["subject"], "the name of a subject", said.get("subject"))
    for key in ("version", "id"):
        if type(said.get(key)) is not int or said[key] < 1:
            refuse([key], "a whole number, at least 1", said.get(key))
    if said.get("record") not in {"event", "document"}:
        refuse(["record"], "event or document", said.get("record"))
    fields = said.get("fields", {})
    for name, path in fields.items() if isinstance(fields, dict) else [("", fields)]:
        if name not in FIELDS:
            refuse(["fields", name] if name else ["fields"], f"one of the fields {', '.join(FIELDS)}", name or path, closest(name, FIELDS))
        elif not _is_path(path):
            refuse(["fields", name], "the path of a property such as occurred_at", path)
    if len(problems) > before:
        return None
    return Registered(said["subject"], said["version"], said["id"], said["record"], tuple(sorted(fields.items())))


def _is_path(path: object) -> bool:
    try:
        return isinstance(path, str) and all(isinstance(step, str) for step in parse_path(path))
    except ValueError:
        return False


def event_of_subject(subject: str) -> str:
    """The event of a subject: ``orders.OrderCompleted-value`` is ``order_completed``; "" for keys of records."""
    if subject.endswith("-key"):
        return ""
    return event_name(re.split(r"[./]", subject.removesuffix("-value"))[-1]) or ""


def contract_of(schema: dict[str, Any], subject: str, version: int, schema_id: int) -> dict[str, Any]:
    """The contract of a registered schema. One of whole events becomes the contract of their properties."""
    place: dict[str, Any] = {"subject": subject, "version": version, "id": schema_id}
    properties = schema.get("properties")
    declared = properties if isinstance(properties, dict) else {}
    head: dict[str, Any] = {str(key): schema[key] for key in ("$schema", "title", "description") if key in schema}
    if "properties" in declared and ("event" in declared or "type" in declared):
        inside = {"$ref": "#/$defs/record/properties/properties", "$defs": {"record": _moved(schema)}}
        return {**head, KEY: {**place, "record": "event"}, **inside}
    fields = {field: name for field, names in _SAID.items() if (name := _named(declared, names))}
    return {**head, KEY: {**place, "record": "document", **({"fields": fields} if fields else {})}, **_without_id(schema)}


def _named(declared: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    by_name = {name.lower(): name for name in declared}
    return next((by_name[name] for name in names if name in by_name), None)


def _without_id(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in {"$id", "$schema", "title", "description"}}


def _moved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema for a place below the root: pointers into itself begin there; anchors, and parts with a name of their own, stay."""

    def moved(value: Any) -> Any:
        if isinstance(value, dict) and not (isinstance(value.get("$id"), str) and value["$id"][:1] != "#"):
            return {key: f"#/$defs/record{part[1:]}" if key == "$ref" and _is_pointer(part) else moved(part) for key, part in value.items()}
        return [moved(part) for part in value] if isinstance(value, list) else value

    found: dict[str, Any] = moved({key: value for key, value in schema.items() if key not in {"$id", "$schema"}})
    return found


def _is_pointer(reference: object) -> bool:
    return isinstance(reference, str) and reference[:1] == "#" and reference[1:2] in {"", "/"}


def with_types(schema: Any, types: Mapping[str, str]) -> Any:
    """The schema with references to other subjects (by the name that the registry gives them) led to contracts/types/."""
    if isinstance(schema, list):
        return [with_types(part, types) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: with_types(part, types) for key, part in schema.items()}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name, hash_, rest = reference.partition("#")
        if name in types:
            found["$ref"] = f"../../types/{types[name]}.json{hash_}{rest}"
    return found
