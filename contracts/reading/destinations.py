"""``destinations/<name>.yaml``: who is told of what, where, and how it is said there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from contracts.model.definitions import CHANGES
from contracts.model.destinations import BUILT_IN, Caps, Destination, Quiet, Vendor
from contracts.model.event_patterns import event_pattern
from contracts.model.uses import Use
from contracts.reading import connections
from contracts.reading.calls import REPLIES, REQUESTS, read_replies, read_requests
from contracts.reading.confidence import FLOOR
from contracts.reading.events_wanted import is_wanted, nameable_events
from contracts.reading.kinds import FOLDER, shipped, shipped_vendor
from contracts.reading.limits import LIMITS, read_limits
from contracts.reading.said_values import VALUES, Nameable, check_trait, check_value
from contracts.text.durations import duration_us
from contracts.text.keys import (
    Boolean,
    Choice,
    Duration,
    Fields,
    Integer,
    Items,
    Key,
    Own,
    Plain,
    Text,
    known,
    offered,
    text_schema,
    texts_schema,
)
from contracts.text.names import event_name
from contracts.text.problems import Unexpected, choices, closest, listed
from contracts.text.times import time_zone
from contracts.text.yaml_tree import Reader, Tree

FILE_KEYS = ("kind", "path", "changes", "confidence")
_NAMES = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
_CONNECTION = {"type": "object", "properties": {"headers": {"additionalProperties": {"type": ["string", "number", "object"]}}}}
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_FILE_SAYS = "the file to write, relative to the project folder"


def _minute(value: object) -> int:
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise Unexpected('a time of day such as "21:00", in quotation marks')
    return int(found[1]) * 60 + int(found[2])


def _cost(value: object) -> float:
    if type(value) not in {int, float} or not isinstance(value, int | float) or value < 0:
        raise Unexpected("what a request costs, such as 0.0001")
    return float(value)


def _zone(value: object) -> str:
    return str(value) if isinstance(value, str) and value.startswith("trait:") and value != "trait:" else time_zone(value)


QUIET = Fields((
    Key("from", Plain(_minute, text_schema()), "a time of day", required='a time of day such as "21:00"'),
    Key("to", Plain(_minute, text_schema()), "a time of day", required='a time of day such as "08:00"'),
    Key("zone", Plain(_zone, text_schema()), "a time zone, or trait:<name> that holds the person's", default="UTC"),
    Key("otherwise", Plain(time_zone, text_schema()), "the zone of people without one", default="UTC"),
))  # fmt: skip
CAPS = Fields((
    Key("per", Choice(("person",)), "whom they hold for", default="person"),
    Key("channel", Text(), "email, sms, push or chat", required="a channel such as email"),
    Key("max", Integer(), "how many messages", required="how many messages"),
    Key("within", Duration(), "in how long", required="a duration such as 7d"),
))  # fmt: skip
_MORE = {"sql": ("table", "columns", "key"), "kafka": ("key",), "redis": ("member", "profile")}
_NEEDED = {"sql": ("table", "columns", "key"), "redis": ("member",)}
_FEEDS = frozenset({"webhook", "kafka"})
"""Kinds beside `file` that can be told the change events themselves."""


def names_of(kind: str, names: Iterable[str]) -> list[str]:
    """Of the names of keys those that files of a kind may have."""
    if kind == "file":
        return list(FILE_KEYS)
    of_others = {name for more in _MORE.values() for name in more} - {*_MORE.get(kind, ())}
    return [name for name in names if name not in {"path", *of_others, *(() if kind in _FEEDS else ("changes",))}]


def _by_kind(names: Iterable[str]) -> dict[str, Any]:
    """What an editor knows of the keys by kind, and of what asks for a purpose."""
    names = list(names)
    kinds = ("file", "webhook", *_MORE)
    cases: list[dict[str, Any]] = []
    for kind in (*kinds, ""):
        allowed = names_of(kind, names)
        needed = ["path"] if kind == "file" else ["connection", *_NEEDED.get(kind, ())]
        then = {
            "required": needed,
            "propertyNames": {"enum": allowed},
            "properties": {one: {"not": {}} for one in names if one not in allowed},
        }
        cases.append({"if": {"properties": {"kind": {"const": kind} if kind else {"not": {"enum": list(kinds)}}}}, "then": then})
    asking = [{"required": ["events"]}, {"required": ["people"], "properties": {"people": {"const": "all"}}}]
    return {"allOf": [*cases, {"if": {"anyOf": asking}, "then": {"required": ["purpose"]}}]}


_DESTINATION = (
    Key("kind", Own(lambda _: offered((*BUILT_IN, *shipped()))), "what is told", required="file"),
    Key("path", Text(), _FILE_SAYS),
    Key("changes", Items(Choice(CHANGES), "a list of types of changes", {"minItems": 1}),
        "what it is told of; leave it out for everything"),
    Key("confidence", FLOOR, "of people of whom we are less sure who it is, only what their segments gain and lose is told"),
    Key("connection", Own(_CONNECTION), "where it is, and how it is proved who asks"),
    Key("audiences", Own(lambda names: {**_NAMES, "propertyNames": known(names.get("segments", ()))}), "what each segment is called there"),
    Key("match", Own(texts_schema()), "which of the person is sent to be recognised: names of namespaces, else of traits"),
    Key("traits", Own({"anyOf": [{"type": "object"}, {"type": "array", "items": text_schema()}]}),
        "which traits it is told of, and what each is called there"),
    Key("events", Own(texts_schema()), "which events are forwarded: names, prefixes, identify, group, alias, page_viewed; \"*\" for all"),
    Key("event_names", Own(_NAMES), "what an event is called there"),
    Key("purpose", Own(lambda names: known((*names.get("purposes", ()), "none")) if names.get("purposes") else text_schema()),
        "without this consent nobody is told of"),
    Key("min_size", Integer(), "an audience of fewer is sent empty"),
    Key("people", Choice(("audience", "all")), "whose traits it is told of", default="audience"),
    Key("quiet", Own(QUIET.schema), "when nobody is disturbed"),
    Key("caps", Own(CAPS.schema), "how many messages a person gets"),
    Key("limits", Own(LIMITS.schema), "how fast, how much, how often"),
    Key("on_delete", Choice(("exit", "nothing")), "what a profile that vanishes leads to", default="exit"),
    Key("cost_per_call", Plain(_cost, {"type": "number", "minimum": 0}), "what a request costs", default=0.0),
    Key("allow_private", Boolean(), "it may be at a private or loopback address", default=False),
    Key("requests", Own(REQUESTS.schema), "how it is asked"),
    Key("replies", Own(REPLIES.schema), "how its answers are read"),
    Key("table", Text(), "of kind sql: the table"),
    Key("columns", Own(VALUES), "of kind sql: what is written into each column"),
    Key("key", Own(texts_schema()), "of kind sql the columns of the key, of kind kafka the key of a record"),
    Key("member", Text(), "of kind redis: the key of a segment's set"),
    Key("profile", Text(), "of kind redis: the key of a profile's hash"),
)  # fmt: skip
DESTINATION = Fields(_DESTINATION, _by_kind([key.name for key in _DESTINATION]))


def _keys(kind: str) -> Fields:
    """The keys of a kind's files."""
    allowed = names_of(kind, DESTINATION.names)
    return Fields(tuple(key for key in DESTINATION.keys if key.name in allowed))


def read_destination(reader: Reader, at: Tree, name: str, around: Nameable, own: Mapping[str, Vendor | None]) -> Destination:
    """One destination, named after its file. ``around``: what its values may name; ``own``: the project's own kinds."""
    said_kind = at.value.get("kind") if isinstance(at.value, dict) else None
    kind = str(said_kind.value) if said_kind is not None else "file"
    vendor = _vendor(reader, said_kind, kind, own)
    if vendor is None:
        return Destination(name, kind, vendor=Vendor(""))
    told = f"a segment says that it goes here: `activate: [{name}]`" if isinstance(at.value, dict) and "segments" in at.value else ""
    fields = _keys(kind)
    parts = fields.parts(reader, at, beside=told)
    said = fields.values(reader, at, parts)
    if "changes" in parts and parts["changes"].value == []:
        reader.refuse(parts["changes"], "at least one type of change", "an empty list", "leave `changes` out for all of them")
    changes = tuple(dict.fromkeys(filter(None, said.get("changes") or ())))
    if kind == "file":
        path = reader.required(at, parts, "path", _FILE_SAYS)
        return Destination(name, kind, said["path"] if path is not None else "", changes or CHANGES, said["confidence"])
    return _told(reader, at, _Read(name, kind, vendor, parts, said, changes, around))


def _vendor(reader: Reader, at: Tree | None, kind: str, own: Mapping[str, Vendor | None]) -> Vendor | None:
    """What is known of a kind; None if nothing is, which is a problem, or if its own file cannot be read, which is one there."""
    if kind in own:
        return own[kind]
    found = Vendor("file") if kind == "file" else connections.BUILT_IN.get(kind) or shipped_vendor(kind)
    if found is None and at is not None:
        kinds = (*BUILT_IN, *sorted({*shipped(), *own}))
        hint = closest(kind, kinds) or f"contracts/{FOLDER}/{kind}.yaml would say how another is told"
        reader.refuse(at, f"a kind of destination: {listed(kinds)}", None, hint)
    return found


@dataclass(frozen=True, slots=True)
class _Read:
    """A file of a kind other than `file`: its keys, what they say, and what is known around it."""

    name: str
    kind: str
    vendor: Vendor
    parts: dict[str, Tree]
    said: dict[str, Any]
    changes: tuple[str, ...]
    around: Nameable


def _told(reader: Reader, at: Tree, file: _Read) -> Destination:
    parts, said, vendor = file.parts, file.said, file.vendor
    connection = connections.read_connection(reader, parts.get("connection"), at, vendor)
    events = _events(reader, parts.get("events"), file.around)
    names = replace(
        file.around,
        events=events,
        connection=tuple(one.name for one in vendor.connection) or None,
        secrets=frozenset(one.name for one in vendor.connection if one.secret),
        match=vendor.match,
        derived=tuple(vendor.derived),
    )
    requests = read_requests(reader, said["requests"], names, vendor.requests)
    _check_asked(reader, at, file, requests)
    limits = vendor.limits.tightened(read_limits(reader, said["limits"], vendor.limits)).filled()
    return Destination(
        name=file.name,
        kind=file.kind,
        changes=file.changes,
        confidence=said["confidence"],
        connection=connection,
        audiences=_audiences(reader, parts.get("audiences"), names),
        match=_match(reader, parts.get("match"), names),
        traits=_traits(reader, parts.get("traits"), names),
        events=events,
        event_names=_event_names(reader, parts.get("event_names"), names),
        purpose=_purpose(reader, at, file, events),
        min_size=said["min_size"],
        people=said["people"],
        quiet=_quiet(reader, said["quiet"], names),
        caps=_caps(reader, parts.get("caps"), vendor),
        limits=limits,
        on_delete=said["on_delete"],
        cost_per_call=said["cost_per_call"],
        allow_private=said["allow_private"],
        requests=requests,
        replies=read_replies(reader, said["replies"], vendor.replies),
        vendor=vendor,
        more=_more(reader, at, file, names),
    )


def _check_asked(reader: Reader, at: Tree, file: _Read, requests: Mapping[str, Any]) -> None:
    """Problems of what the file asks for and its kind cannot be asked."""
    if file.kind in BUILT_IN and file.kind != "http":
        return
    if file.kind == "http" and not requests:
        reader.required(at, {}, "requests", "how it is asked: enter, exit, update, event, erase")
    for key, call in (("audiences", "enter"), ("events", "event"), ("traits", "update")):
        if key not in file.parts or call in requests:
            continue
        if key == "events" and {"update", "alias", "group"} & {*requests}:
            continue
        reader.refuse(file.parts[key], f"no `{key}`: kind {file.kind} cannot be told of {key}", key,
                      f"say in `requests: {{{call}: …}}` how" if file.kind == "http" else "")  # fmt: skip


def _audiences(reader: Reader, at: Tree | None, names: Nameable) -> dict[str, str]:
    found = {}
    for segment, part in reader.mapping(at, "a mapping of segments to what each is called there").items() if at is not None else ():
        if names.segments is not None and segment not in names.segments:
            reader.refuse(part, "the name of a file in segments/", segment, choices(segment, names.segments))
        number = isinstance(part.value, int) and not isinstance(part.value, bool)
        found[segment] = str(part.value) if number else reader.text(part, segment)
    return found


def _match(reader: Reader, at: Tree | None, names: Nameable) -> tuple[str, ...]:
    found = []
    for part in reader.texts(at, "a name of a namespace or trait, or a list of them"):
        known_names = None if names.namespaces is None or names.traits is None else {*names.namespaces, *names.traits, *names.match}
        if names.match and part.value not in names.match and (known_names is None or part.value not in known_names):
            reader.refuse(part, f"{listed(names.match)}, which this kind can be sent", None, closest(part.value, names.match))
        elif known_names is not None and part.value not in known_names:
            reader.refuse(part, "the name of a namespace or of a trait", None, choices(part.value, known_names))
        found.append(part.value)
    return tuple(dict.fromkeys(found))


def _traits(reader: Reader, at: Tree | None, names: Nameable) -> dict[str, str] | None:
    if at is None:
        return None
    pairs: list[tuple[str, Tree]]
    if isinstance(at.value, dict):
        pairs = list(at.value.items())
        found = {name: reader.text(part, name) for name, part in pairs}
    else:
        pairs = [(part.value, part) for part in reader.texts(at, "a mapping of traits to what each is called there, or a list of traits")]
        found = {name: name for name, _ in pairs}
    for name, part in pairs:
        check_trait(reader, part, name, names)
    return found


def _events(reader: Reader, at: Tree | None, around: Nameable) -> tuple[str, ...]:
    found: list[str] = []
    for part in reader.texts(at, "the name of an event, a prefix such as order_*, or a list of them"):
        pattern = event_pattern(part.value)
        if not pattern or "*" in part.value[:-1]:
            reader.refuse(part, "the name of an event, or a prefix with one * at its end")
            continue
        found.append(pattern)
        known_events = None if around.properties is None else nameable_events(around.properties)
        if known_events is not None and not any(is_wanted([pattern], name) for name in known_events):
            what = "a prefix of at least one event" if pattern.endswith("*") else "an event with a contract in events/"
            reader.refuse(part, what, part.value, choices(pattern, known_events))
    return tuple(dict.fromkeys(found))


def _event_names(reader: Reader, at: Tree | None, names: Nameable) -> dict[str, str]:
    found = {}
    for said, part in reader.mapping(at, "a mapping of events to what each is called there").items() if at is not None else ():
        name = event_name(said)
        if not is_wanted(names.events, name):
            reader.refuse(part, "an event that `events` asks for", said, choices(name, [one for one in names.events if "*" not in one]))
        found[name] = reader.text(part, said)
    return found


def _purpose(reader: Reader, at: Tree, file: _Read, events: tuple[str, ...]) -> str | None:
    part = file.parts.get("purpose")
    if part is None:
        if events or file.said["people"] == "all":
            what = "`events`" if events else "`people: all`"
            reader.required(at, {}, "purpose", f"a purpose of consent.yaml beside {what}, or none on purpose")
        return None
    text = reader.text(part)
    purposes = file.around.purposes
    if text and text != "none" and purposes is not None and text not in purposes:
        reader.refuse(part, "a purpose of consent.yaml, or none", None, choices(text, purposes))
    return "" if text == "none" else text or None


def _quiet(reader: Reader, at: Tree | None, names: Nameable) -> Quiet | None:
    if at is None:
        return None
    parts = QUIET.parts(reader, at)
    said = QUIET.values(reader, at, parts)
    zone = str(said["zone"])
    trait = zone.removeprefix("trait:")
    if zone != trait:
        check_trait(reader, parts["zone"], trait, names)
    return Quiet(said["from"] or 0, said["to"] or 0, zone, str(said["otherwise"]))


def _caps(reader: Reader, at: Tree | None, vendor: Vendor) -> Caps | None:
    if at is None:
        return None
    if not vendor.channel and vendor.name in {*shipped()}:
        reader.refuse(at, f"no `caps`: kind {vendor.name} writes no messages", "caps")
    said = CAPS.read(reader, at)
    return Caps(said["channel"], said["max"] or 1, said["within"] or duration_us("7d"))


def _more(reader: Reader, at: Tree, file: _Read, names: Nameable) -> dict[str, Any]:
    found: dict[str, Any] = {}
    needed = _NEEDED.get(file.kind, ())
    for name in _MORE.get(file.kind, ()):
        part = reader.required(at, file.parts, name, f"`{name}` of kind {file.kind}") if name in needed else file.parts.get(name)
        if part is None:
            continue
        found[name] = part.plain()
        if name == "columns":
            for one in reader.mapping(part, "a mapping of columns to values").values():
                check_value(reader, one, names)
        elif file.kind == "kafka":
            check_value(reader, part, names)
    return found


def check_activated(reader: Reader, uses: Iterable[Use], destinations: Iterable[Destination]) -> None:
    """Problems of segments that are activated at a destination that has no name for them."""
    by_name = {one.name: one for one in destinations}
    for use in uses:
        to = by_name.get(use.name) if use.kind == "destination" and use.of == "segment" else None
        if to is not None and not to.is_nameless and to.vendor.name and use.path not in to.audiences:
            at = Tree(to.name, use.file, use.line, use.key)
            hint = f"contracts/destinations/{to.name}.yaml: say there what it is called: `audiences: {{{use.path}: …}}`"
            reader.refuse(at, f"a destination that has {use.path} among its `audiences`", to.name, hint)
